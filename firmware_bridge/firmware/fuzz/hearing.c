/* What goes along the cables: the rules of docs/firmware-link.md for both directions.
 * SPDX-License-Identifier: Apache-2.0 */
#include "hearing.h"

#include <string.h>

#include "require.h"

#define FIRST_GATE 4u
#define MOST_UNSENT 256u /* bytes for the host; more would be no bounded buffer */

bool hearing_is_fresh(const struct watch *watch)
{
    return watch->heard && watch->now_ms - watch->heard_ms < watch->configuration.dead_man_ms;
}

bool hearing_holds(const struct watch *watch)
{
    return watch->spoke && watch->now_ms - watch->spoke_ms < watch->configuration.dead_man_ms;
}

static bool length_fits(const struct wire_frame *frame)
{
    switch (frame->kind) {
    case WIRE_HELLO:
        return frame->length == 4u;
    case WIRE_SHOW:
        return frame->length >= 6u && (frame->length - 6u) % 6u == 0u;
    case WIRE_CONFIGURE:
        return frame->length == CONFIGURATION_BYTES;
    case WIRE_HEARTBEAT:
    case WIRE_EVENT_ACKNOWLEDGE:
    case WIRE_READ_CONFIGURATION:
        return frame->length == 0u;
    default:
        return false;
    }
}

static uint8_t gates_of(const struct wire_frame *show)
{
    uint8_t gates = 0;
    for (unsigned at = 6; at + 6u <= show->length; at += 6u) {
        if (show->payload[at] >= FIRST_GATE && show->payload[at] < OUTPUT_COUNT) {
            gates |= (uint8_t)(1u << show->payload[at]);
        }
    }
    return gates;
}

static void allow_gates(struct watch *watch, uint8_t gates)
{
    for (unsigned side = 0; side < 2u; side++) {
        const uint32_t asked = (gates & 1u << (FIRST_GATE + side)) != 0u ? 1u : 0u;
        watch->releases[side] += asked;
        watch->verdicts += asked;
    }
}

static void host_said(struct watch *watch, const struct wire_frame *frame)
{
    if (frame->version != WIRE_VERSION || !length_fits(frame)) {
        return;
    }
    if (frame->kind == WIRE_HELLO) {
        watch->heard = true;
        watch->heard_ms = watch->now_ms;
        watch->nonce = wire_u32(frame->payload);
        watch->greeted = false;
        return;
    }
    if (!watch->missed && (watch->session == 0u || frame->session != watch->session)) {
        return;
    }
    if (!hearing_is_fresh(watch)) {
        return; /* that session is over */
    }
    watch->heard_ms = watch->now_ms;
    watch->spoke_ms = watch->now_ms;
    watch->spoke = true;
    if (frame->kind == WIRE_EVENT_ACKNOWLEDGE && watch->event_known
        && frame->sequence == watch->event.sequence) {
        watch->event_confirmed = true;
    }
    if (frame->kind == WIRE_SHOW) {
        watch->show_session = frame->session;
        watch->show_sequence = frame->sequence;
        watch->show_gates = gates_of(frame);
        if (watch->missed) {
            allow_gates(watch, watch->show_gates); /* its answer may go unheard */
        }
    }
}

void watch_byte(struct watch *watch, uint8_t byte)
{
    struct wire_frame frame;
    if (wire_hear(&watch->to_board, byte, &frame) == WIRE_SOUND && frame.kind < 8u) {
        host_said(watch, &frame);
    }
}

static void board_acknowledged(struct watch *watch, const struct wire_frame *frame)
{
    const bool shown = watch->show_session == frame->session
                       && watch->show_sequence == frame->sequence;
    const bool repeated = watch->ran_session == frame->session
                          && watch->ran_sequence == frame->sequence;
    if (shown && !repeated) {
        watch->ran_session = frame->session;
        watch->ran_sequence = frame->sequence;
        allow_gates(watch, watch->show_gates);
    }
}

static void board_reported(struct watch *watch, const struct wire_frame *frame)
{
    if (watch->missed) {
        return;
    }
    require(frame->session == watch->session, "an event belongs to the open session");
    if (watch->event_known && frame->sequence == watch->event.sequence) {
        require(frame->kind == watch->event.kind && frame->length == watch->event.length
                          && memcmp(frame->payload, watch->event.payload, frame->length) == 0,
                      "an event that is repeated is the same event");
        return;
    }
    const uint8_t next = watch->event_known ? (uint8_t)(watch->event.sequence + 1u) : 1u;
    require(frame->sequence == next, "events are numbered without gaps");
    require(!watch->event_known || watch->event_confirmed,
                  "the next event waits until the last one is confirmed");
    watch->event = *frame;
    watch->event_known = true;
    watch->event_confirmed = false;
    if (frame->kind == WIRE_GATE && frame->payload[0] <= 2u) { /* PASSED or NOT PASSED */
        require(watch->verdicts > 0u, "an admission ends once");
        watch->verdicts--;
    }
}

static void board_said(struct watch *watch, const struct wire_frame *frame)
{
    static const uint8_t lengths[] = {25, 0, 1, 6, 7, 11, CONFIGURATION_BYTES};
    require(frame->version == WIRE_VERSION, "the board speaks its own version");
    require(frame->kind >= WIRE_HELLO_REPLY, "the board uses the board's kinds");
    require(frame->length == lengths[frame->kind - WIRE_HELLO_REPLY],
                  "an answer has the length of its kind");
    switch (frame->kind) {
    case WIRE_HELLO_REPLY:
        watch->session = wire_u16(frame->payload + 4);
        require(watch->session != 0u, "no session is 0");
        watch->greeted = wire_u32(frame->payload) == watch->nonce;
        break;
    case WIRE_ACKNOWLEDGE:
        board_acknowledged(watch, frame);
        break;
    case WIRE_NOT_ACKNOWLEDGED:
        require(frame->payload[0] >= 1u && frame->payload[0] <= 10u,
                      "a refusal has a reason");
        break;
    case WIRE_HEARTBEAT_REPLY:
        watch->beaten = true;
        break;
    case WIRE_INPUT:
    case WIRE_GATE:
        board_reported(watch, frame);
        break;
    default:
        break;
    }
}

void hearing_drain(struct watch *watch, struct board *board)
{
    uint8_t byte;
    unsigned count = 0;
    if (watch->deaf) {
        watch->missed = true;
        return;
    }
    while (board_take_byte(board, &byte)) {
        struct wire_frame frame;
        const enum wire_heard heard = wire_hear(&watch->to_host, byte, &frame);
        require(heard != WIRE_NO_FRAME, "what the board says is a sound frame");
        if (heard == WIRE_SOUND) {
            board_said(watch, &frame);
        }
        count++;
        require(count <= MOST_UNSENT, "what waits for the host is bounded");
    }
    require(watch->to_host.count == 0u, "frames are sent whole");
}
