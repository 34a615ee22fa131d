/* SPDX-License-Identifier: Apache-2.0 */
#include "link.h"

#include <stddef.h>

#include "bytes.h"
#include "drive.h"

#define AHEAD_MAX 0x7Fu /* serial number arithmetic (RFC 1982) on 8 bits */

/* ---- to the host ---- */

static void answer(struct board *board, const struct frame *frame, uint8_t refusal)
{
    if (refusal == (uint8_t)REFUSAL_NONE) {
        outbox_send(&board->outbox, KIND_ACKNOWLEDGE, frame->session, frame->sequence, &refusal,
                    0u);
    } else {
        outbox_send(&board->outbox, KIND_NOT_ACKNOWLEDGED, frame->session, frame->sequence,
                    &refusal, 1u);
    }
}

void link_send_event(struct board *board)
{
    const struct event *const event = events_oldest(&board->events);
    uint8_t payload[GATE_BYTES];

    if ((event == NULL) || !board->has_session) {
        return;
    }
    payload[0] = event->what;
    payload[1] = event->value;
    if (event->kind == (uint8_t)KIND_GATE) {
        bytes_put_u32(&payload[2], event->entry);
        bytes_put_u32(&payload[6], event->at_ms);
        payload[10] = event->lost;
        outbox_send(&board->outbox, KIND_GATE, board->session, board->event_sequence, payload,
                    GATE_BYTES);
    } else {
        bytes_put_u32(&payload[2], event->at_ms);
        payload[6] = event->lost;
        outbox_send(&board->outbox, KIND_INPUT, board->session, board->event_sequence, payload,
                    INPUT_BYTES);
    }
    board->resend_ms = EVENT_RESEND_MS;
}

void link_send_first_event(struct board *board, uint8_t waiting_before)
{
    if (waiting_before == 0u) {
        link_send_event(board);
    }
}

/* ---- from the host ---- */

static void grant(struct board *board)
{
    board->dead_man_ms = (uint16_t)(board->configuration.dead_man_ms - DEAD_MAN_EARLY_MS);
}

/* A word in the session: whoever says it has heard the board, and holds the dead-man's handle for
 * another while. */
static void hear(struct board *board)
{
    grant(board);
    if (!board->has_host) {
        drive_meet_host(board);
    }
}

static uint16_t longest_on_ms(const struct configuration *configuration)
{
    uint16_t longest_ms = 0u;

    for (uint8_t output = 0u; output < OUTPUT_COUNT; output++) {
        if (((configuration->outputs & (1u << output)) != 0u) &&
            (configuration->max_on_ms[output] > longest_ms)) {
            longest_ms = configuration->max_on_ms[output];
        }
    }
    return longest_ms;
}

static void introduce(struct board *board, const struct frame *frame)
{
    const struct configuration *const configuration = &board->configuration;
    uint8_t payload[HELLO_REPLY_BYTES];

    bytes_put_u32(&payload[0], board->nonce);
    bytes_put_u16(&payload[4], board->session);
    bytes_put_u16(&payload[6], board->boot_count);
    payload[8] = board->reset_cause;
    payload[9] = configuration->outputs;
    payload[10] = configuration->inputs;
    payload[11] = board->contacts.accepted;
    bytes_put_u16(&payload[12], configuration_fingerprint(configuration));
    payload[14] = board->state;
    payload[15] = configuration->options;
    bytes_put_u16(&payload[16], longest_on_ms(configuration));
    bytes_put_u16(&payload[18], configuration->dead_man_ms);
    bytes_put_u16(&payload[20], configuration->window_ms);
    payload[22] = FIRMWARE_MAJOR;
    payload[23] = FIRMWARE_MINOR;
    payload[24] = FIRMWARE_PATCH;
    outbox_send(&board->outbox, KIND_HELLO_REPLY, frame->session, frame->sequence, payload,
                HELLO_REPLY_BYTES);
}

static void greet(struct board *board, const struct frame *frame)
{
    const uint32_t nonce = bytes_u32(frame->payload);

    if (board->configured) {
        return;
    }
    /* A repeated greeting finds the session that it began; only a new one begins another. */
    if (!board->has_session || (nonce != board->nonce)) {
        if (!board->has_host) {
            grant(board); /* time to speak in it; no greeting holds the handle of who was there */
        }
        board->session = (board->session == UINT16_MAX) ? 1u : (uint16_t)(board->session + 1u);
        board->has_session = true;
        board->nonce = nonce;
        board->last_show = 0u;
        board->last_show_answer = REFUSAL_STALE; /* numbers begin at 1: none ran as 0 */
    }
    introduce(board, frame);
    link_send_event(board);
}

/* Return why the gates of this signal would not be released now, before any of them is. */
static uint8_t obstacle_of(const struct board *board, const struct show *show)
{
    uint8_t obstacle = REFUSAL_NONE;

    for (uint8_t side = 0u; side < SIDE_COUNT; side++) {
        if (((show->outputs & (1u << (OUTPUT_GATE + side))) != 0u) &&
            (obstacle == (uint8_t)REFUSAL_NONE)) {
            obstacle = turnstile_obstacle(&board->turnstile, side);
        }
    }
    return obstacle;
}

