/* SPDX-License-Identifier: Apache-2.0 */
#include "pins.h"

#include <avr/io.h>

#include "configuration.h"

/* D2 to D7: outputs 0 to 5. */
#define OUTPUT_SHIFT 2u
#define OUTPUT_PINS ((uint8_t)(OUTPUTS_MASK << OUTPUT_SHIFT))
/* A0 to A5: inputs 0 to 5. */
#define CONTACT_PINS 0x3Fu
#define READY_PIN ((uint8_t)_BV(PB0))
#define READY_INPUT 6u
#define JUMPER_PIN ((uint8_t)_BV(PB1))
#define LED_PIN ((uint8_t)_BV(PB5))
#define SERIAL_PINS ((uint8_t)(_BV(PD0) | _BV(PD1))) /* a line at rest is high */

void pins_start(void)
{
    pins_release();
    ACSR = (uint8_t)_BV(ACD); /* the comparator, on after a reset, shares D6 and D7 */
    PORTD = SERIAL_PINS;
    DDRC = 0u;
    PORTC = CONTACT_PINS;
    PORTB = (uint8_t)(READY_PIN | JUMPER_PIN);
    DDRB = LED_PIN;
}

void pins_drive(uint8_t levels, uint8_t driven)
{
    const uint8_t outputs = (uint8_t)(driven & OUTPUTS_MASK);
    const uint8_t direction = (uint8_t)(outputs << OUTPUT_SHIFT);
    const uint8_t high = (uint8_t)((uint8_t)(levels & outputs) << OUTPUT_SHIFT);

    /* Off the pins that are let go of before their level changes, and the right level before a pin
     * is driven: no pin shows a level that nobody asked for, not even for a cycle. */
    DDRD = (uint8_t)(DDRD & direction);
    PORTD = (uint8_t)((uint8_t)(PORTD & (uint8_t)~OUTPUT_PINS) | high);
    DDRD = direction;
}

void pins_release(void)
{
    pins_drive(0u, 0u);
}

uint8_t pins_closed(void)
{
    const uint8_t contacts = (uint8_t)((uint8_t)~PINC & CONTACT_PINS);
    const uint8_t ready = ((PINB & READY_PIN) == 0u) ? (uint8_t)(1u << READY_INPUT) : 0u;

    return (uint8_t)(contacts | ready);
}

bool pins_jumper(void)
{
    return (PINB & JUMPER_PIN) == 0u;
}

void pins_led(bool on)
{
    if (on) {
        PORTB = (uint8_t)(PORTB | LED_PIN);
    } else {
        PORTB = (uint8_t)(PORTB & (uint8_t)~LED_PIN);
    }
}
