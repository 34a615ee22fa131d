/* SPDX-License-Identifier: Apache-2.0 */
#include <simavr/avr_ioport.h>
#include <simavr/sim_cycle_timers.h>

#include "rig.h"

#define PORTS 3u
#define FIRST_PORT 'B'
#define CHANGES 32u
#define EICRA 0x69u
#define ON_RISING_EDGES 0x0Fu

struct port {
    char name;
    uint8_t value;     /* PORT register */
    uint8_t direction; /* DDR register: 1 drives */
    uint8_t closed;    /* contacts to ground */
    char shown[8];     /* what was told last of each pin */
};

/* A contact that will move. */
struct change {
    char port;
    unsigned bit;
    bool closed;
};

static avr_t *chip;
static struct port ports[PORTS];

/* '0' and '1' are driven; 'p' is pulled up, 'z' is let go of. */
static char level_of(const struct port *port, unsigned bit)
{
    bool high = (port->value >> bit) & 1u;

    if ((port->direction >> bit) & 1u) {
        return high ? '1' : '0';
    }
    return high ? 'p' : 'z';
}

static void tell(struct port *port)
{
    for (unsigned bit = 0; bit < 8u; bit++) {
        char level = level_of(port, bit);

        if (level != port->shown[bit]) {
            port->shown[bit] = level;
            rig_tell("pin", "\"pin\": \"%c%u\", \"level\": \"%c\", ", port->name, bit, level);
        }
    }
}

static void value_written(avr_irq_t *irq, uint32_t value, void *param)
{
    struct port *port = param;

    (void)irq;
    port->value = (uint8_t)value;
    tell(port);
}

static void direction_written(avr_irq_t *irq, uint32_t value, void *param)
{
    struct port *port = param;

    (void)irq;
    port->direction = (uint8_t)value;
    tell(port);
}

static avr_irq_t *irq_of(const struct port *port, int index)
{
    return avr_io_getirq(chip, AVR_IOCTL_IOPORT_GETIRQ(port->name), index);
}

/* A closed contact is stronger than the pull-up: simavr has to be told, or it would raise the pin
 * again at the next write to its port. */
static void ground(const struct port *port)
{
    avr_ioport_external_t external = {.name = port->name, .mask = port->closed, .value = 0};

    avr_ioctl(chip, AVR_IOCTL_IOPORT_SET_EXTERNAL(port->name), &external);
}

void pins_attach(avr_t *avr)
{
    chip = avr;
    for (unsigned at = 0; at < PORTS; at++) {
        struct port *port = &ports[at];

        port->name = (char)(FIRST_PORT + at);
        for (unsigned bit = 0; bit < 8u; bit++) {
            port->shown[bit] = 'z';
        }
        avr_irq_register_notify(irq_of(port, IOPORT_IRQ_REG_PORT), value_written, port);
        avr_irq_register_notify(irq_of(port, IOPORT_IRQ_DIRECTION_ALL), direction_written, port);
    }
}

void pins_contact(char name, unsigned bit, bool closed)
{
    struct port *port = &ports[name - FIRST_PORT];
    uint8_t mask = (uint8_t)(1u << bit);

    if (name < FIRST_PORT || name >= (char)(FIRST_PORT + PORTS) || bit > 7u) {
        return;
    }
    port->closed = closed ? (port->closed | mask) : (uint8_t)(port->closed & ~mask);
    ground(port);
    avr_raise_irq(irq_of(port, (int)bit), !closed && level_of(port, bit) == 'p');
}

static avr_cycle_count_t due(avr_t *avr, avr_cycle_count_t when, void *param)
{
    const struct change *change = param;

    (void)avr;
    (void)when;
    pins_contact(change->port, change->bit, change->closed);
    return 0;
}

void pins_contact_at(char port, unsigned bit, bool closed, avr_cycle_count_t cycle)
{
    static struct change changes[CHANGES];
    static unsigned next;
    struct change *change = &changes[next];

    next = (next + 1u) % CHANGES;
    *change = (struct change){.port = port, .bit = bit, .closed = closed};
    avr_cycle_timer_register(chip, cycle > chip->cycle ? cycle - chip->cycle : 1, due, change);
}

void pins_reset(void)
{
    /* While D2 or D3 is low, simavr looks at it in every cycle in case it may interrupt, unless
     * that takes an edge. The firmware has no such interrupt; this saves most of a core. */
    chip->data[EICRA] = ON_RISING_EDGES;
    for (unsigned at = 0; at < PORTS; at++) {
        /* simavr clears the registers silently, and passes over a later write of the old value. */
        avr_raise_irq(irq_of(&ports[at], IOPORT_IRQ_DIRECTION_ALL), 0);
        avr_raise_irq(irq_of(&ports[at], IOPORT_IRQ_REG_PORT), 0);
        for (int bit = 0; bit < 8; bit++) {
            avr_raise_irq(irq_of(&ports[at], bit), 0);
        }
        ground(&ports[at]);
    }
}
