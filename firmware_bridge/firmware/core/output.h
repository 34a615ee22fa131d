/* Outputs over time: patterns of lamps and buzzer, and the limit that stands behind all outputs.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CHOT_CORE_OUTPUT_H
#define CHOT_CORE_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "configuration.h"
#include "message.h"

#define PATTERN_COUNT 4u /* green, amber, red, buzzer: gates have cycles instead */
#define REST_MS 100u /* rest after the longest on-time, and the shortest pause that counts */

enum pattern_phase { PATTERN_ENDED = 0, PATTERN_ON = 1, PATTERN_OFF = 2 };

/* One output's pulses. */
struct pattern {
    uint16_t on_ms;
    uint16_t off_ms;
    uint16_t left_ms; /* of the running phase */
    uint8_t repeats;  /* still to come after the running one */
    uint8_t phase;    /* enum pattern_phase */
};

struct patterns {
    struct pattern lines[PATTERN_COUNT];
};

/* Begin with everything off. */
void patterns_start(struct patterns *patterns);

/* Start these pulses now. What ran and is not among them ends. Gates are passed over. */
void patterns_run(struct patterns *patterns, const struct show *show);

/* End everything now. */
void patterns_clear(struct patterns *patterns);

/* Let time pass. */
void patterns_pass(struct patterns *patterns, uint16_t elapsed_ms);

/* Return what the patterns ask for: bit n for output n. */
uint8_t patterns_wanted(const struct patterns *patterns);

/* The last stage, which knows nothing of those before it: no output is on for longer than its limit,
 * whatever asks for it and however often. On-times add up over pauses shorter than REST_MS: no relay
 * drops in a millisecond. */
struct limiter {
    uint16_t max_on_ms[OUTPUT_COUNT];
    uint16_t on_for_ms[OUTPUT_COUNT]; /* since the last pause of REST_MS */
    uint8_t pause_ms[OUTPUT_COUNT];   /* left until the running pause counts as one */
    uint8_t on;                       /* bit n: output n is on */
    uint8_t pausing;                  /* bit n: output n went off less than REST_MS ago */
    uint8_t spent;                    /* bit n: output n has to rest for that pause */
};

/* Begin with everything off. */
void limiter_start(struct limiter *limiter, const struct configuration *configuration);

/* Let time pass. */
void limiter_pass(struct limiter *limiter, uint16_t elapsed_ms);

/* Take what is asked for, and return what is on: bit n for output n. */
uint8_t limiter_allow(struct limiter *limiter, uint8_t wanted);

#endif
