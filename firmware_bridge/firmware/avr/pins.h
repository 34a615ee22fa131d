/* Which pin is what (docs/wiring.md): ATmega328P as on an Uno or Nano.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CHOT_AVR_PINS_H
#define CHOT_AVR_PINS_H

#include <stdbool.h>
#include <stdint.h>

/* Let go of every pin. Then pull-ups on the inputs and on the serial line, so that nothing floats.
 * The outputs stay high-impedance until pins_drive. */
void pins_start(void);

/* Bring the outputs to `levels` (bit n: output n is high) where `driven` has their bit, and let go
 * of the others. */
void pins_drive(uint8_t levels, uint8_t driven);

/* Let go of all outputs: what they reach falls to where its resistor pulls it. */
void pins_release(void);

/* Return which contacts are closed to ground: bit n for input n. */
uint8_t pins_closed(void);

/* Return whether the configuration jumper is fitted. */
bool pins_jumper(void);

/* Switch the LED on the board. */
void pins_led(bool on);

#endif
