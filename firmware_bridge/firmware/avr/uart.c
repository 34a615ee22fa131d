/* SPDX-License-Identifier: Apache-2.0 */
#include "uart.h"

#include <avr/interrupt.h>
#include <avr/io.h>

#define BAUD 115200UL
/* With U2X a bit lasts 8 × (UBRR + 1) cycles. At 16 MHz the divider is 17: 117647 Bd, 2.1 % fast,
 * within the ±2.5 % that receiver and sender of 8N1 have for the two of them (data sheet,
 * table 19-3); every Uno talks to its USB chip like this. */
#define DIVIDER (((F_CPU / 4UL / BAUD) - 1UL) / 2UL)

/* A ring has one writer, which owns `head`, and one reader, which owns `tail`: no lock is needed,
 * since one byte is read and written in one instruction. Sizes are powers of two. The loop may be
 * busy for 5 ms before a received byte is lost. */
#define RECEIVED_BYTES 64u
#define UNSENT_BYTES 32u

static volatile uint8_t received[RECEIVED_BYTES];
static volatile uint8_t received_head;
static volatile uint8_t received_tail;

static volatile uint8_t unsent[UNSENT_BYTES];
static volatile uint8_t unsent_head;
static volatile uint8_t unsent_tail;

volatile uint16_t uart_overruns;

static uint8_t after_received(uint8_t at)
{
    return (uint8_t)((at + 1u) & (RECEIVED_BYTES - 1u));
}

static uint8_t after_unsent(uint8_t at)
{
    return (uint8_t)((at + 1u) & (UNSENT_BYTES - 1u));
}

static void count_overrun(void)
{
    if (uart_overruns != UINT16_MAX) {
        uart_overruns++;
    }
}

ISR(USART_RX_vect)
{
    const uint8_t status = UCSR0A; /* belongs to the byte that UDR0 gives next */
    const uint8_t byte = UDR0;
    const uint8_t next = after_received(received_head);

    if ((status & _BV(DOR0)) != 0u) {
        count_overrun();
    }
    if (next == received_tail) {
        count_overrun();
    } else {
        received[received_head] = byte;
        received_head = next;
    }
}

ISR(USART_UDRE_vect)
{
    const uint8_t tail = unsent_tail;

    if (tail == unsent_head) {
        UCSR0B = (uint8_t)(UCSR0B & (uint8_t)~_BV(UDRIE0));
    } else {
        UDR0 = unsent[tail];
        unsent_tail = after_unsent(tail);
    }
}

void uart_start(void)
{
    UCSR0A = (uint8_t)_BV(U2X0);
    UCSR0C = (uint8_t)(_BV(UCSZ01) | _BV(UCSZ00));
    UBRR0 = (uint16_t)DIVIDER;
    UCSR0B = (uint8_t)(_BV(RXEN0) | _BV(TXEN0) | _BV(RXCIE0));
}

bool uart_has_byte(void)
{
    return received_tail != received_head;
}

bool uart_take(uint8_t *byte)
{
    const uint8_t tail = received_tail;

    if (tail == received_head) {
        return false;
    }
    *byte = received[tail];
    received_tail = after_received(tail);
    return true;
}

bool uart_has_room(void)
{
    return after_unsent(unsent_head) != unsent_tail;
}

void uart_put(uint8_t byte)
{
    const uint8_t head = unsent_head;
    const uint8_t next = after_unsent(head);
    uint8_t interrupts;

    if (next == unsent_tail) {
        return;
    }
    unsent[head] = byte;
    unsent_head = next;
    /* The interrupt changes UCSR0B too. */
    interrupts = SREG;
    cli();
    UCSR0B = (uint8_t)(UCSR0B | _BV(UDRIE0));
    SREG = interrupts;
}
