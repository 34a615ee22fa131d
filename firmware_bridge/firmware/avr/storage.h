/* What the chip keeps without power. SPDX-License-Identifier: Apache-2.0 */
#ifndef CHOT_AVR_STORAGE_H
#define CHOT_AVR_STORAGE_H

#include <stdint.h>

#include "configuration.h"

/* Read the stored configuration, or the default, and make both copies of it the same: that takes
 * 200 ms at most, and no time where they are. Return the STATE_ bits for board_start. */
uint8_t storage_load(struct configuration *out);

/* Store the configuration: one copy whole before the other is touched, so that a power cut leaves
 * one of them. Takes about 200 ms and feeds the watchdog meanwhile. */
void storage_save(const struct configuration *configuration);

/* Count this start, durably, and return its number (wraps). */
uint16_t storage_count_start(void);

#endif
