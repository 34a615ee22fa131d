/* SPDX-License-Identifier: Apache-2.0 */
#include "turnstile.h"

#include <stddef.h>

#include "message.h"

_Static_assert(OUTPUT_GATE_B == OUTPUT_GATE + 1, "the gates' outputs are in the order of sides");
_Static_assert(INPUT_PASSAGE_B == INPUT_PASSAGE_A + 1, "the sensors are in the order of sides");

void turnstile_start(struct turnstile *turnstile, const struct configuration *configuration)
{
    const uint8_t inputs = configuration->inputs;

    for (uint8_t side = 0u; side < SIDE_COUNT; side++) {
        gate_side_start(&turnstile->sides[side]);
        turnstile->max_on_ms[side] = configuration->max_on_ms[OUTPUT_GATE + side];
    }
    turnstile->window_ms = configuration->window_ms;
    turnstile->min_pulse_ms = configuration->min_pulse_ms;
    turnstile->settle_ms = configuration->settle_ms;
    turnstile->sensors = (uint8_t)((inputs >> INPUT_PASSAGE_A) & 0x03u);
    turnstile->hold = (configuration->options & OPTION_HOLD) != 0u;
    turnstile->ready_fitted = (inputs & (1u << INPUT_READY)) != 0u;
    turnstile->fire = false;
    turnstile->stop = false;
    turnstile->ready = false;
    turnstile->ready_for_ms = 0u;
}

/* Whether passages on this side tell anything: in a fire everybody runs through. */
static bool is_watched(const struct turnstile *turnstile, uint8_t side)
{
    return ((turnstile->sensors & (1u << side)) != 0u) && !turnstile->fire;
}

static void begin(struct turnstile *turnstile, uint8_t side, const struct admission *admission)
{
    struct gate_side *const gate = &turnstile->sides[side];
    uint16_t on_ms = turnstile->hold ? turnstile->window_ms : admission->pulse_ms;

    if (!turnstile->hold && (on_ms < turnstile->min_pulse_ms)) {
        on_ms = turnstile->min_pulse_ms;
    }
    if (is_watched(turnstile, side) && (on_ms > turnstile->window_ms)) {
        on_ms = turnstile->window_ms; /* never unlocked for longer than it is watched */
    }
    gate->release_ms = (on_ms < turnstile->max_on_ms[side]) ? on_ms : turnstile->max_on_ms[side];
    if (is_watched(turnstile, side)) {
        gate->phase = PHASE_OPEN;
        gate->entry = admission->entry;
        gate->window_ms = turnstile->window_ms;
    }
}

/* A PASS edge of `at_ms` counts. */
static void count_passage(struct turnstile *turnstile, struct events *events, uint8_t side,
                          uint32_t at_ms)
{
    struct gate_side *const gate = &turnstile->sides[side];

    switch ((enum phase)gate->phase) {
    case PHASE_OPEN:
        events_add_gate(events, GATE_PASSED, side, gate->entry, at_ms);
        gate->phase = PHASE_SPENT;
        if (turnstile->hold) {
            gate_side_lock(gate);
        }
        break;
    case PHASE_SPENT:
        events_add_gate(events, GATE_TAILGATED, side, gate->entry, at_ms);
        break;
    case PHASE_CLOSED:
    default:
        events_add_gate(events, GATE_FORCED, side, 0u, at_ms);
        break;
    }
}

static void confirm_edge(struct turnstile *turnstile, struct events *events, uint8_t side)
{
    struct gate_side *const gate = &turnstile->sides[side];

    if (gate->edge_pending && (gate->settle_ms == 0u)) {
        gate->edge_pending = false;
        count_passage(turnstile, events, side, gate->edge_at_ms);
    }
}

static void end_window(struct turnstile *turnstile, struct events *events, uint8_t side,
                       uint32_t at_ms)
{
    struct gate_side *const gate = &turnstile->sides[side];

    /* An edge within the window is confirmed first, though that takes longer. */
    if ((gate->phase == (uint8_t)PHASE_CLOSED) || gate->edge_pending || (gate->window_ms > 0u)) {
        return;
    }
    if (gate->phase == (uint8_t)PHASE_OPEN) {
        events_add_gate(events, GATE_NOT_PASSED, side, gate->entry, at_ms);
    }
    gate->phase = PHASE_CLOSED;
    gate->entry = 0u;
}

static void begin_next(struct turnstile *turnstile, uint8_t side)
{
    struct gate_side *const gate = &turnstile->sides[side];
    struct admission next;

    if ((gate->queued == 0u) || (gate->release_ms > 0u) || (gate->gap_ms > 0u) ||
        (gate->phase == (uint8_t)PHASE_OPEN) || gate->edge_pending) {
        return;
    }
    next = gate_side_take_next(gate);
    begin(turnstile, side, &next);
}

void turnstile_settle(struct turnstile *turnstile, struct events *events, uint32_t at_ms)
{
    for (uint8_t side = 0u; side < SIDE_COUNT; side++) {
        confirm_edge(turnstile, events, side);
        end_window(turnstile, events, side, at_ms);
        begin_next(turnstile, side);
    }
}

uint8_t turnstile_obstacle(const struct turnstile *turnstile, uint8_t side)
{
    if (turnstile->stop || (side >= SIDE_COUNT)) {
        return REFUSAL_STOPPED;
    }
    if (turnstile->ready_fitted && !turnstile->ready) {
        return REFUSAL_NOT_READY;
    }
    if (turnstile->sides[side].queued >= QUEUE_MAX) {
        return REFUSAL_BUSY;
    }
    return REFUSAL_NONE;
}

