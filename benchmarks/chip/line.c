/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <simavr/avr_uart.h>

#include "rig.h"

#define HOST_BAUD 115200u
#define BITS_OF_A_BYTE 10u /* start, 8 data, stop */
/* How long a byte of the host takes on the wire, and one of the chip, whose divider is 17. */
#define HOST_BYTE_CYCLES ((CHIP_HZ * BITS_OF_A_BYTE + HOST_BAUD / 2u) / HOST_BAUD)
#define CHIP_BYTE_CYCLES (8u * 17u * BITS_OF_A_BYTE)
/* The receiver holds two bytes, and a third in its shift register. */
#define RECEIVER_BYTES 3u
#define QUEUE_BYTES 65536u

struct queue {
    uint8_t bytes[QUEUE_BYTES];
    avr_cycle_count_t due[QUEUE_BYTES]; /* of chip to host: when the stop bit has left */
    unsigned first;
    unsigned count;
};

static avr_t *chip;
static avr_uart_t *uart;
static avr_irq_t *receiver;
static const char *link_path;
static int ours = -1;
static int theirs = -1; /* kept open: a terminal that nobody has open reads as hung up */
static struct queue to_chip;
static struct queue to_host;
static avr_cycle_count_t receive_line_free;
static avr_cycle_count_t send_line_free;
static unsigned overruns;

static void put(struct queue *queue, uint8_t byte, avr_cycle_count_t due)
{
    unsigned at = (queue->first + queue->count) % QUEUE_BYTES;

    if (queue->count == QUEUE_BYTES) {
        return;
    }
    queue->bytes[at] = byte;
    queue->due[at] = due;
    queue->count++;
}

static uint8_t take(struct queue *queue)
{
    uint8_t byte = queue->bytes[queue->first];

    queue->first = (queue->first + 1u) % QUEUE_BYTES;
    queue->count--;
    return byte;
}

static avr_cycle_count_t tell_delimiter(avr_t *avr, avr_cycle_count_t when, void *param)
{
    (void)avr;
    (void)when;
    (void)param;
    rig_tell("delimiter", "%s", "");
    return 0;
}

/* A start bit begins. The simulated receiver has the byte one byte time later. */
static avr_cycle_count_t start_bit(avr_t *avr, avr_cycle_count_t when, void *param)
{
    unsigned unread = (uart->input.write - uart->input.read) & (uart_fifo_fifo_size - 1u);
    uint8_t byte;

    (void)param;
    if (to_chip.count == 0u) {
        return 0;
    }
    byte = take(&to_chip);
    /* simavr counts a parity bit that 8N1 has not. */
    uart->cycles_per_byte = CHIP_BYTE_CYCLES;
    if (unread >= RECEIVER_BYTES) {
        /* simavr's own buffer is larger than the chip's. */
        overruns++;
        avr_regbit_setto(avr, uart->dor, 1);
    } else {
        avr_raise_irq(receiver, byte);
        if (byte == 0u) {
            avr_cycle_timer_register(avr, CHIP_BYTE_CYCLES, tell_delimiter, NULL);
        }
    }
    receive_line_free = when + HOST_BYTE_CYCLES;
    return to_chip.count > 0u ? receive_line_free : 0;
}

static void sent(avr_irq_t *irq, uint32_t value, void *param)
{
    avr_cycle_count_t begins = chip->cycle > send_line_free ? chip->cycle : send_line_free;

    (void)irq;
    (void)param;
    uart->cycles_per_byte = CHIP_BYTE_CYCLES;
    send_line_free = begins + CHIP_BYTE_CYCLES;
    put(&to_host, (uint8_t)value, send_line_free);
}

void line_start(avr_t *avr, const char *link)
{
    uint32_t flags = 0;

    chip = avr;
    link_path = link;
    for (avr_io_t *io = avr->io_port; io != NULL; io = io->next) {
        if (strcmp(io->kind, "uart") == 0) {
            uart = (avr_uart_t *)io;
        }
    }
    if (uart == NULL) {
        rig_fail("this libsimavr has no UART");
    }
    avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
    receiver = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), sent,
                            NULL);
    line_plug();
}

void line_plug(void)
{
    char beside[4096];
    struct termios raw;

    if (ours >= 0) {
        return;
    }
    if (openpty(&ours, &theirs, NULL, NULL, NULL) != 0) {
        rig_fail("openpty");
    }
    tcgetattr(theirs, &raw);
    cfmakeraw(&raw);
    tcsetattr(theirs, TCSANOW, &raw);
    fcntl(ours, F_SETFL, O_NONBLOCK);
    snprintf(beside, sizeof beside, "%s.new", link_path);
    unlink(beside);
    if (symlink(ttyname(theirs), beside) != 0 || rename(beside, link_path) != 0) {
        rig_fail(link_path);
    }
}

void line_unplug(void)
{
    if (ours < 0) {
        return;
    }
    unlink(link_path);
    close(theirs);
    close(ours);
    ours = -1;
    theirs = -1;
    to_chip.count = 0u;
    to_host.count = 0u;
}

struct pollfd line_poll(void)
{
    return (struct pollfd){.fd = ours, .events = POLLIN};
}

void line_read(void)
{
    uint8_t bytes[512];
    ssize_t length = read(ours, bytes, sizeof bytes);
    avr_cycle_count_t now = chip->cycle;
    bool waiting = to_chip.count > 0u || receive_line_free > now;

    for (ssize_t at = 0; at < length; at++) {
        put(&to_chip, bytes[at], 0);
    }
    if (length > 0 && (!waiting || avr_cycle_timer_status(chip, start_bit, NULL) == 0)) {
        avr_cycle_timer_register(
            chip, receive_line_free > now ? receive_line_free - now : 1, start_bit, NULL);
    }
}

void line_deliver(void)
{
    while (to_host.count > 0u && to_host.due[to_host.first] <= chip->cycle) {
        uint8_t byte = take(&to_host);

        /* A host that reads nothing loses bytes, as on a real cable. */
        if (ours >= 0 && write(ours, &byte, 1) < 0 && errno != EAGAIN) {
            rig_fail("write to the terminal");
        }
    }
}

bool line_is_quiet(void)
{
    return to_chip.count == 0u && to_host.count == 0u && receive_line_free <= chip->cycle;
}

void line_reset(void)
{
    /* The host goes on talking: what it has sent is still on the wire. */
    if (to_chip.count > 0u) {
        avr_cycle_timer_register(chip, HOST_BYTE_CYCLES, start_bit, NULL);
    }
    to_host.count = 0u;
}

unsigned line_overruns(void)
{
    return overruns;
}
