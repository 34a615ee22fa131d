/* The frame decoder and the message readers alone, held against a second implementation.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "configuration.h"
#include "frame.h"
#include "message.h"
#include "require.h"
#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct line {
    struct frame_decoder decoder;
    struct wire_ear ear;
};

static void read_show(const struct frame *frame, const struct show *show)
{
    const uint8_t *payload = frame->payload;
    const uint8_t length = frame->length;
    require(length == 6u + 6u * payload[1] && payload[1] <= PULSES_MAX, "SHOW: its length");
    require(payload[0] >= 1u && payload[0] <= 6u, "SHOW: a known name");
    require(show->entry == wire_u32(payload + 2), "SHOW: its entry");
    uint8_t seen = 0;
    for (unsigned at = 6; at < length; at += 6u) {
        const uint8_t *pulse = payload + at;
        const uint32_t on_ms = wire_u16(pulse + 1);
        const uint32_t off_ms = wire_u16(pulse + 3);
        const uint32_t repeats = pulse[5];
        require(pulse[0] < OUTPUT_COUNT, "SHOW: a known output");
        require((seen & 1u << pulse[0]) == 0u, "SHOW: each output once");
        seen |= (uint8_t)(1u << pulse[0]);
        require(on_ms >= 1u && on_ms <= 5000u && off_ms <= 5000u && repeats >= 1u,
                      "SHOW: limits of a pulse");
        require(repeats * on_ms + (repeats - 1u) * off_ms <= 10000u, "SHOW: limit of all");
        require(pulse[0] < 4u || repeats == 1u, "SHOW: a gate has one pulse");
        require(show->pulses[pulse[0]].on_ms == on_ms && show->pulses[pulse[0]].off_ms == off_ms
                          && show->pulses[pulse[0]].repeats == repeats,
                      "SHOW: a pulse as it was sent");
    }
    require(show->outputs == seen, "SHOW: the outputs that were sent");
}

static void read_configuration(const struct frame *frame, const struct configuration *configuration)
{
    uint8_t packed[CONFIGURATION_BYTES];
    configuration_pack(configuration, packed);
    require(frame->length == sizeof packed && memcmp(packed, frame->payload, sizeof packed) == 0,
            "CONFIGURE: as it was sent");
}

static void read_message(const struct frame *frame)
{
    struct message message;
    if (!message_read(frame, &message)) {
        return;
    }
    if (frame->kind == WIRE_SHOW) {
        read_show(frame, &message.show);
    } else if (frame->kind == WIRE_CONFIGURE) {
        read_configuration(frame, &message.configuration);
    }
}

static void hear(struct line *line, uint8_t byte)
{
    struct frame got;
    struct wire_frame wanted;
    const bool sound = frame_decoder_take(&line->decoder, byte, &got);
    const bool expected = wire_hear(&line->ear, byte, &wanted) == WIRE_SOUND;
    require(sound == expected, "both decoders hear the same frames");
    if (!sound) {
        return;
    }
    require(got.version == wanted.version && got.kind == wanted.kind
                      && got.session == wanted.session && got.sequence == wanted.sequence
                      && got.length == wanted.length
                      && memcmp(got.payload, wanted.payload, got.length) == 0,
                  "both decoders hear the same in a frame");
    read_message(&got);
}

static void seal_both(const struct wire_frame *frame, struct line *line)
{
    uint8_t ours[WIRE_LONGEST];
    uint8_t theirs[FRAME_WIRE_MAX];
    const size_t count = wire_seal(frame, ours);
    const uint8_t length = frame_encode(frame->kind, frame->session, frame->sequence,
                                        frame->payload, frame->length, theirs);
    if (frame->version == FRAME_VERSION) {
        require(length == count && memcmp(ours, theirs, count) == 0,
                      "both encoders write the same");
    }
    for (size_t i = 0; i < count; i++) {
        hear(line, ours[i]);
    }
}

static void recover(const uint8_t *data, size_t size)
{
    uint8_t copies[2u * CONFIGURATION_SEALED_BYTES];
    struct configuration configuration;
    struct configuration again;
    uint8_t packed[CONFIGURATION_BYTES];
    memset(copies, 0xFF, sizeof copies);
    memcpy(copies, data, size < sizeof copies ? size : sizeof copies);
    (void)configuration_recover(copies, copies + CONFIGURATION_SEALED_BYTES, &configuration);
    configuration_pack(&configuration, packed);
    require(configuration_unpack(packed, &again), "what is recovered is within the limits");
}

/* A piece each: what it is (length, highest bit: to be sealed), then its bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct line line;
    size_t at = 0;
    memset(&line, 0, sizeof line);
    frame_decoder_start(&line.decoder);
    recover(data, size);
    while (at < size) {
        const uint8_t head = data[at++];
        const size_t left = size - at;
        const size_t count = (head & 0x7Fu) < left ? (head & 0x7Fu) : left;
        if ((head & 0x80u) != 0u && count >= 4u && count <= 4u + WIRE_PAYLOAD) {
            struct wire_frame frame;
            memset(&frame, 0, sizeof frame);
            frame.version = data[at] >> 4;
            frame.kind = data[at] & 0xFu;
            frame.session = wire_u16(data + at + 1);
            frame.sequence = data[at + 3];
            frame.length = (uint8_t)(count - 4u);
            memcpy(frame.payload, data + at + 4, count - 4u);
            seal_both(&frame, &line);
        } else {
            for (size_t i = 0; i < count; i++) {
                hear(&line, data[at + i]);
            }
        }
        at += count;
    }
    return 0;
}
