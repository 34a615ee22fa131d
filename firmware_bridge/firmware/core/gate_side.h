/* One direction of a gate: what is known of it, and how its times run out.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CHOT_CORE_GATE_SIDE_H
#define CHOT_CORE_GATE_SIDE_H

#include <stdbool.h>
#include <stdint.h>

#define QUEUE_MAX 4u /* admissions that wait on one side for the passage of the one before */
#define GAP_MS 100u  /* how long a relay stays off between two admissions: each is an edge */

enum phase {
    PHASE_CLOSED = 0,
    PHASE_OPEN = 1, /* somebody was admitted and is waited for */
    PHASE_SPENT = 2 /* somebody passed; until the window ends, one more is a tailgater */
};

/* Whom to let in, and for how long the turnstile wants its pulse. */
struct admission {
    uint32_t entry;
    uint16_t pulse_ms;
};

/* One direction. Times are what is left: 0 means that nothing runs. */
struct gate_side {
    struct admission queue[QUEUE_MAX];
    uint32_t entry;      /* whom the running cycle is for */
    uint32_t edge_at_ms; /* board clock of the pending PASS edge */
    uint16_t window_ms;  /* of the passage window; runs while the phase is not CLOSED */
    uint16_t release_ms; /* of the release; 0: locked */
    uint8_t gap_ms;      /* until the next admission may begin */
    uint8_t settle_ms;   /* until the pending PASS edge counts */
    uint8_t queued;
    uint8_t phase;       /* enum phase */
    bool edge_pending;   /* a PASS edge waits for READY to confirm it */
};

/* Begin locked, with an empty queue. */
void gate_side_start(struct gate_side *gate);

/* End a release now, and let the gap after it begin. */
void gate_side_lock(struct gate_side *gate);

/* Take the oldest admission of the queue. Look at `queued` first: an empty one gives what is left
 * in its memory. */
struct admission gate_side_take_next(struct gate_side *gate);

/* Let time pass. A release that is over ends. */
void gate_side_pass(struct gate_side *gate, uint16_t elapsed_ms);

#endif
