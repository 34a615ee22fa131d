/* What the two sides say: fixed layouts, little-endian (docs/firmware-link.md, "Messages").
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CHOT_CORE_MESSAGE_H
#define CHOT_CORE_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "configuration.h"
#include "frame.h"

/* The highest bit of a kind says who speaks: 0 host, 1 board. */
#define KIND_FROM_BOARD 0x8u

enum kind {
    KIND_HELLO = 0x1,
    KIND_SHOW = 0x2,
    KIND_HEARTBEAT = 0x3,
    KIND_EVENT_ACKNOWLEDGE = 0x4,
    KIND_CONFIGURE = 0x5,
    KIND_READ_CONFIGURATION = 0x6,
    KIND_HELLO_REPLY = 0x9,
    KIND_ACKNOWLEDGE = 0xA,
    KIND_NOT_ACKNOWLEDGED = 0xB,
    KIND_HEARTBEAT_REPLY = 0xC,
    KIND_INPUT = 0xD,
    KIND_GATE = 0xE,
    KIND_CONFIGURATION = 0xF
};

/* Why the board does not acknowledge. 0 is no reason: it does. */
enum refusal {
    REFUSAL_NONE = 0,
    REFUSAL_NO_SESSION = 1,
    REFUSAL_VERSION = 2,
    REFUSAL_MALFORMED = 3,
    REFUSAL_NO_SUCH_OUTPUT = 4,
    REFUSAL_STALE = 5,
    REFUSAL_STOPPED = 6,
    REFUSAL_NOT_READY = 7,
    REFUSAL_BUSY = 8,
    REFUSAL_NOT_CONFIGURED = 9,
    REFUSAL_LOCKED = 10
};

enum reset_cause {
    RESET_UNKNOWN = 0,
    RESET_POWER_ON = 1,
    RESET_EXTERNAL = 2,
    RESET_BROWN_OUT = 3,
    RESET_WATCHDOG = 4
};

#define SHOW_BYTES_MIN 6u
#define PULSE_BYTES 6u
#define PULSES_MAX 8u
#define SIGNAL_NAME_FIRST 1u
#define SIGNAL_NAME_LAST 6u
#define PULSE_ON_MAX_MS 5000u
#define PULSE_OFF_MAX_MS 5000u
#define SIGNAL_MAX_MS 10000u

#define HELLO_BYTES 4u
#define HELLO_REPLY_BYTES 25u
#define HEARTBEAT_REPLY_BYTES 6u
#define INPUT_BYTES 7u
#define GATE_BYTES 11u

/* `repeats` times on for `on_ms`, then off for `off_ms`. */
struct pulse {
    uint16_t on_ms;
    uint16_t off_ms;
    uint8_t repeats;
};

/* SHOW. A pulse is good only where its output's bit is set in `outputs`. */
struct show {
    uint32_t entry; /* journal sequence of the admission; 0: none */
    uint8_t outputs;
    struct pulse pulses[OUTPUT_COUNT];
};

/* What a frame says, where it says something. */
struct message {
    struct show show;
    struct configuration configuration;
};

/* Read a frame of the host. Return false if its kind or the layout of its payload is none of this
 * protocol, or a value is beyond its limits. */
bool message_read(const struct frame *frame, struct message *out);

#endif
