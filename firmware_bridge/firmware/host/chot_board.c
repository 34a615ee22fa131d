/* A board on a pseudo-terminal, in real time: `chot-board LINK`.
 *
 * LINK becomes a symbolic link to the terminal that a host opens. Pins and whatever else can be
 * seen go to stdout, one JSON object a line; commands come on stdin, one a line:
 *   close INPUT | open INPUT        contact of button, tamper, passage_a, passage_b, fire, stop,
 *                                   ready
 *   jumper on | jumper off
 *   reset CAUSE                     power_on, external, brown_out, watchdog
 *   unplug | replug                 the terminal vanishes; the board goes on alone
 * Each is answered "done" once the board has seen it. The end of stdin ends the program. The
 * configuration that a host stores survives a reset, not the program's end.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pty.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "board.h"

#define NS_PER_MS 1000000
#define NS_PER_S 1000000000
#define LINE_BYTES 64

struct machine {
    struct board board;
    uint8_t copy_a[CONFIGURATION_SEALED_BYTES]; /* what the chip has in its EEPROM */
    uint8_t copy_b[CONFIGURATION_SEALED_BYTES];
    uint16_t boot_count;
    uint8_t closed;
    bool jumper;
    uint8_t pins;
    uint8_t driven;
    const char *link;
    int master;
    int slave; /* our own hold on the far end keeps the line up while no host has it open */
};

static const char *const OUTPUTS[OUTPUT_COUNT] = {"green",  "amber", "red",
                                                  "buzzer", "gate",  "gate_b"};
static const char *const INPUTS[INPUT_COUNT] = {"button", "tamper", "passage_a", "passage_b",
                                                "fire",   "stop",   "ready"};
static const char *const CAUSES[] = {"unknown", "power_on", "external", "brown_out", "watchdog"};

#define CAUSE_COUNT (sizeof CAUSES / sizeof CAUSES[0])

static int64_t monotonic_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return ((int64_t)now.tv_sec * NS_PER_S) + now.tv_nsec;
}

/* The board's time: it wraps, as on the chip. */
static uint32_t board_ms(void)
{
    return (uint32_t)(monotonic_ns() / NS_PER_MS);
}

static void report(struct machine *machine)
{
    const uint8_t pins = board_pins(&machine->board);
    const uint8_t driven = board_driven(&machine->board);
    const int64_t at_ns = monotonic_ns();

    for (size_t output = 0; output < OUTPUT_COUNT; output++) {
        const uint8_t bit = (uint8_t)(1u << output);
        const char *level = "null";

        if ((((pins ^ machine->pins) | (driven ^ machine->driven)) & bit) == 0) {
            continue;
        }
        if ((driven & bit) != 0) {
            level = ((pins & bit) != 0) ? "1" : "0";
        }
        printf("{\"event\": \"pin\", \"output\": \"%s\", \"level\": %s, \"at_ns\": %" PRId64 "}\n",
               OUTPUTS[output], level, at_ns);
    }
    machine->pins = pins;
    machine->driven = driven;
}

static void say(const char *event, const char *detail)
{
    printf("{\"event\": \"%s\", \"detail\": \"%s\", \"at_ns\": %" PRId64 "}\n", event, detail,
           monotonic_ns());
}

/* Whoever starts this program wants a board that works: one that has the defaults stored. */
static void commission(struct machine *machine)
{
    struct configuration configuration;

    configuration_default(&configuration);
    configuration_seal(&configuration, machine->copy_a);
    configuration_seal(&configuration, machine->copy_b);
}

static void start(struct machine *machine, size_t cause)
{
    struct configuration configuration;
    const uint8_t state = configuration_recover(machine->copy_a, machine->copy_b, &configuration);

    machine->pins = 0;
    machine->driven = 0;
    machine->boot_count++;
    board_start(&machine->board, &configuration, state, machine->boot_count, (uint8_t)cause,
                board_ms());
    say("start", CAUSES[cause]);
}

static void pull(struct machine *machine)
{
    if (machine->master < 0) {
        return;
    }
    (void)unlink(machine->link);
    (void)close(machine->master);
    (void)close(machine->slave);
    machine->master = -1;
    machine->slave = -1;
    say("unplugged", machine->link);
}

static bool plug(struct machine *machine)
{
    struct termios raw;
    char name[128];

    if (machine->master >= 0) {
        return true;
    }
    if (openpty(&machine->master, &machine->slave, name, NULL, NULL) != 0) {
        perror("openpty");
        return false;
    }
    if (tcgetattr(machine->slave, &raw) == 0) {
        cfmakeraw(&raw);
        (void)tcsetattr(machine->slave, TCSANOW, &raw);
    }
    (void)fcntl(machine->master, F_SETFL, O_NONBLOCK);
    (void)unlink(machine->link);
    if (symlink(name, machine->link) != 0) {
        perror(machine->link);
        return false;
    }
    say("plugged", machine->link);
    return true;
}

