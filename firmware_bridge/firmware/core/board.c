/* SPDX-License-Identifier: Apache-2.0 */
#include "board.h"

#include "drive.h"
#include "link.h"

#define PASSAGES_MASK ((1u << INPUT_PASSAGE_A) | (1u << INPUT_PASSAGE_B))

_Static_assert(sizeof(struct board) < 700u, "the board and its stack fit the chip's RAM");

/* ---- contacts ---- */

static void take_change(struct board *board, uint8_t input)
{
    const bool active = (board->contacts.accepted & (1u << input)) != 0u;
    const uint8_t waiting_before = board->events.count;

    if (((1u << input) & PASSAGES_MASK) == 0u) {
        events_add_input(&board->events, input, active ? 1u : 0u, board->clock_ms);
    }
    turnstile_sense(&board->turnstile, &board->events, input, active, board->clock_ms);
    link_send_first_event(board, waiting_before);
}

static void take_changes(struct board *board)
{
    const uint8_t changed = contacts_settle(&board->contacts);
    uint8_t bit = 1u;

    for (uint8_t input = 0u; (changed != 0u) && (input < INPUT_COUNT); input++) {
        if ((changed & bit) != 0u) {
            take_change(board, input);
        }
        bit = (uint8_t)(bit << 1u);
    }
}

/* What is active at the start is no event, but the gate has to know of it. */
static void take_first_sample(struct board *board)
{
    for (uint8_t input = 0u; input < INPUT_COUNT; input++) {
        const uint8_t bit = (uint8_t)(1u << input);

        if ((board->contacts.accepted & bit & (uint8_t)~PASSAGES_MASK) != 0u) {
            turnstile_sense(&board->turnstile, &board->events, input, true, board->clock_ms);
        }
    }
}

/* ---- time ---- */

static uint16_t less(uint16_t left_ms, uint16_t elapsed_ms)
{
    return (left_ms > elapsed_ms) ? (uint16_t)(left_ms - elapsed_ms) : 0u;
}

static void pass(struct board *board, uint32_t elapsed_ms)
{
    const uint16_t bounded_ms = (elapsed_ms < UINT16_MAX) ? (uint16_t)elapsed_ms : UINT16_MAX;

    board->at_ms += elapsed_ms;
    board->clock_ms += elapsed_ms;
    board->dead_man_ms = less(board->dead_man_ms, bounded_ms);
    board->blink_ms = less(board->blink_ms, bounded_ms);
    board->resend_ms = (uint8_t)less(board->resend_ms, bounded_ms);
    contacts_pass(&board->contacts, bounded_ms);
    turnstile_pass(&board->turnstile, bounded_ms);
    patterns_pass(&board->patterns, bounded_ms);
    limiter_pass(&board->limiter, bounded_ms);
}

/* Do what is due, in the order of board.py: dead-man, contacts, gate cycle, outputs, blinking, and
 * the event that is not confirmed. */
static void settle(struct board *board)
{
    uint8_t waiting_before = 0u;

    if (board->has_session && (board->dead_man_ms == 0u)) {
        drive_end_session(board);
    }
    take_changes(board);
    waiting_before = board->events.count;
    turnstile_settle(&board->turnstile, &board->events, board->clock_ms);
    link_send_first_event(board, waiting_before);
    drive_apply(board);
    if (!board->has_host) {
        drive_blink(board);
    }
    if (board->resend_ms == 0u) { /* else the host may still confirm */
        link_send_event(board);
    }
}

/* Do everything up to `now_ms`, except what is due at that very ms. */
static void approach(struct board *board, uint32_t now_ms)
{
    const uint32_t behind_ms = now_ms - board->at_ms; /* modulo 2^32: the wrap is no matter */

    if (behind_ms > CATCH_UP_MS) {
        pass(board, behind_ms);
        return;
    }
    for (uint8_t step = 0u; (step < CATCH_UP_MS) && (board->at_ms != now_ms); step++) {
        if (step > 0u) {
            settle(board);
        }
        pass(board, 1u);
    }
}

void board_advance(struct board *board, uint32_t now_ms)
{
    if (board->at_ms == now_ms) {
        return; /* every call leaves everything done that was due at its time */
    }
    approach(board, now_ms);
    settle(board);
}

void board_sense(struct board *board, uint8_t closed, bool jumper, uint32_t now_ms)
{
    approach(board, now_ms);
    if (contacts_sample(&board->contacts, closed)) {
        take_first_sample(board);
    }
    if (jumper) {
        board->state = (uint8_t)(board->state | STATE_JUMPER);
    } else {
        board->state = (uint8_t)(board->state & (uint8_t)~STATE_JUMPER);
    }
    settle(board);
}

void board_receive(struct board *board, uint8_t byte, uint32_t now_ms)
{
    struct frame frame;

    /* Time matters only to a whole frame: it finds done what was due before it. */
    if (frame_decoder_take(&board->decoder, byte, &frame)) {
        board_advance(board, now_ms);
        link_take(board, &frame);
    }
}

void board_start(struct board *board, const struct configuration *configuration, uint8_t state,
                 uint16_t boot_count, uint8_t reset_cause, uint32_t now_ms)
{
    board->configuration = *configuration;
    board->accepted = *configuration;
    frame_decoder_start(&board->decoder);
    contacts_start(&board->contacts, configuration);
    turnstile_start(&board->turnstile, configuration);
    patterns_start(&board->patterns);
    limiter_start(&board->limiter, configuration);
    events_start(&board->events);
    outbox_start(&board->outbox);
    board->at_ms = now_ms;
    board->clock_ms = 0u;
    board->nonce = 0u;
    board->boot_count = boot_count;
    /* Sessions of different starts do not meet: a frame left over from one is refused. */
    board->session = (uint16_t)((uint16_t)(boot_count & 0xFFu) << 8u);
    board->dead_man_ms = 0u;
    board->blink_ms = 0u;
    board->resend_ms = 0u;
    board->event_sequence = 1u;
    board->last_show = 0u;
    board->last_show_answer = REFUSAL_STALE;
    board->reset_cause = reset_cause;
    board->state = state;
    board->has_session = false;
    board->has_host = false;
    board->configured = false;
    board->configuration_waits = false;
    settle(board);
}

bool board_is_damaged(const struct board *board)
{
    return (board->state & STATE_DAMAGED) != 0u;
}

bool board_has_host(const struct board *board)
{
    return board->has_host;
}

bool board_take_byte(struct board *board, uint8_t *byte)
{
    return outbox_take(&board->outbox, byte);
}

bool board_take_configuration(struct board *board, struct configuration *out)
{
    if (!board->configuration_waits) {
        return false;
    }
    board->configuration_waits = false;
    *out = board->accepted;
    return true;
}
