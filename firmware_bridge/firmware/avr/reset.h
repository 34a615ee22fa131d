/* Why the chip started, its watchdog, and how it starts anew.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CHOT_AVR_RESET_H
#define CHOT_AVR_RESET_H

#include <stdint.h>

/* Return why the chip started: enum reset_cause of core/message.h. */
uint8_t reset_cause(void);

/* Tell the watchdog that the program is well. It resets the chip 120 ms after the last time; it
 * runs from the first instructions on and nothing stops it. */
void reset_feed_watchdog(void);

/* Let go of the outputs and start the chip anew; the next start counts as EXTERNAL. */
void reset_now(void) __attribute__((noreturn));

#endif
