/* The gate cycle of both directions: who was let in, who went through, and when the gate is locked
 * again. The same machine as admission/turnstile.py, which is its reference.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CHOT_CORE_TURNSTILE_H
#define CHOT_CORE_TURNSTILE_H

#include <stdbool.h>
#include <stdint.h>

#include "configuration.h"
#include "events.h"
#include "gate_side.h"

#define SIDE_COUNT 2u

enum side {
    SIDE_A = 0, /* entry */
    SIDE_B = 1  /* exit */
};

enum gate_outcome {
    GATE_PASSED = 1,
    GATE_NOT_PASSED = 2,
    GATE_FORCED = 3,
    GATE_TAILGATED = 4
};

struct turnstile {
    struct gate_side sides[SIDE_COUNT];
    uint16_t max_on_ms[SIDE_COUNT];
    uint16_t window_ms;
    uint16_t min_pulse_ms;
    uint8_t settle_ms;
    uint8_t sensors; /* bit n: a sensor tells of passages on side n */
    bool hold;
    bool ready_fitted;
    bool fire;
    bool stop;
    bool ready;
    uint8_t ready_for_ms; /* saturates */
};

/* Begin locked, with an empty queue and every contact inactive. */
void turnstile_start(struct turnstile *turnstile, const struct configuration *configuration);

/* Return why an admission to `side` would not be carried out now (enum refusal: STOPPED, NOT_READY,
 * BUSY), or REFUSAL_NONE. */
uint8_t turnstile_obstacle(const struct turnstile *turnstile, uint8_t side);

/* Unlock `side` once for `entry`, now or after whoever was admitted before. Dropped if there is an
 * obstacle: ask turnstile_obstacle first. */
void turnstile_admit(struct turnstile *turnstile, struct events *events, uint8_t side,
                     struct admission admission, uint32_t at_ms);

/* Take a debounced change of an input. */
void turnstile_sense(struct turnstile *turnstile, struct events *events, uint8_t input, bool active,
                     uint32_t at_ms);

/* Lock both sides: nobody commands this board any more. */
void turnstile_lose_host(struct turnstile *turnstile, struct events *events, uint32_t at_ms);

/* Let time pass. A release that is over ends at once; turnstile_settle does the rest. */
void turnstile_pass(struct turnstile *turnstile, uint16_t elapsed_ms);

/* Do what is due, side by side: count the pending edge, end the window, begin the next admission.
 * Reports go to `events`. */
void turnstile_settle(struct turnstile *turnstile, struct events *events, uint32_t at_ms);

/* Return which sides are released: bit n for side n. */
uint8_t turnstile_released(const struct turnstile *turnstile);

#endif