static size_t index_of(const char *word, const char *const *words, size_t count)
{
    size_t at = 0;

    while ((at < count) && (strcmp(word, words[at]) != 0)) {
        at++;
    }
    return at;
}

/* Carry out one command. Return false if there is none of that name. */
static bool obey(struct machine *machine, const char *verb, const char *object)
{
    const size_t input = index_of(object, INPUTS, INPUT_COUNT);
    const size_t cause = index_of(object, CAUSES, CAUSE_COUNT);

    if ((strcmp(verb, "close") == 0) && (input < INPUT_COUNT)) {
        machine->closed = (uint8_t)(machine->closed | (1u << input));
    } else if ((strcmp(verb, "open") == 0) && (input < INPUT_COUNT)) {
        machine->closed = (uint8_t)(machine->closed & ~(1u << input));
    } else if ((strcmp(verb, "jumper") == 0) && (strcmp(object, "on") == 0)) {
        machine->jumper = true;
    } else if ((strcmp(verb, "jumper") == 0) && (strcmp(object, "off") == 0)) {
        machine->jumper = false;
    } else if ((strcmp(verb, "reset") == 0) && (cause < CAUSE_COUNT)) {
        start(machine, cause);
    } else if (strcmp(verb, "unplug") == 0) {
        pull(machine);
    } else if (strcmp(verb, "replug") == 0) {
        return plug(machine);
    } else {
        return false;
    }
    return true;
}

static void store(struct machine *machine)
{
    struct configuration accepted;

    if (board_take_configuration(&machine->board, &accepted)) {
        configuration_seal(&accepted, machine->copy_a);
        configuration_seal(&accepted, machine->copy_b);
        start(machine, RESET_EXTERNAL);
    }
}

/* Live up to now, a millisecond at a time as a chip does: no edge is lost on a machine that gave
 * this program no processor for a while. What the watchdog would have ended goes in one step. */
static void live(struct machine *machine)
{
    const uint32_t now_ms = board_ms();
    uint32_t at_ms = machine->board.at_ms;

    if ((now_ms - at_ms) > CATCH_UP_MS) {
        at_ms = now_ms - 1u;
    }
    do {
        at_ms += (at_ms != now_ms) ? 1u : 0u;
        board_sense(&machine->board, machine->closed, machine->jumper, at_ms);
        board_advance(&machine->board, at_ms);
        report(machine);
    } while (at_ms != now_ms);
}

static void exchange(struct machine *machine)
{
    uint8_t byte = 0;
    uint8_t received[256];
    const ssize_t count = (machine->master < 0)
                              ? 0
                              : read(machine->master, received, sizeof received);

    live(machine);
    for (ssize_t at = 0; at < count; at++) {
        board_receive(&machine->board, received[at], machine->board.at_ms);
    }
    live(machine);
    while (board_take_byte(&machine->board, &byte)) {
        /* A line on which nobody listens loses what is sent: so does this one, when it is full. */
        if ((machine->master >= 0) && (write(machine->master, &byte, 1) < 0) && (errno != EAGAIN)) {
            perror("write");
        }
    }
    store(machine);
}

/* Take one line of commands. Return false at the end of stdin. */
static bool take_line(struct machine *machine)
{
    char line[LINE_BYTES];
    char verb[LINE_BYTES] = "";
    char object[LINE_BYTES] = "";

    if (fgets(line, sizeof line, stdin) == NULL) {
        return false;
    }
    if (sscanf(line, "%63s %63s", verb, object) < 1) {
        return true;
    }
    if (obey(machine, verb, object)) {
        exchange(machine);
        say("done", verb); /* the board has seen it */
    } else {
        say("unknown", verb);
    }
    return true;
}

int main(int count, char **words)
{
    static struct machine machine;
    bool living = true;

    if (count != 2) {
        (void)fprintf(stderr, "usage: chot-board LINK\n");
        return 2;
    }
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    /* poll looks at the file, not at what stdio has read ahead. */
    (void)setvbuf(stdin, NULL, _IONBF, 0);
    commission(&machine);
    machine.link = words[1];
    machine.master = -1;
    machine.slave = -1;
    start(&machine, RESET_POWER_ON);
    living = plug(&machine);
    while (living) {
        struct pollfd ready[2] = {{STDIN_FILENO, POLLIN, 0}, {machine.master, POLLIN, 0}};

        (void)poll(ready, 2, 1);
        if (ready[0].revents != 0) {
            living = take_line(&machine);
        }
        exchange(&machine);
    }
    pull(&machine);
    return 0;
}
