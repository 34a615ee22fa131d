/* What the host has to learn, kept until it says that it holds it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CHOT_CORE_EVENTS_H
#define CHOT_CORE_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#define EVENTS_MAX 12u
#define EVENTS_INPUT_MAX 8u /* contacts that chatter never take the room of gate reports */

/* INPUT or GATE, by `kind`. */
struct event {
    uint32_t entry; /* GATE: the admission it is about; 0: none */
    uint32_t at_ms; /* board clock */
    uint8_t kind;   /* KIND_INPUT or KIND_GATE */
    uint8_t what;   /* INPUT: which; GATE: outcome */
    uint8_t value;  /* INPUT: 1 active; GATE: side */
    uint8_t lost;   /* events before this one that found no room; saturates */
};

struct events {
    struct event waiting[EVENTS_MAX];
    uint8_t first; /* index of the oldest */
    uint8_t count;
    uint8_t inputs; /* how many of them are INPUT */
    uint8_t lost;   /* since the last one that found room; saturates */
};

/* Begin with none. */
void events_start(struct events *events);

/* Keep an edge of an input, or count it as lost if there is no room. */
void events_add_input(struct events *events, uint8_t input, uint8_t value, uint32_t at_ms);

/* Keep a report of the turnstile, or count it as lost if there is no room. */
void events_add_gate(struct events *events, uint8_t outcome, uint8_t side, uint32_t entry,
                     uint32_t at_ms);

/* Return the oldest, or NULL if there is none. */
const struct event *events_oldest(const struct events *events);

/* Forget the oldest: the host holds it. */
void events_drop_oldest(struct events *events);

#endif
