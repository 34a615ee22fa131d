/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

/* A pattern's phases within one call: each of its repeats on and off. */
#define PHASES_MAX (2u * 255u)

void patterns_start(struct patterns *patterns)
{
    patterns_clear(patterns);
}

void patterns_clear(struct patterns *patterns)
{
    for (uint8_t output = 0u; output < PATTERN_COUNT; output++) {
        struct pattern *const line = &patterns->lines[output];

        line->on_ms = 0u;
        line->off_ms = 0u;
        line->left_ms = 0u;
        line->repeats = 0u;
        line->phase = PATTERN_ENDED;
    }
}

void patterns_run(struct patterns *patterns, const struct show *show)
{
    patterns_clear(patterns);
    for (uint8_t output = 0u; output < PATTERN_COUNT; output++) {
        struct pattern *const line = &patterns->lines[output];
        const struct pulse *const pulse = &show->pulses[output];

        if (((show->outputs & (1u << output)) != 0u) && (pulse->repeats > 0u)) {
            line->on_ms = pulse->on_ms;
            line->off_ms = pulse->off_ms;
            line->left_ms = pulse->on_ms;
            line->repeats = (uint8_t)(pulse->repeats - 1u);
            line->phase = PATTERN_ON;
        }
    }
}

/* Go to what follows the running phase. */
static void turn(struct pattern *line)
{
    switch ((enum pattern_phase)line->phase) {
    case PATTERN_ON:
        if (line->repeats == 0u) {
            line->phase = PATTERN_ENDED;
        } else if (line->off_ms == 0u) {
            line->repeats--;
            line->left_ms = line->on_ms;
        } else {
            line->phase = PATTERN_OFF;
            line->left_ms = line->off_ms;
        }
        break;
    case PATTERN_OFF:
        line->repeats--;
        line->phase = PATTERN_ON;
        line->left_ms = line->on_ms;
        break;
    case PATTERN_ENDED:
    default:
        line->phase = PATTERN_ENDED;
        break;
    }
}

static void pass(struct pattern *line, uint16_t elapsed_ms)
{
    uint16_t rest_ms = elapsed_ms;

    for (uint16_t turns = 0u; turns < PHASES_MAX; turns++) {
        if (line->phase == (uint8_t)PATTERN_ENDED) {
            return;
        }
        if (line->left_ms > rest_ms) {
            line->left_ms = (uint16_t)(line->left_ms - rest_ms);
            return;
        }
        rest_ms = (uint16_t)(rest_ms - line->left_ms);
        turn(line);
    }
    line->phase = PATTERN_ENDED; /* not reached: a pattern has no more phases */
}

void patterns_pass(struct patterns *patterns, uint16_t elapsed_ms)
{
    for (uint8_t output = 0u; output < PATTERN_COUNT; output++) {
        pass(&patterns->lines[output], elapsed_ms);
    }
}

uint8_t patterns_wanted(const struct patterns *patterns)
{
    uint8_t wanted = 0u;
    uint8_t bit = 1u;

    for (uint8_t output = 0u; output < PATTERN_COUNT; output++) {
        if (patterns->lines[output].phase == (uint8_t)PATTERN_ON) {
            wanted = (uint8_t)(wanted | bit);
        }
        bit = (uint8_t)(bit << 1u);
    }
    return wanted;
}

void limiter_start(struct limiter *limiter, const struct configuration *configuration)
{
    limiter->on = 0u;
    limiter->pausing = 0u;
    limiter->spent = 0u;
    for (uint8_t output = 0u; output < OUTPUT_COUNT; output++) {
        limiter->max_on_ms[output] = configuration->max_on_ms[output];
        limiter->on_for_ms[output] = 0u;
        limiter->pause_ms[output] = 0u;
    }
}

static uint16_t longer(uint16_t on_for_ms, uint16_t elapsed_ms)
{
    const uint16_t room_ms = (uint16_t)(UINT16_MAX - on_for_ms);

    return (elapsed_ms < room_ms) ? (uint16_t)(on_for_ms + elapsed_ms) : UINT16_MAX;
}

void limiter_pass(struct limiter *limiter, uint16_t elapsed_ms)
{
    const uint8_t timed = (uint8_t)(limiter->on | limiter->pausing);
    uint8_t bit = 1u;

    for (uint8_t output = 0u; (timed != 0u) && (output < OUTPUT_COUNT); output++) {
        if ((limiter->on & bit) != 0u) {
            limiter->on_for_ms[output] = longer(limiter->on_for_ms[output], elapsed_ms);
        } else if (limiter->pause_ms[output] > elapsed_ms) {
            limiter->pause_ms[output] = (uint8_t)(limiter->pause_ms[output] - elapsed_ms);
        } else {
            limiter->pause_ms[output] = 0u;
            limiter->on_for_ms[output] = 0u;
            limiter->pausing = (uint8_t)(limiter->pausing & (uint8_t)~bit);
            limiter->spent = (uint8_t)(limiter->spent & (uint8_t)~bit);
        }
        bit = (uint8_t)(bit << 1u);
    }
}

/* One output went off: its pause begins, and it has to last if the output was on for long enough. */
static void go_off(struct limiter *limiter, uint8_t output, uint8_t bit)
{
    limiter->pause_ms[output] = REST_MS;
    limiter->pausing = (uint8_t)(limiter->pausing | bit);
    if (limiter->on_for_ms[output] >= limiter->max_on_ms[output]) {
        limiter->spent = (uint8_t)(limiter->spent | bit);
    }
}

uint8_t limiter_allow(struct limiter *limiter, uint8_t wanted)
{
    const uint8_t was_on = limiter->on;
    uint8_t on = (uint8_t)(wanted & (uint8_t)~limiter->spent);
    uint8_t bit = 1u;

    for (uint8_t output = 0u; (was_on != 0u) && (output < OUTPUT_COUNT); output++) {
        if ((was_on & bit) != 0u) {
            if (limiter->on_for_ms[output] >= limiter->max_on_ms[output]) {
                on = (uint8_t)(on & (uint8_t)~bit);
            }
            if ((on & bit) == 0u) {
                go_off(limiter, output, bit);
            }
        }
        bit = (uint8_t)(bit << 1u);
    }
    limiter->on = on;
    limiter->pausing = (uint8_t)(limiter->pausing & (uint8_t)~on);
    return on;
}
