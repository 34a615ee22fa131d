/* The link's far end: frames of the host, and what the board says
 * (docs/firmware-link.md, "Session").
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CHOT_CORE_LINK_H
#define CHOT_CORE_LINK_H

#include "board.h"

/* Answer a sound frame, and do what it asks for. */
void link_take(struct board *board, const struct frame *frame);

/* Send the oldest event, if there is one and somebody to hear it. */
void link_send_event(struct board *board);

/* Send the oldest event if none waited before (`waiting_before` of them). */
void link_send_first_event(struct board *board, uint8_t waiting_before);

#endif
