/* Contacts: polarity and debounce. SPDX-License-Identifier: Apache-2.0 */
#ifndef CHOT_CORE_CONTACT_H
#define CHOT_CORE_CONTACT_H

#include <stdbool.h>
#include <stdint.h>

#include "configuration.h"

/* Within one ms: contacts_pass, then contacts_sample (if there is one), then contacts_settle. */
struct contacts {
    uint8_t fitted;
    uint8_t normally_closed;
    uint8_t debounce_ms;
    uint8_t accepted;             /* bit n: input n is active */
    uint8_t differing;            /* bit n: input n has differed from that since the wait began */
    uint8_t left_ms[INPUT_COUNT]; /* of that wait */
    bool sampled;                 /* the first sample has been taken */
};

/* Begin: every input is inactive until the first sample. */
void contacts_start(struct contacts *contacts, const struct configuration *configuration);

/* Let time pass. */
void contacts_pass(struct contacts *contacts, uint16_t elapsed_ms);

/* Take a sample: bit n of `closed` says that contact n is closed. Return true if it was the first:
 * that one is accepted at once, and contacts_settle does not return it. */
bool contacts_sample(struct contacts *contacts, uint8_t closed);

/* Accept what has differed without interruption for the debounce time. Return which inputs
 * changed: bit n for input n. */
uint8_t contacts_settle(struct contacts *contacts);

#endif
