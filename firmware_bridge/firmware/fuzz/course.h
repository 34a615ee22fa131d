/* What happens to one board: bytes, contacts and time, each looked at by the watch.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CHOT_FUZZ_COURSE_H
#define CHOT_FUZZ_COURSE_H

#include "watch.h"

struct course {
    const uint8_t *data; /* what is left of the input */
    size_t left;
    struct board board;
    struct watch watch;
    struct configuration configuration;
    uint32_t origin_ms; /* what the board's clock showed at the start */
    uint64_t spent_ms;
    uint16_t boots;
    uint8_t closed;
    bool jumper;
    uint8_t sequence; /* of the last SHOW */
    struct wire_frame last;
};

/* Starts the board anew, with the configuration that is there. */
void course_start(struct course *course, uint8_t state, uint8_t cause);

/* Sends bytes to the board, all at once. */
void course_send_bytes(struct course *course, const uint8_t *bytes, size_t count);

/* Seals a frame and sends it. */
void course_send(struct course *course, const struct wire_frame *frame);

/* Lets time pass, a millisecond at a time, until the input has had its share. */
void course_wait(struct course *course, uint32_t span_ms);

/* Returns a frame of the open session without payload. */
struct wire_frame course_frame(const struct course *course, uint8_t kind, uint8_t sequence);

/* Sends HELLO. */
void course_greet(struct course *course, uint32_t nonce);

/* Sends HEARTBEAT. */
void course_heartbeat(struct course *course);

/* Lets half the range of the board's clock go by, with nobody there. */
void course_leap(struct course *course);

/* Greets the board one last time: whatever has happened, a host that comes now is answered. */
void course_end(struct course *course);

#endif
