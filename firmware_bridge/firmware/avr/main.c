/* The board on an ATmega328P: one loop, two clocks (bytes and milliseconds), one watchdog.
 * SPDX-License-Identifier: Apache-2.0 */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <stdbool.h>
#include <stdint.h>

#include "board.h"
#include "configuration.h"
#include "pins.h"
#include "reset.h"
#include "storage.h"
#include "tick.h"
#include "uart.h"

/* What the board and the line hold for the host (160 bytes of 85 µs) is sent in this time. */
#define FLUSH_MS 16u

/* The LED without a host: half a second on and off; eighths of a second if what is stored is
 * damaged and the board therefore drives nothing. */
#define BLINK_BIT 0x200u
#define BLINK_BIT_DAMAGED 0x80u

static struct board board;
static uint32_t now_ms;
static uint8_t ticks_done;
static uint16_t blink_bit;

static void start(void)
{
    struct configuration configuration;
    uint8_t state;

    pins_start();
    state = storage_load(&configuration);
    blink_bit = ((state & STATE_DAMAGED) != 0u) ? BLINK_BIT_DAMAGED : BLINK_BIT;
    board_start(&board, &configuration, state, storage_count_start(), reset_cause(), now_ms);
    board_sense(&board, pins_closed(), pins_jumper(), now_ms);
    pins_drive(board_pins(&board), board_driven(&board));
    uart_start();
    tick_start();
    SMCR = 0u; /* sleep is idle: timer and UART go on */
    sei();
}

/* Catch up with the clock, at most one millisecond a round. Return whether it moved. */
static bool advance(void)
{
    if (tick_count() == ticks_done) {
        return false;
    }
    ticks_done++;
    now_ms++;
    board_sense(&board, pins_closed(), pins_jumper(), now_ms);
    board_advance(&board, now_ms);
    pins_led(board_has_host(&board) || ((now_ms & blink_bit) != 0u));
    return true;
}

/* Take one byte: the next one comes with the clock caught up, so that what a frame begins is timed
 * from when it came. */
static void receive(void)
{
    uint8_t byte;

    if (uart_take(&byte)) {
        board_receive(&board, byte, now_ms);
    }
}

static void send(void)
{
    uint8_t byte;

    while (uart_has_room() && board_take_byte(&board, &byte)) {
        uart_put(byte);
    }
}

/* Store an accepted configuration and start anew with it. */
static void adopt(void)
{
    struct configuration configuration;
    uint8_t began;

    if (!board_take_configuration(&board, &configuration)) {
        return;
    }
    pins_release();
    storage_save(&configuration);
    began = tick_count();
    while ((uint8_t)(tick_count() - began) < FLUSH_MS) {
        send(); /* the acknowledgement leaves the chip */
    }
    reset_now();
}

/* Sleep until something happens. An interrupt between the look and the sleep is not missed: the
 * instruction after sei is always executed before it (data sheet, 7.7). */
static void rest(void)
{
    cli();
    if (!uart_has_byte() && (tick_count() == ticks_done)) {
        sleep_enable();
        sei();
        sleep_cpu();
        sleep_disable();
    }
    sei();
}

int main(void)
{
    start();
    for (;;) {
        bool moved;

        moved = advance();
        receive();
        /* Before the acknowledgement leaves, the pins are what it says. */
        pins_drive(board_pins(&board), board_driven(&board));
        send();
        adopt();
        /* Fed here only: every step ran, and time goes on. */
        if (moved) {
            reset_feed_watchdog();
        }
        rest();
    }
}
