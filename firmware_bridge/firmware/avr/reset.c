/* SPDX-License-Identifier: Apache-2.0 */
#include "reset.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/wdt.h>

#include "message.h"
#include "pins.h"

#define CAUSE_FLAGS ((uint8_t)(_BV(PORF) | _BV(EXTRF) | _BV(BORF) | _BV(WDRF)))
#define INTENDED 0x5AC3u

/* .noinit: written before the C start-up clears memory, and kept over a reset. */
static uint8_t flags __attribute__((section(".noinit")));
static uint16_t intent __attribute__((section(".noinit")));

void reset_first(void) __attribute__((naked, used, section(".init3")));

/* Runs before memory is set up. After a watchdog reset the watchdog goes on with its shortest
 * time (16 ms) until its flag is cleared: the start-up would not live to main. */
void reset_first(void)
{
    /* cppcheck-suppress variableScope ; r2 is read before anything here can use it */
    uint8_t handed_over;

    __asm__ volatile("mov %0, r2" : "=r"(handed_over));
    cli(); /* no reset comes without, but a program that fell to address 0 would */
    /* A reset lets go of all pins; a bootloader may have taken some. */
    DDRD = 0u;
    PORTD = 0u;
    DDRB = 0u;
    PORTB = 0u;
    flags = MCUSR;
    MCUSR = 0u;
    if (flags == 0u) {
        /* Optiboot clears MCUSR and leaves what was in it in r2. */
        flags = handed_over;
    }
    /* Its oscillator may run a fifth slow, and the clock's byte wraps after 256 ms: nothing may stand
     * still for so long unseen. */
    wdt_enable(WDTO_120MS);
}

/* An interrupt that nobody asked for: the program is not what it was. The default would jump to 0
 * and go on as if nothing had happened. */
ISR(BADISR_vect)
{
    pins_release();
    for (;;) {
        /* the watchdog ends this */
    }
}

static uint8_t cause_of(uint8_t seen)
{
    if ((seen & (uint8_t)~CAUSE_FLAGS) != 0u) {
        return RESET_UNKNOWN; /* r2 of a bootloader that does not know the custom */
    }
    /* Rising supply may set the brown-out and external flags too. */
    if ((seen & _BV(PORF)) != 0u) {
        return RESET_POWER_ON;
    }
    if ((seen & _BV(BORF)) != 0u) {
        return RESET_BROWN_OUT;
    }
    if ((seen & _BV(WDRF)) != 0u) {
        return RESET_WATCHDOG;
    }
    return ((seen & _BV(EXTRF)) != 0u) ? RESET_EXTERNAL : RESET_UNKNOWN;
}

uint8_t reset_cause(void)
{
    const uint8_t cause = cause_of(flags);
    const bool intended = (intent == INTENDED);

    intent = 0u;
    return ((cause == RESET_WATCHDOG) && intended) ? RESET_EXTERNAL : cause;
}

void reset_feed_watchdog(void)
{
    wdt_reset();
}

void reset_now(void)
{
    cli();
    pins_release();
    intent = INTENDED;
    wdt_enable(WDTO_15MS);
    for (;;) {
        /* the watchdog ends this */
    }
}
