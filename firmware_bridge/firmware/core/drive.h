/* What of a board drives its outputs: patterns and gate cycle, behind the limit.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CHOT_CORE_DRIVE_H
#define CHOT_CORE_DRIVE_H

#include "board.h"

/* Give what patterns and gate cycle ask for to the limit, whose answer is what is on. */
void drive_apply(struct board *board);

/* Somebody speaks in the session: what blinked without a host ends. */
void drive_meet_host(struct board *board);

/* The host is gone, or gives up command: everything ends now, the session too. */
void drive_lose_host(struct board *board);

/* Nobody was heard in the session for the dead-man's time: it ends, and a host is lost. */
void drive_end_session(struct board *board);

/* Begin the blinking of OUT OF ORDER anew, if it is wanted and due. */
void drive_blink(struct board *board);

#endif
