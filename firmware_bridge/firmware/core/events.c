/* SPDX-License-Identifier: Apache-2.0 */
#include "events.h"

#include <stddef.h>

#include "message.h"

_Static_assert(EVENTS_INPUT_MAX < EVENTS_MAX, "gate reports have room of their own");

void events_start(struct events *events)
{
    events->first = 0u;
    events->count = 0u;
    events->inputs = 0u;
    events->lost = 0u;
}

static void lose(struct events *events)
{
    if (events->lost < UINT8_MAX) {
        events->lost++;
    }
}

static void keep(struct events *events, const struct event *event)
{
    uint8_t at = (uint8_t)(events->first + events->count);

    if (at >= EVENTS_MAX) {
        at = (uint8_t)(at - EVENTS_MAX);
    }
    if ((events->count >= EVENTS_MAX) || (at >= EVENTS_MAX)) {
        lose(events);
        return;
    }
    events->waiting[at] = *event;
    events->waiting[at].lost = events->lost;
    events->lost = 0u;
    events->count++;
    if (event->kind == (uint8_t)KIND_INPUT) {
        events->inputs++;
    }
}

void events_add_input(struct events *events, uint8_t input, uint8_t value, uint32_t at_ms)
{
    const struct event event = {0u, at_ms, KIND_INPUT, input, value, 0u};

    if (events->inputs >= EVENTS_INPUT_MAX) {
        lose(events);
    } else {
        keep(events, &event);
    }
}

void events_add_gate(struct events *events, uint8_t outcome, uint8_t side, uint32_t entry,
                     uint32_t at_ms)
{
    const struct event event = {entry, at_ms, KIND_GATE, outcome, side, 0u};

    keep(events, &event);
}

const struct event *events_oldest(const struct events *events)
{
    if ((events->count == 0u) || (events->first >= EVENTS_MAX)) {
        return NULL;
    }
    return &events->waiting[events->first];
}

void events_drop_oldest(struct events *events)
{
    const struct event *const oldest = events_oldest(events);

    if (oldest == NULL) {
        return;
    }
    if ((oldest->kind == (uint8_t)KIND_INPUT) && (events->inputs > 0u)) {
        events->inputs--;
    }
    events->count--;
    events->first = (uint8_t)(events->first + 1u);
    if (events->first >= EVENTS_MAX) {
        events->first = 0u;
    }
}
