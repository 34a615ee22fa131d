/* The serial line to the host: 115200 Bd, 8N1, both directions by interrupt.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CHOT_AVR_UART_H
#define CHOT_AVR_UART_H

#include <stdbool.h>
#include <stdint.h>

/* Begin to receive, and to send what is put (needs interrupts). */
void uart_start(void);

/* Return whether a received byte waits. */
bool uart_has_byte(void);

/* Take the oldest received byte. Return false if there is none. */
bool uart_take(uint8_t *byte);

/* Return whether uart_put has room for a byte. */
bool uart_has_room(void);

/* Send a byte after those before it. It is dropped if there is no room. */
void uart_put(uint8_t byte);

/* How many received bytes were lost, in the receiver or in its ring (saturates). Nothing in the
 * firmware depends on it: it is there for a debugger and for the bench of benchmarks/chip. */
extern volatile uint16_t uart_overruns;

#endif
