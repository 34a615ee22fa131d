/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include <string.h>

#define HEADER 4u
#define CRC 2u

/* CRC-16/GENIBUS, bit by bit. */
static uint16_t crc_of(const uint8_t *bytes, size_t count)
{
    uint16_t crc = 0xFFFF;
    for (size_t i = 0; i < count; i++) {
        crc = (uint16_t)(crc ^ (uint16_t)(bytes[i] << 8));
        for (int bit = 0; bit < 8; bit++) {
            const bool top = (crc & 0x8000u) != 0u;
            crc = (uint16_t)(crc << 1);
            if (top) {
                crc ^= 0x1021u;
            }
        }
    }
    return (uint16_t)(crc ^ 0xFFFFu);
}

size_t wire_seal(const struct wire_frame *frame, uint8_t out[WIRE_LONGEST])
{
    uint8_t plain[HEADER + WIRE_PAYLOAD + CRC];
    size_t count = HEADER;
    plain[0] = (uint8_t)(frame->version * 16u | (frame->kind & 0xFu));
    plain[1] = (uint8_t)(frame->session & 0xFFu);
    plain[2] = (uint8_t)(frame->session >> 8);
    plain[3] = frame->sequence;
    memcpy(plain + HEADER, frame->payload, frame->length);
    count += frame->length;
    const uint16_t crc = crc_of(plain, count);
    plain[count++] = (uint8_t)(crc >> 8);
    plain[count++] = (uint8_t)(crc & 0xFFu);

    size_t code_at = 1;
    size_t end = 2;
    uint8_t code = 1;
    out[0] = 0;
    for (size_t i = 0; i < count; i++) { /* shorter than 254: no run needs a second code byte */
        if (plain[i] == 0u) {
            out[code_at] = code;
            code_at = end++;
            code = 1;
        } else {
            out[end++] = plain[i];
            code++;
        }
    }
    out[code_at] = code;
    out[end++] = 0;
    return end;
}

static bool opened(const struct wire_ear *ear, struct wire_frame *frame)
{
    uint8_t plain[WIRE_LONGEST];
    size_t count = 0;
    size_t at = 0;
    if (ear->count > WIRE_LONGEST - 2u) {
        return false;
    }
    while (at < ear->count) {
        const size_t run = ear->bytes[at];
        if (at + run > ear->count) {
            return false;
        }
        memcpy(plain + count, ear->bytes + at + 1, run - 1u);
        count += run - 1u;
        at += run;
        if (at < ear->count) {
            plain[count++] = 0;
        }
    }
    if (count < HEADER + CRC || count > HEADER + WIRE_PAYLOAD + CRC) {
        return false;
    }
    const uint16_t crc = crc_of(plain, count - CRC);
    if (plain[count - 2u] != crc >> 8 || plain[count - 1u] != (crc & 0xFFu)) {
        return false;
    }
    memset(frame, 0, sizeof *frame);
    frame->version = plain[0] >> 4;
    frame->kind = plain[0] & 0xFu;
    frame->session = wire_u16(plain + 1);
    frame->sequence = plain[3];
    frame->length = (uint8_t)(count - HEADER - CRC);
    memcpy(frame->payload, plain + HEADER, frame->length);
    return true;
}

enum wire_heard wire_hear(struct wire_ear *ear, uint8_t byte, struct wire_frame *frame) {
    if (byte != 0u) {
        if (ear->count < WIRE_LONGEST) {
            ear->bytes[ear->count] = byte;
            ear->count++;
        }
        return WIRE_NOTHING;
    }
    enum wire_heard heard = WIRE_NOTHING;
    if (ear->count > 0u) {
        heard = opened(ear, frame) ? WIRE_SOUND : WIRE_NO_FRAME;
    }
    ear->count = 0;
    return heard;
}

uint16_t wire_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

uint32_t wire_u32(const uint8_t *at)
{
    return (uint32_t)wire_u16(at) | (uint32_t)wire_u16(at + 2) << 16;
}
