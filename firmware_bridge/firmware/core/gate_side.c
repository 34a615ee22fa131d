/* SPDX-License-Identifier: Apache-2.0 */
#include "gate_side.h"

void gate_side_start(struct gate_side *gate)
{
    for (uint8_t at = 0u; at < QUEUE_MAX; at++) {
        gate->queue[at].entry = 0u;
        gate->queue[at].pulse_ms = 0u;
    }
    gate->entry = 0u;
    gate->edge_at_ms = 0u;
    gate->window_ms = 0u;
    gate->release_ms = 0u;
    gate->gap_ms = 0u;
    gate->settle_ms = 0u;
    gate->queued = 0u;
    gate->phase = PHASE_CLOSED;
    gate->edge_pending = false;
}

void gate_side_lock(struct gate_side *gate)
{
    if (gate->release_ms > 0u) {
        gate->release_ms = 0u;
        gate->gap_ms = GAP_MS;
    }
}

struct admission gate_side_take_next(struct gate_side *gate)
{
    const struct admission next = gate->queue[0];

    for (uint8_t at = 1u; at < QUEUE_MAX; at++) {
        gate->queue[at - 1u] = gate->queue[at];
    }
    if (gate->queued > 0u) {
        gate->queued--;
    }
    return next;
}

static uint16_t less(uint16_t left_ms, uint16_t elapsed_ms)
{
    return (left_ms > elapsed_ms) ? (uint16_t)(left_ms - elapsed_ms) : 0u;
}

void gate_side_pass(struct gate_side *gate, uint16_t elapsed_ms)
{
    gate->gap_ms = (uint8_t)less(gate->gap_ms, elapsed_ms);
    gate->settle_ms = (uint8_t)less(gate->settle_ms, elapsed_ms);
    gate->window_ms = less(gate->window_ms, elapsed_ms);
    if (gate->release_ms > elapsed_ms) {
        gate->release_ms = (uint16_t)(gate->release_ms - elapsed_ms);
    } else {
        gate_side_lock(gate);
    }
}
