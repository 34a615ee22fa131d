/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CHOT_FUZZ_HEARING_H
#define CHOT_FUZZ_HEARING_H

#include "watch.h"

/* Whether a host may still be there: something that counts came within the dead-man's time. */
bool hearing_is_fresh(const struct watch *watch);

/* Return whether somebody has spoken in a session within the dead-man's time. */
bool hearing_holds(const struct watch *watch);

/* Takes what the board has for its host, unless nobody listens, and judges each frame. */
void hearing_drain(struct watch *watch, struct board *board);

#endif
