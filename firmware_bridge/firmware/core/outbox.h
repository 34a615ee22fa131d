/* Frames for the host, byte by byte. SPDX-License-Identifier: Apache-2.0 */
#ifndef CHOT_CORE_OUTBOX_H
#define CHOT_CORE_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#define OUTBOX_BYTES 128u

/* A ring. What finds no room as a whole is not sent: the host asks again. */
struct outbox {
    uint8_t bytes[OUTBOX_BYTES];
    uint8_t first; /* index of the oldest */
    uint8_t count;
};

/* Begin empty. */
void outbox_start(struct outbox *outbox);

/* Add a frame (see frame_encode), or nothing if it finds no room. */
void outbox_send(struct outbox *outbox, uint8_t kind, uint16_t session, uint8_t sequence,
                 const uint8_t *payload, uint8_t length);

/* Take the oldest byte. Return false if there is none. */
bool outbox_take(struct outbox *outbox, uint8_t *byte);

#endif
