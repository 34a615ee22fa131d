/* Frames on the wire: 00 | COBS(header, payload, crc) | 00 (docs/firmware-link.md, "Frames").
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CHOT_CORE_FRAME_H
#define CHOT_CORE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#define FRAME_VERSION 2u
#define FRAME_PAYLOAD_MAX 55u /* bytes of payload */
#define FRAME_ENCODED_MAX 62u /* bytes between the two delimiters */
#define FRAME_WIRE_MAX 64u    /* both delimiters included */

/* A sound frame. The payload lies in the decoder and is good until its next byte. */
struct frame {
    const uint8_t *payload;
    uint16_t session;
    uint8_t version;
    uint8_t kind; /* low nibble of the first byte */
    uint8_t sequence;
    uint8_t length; /* of the payload */
};

/* What has come since the last delimiter. */
struct frame_decoder {
    uint8_t bytes[FRAME_ENCODED_MAX];
    uint8_t count;    /* of bytes held, at most FRAME_ENCODED_MAX */
    bool skipping;    /* too long to be a frame: wait for the next delimiter */
    uint16_t rejected; /* pieces that were no frame; saturates */
};

/* Begin with an empty piece. */
void frame_decoder_start(struct frame_decoder *decoder);

/* Take one byte. Return true, with the frame in `out`, if it completes a sound one. */
bool frame_decoder_take(struct frame_decoder *decoder, uint8_t byte, struct frame *out);

/* Write the frame of this version with both delimiters to `wire`, which has FRAME_WIRE_MAX bytes.
 * Return how many bytes it has; 0 if `length` is above FRAME_PAYLOAD_MAX. */
uint8_t frame_encode(uint8_t kind, uint16_t session, uint8_t sequence, const uint8_t *payload,
                     uint8_t length, uint8_t *wire);

#endif
