/* SPDX-License-Identifier: Apache-2.0 */
#include "drive.h"

#define GATES_MASK ((1u << OUTPUT_GATE) | (1u << OUTPUT_GATE_B))

/* The lamps of OUT OF ORDER (admission/signal.py), over and over while no host is there. */
#define BLINK_ON_MS 200u
#define BLINK_OFF_MS 1300u
#define BLINK_REPEATS 3u
#define BLINK_MS (BLINK_REPEATS * (BLINK_ON_MS + BLINK_OFF_MS))

_Static_assert(OUTPUT_GATE == PATTERN_COUNT, "patterns are for what comes before the gates");
_Static_assert(OUTPUT_GATE_B + 1u == OUTPUT_COUNT, "gates come last");

void drive_apply(struct board *board)
{
    const uint8_t released = turnstile_released(&board->turnstile);
    const uint8_t asked = (uint8_t)(patterns_wanted(&board->patterns) |
                                    (uint8_t)(released << OUTPUT_GATE));
    const uint8_t fitted = board_is_damaged(board) ? 0u : board->configuration.outputs;

    (void)limiter_allow(&board->limiter, (uint8_t)(asked & fitted));
}

void drive_meet_host(struct board *board)
{
    board->has_host = true;
    patterns_clear(&board->patterns);
    drive_apply(board);
}

void drive_end_session(struct board *board)
{
    if (board->has_host) {
        drive_lose_host(board);
    }
    board->has_session = false;
}

void drive_lose_host(struct board *board)
{
    board->has_session = false;
    board->has_host = false;
    turnstile_lose_host(&board->turnstile, &board->events, board->clock_ms);
    patterns_clear(&board->patterns);
    board->blink_ms = 0u;
    drive_apply(board);
}

void drive_blink(struct board *board)
{
    const struct pulse lamp = {BLINK_ON_MS, BLINK_OFF_MS, BLINK_REPEATS};
    struct show show;

    if (((board->configuration.options & OPTION_SAFE_BLINK) == 0u) || board->configured ||
        (board->blink_ms > 0u)) {
        return;
    }
    show.entry = 0u;
    show.outputs = (uint8_t)((1u << OUTPUT_AMBER) | (1u << OUTPUT_RED));
    for (uint8_t output = 0u; output < OUTPUT_COUNT; output++) {
        show.pulses[output] = lamp;
    }
    patterns_run(&board->patterns, &show);
    board->blink_ms = BLINK_MS;
    drive_apply(board);
}

uint8_t board_energised(const struct board *board)
{
    return board->limiter.on;
}

/* Return which of the fitted outputs carry current. */
static uint8_t coils_of(const struct board *board)
{
    const uint8_t energised = board_energised(board);
    uint8_t coils = energised;

    if ((board->configuration.options & OPTION_FAIL_SAFE) != 0u) {
        /* The coil locks: it carries current while a host is there and the gate is not released. */
        coils = (uint8_t)(coils & (uint8_t)~GATES_MASK);
        if (board->has_host) {
            coils = (uint8_t)(coils | (uint8_t)(GATES_MASK & (uint8_t)~energised));
        }
    }
    return (uint8_t)(coils & board->configuration.outputs);
}

uint8_t board_driven(const struct board *board)
{
    if (board_is_damaged(board)) {
        return 0u;
    }
    if ((board->state & STATE_STORED) == 0u) {
        return coils_of(board); /* nobody knows the polarity yet: off is high-impedance */
    }
    return board->configuration.outputs;
}

uint8_t board_pins(const struct board *board)
{
    return (uint8_t)((coils_of(board) ^ board->configuration.active_low) & board_driven(board));
}
