/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include "crc.h"

#define DELIMITER 0x00u
#define HEADER_BYTES 4u /* version and kind, session, sequence */
#define SEALED_MAX (HEADER_BYTES + FRAME_PAYLOAD_MAX + CRC_BYTES)
#define NIBBLE 0x0Fu
#define NIBBLE_BITS 4u
#define BYTE_BITS 8u

/* One COBS block is enough for what is shorter than 254 bytes: one byte more than the content. */
_Static_assert(SEALED_MAX + 1u == FRAME_ENCODED_MAX, "the longest frame fits the decoder");
_Static_assert(FRAME_ENCODED_MAX + 2u == FRAME_WIRE_MAX, "two delimiters close a frame");

void frame_decoder_start(struct frame_decoder *decoder)
{
    decoder->count = 0u;
    decoder->skipping = false;
    decoder->rejected = 0u;
}

/* Undo COBS in place: what is written never overtakes what is read. Return the content's length;
 * 0 if this is no COBS code. Since the piece holds no zero, every code is 1 to 255. */
static uint8_t unstuff(uint8_t *bytes, uint8_t count)
{
    uint8_t read = 0u;
    uint8_t written = 0u;
    uint8_t code = 0u; /* of the block that is being read */
    uint8_t left = 0u; /* bytes of it still to come */

    for (read = 0u; read < count; read++) {
        const uint8_t byte = bytes[read];

        if (left > 0u) {
            bytes[written] = byte;
            written++;
            left--;
        } else {
            if ((read > 0u) && (code != 0xFFu)) {
                bytes[written] = 0u; /* the zero that ended the block before */
                written++;
            }
            code = byte;
            left = (uint8_t)(byte - 1u);
        }
    }
    return (left == 0u) ? written : 0u;
}

static void reject(struct frame_decoder *decoder)
{
    if (decoder->rejected < UINT16_MAX) {
        decoder->rejected++;
    }
}

/* Read the piece before a delimiter. */
static bool close_piece(struct frame_decoder *decoder, struct frame *out)
{
    uint8_t *const sealed = decoder->bytes;
    const uint8_t count = unstuff(sealed, decoder->count);
    uint8_t body = 0u;

    if (count < (HEADER_BYTES + CRC_BYTES)) {
        return false;
    }
    body = (uint8_t)(count - CRC_BYTES);
    if (crc_of(sealed, body) !=
        (uint16_t)((uint16_t)((uint16_t)sealed[body] << BYTE_BITS) | sealed[body + 1u])) {
        return false;
    }
    out->version = (uint8_t)(sealed[0] >> NIBBLE_BITS);
    out->kind = (uint8_t)(sealed[0] & NIBBLE);
    out->session = (uint16_t)(sealed[1] | (uint16_t)((uint16_t)sealed[2] << BYTE_BITS));
    out->sequence = sealed[3];
    out->payload = &sealed[HEADER_BYTES];
    out->length = (uint8_t)(body - HEADER_BYTES);
    return true;
}

bool frame_decoder_take(struct frame_decoder *decoder, uint8_t byte, struct frame *out)
{
    bool sound = false;

    if (byte != DELIMITER) {
        if (decoder->skipping) {
            /* wait for the delimiter */
        } else if (decoder->count < FRAME_ENCODED_MAX) {
            decoder->bytes[decoder->count] = byte;
            decoder->count++;
        } else {
            decoder->skipping = true;
        }
        return false;
    }
    if (decoder->skipping) {
        reject(decoder);
    } else if (decoder->count > 0u) {
        sound = close_piece(decoder, out);
        if (!sound) {
            reject(decoder);
        }
    } else {
        /* nothing between two delimiters is no error */
    }
    decoder->count = 0u;
    decoder->skipping = false;
    return sound;
}

/* Where the encoder stands. */
struct stuffing {
    uint8_t *wire;
    uint8_t code_at; /* index of the running block's code */
    uint8_t at;      /* index of the next byte */
};

static void stuff(struct stuffing *stuffing, uint8_t byte)
{
    if (byte == 0u) {
        stuffing->wire[stuffing->code_at] = (uint8_t)(stuffing->at - stuffing->code_at);
        stuffing->code_at = stuffing->at;
    } else {
        stuffing->wire[stuffing->at] = byte;
    }
    stuffing->at++;
}

uint8_t frame_encode(uint8_t kind, uint16_t session, uint8_t sequence, const uint8_t *payload,
                     uint8_t length, uint8_t *wire)
{
    uint8_t sealed[SEALED_MAX];
    struct stuffing stuffing = {wire, 1u, 2u};
    uint16_t crc = 0u;
    uint8_t body = 0u;

    if (length > FRAME_PAYLOAD_MAX) {
        return 0u;
    }
    body = (uint8_t)(HEADER_BYTES + length);
    sealed[0] = (uint8_t)((uint8_t)(FRAME_VERSION << NIBBLE_BITS) | (uint8_t)(kind & NIBBLE));
    sealed[1] = (uint8_t)(session & 0xFFu);
    sealed[2] = (uint8_t)(session >> BYTE_BITS);
    sealed[3] = sequence;
    for (uint8_t at = 0u; at < length; at++) {
        sealed[HEADER_BYTES + at] = payload[at];
    }
    crc = crc_of(sealed, body);
    sealed[body] = (uint8_t)(crc >> BYTE_BITS);
    sealed[body + 1u] = (uint8_t)(crc & 0xFFu);

    wire[0] = DELIMITER;
    for (uint8_t at = 0u; at < (uint8_t)(body + CRC_BYTES); at++) {
        stuff(&stuffing, sealed[at]);
    }
    wire[stuffing.code_at] = (uint8_t)(stuffing.at - stuffing.code_at);
    wire[stuffing.at] = DELIMITER;
    return (uint8_t)(stuffing.at + 1u);
}
