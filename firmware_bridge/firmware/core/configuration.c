/* SPDX-License-Identifier: Apache-2.0 */
#include "configuration.h"

#include "bytes.h"
#include "crc.h"

#define LAYOUT 1u
#define OPTIONS_MASK (OPTION_HOLD | OPTION_FAIL_SAFE | OPTION_SAFE_BLINK)
#define BLANK 0xFFu

/* Offsets of the 26 bytes (docs/firmware-link.md, "Configuration"). */
#define AT_LAYOUT 0u
#define AT_OUTPUTS 1u
#define AT_ACTIVE_LOW 2u
#define AT_INPUTS 3u
#define AT_NORMALLY_CLOSED 4u
#define AT_OPTIONS 5u
#define AT_MAX_ON 6u
#define AT_DEAD_MAN 18u
#define AT_WINDOW 20u
#define AT_MIN_PULSE 22u
#define AT_DEBOUNCE 24u
#define AT_SETTLE 25u

#define MAX_ON_MIN_MS 20u
#define MAX_ON_MAX_MS 5000u
#define DEAD_MAN_MIN_MS 500u
#define DEAD_MAN_MAX_MS 1000u
#define WINDOW_MIN_MS 500u
#define WINDOW_MAX_MS 10000u
#define MIN_PULSE_MIN_MS 20u
#define MIN_PULSE_MAX_MS 1000u
#define DEBOUNCE_MIN_MS 1u
#define DEBOUNCE_MAX_MS 100u
#define SETTLE_MAX_MS 250u

_Static_assert(AT_MAX_ON + (2u * OUTPUT_COUNT) == AT_DEAD_MAN, "one limit for each output");
_Static_assert(AT_SETTLE + 1u == CONFIGURATION_BYTES, "the last field ends the layout");
_Static_assert(CONFIGURATION_BYTES + CRC_BYTES == CONFIGURATION_SEALED_BYTES, "a copy ends in CRC");

void configuration_default(struct configuration *configuration)
{
    for (uint8_t output = 0u; output < OUTPUT_COUNT; output++) {
        configuration->max_on_ms[output] = MAX_ON_MAX_MS;
    }
    configuration->dead_man_ms = DEAD_MAN_MAX_MS;
    configuration->window_ms = 5000u;
    configuration->min_pulse_ms = 100u;
    configuration->outputs = OUTPUTS_MASK;
    configuration->active_low = 0u;
    configuration->inputs = (uint8_t)((1u << INPUT_BUTTON) | (1u << INPUT_TAMPER) |
                                      (1u << INPUT_FIRE) | (1u << INPUT_STOP));
    configuration->normally_closed = 0u;
    configuration->options = 0u;
    configuration->debounce_ms = 20u;
    configuration->settle_ms = 50u;
}

static bool is_within(uint16_t value, uint16_t lowest, uint16_t highest)
{
    return (value >= lowest) && (value <= highest);
}

static bool holds_unknown(uint8_t bits, uint8_t mask)
{
    return (bits & (uint8_t)~mask) != 0u;
}

static bool are_bits_allowed(const uint8_t *bytes)
{
    return (bytes[AT_LAYOUT] == LAYOUT) && !holds_unknown(bytes[AT_OUTPUTS], OUTPUTS_MASK) &&
           !holds_unknown(bytes[AT_ACTIVE_LOW], OUTPUTS_MASK) &&
           !holds_unknown(bytes[AT_INPUTS], INPUTS_MASK) &&
           !holds_unknown(bytes[AT_NORMALLY_CLOSED], INPUTS_MASK) &&
           !holds_unknown(bytes[AT_OPTIONS], OPTIONS_MASK);
}

static bool are_times_allowed(const uint8_t *bytes)
{
    for (uint8_t output = 0u; output < OUTPUT_COUNT; output++) {
        const uint16_t max_on_ms = bytes_u16(&bytes[AT_MAX_ON + (2u * output)]);

        if (!is_within(max_on_ms, MAX_ON_MIN_MS, MAX_ON_MAX_MS)) {
            return false;
        }
    }
    return is_within(bytes_u16(&bytes[AT_DEAD_MAN]), DEAD_MAN_MIN_MS, DEAD_MAN_MAX_MS) &&
           is_within(bytes_u16(&bytes[AT_WINDOW]), WINDOW_MIN_MS, WINDOW_MAX_MS) &&
           is_within(bytes_u16(&bytes[AT_MIN_PULSE]), MIN_PULSE_MIN_MS, MIN_PULSE_MAX_MS) &&
           is_within(bytes[AT_DEBOUNCE], DEBOUNCE_MIN_MS, DEBOUNCE_MAX_MS) &&
           (bytes[AT_SETTLE] <= SETTLE_MAX_MS);
}

