/* A fuzzer's input as a course of events at one board.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CHOT_FUZZ_SCRIPT_H
#define CHOT_FUZZ_SCRIPT_H

#include <stddef.h>
#include <stdint.h>

/* First the start (22 bytes at most, see script.c), then steps of one byte and what it needs: the
 * low three bits are one of these, the high five its argument. */
enum step {
    STEP_WAIT = 0,      /* argument + 1 ms */
    STEP_WAIT_LONG = 1, /* (argument + 1) x 100 ms */
    STEP_FRAME = 2,     /* a sealed frame of what follows: first byte, length, payload */
    STEP_HELLO = 3,     /* the argument is the nonce */
    STEP_SHOW = 4,      /* one sound pulse: output, on and off in 20 ms, repeats */
    STEP_CONTACTS = 5,  /* what is closed; the argument's lowest bit is the jumper */
    STEP_RAW = 6,       /* argument + 1 bytes as they are */
    STEP_OTHER = 7      /* the argument is one of the below */
};

enum other {
    OTHER_HEARTBEAT = 0,
    OTHER_CONFIRM = 1,     /* the event that came last */
    OTHER_STOP_READING = 2,
    OTHER_READ = 3,
    OTHER_LEAP = 4,        /* past the sign bit of the board's clock */
    OTHER_REPEAT = 5,      /* the frame sent last, once more */
    OTHER_RESET = 6,
    OTHER_HOLD_ON = 7      /* and above: 5 s with a heartbeat each 250 ms */
};

/* Runs one input. Ends the program where a rule is broken. */
void script_run(const uint8_t *data, size_t size);

#endif
