/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"

#include <string.h>

#include "require.h"

#define LAMPS 0x07u
#define GATES 0x30u
#define FIRST_GATE 4u
#define STOP 5u
#define MOST_UNSENT 256u /* bytes for the host; more would be no bounded buffer */
#define REST_MS 100u       /* a shorter pause does not end an on-time */
#define JUMPER_MS 100u    /* contacts are debounced: it may have been taken out just now */

void watch_start(struct watch *watch, const struct configuration *configuration, bool damaged)
{
    const uint64_t now_ms = watch->now_ms;
    const struct wire_ear to_board = {{0}, 0};
    const bool deaf = watch->deaf;
    memset(watch, 0, sizeof *watch);
    watch->now_ms = now_ms;
    watch->to_board = to_board;
    watch->deaf = deaf;
    watch->missed = deaf;
    watch->configuration = *configuration;
    watch->damaged = damaged;
}

void watch_contacts(struct watch *watch, uint8_t closed, bool jumper)
{
    const uint8_t active = (uint8_t)((closed ^ watch->configuration.normally_closed)
                                     & watch->configuration.inputs);
    const bool stop = (active & 1u << STOP) != 0u;
    if (stop && !watch->stop_active) {
        watch->stop_since_ms = watch->now_ms;
    }
    watch->stop_active = stop;
    if (jumper) {
        watch->jumper_ms = watch->now_ms;
        watch->jumper_seen = true;
    }
}

static bool host_is_fresh(const struct watch *watch)
{
    return watch->heard && watch->now_ms - watch->heard_ms < watch->configuration.dead_man_ms;
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
    if (!host_is_fresh(watch)) {
        return; /* that session is over */
    }
    watch->heard_ms = watch->now_ms;
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

static void drain(struct watch *watch, struct board *board)
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

static void look_at_edges(struct watch *watch, uint8_t on)
{
    for (unsigned output = 0; output < OUTPUT_COUNT; output++) {
        const bool is_on = (on & 1u << output) != 0u;
        const bool was_on = (watch->on & 1u << output) != 0u;
        if (was_on && !is_on) {
            watch->worn_ms[output] += watch->now_ms - watch->on_since_ms[output];
            watch->off_since_ms[output] = watch->now_ms;
        }
        if (!is_on || was_on) {
            continue;
        }
        if (watch->now_ms - watch->off_since_ms[output] >= REST_MS) {
            watch->worn_ms[output] = 0;
        }
        watch->on_since_ms[output] = watch->now_ms;
        if (output >= FIRST_GATE) {
            require(watch->releases[output - FIRST_GATE] > 0u,
                          "a gate is released once for each SHOW that was acknowledged");
            watch->releases[output - FIRST_GATE]--;
        }
    }
    watch->on = on;
}

static uint8_t pins_of(const struct watch *watch, uint8_t on, bool has_host)
{
    uint8_t coils = on;
    if ((watch->configuration.options & OPTION_FAIL_SAFE) != 0u) {
        const uint8_t locked = has_host ? (uint8_t)(~on & GATES) : 0u;
        coils = (uint8_t)((on & ~GATES) | locked);
    }
    return (uint8_t)(coils ^ watch->configuration.active_low);
}

static void look_at_pins(const struct watch *watch, const struct board *board, uint8_t on)
{
    const uint8_t driven = board_driven(board);
    const uint8_t fitted = watch->damaged ? 0u : watch->configuration.outputs;
    require(driven == fitted, "what is fitted is driven, and nothing else");
    require((on & ~fitted) == 0u, "what is not driven is not energised");
    const uint8_t wanted = pins_of(watch, on, board_has_host(board));
    require(((board_pins(board) ^ wanted) & driven) == 0u,
                  "pins follow from what is energised, polarity and fail-safe");
}

static void look_at_limits(const struct watch *watch, const struct board *board, uint8_t on)
{
    for (unsigned output = 0; output < OUTPUT_COUNT; output++) {
        if ((on & 1u << output) != 0u) {
            require(watch->worn_ms[output] + watch->now_ms - watch->on_since_ms[output]
                        < watch->configuration.max_on_ms[output],
                    "no output is on for longer than its longest on-time without a rest");
        }
    }
    if (watch->stop_active
        && watch->now_ms - watch->stop_since_ms > watch->configuration.debounce_ms) {
        require((on & GATES) == 0u, "no gate is released while STOP is pressed");
    }
    require(!board_has_host(board) || host_is_fresh(watch),
                  "a host that is silent is lost after the dead-man's time");
}

void watch_board(struct watch *watch, struct board *board, bool settled)
{
    drain(watch, board);
    const uint8_t on = board_energised(board);
    look_at_edges(watch, on);
    look_at_pins(watch, board, on);
    if (!board_has_host(board)) {
        const bool blinks = (watch->configuration.options & OPTION_SAFE_BLINK) != 0u;
        require((on & ~(blinks ? LAMPS : 0u)) == 0u,
                      "without a host nothing is on but lamps that blink");
    }
    if (settled) {
        look_at_limits(watch, board, on);
    }
}

void watch_configured(const struct watch *watch, const struct configuration *configuration)
{
    uint8_t packed[CONFIGURATION_BYTES];
    struct configuration again;
    configuration_pack(configuration, packed);
    require(configuration_unpack(packed, &again), "a new configuration is within the limits");
    require(watch->jumper_seen && watch->now_ms - watch->jumper_ms <= JUMPER_MS,
                  "a configuration is taken only while the jumper is fitted");
}

void watch_leapt(struct watch *watch)
{
    for (unsigned output = 0; output < OUTPUT_COUNT; output++) {
        watch->on_since_ms[output] = watch->now_ms;
        watch->worn_ms[output] = 0;
    }
}