bool configuration_unpack(const uint8_t *bytes, struct configuration *out)
{
    if (!are_bits_allowed(bytes) || !are_times_allowed(bytes)) {
        return false;
    }
    for (uint8_t output = 0u; output < OUTPUT_COUNT; output++) {
        out->max_on_ms[output] = bytes_u16(&bytes[AT_MAX_ON + (2u * output)]);
    }
    out->dead_man_ms = bytes_u16(&bytes[AT_DEAD_MAN]);
    out->window_ms = bytes_u16(&bytes[AT_WINDOW]);
    out->min_pulse_ms = bytes_u16(&bytes[AT_MIN_PULSE]);
    out->outputs = bytes[AT_OUTPUTS];
    out->active_low = bytes[AT_ACTIVE_LOW];
    out->inputs = bytes[AT_INPUTS];
    out->normally_closed = bytes[AT_NORMALLY_CLOSED];
    out->options = bytes[AT_OPTIONS];
    out->debounce_ms = bytes[AT_DEBOUNCE];
    out->settle_ms = bytes[AT_SETTLE];
    return true;
}

void configuration_pack(const struct configuration *configuration, uint8_t *bytes)
{
    bytes[AT_LAYOUT] = LAYOUT;
    bytes[AT_OUTPUTS] = configuration->outputs;
    bytes[AT_ACTIVE_LOW] = configuration->active_low;
    bytes[AT_INPUTS] = configuration->inputs;
    bytes[AT_NORMALLY_CLOSED] = configuration->normally_closed;
    bytes[AT_OPTIONS] = configuration->options;
    for (uint8_t output = 0u; output < OUTPUT_COUNT; output++) {
        bytes_put_u16(&bytes[AT_MAX_ON + (2u * output)], configuration->max_on_ms[output]);
    }
    bytes_put_u16(&bytes[AT_DEAD_MAN], configuration->dead_man_ms);
    bytes_put_u16(&bytes[AT_WINDOW], configuration->window_ms);
    bytes_put_u16(&bytes[AT_MIN_PULSE], configuration->min_pulse_ms);
    bytes[AT_DEBOUNCE] = configuration->debounce_ms;
    bytes[AT_SETTLE] = configuration->settle_ms;
}

uint16_t configuration_fingerprint(const struct configuration *configuration)
{
    uint8_t bytes[CONFIGURATION_BYTES];

    configuration_pack(configuration, bytes);
    return crc_of(bytes, CONFIGURATION_BYTES);
}

void configuration_seal(const struct configuration *configuration, uint8_t *sealed)
{
    uint16_t crc = 0u;

    configuration_pack(configuration, sealed);
    crc = crc_of(sealed, CONFIGURATION_BYTES);
    sealed[CONFIGURATION_BYTES] = (uint8_t)(crc >> 8u);
    sealed[CONFIGURATION_BYTES + 1u] = (uint8_t)(crc & 0xFFu);
}

/* A copy is sound if its CRC is, and if it is within the limits of this firmware. */
static bool unseal(const uint8_t *sealed, struct configuration *out)
{
    const uint16_t stored = (uint16_t)((uint16_t)((uint16_t)sealed[CONFIGURATION_BYTES] << 8u) |
                                       sealed[CONFIGURATION_BYTES + 1u]);

    return (crc_of(sealed, CONFIGURATION_BYTES) == stored) && configuration_unpack(sealed, out);
}

static bool is_blank(const uint8_t *sealed)
{
    for (uint8_t at = 0u; at < CONFIGURATION_SEALED_BYTES; at++) {
        if (sealed[at] != BLANK) {
            return false;
        }
    }
    return true;
}

uint8_t configuration_recover(const uint8_t *copy_a, const uint8_t *copy_b,
                              struct configuration *out)
{
    if (unseal(copy_a, out) || unseal(copy_b, out)) {
        return STATE_STORED;
    }
    configuration_default(out);
    return (is_blank(copy_a) && is_blank(copy_b)) ? 0u : STATE_DAMAGED;
}
