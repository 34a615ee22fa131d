/* The envelope of docs/firmware-link.md, written a second time from its text.
 *
 * The harness must not judge the core by the core's own encoder and decoder. This one holds whole
 * frames and knows no streaming, so the two have little in common but the document.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CHOT_FUZZ_WIRE_H
#define CHOT_FUZZ_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_VERSION 2u
#define WIRE_LONGEST 64u /* a frame with both its delimiters */
#define WIRE_PAYLOAD 55u

enum wire_kind {
    WIRE_HELLO = 0x1,
    WIRE_SHOW = 0x2,
    WIRE_HEARTBEAT = 0x3,
    WIRE_EVENT_ACKNOWLEDGE = 0x4,
    WIRE_CONFIGURE = 0x5,
    WIRE_READ_CONFIGURATION = 0x6,
    WIRE_HELLO_REPLY = 0x9,
    WIRE_ACKNOWLEDGE = 0xA,
    WIRE_NOT_ACKNOWLEDGED = 0xB,
    WIRE_HEARTBEAT_REPLY = 0xC,
    WIRE_INPUT = 0xD,
    WIRE_GATE = 0xE,
    WIRE_CONFIGURATION = 0xF
};

struct wire_frame {
    uint8_t version;
    uint8_t kind;
    uint16_t session;
    uint8_t sequence;
    uint8_t length;
    uint8_t payload[WIRE_PAYLOAD];
};

/* What has been heard since the last zero byte. */
struct wire_ear {
    uint8_t bytes[WIRE_LONGEST];
    size_t count; /* beyond what `bytes` holds: too long to be a frame */
};

enum wire_heard { WIRE_NOTHING, WIRE_SOUND, WIRE_NO_FRAME };

/* Writes the frame with both delimiters; returns its length. */
size_t wire_seal(const struct wire_frame *frame, uint8_t out[WIRE_LONGEST]);

/* Takes one byte; says whether it ended a sound frame, or something that is none. */
enum wire_heard wire_hear(struct wire_ear *ear, uint8_t byte, struct wire_frame *frame);

/* Little-endian number at `at`. */
uint16_t wire_u16(const uint8_t *at);
uint32_t wire_u32(const uint8_t *at);

#endif
