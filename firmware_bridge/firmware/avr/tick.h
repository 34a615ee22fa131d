/* The millisecond. SPDX-License-Identifier: Apache-2.0 */
#ifndef CHOT_AVR_TICK_H
#define CHOT_AVR_TICK_H

#include <stdint.h>

/* Count milliseconds from now on (needs interrupts). */
void tick_start(void);

/* Return the milliseconds since tick_start, modulo 256. */
uint8_t tick_count(void);

#endif
