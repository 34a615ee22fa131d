/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"

#include "bytes.h"

#define GATES_MASK ((1u << OUTPUT_GATE) | (1u << OUTPUT_GATE_B))

_Static_assert(SHOW_BYTES_MIN + (PULSES_MAX * PULSE_BYTES) == 54u, "the longest SHOW fits a frame");

/* Whether one pulse is within the limits that the protocol sets to any board. */
static bool is_allowed(uint8_t output, const struct pulse *pulse)
{
    uint32_t length_ms = 0u;

    if ((pulse->on_ms == 0u) || (pulse->on_ms > PULSE_ON_MAX_MS) ||
        (pulse->off_ms > PULSE_OFF_MAX_MS) || (pulse->repeats == 0u)) {
        return false;
    }
    if ((((1u << output) & GATES_MASK) != 0u) && (pulse->repeats != 1u)) {
        return false; /* a gate is released once for one person */
    }
    length_ms = ((uint32_t)pulse->repeats * pulse->on_ms) +
                ((uint32_t)(pulse->repeats - 1u) * pulse->off_ms);
    return length_ms <= SIGNAL_MAX_MS;
}

static bool read_pulse(const uint8_t *bytes, struct show *out)
{
    const uint8_t output = bytes[0];
    const struct pulse pulse = {bytes_u16(&bytes[1]), bytes_u16(&bytes[3]), bytes[5]};
    uint8_t bit = 0u;

    if (output >= OUTPUT_COUNT) {
        return false;
    }
    bit = (uint8_t)(1u << output);
    if (((out->outputs & bit) != 0u) || !is_allowed(output, &pulse)) {
        return false; /* each output appears once */
    }
    out->outputs = (uint8_t)(out->outputs | bit);
    out->pulses[output] = pulse;
    return true;
}

static bool read_show(const uint8_t *payload, uint8_t length, struct show *out)
{
    uint8_t count = 0u;

    if (length < SHOW_BYTES_MIN) {
        return false;
    }
    count = payload[1];
    if ((payload[0] < SIGNAL_NAME_FIRST) || (payload[0] > SIGNAL_NAME_LAST) ||
        (count > PULSES_MAX) || (length != (SHOW_BYTES_MIN + (count * PULSE_BYTES)))) {
        return false;
    }
    out->entry = bytes_u32(&payload[2]);
    out->outputs = 0u;
    for (uint8_t at = 0u; at < count; at++) {
        if (!read_pulse(&payload[SHOW_BYTES_MIN + (at * PULSE_BYTES)], out)) {
            return false;
        }
    }
    return true;
}

bool message_read(const struct frame *frame, struct message *out)
{
    switch ((enum kind)frame->kind) {
    case KIND_HELLO:
        return frame->length == HELLO_BYTES;
    case KIND_SHOW:
        return read_show(frame->payload, frame->length, &out->show);
    case KIND_CONFIGURE:
        return (frame->length == CONFIGURATION_BYTES) &&
               configuration_unpack(frame->payload, &out->configuration);
    case KIND_HEARTBEAT:
    case KIND_EVENT_ACKNOWLEDGE:
    case KIND_READ_CONFIGURATION:
        return frame->length == 0u;
    case KIND_HELLO_REPLY:
    case KIND_ACKNOWLEDGE:
    case KIND_NOT_ACKNOWLEDGED:
    case KIND_HEARTBEAT_REPLY:
    case KIND_INPUT:
    case KIND_GATE:
    case KIND_CONFIGURATION:
    default:
        return false;
    }
}
