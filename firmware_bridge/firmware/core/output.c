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

    for (uint8_t output = 0u; output < PATTERN_COUNT; output++) {
        if (patterns->lines[output].phase == (uint8_t)PATTERN_ON) {
            wanted = (uint8_t)(wanted | (uint8_t)(1u << output));
        }
    }
    return wanted;
}

void limiter_start(struct limiter *limiter, const struct configuration *configuration)
{
    limiter->on = 0u;
    for (uint8_t output = 0u; output < OUTPUT_COUNT; output++) {
        limiter->max_on_ms[output] = configuration->max_on_ms[output];
        limiter->on_for_ms[output] = 0u;
        limiter->rest_ms[output] = 0u;
    }
}

void limiter_pass(struct limiter *limiter, uint16_t elapsed_ms)
{
    for (uint8_t output = 0u; output < OUTPUT_COUNT; output++) {
        const uint32_t on_for_ms = (uint32_t)limiter->on_for_ms[output] + elapsed_ms;
        const uint8_t rest_ms = limiter->rest_ms[output];

        if ((limiter->on & (1u << output)) != 0u) {
            limiter->on_for_ms[output] =
                (on_for_ms < UINT16_MAX) ? (uint16_t)on_for_ms : UINT16_MAX;
        }
        limiter->rest_ms[output] = (rest_ms > elapsed_ms) ? (uint8_t)(rest_ms - elapsed_ms) : 0u;
    }
}

uint8_t limiter_allow(struct limiter *limiter, uint8_t wanted)
{
    uint8_t on = 0u;

    for (uint8_t output = 0u; output < OUTPUT_COUNT; output++) {
        const uint8_t bit = (uint8_t)(1u << output);
        const bool was_on = (limiter->on & bit) != 0u;

        if ((wanted & bit) == 0u) {
            limiter->on_for_ms[output] = 0u;
        } else if (!was_on) {
            if (limiter->rest_ms[output] == 0u) {
                limiter->on_for_ms[output] = 0u;
                on = (uint8_t)(on | bit);
            }
        } else if (limiter->on_for_ms[output] < limiter->max_on_ms[output]) {
            on = (uint8_t)(on | bit);
        } else {
            limiter->on_for_ms[output] = 0u;
            limiter->rest_ms[output] = REST_MS;
        }
    }
    limiter->on = on;
    return on;
}