void turnstile_admit(struct turnstile *turnstile, struct events *events, uint8_t side,
                     struct admission admission, uint32_t at_ms)
{
    struct gate_side *gate = NULL;

    turnstile_settle(turnstile, events, at_ms);
    if ((side >= SIDE_COUNT) || (turnstile_obstacle(turnstile, side) != (uint8_t)REFUSAL_NONE)) {
        return;
    }
    gate = &turnstile->sides[side];
    if (turnstile->hold && !is_watched(turnstile, side)) {
        begin(turnstile, side, &admission); /* nobody tells when they went through: held on */
    } else {
        gate->queue[gate->queued] = admission;
        gate->queued++;
    }
    turnstile_settle(turnstile, events, at_ms);
}

/* Nobody's turn comes any more on this side. */
static void annul(struct gate_side *gate, struct events *events, uint8_t side, uint32_t at_ms)
{
    for (uint8_t at = 0u; (at < QUEUE_MAX) && (at < gate->queued); at++) {
        events_add_gate(events, GATE_NOT_PASSED, side, gate->queue[at].entry, at_ms);
    }
    gate->queued = 0u;
}

/* End every release, and report whoever waited for the gate. */
static void relock(struct turnstile *turnstile, struct events *events, uint32_t at_ms)
{
    for (uint8_t side = 0u; side < SIDE_COUNT; side++) {
        struct gate_side *const gate = &turnstile->sides[side];

        gate_side_lock(gate);
        annul(gate, events, side, at_ms);
    }
}

/* The fire alarm has released the turnstile, which then obeys nobody: only observed. */
static void observe_fire(struct turnstile *turnstile, bool active)
{
    turnstile->fire = active;
    for (uint8_t side = 0u; active && (side < SIDE_COUNT); side++) {
        struct gate_side *const gate = &turnstile->sides[side];

        gate->phase = PHASE_CLOSED;
        gate->entry = 0u;
        gate->edge_pending = false;
        gate->queued = 0u;
    }
}

/* Without Ready no gate opens, for those who wait already neither. */
static void change_ready(struct turnstile *turnstile, struct events *events, bool active,
                         uint32_t at_ms)
{
    if (active && !turnstile->ready) {
        turnstile->ready_for_ms = 0u;
    }
    turnstile->ready = active;
    for (uint8_t side = 0u; !active && turnstile->ready_fitted && (side < SIDE_COUNT); side++) {
        turnstile->sides[side].edge_pending = false;
        annul(&turnstile->sides[side], events, side, at_ms);
    }
}

static void take_edge(struct turnstile *turnstile, struct events *events, uint8_t side,
                      uint32_t at_ms)
{
    struct gate_side *const gate = &turnstile->sides[side];

    if (!is_watched(turnstile, side)) {
        return;
    }
    if (!turnstile->ready_fitted) {
        count_passage(turnstile, events, side, at_ms);
    } else if (turnstile->ready && (turnstile->ready_for_ms >= turnstile->settle_ms) &&
               !gate->edge_pending) {
        gate->edge_pending = true;
        gate->edge_at_ms = at_ms;
        gate->settle_ms = turnstile->settle_ms;
    } else {
        /* PASS contacts of a turnstile without power look like a passage */
    }
}

void turnstile_sense(struct turnstile *turnstile, struct events *events, uint8_t input, bool active,
                     uint32_t at_ms)
{
    turnstile_settle(turnstile, events, at_ms);
    switch ((enum input)input) {
    case INPUT_FIRE:
        observe_fire(turnstile, active);
        break;
    case INPUT_STOP:
        turnstile->stop = active;
        if (active) {
            relock(turnstile, events, at_ms);
        }
        break;
    case INPUT_READY:
        change_ready(turnstile, events, active, at_ms);
        break;
    case INPUT_PASSAGE_A:
    case INPUT_PASSAGE_B:
        if (active) {
            take_edge(turnstile, events, (uint8_t)(input - (uint8_t)INPUT_PASSAGE_A), at_ms);
        }
        break;
    case INPUT_BUTTON:
    case INPUT_TAMPER:
    default:
        break;
    }
    turnstile_settle(turnstile, events, at_ms);
}

void turnstile_lose_host(struct turnstile *turnstile, struct events *events, uint32_t at_ms)
{
    turnstile_settle(turnstile, events, at_ms);
    relock(turnstile, events, at_ms);
    turnstile_settle(turnstile, events, at_ms);
}

void turnstile_pass(struct turnstile *turnstile, uint16_t elapsed_ms)
{
    const uint8_t room_ms = (uint8_t)(UINT8_MAX - turnstile->ready_for_ms);

    turnstile->ready_for_ms = (elapsed_ms < room_ms)
                                  ? (uint8_t)(turnstile->ready_for_ms + elapsed_ms)
                                  : UINT8_MAX;
    for (uint8_t side = 0u; side < SIDE_COUNT; side++) {
        gate_side_pass(&turnstile->sides[side], elapsed_ms);
    }
}

uint8_t turnstile_released(const struct turnstile *turnstile)
{
    uint8_t released = 0u;

    for (uint8_t side = 0u; side < SIDE_COUNT; side++) {
        if (turnstile->sides[side].release_ms > 0u) {
            released = (uint8_t)(released | (uint8_t)(1u << side));
        }
    }
    return released;
}
