/* What no input may ever make the board do. Each broken rule ends the program with its name.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CHOT_FUZZ_WATCH_H
#define CHOT_FUZZ_WATCH_H

#include "board.h"
#include "board.h"
#include "configuration.h"
#include "wire.h"

/* Everything that is known of one board from the outside: its cables, and what was done to them.
 * Times are in ms and do not wrap, unlike the board's. */
struct watch {
    struct configuration configuration;
    bool damaged; /* its stored configuration: it may drive nothing */
    uint64_t now_ms;

    struct wire_ear to_board;
    struct wire_ear to_host;
    bool deaf;            /* nobody takes the board's bytes at the moment */
    bool missed;          /* somebody did not for a while: numbering is no longer known */
    uint16_t session;     /* of the last HELLO REPLY; 0 before */
    uint64_t heard_ms;    /* last frame after which a session may be open */
    uint64_t spoke_ms;    /* last frame that may hold the dead-man's handle */
    bool spoke;
    bool heard;
    bool greeted;         /* the nonce asked for last was answered */
    uint32_t nonce;
    bool beaten;          /* a HEARTBEAT REPLY came since this was cleared */

    uint16_t show_session;
    uint8_t show_sequence;
    uint8_t show_gates;   /* gates in the SHOW that is not answered yet */
    uint16_t ran_session; /* the SHOW acknowledged last */
    uint8_t ran_sequence;
    uint32_t releases[2]; /* how often each gate may still be released */
    uint32_t verdicts;    /* admissions that may still end in PASSED or NOT PASSED */

    bool event_known;
    bool event_confirmed;
    struct wire_frame event;

    uint8_t on;
    uint64_t on_since_ms[OUTPUT_COUNT];
    uint64_t off_since_ms[OUTPUT_COUNT];
    uint64_t worn_ms[OUTPUT_COUNT]; /* on-time before, since the last rest */
    bool stop_active;
    uint64_t stop_since_ms;
    uint64_t jumper_ms; /* last time the jumper was fitted */
    bool jumper_seen;
};

/* A board has just started at `watch->now_ms`, with this configuration. */
void watch_start(struct watch *watch, const struct configuration *configuration, bool damaged);

/* The contacts as the board is told them. */
void watch_contacts(struct watch *watch, uint8_t closed, bool jumper);

/* A byte went to the board: call before board_receive. */
void watch_byte(struct watch *watch, uint8_t byte);

/* Looks at cables and answers: call after whatever was done to the board.
 * `settled`: board_advance has run at this time, so that nothing may be overdue. */
void watch_board(struct watch *watch, struct board *board, bool settled);

/* A configuration was accepted: it must be within the limits, and the jumper fitted. */
void watch_configured(const struct watch *watch, const struct configuration *configuration);

/* The next look comes much later than a millisecond: what is on then has its time anew. */
void watch_leapt(struct watch *watch);

#endif
