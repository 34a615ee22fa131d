/* SPDX-License-Identifier: Apache-2.0 */
#include "outbox.h"

#include "frame.h"

#define INDEX_MASK (OUTBOX_BYTES - 1u)

_Static_assert((OUTBOX_BYTES & INDEX_MASK) == 0u, "a power of two: indices wrap by a mask");
_Static_assert(OUTBOX_BYTES <= 128u, "index + count fit 8 bits");
_Static_assert(OUTBOX_BYTES >= 2u * FRAME_WIRE_MAX, "an answer and an event find room");

void outbox_start(struct outbox *outbox)
{
    outbox->first = 0u;
    outbox->count = 0u;
}

void outbox_send(struct outbox *outbox, uint8_t kind, uint16_t session, uint8_t sequence,
                 const uint8_t *payload, uint8_t length)
{
    uint8_t wire[FRAME_WIRE_MAX];
    const uint8_t count = frame_encode(kind, session, sequence, payload, length, wire);

    if (count > (OUTBOX_BYTES - outbox->count)) {
        return; /* half a frame would harm the next one too */
    }
    for (uint8_t at = 0u; at < count; at++) {
        outbox->bytes[(uint8_t)(outbox->first + outbox->count) & INDEX_MASK] = wire[at];
        outbox->count++;
    }
}

bool outbox_take(struct outbox *outbox, uint8_t *byte)
{
    if (outbox->count == 0u) {
        return false;
    }
    *byte = outbox->bytes[outbox->first & INDEX_MASK];
    outbox->first = (uint8_t)((outbox->first + 1u) & INDEX_MASK);
    outbox->count--;
    return true;
}
