/* SPDX-License-Identifier: Apache-2.0 */
#include "tick.h"

#include <avr/interrupt.h>
#include <avr/io.h>

#define PRESCALER 64UL
#define TICKS_PER_S 1000UL
#define COUNTS ((F_CPU / PRESCALER) / TICKS_PER_S)

static volatile uint8_t count;

ISR(TIMER0_COMPA_vect)
{
    count++;
}

void tick_start(void)
{
    TCNT0 = 0u;
    OCR0A = (uint8_t)(COUNTS - 1UL);
    TIFR0 = (uint8_t)_BV(OCF0A);
    TIMSK0 = (uint8_t)_BV(OCIE0A);
    TCCR0A = (uint8_t)_BV(WGM01); /* clear on compare match */
    TCCR0B = (uint8_t)(_BV(CS01) | _BV(CS00));
}

uint8_t tick_count(void)
{
    return count; /* one byte: read in one instruction */
}