/* Run the signal. Return the answer to keep with its number. */
static uint8_t run(struct board *board, const struct show *show)
{
    const uint8_t obstacle = obstacle_of(board, show);
    const uint8_t waiting_before = board->events.count;

    if (obstacle != (uint8_t)REFUSAL_NONE) {
        return obstacle;
    }
    patterns_run(&board->patterns, show);
    for (uint8_t side = 0u; side < SIDE_COUNT; side++) {
        const uint8_t gate = (uint8_t)(OUTPUT_GATE + side);

        if ((show->outputs & (1u << gate)) != 0u) {
            const struct admission admission = {show->entry, show->pulses[gate].on_ms};

            turnstile_admit(&board->turnstile, &board->events, side, admission, board->clock_ms);
        }
    }
    link_send_first_event(board, waiting_before);
    drive_apply(board);
    return REFUSAL_NONE;
}

/* Decide on a SHOW of this session. Return the answer. */
static uint8_t decide_show(struct board *board, const struct show *show, uint8_t sequence)
{
    const uint8_t ahead = (uint8_t)(sequence - board->last_show);

    if (board_is_damaged(board)) {
        return REFUSAL_NOT_CONFIGURED;
    }
    if ((show->outputs & (uint8_t)~board->configuration.outputs) != 0u) {
        return REFUSAL_NO_SUCH_OUTPUT;
    }
    if (ahead > AHEAD_MAX) {
        return REFUSAL_STALE;
    }
    if (ahead > 0u) {
        /* The answer is kept with the number: a doubled frame never opens what was refused. */
        board->last_show = sequence;
        board->last_show_answer = run(board, show);
    }
    return board->last_show_answer;
}

static void beat(struct board *board, const struct frame *frame)
{
    uint8_t payload[HEARTBEAT_REPLY_BYTES];

    bytes_put_u32(&payload[0], board->clock_ms);
    payload[4] = board_energised(board);
    payload[5] = board->contacts.accepted;
    outbox_send(&board->outbox, KIND_HEARTBEAT_REPLY, frame->session, frame->sequence, payload,
         HEARTBEAT_REPLY_BYTES);
}

static void confirm_event(struct board *board, uint8_t sequence)
{
    if ((events_oldest(&board->events) != NULL) && (sequence == board->event_sequence)) {
        events_drop_oldest(&board->events);
        board->event_sequence++;
        link_send_event(board);
    }
}

static void configure(struct board *board, const struct frame *frame,
                      const struct configuration *configuration)
{
    if ((board->state & STATE_JUMPER) == 0u) {
        answer(board, frame, REFUSAL_LOCKED);
        return;
    }
    answer(board, frame, REFUSAL_NONE);
    board->configured = true;
    board->configuration_waits = true;
    /* The old one stays in force until the restart: another polarity would move the pins now. */
    board->accepted = *configuration;
    drive_lose_host(board);
}

static void tell_configuration(struct board *board, const struct frame *frame)
{
    uint8_t payload[CONFIGURATION_BYTES];

    configuration_pack(&board->configuration, payload);
    outbox_send(&board->outbox, KIND_CONFIGURATION, frame->session, frame->sequence, payload,
                CONFIGURATION_BYTES);
}

/* Do what a message of this session asks for. */
static void act(struct board *board, const struct frame *frame, const struct message *message)
{
    switch ((enum kind)frame->kind) {
    case KIND_SHOW:
        answer(board, frame, decide_show(board, &message->show, frame->sequence));
        break;
    case KIND_HEARTBEAT:
        beat(board, frame);
        break;
    case KIND_EVENT_ACKNOWLEDGE:
        confirm_event(board, frame->sequence);
        break;
    case KIND_CONFIGURE:
        configure(board, frame, &message->configuration);
        break;
    case KIND_READ_CONFIGURATION:
        tell_configuration(board, frame);
        break;
    case KIND_HELLO:
    case KIND_HELLO_REPLY:
    case KIND_ACKNOWLEDGE:
    case KIND_NOT_ACKNOWLEDGED:
    case KIND_HEARTBEAT_REPLY:
    case KIND_INPUT:
    case KIND_GATE:
    case KIND_CONFIGURATION:
    default:
        break;
    }
}

void link_take(struct board *board, const struct frame *frame)
{
    struct message message;

    if ((frame->kind & KIND_FROM_BOARD) != 0u) {
        return; /* our own voice, from a cable that echoes */
    }
    if (frame->version != FRAME_VERSION) {
        answer(board, frame, REFUSAL_VERSION);
    } else if (!message_read(frame, &message)) {
        answer(board, frame, REFUSAL_MALFORMED);
    } else if (frame->kind == (uint8_t)KIND_HELLO) {
        greet(board, frame);
    } else if (!board->has_session || (frame->session != board->session)) {
        answer(board, frame, REFUSAL_NO_SESSION);
    } else {
        hear(board);
        act(board, frame, &message);
    }
}
