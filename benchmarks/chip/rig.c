/* rig ELF LINK [EEPROM]: runs the firmware in real time until standard input ends. LINK becomes the
 * serial port. News go to standard output, one JSON object a line; commands come on standard input
 * (commands.c). SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <simavr/sim_cycle_timers.h>
#include <simavr/sim_io.h>

#include "rig.h"

/* The chip runs in slices of 50 µs (100 while the line is quiet), never ahead of the clock by more
 * than one: so much later than on a real cable may the first byte of a frame come. */
#define SLICE_CYCLES 800u
#define QUIET_SLICE_CYCLES 1600u
/* Who is later than this has been kept from running: time stood still for the chip too. */
#define LATE_NS (NS_PER_S / 10u)
#define R2 2u

struct cause {
    const char *name;
    const avr_regbit_t *flag;
    bool power; /* it comes with a loss of power */
};

static avr_t *chip;
static FILE *news;
static avr_run_t run_usually;
static struct cause causes[4];
static const struct cause *commanded; /* reset to do once the instruction is over */
static bool by_bootloader;
static bool jump_commanded;
static uint32_t jump_to;
static bool jump_deaf;
static uint64_t started_ns;
static unsigned slips;

static uint64_t clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static uint64_t due_ns(avr_cycle_count_t cycle)
{
    return started_ns + cycle * 125u / 2u; /* 62.5 ns */
}

void rig_tell(const char *kind, const char *fields, ...)
{
    uint64_t now_ns = clock_ns();
    uint64_t due = due_ns(chip->cycle);
    va_list values;

    va_start(values, fields);
    fprintf(news, "{\"event\": \"%s\", ", kind);
    vfprintf(news, fields, values);
    /* Within a slice the chip is ahead of the clock: nothing is claimed to have come early. */
    fprintf(news, "\"cycle\": %llu, \"at_ns\": %llu}\n", (unsigned long long)chip->cycle,
            (unsigned long long)(due > now_ns ? due : now_ns));
    fflush(news);
    va_end(values);
}

void rig_fail(const char *what)
{
    perror(what);
    exit(1);
}

bool rig_reset(const char *name, bool bootloader)
{
    for (size_t at = 0; at < sizeof causes / sizeof causes[0]; at++) {
        if (strcmp(causes[at].name, name) == 0) {
            commanded = &causes[at];
            by_bootloader = bootloader;
        }
    }
    return commanded != NULL;
}

void rig_jump(uint32_t address, bool deaf)
{
    jump_commanded = true;
    jump_to = address;
    jump_deaf = deaf;
}

bool rig_is_changing(void)
{
    return commanded != NULL || jump_commanded;
}

unsigned rig_slips(void)
{
    return slips;
}

/* Wait for the clock, awake for bytes and commands. */
static void wait_for(uint64_t until_ns)
{
    for (;;) {
        struct pollfd ends[2] = {{.fd = 0, .events = POLLIN}, line_poll()};
        uint64_t now_ns = clock_ns();
        uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0u;
        struct timespec patience = {.tv_sec = 0, .tv_nsec = (long)left_ns};

        if (ppoll(ends, 2, &patience, NULL) > 0) {
            if (ends[1].revents != 0) {
                line_read();
            }
            if (ends[0].revents != 0) {
                commands_read();
            }
        }
        if (left_ns == 0u) {
            return;
        }
    }
}

static avr_cycle_count_t slice_over(avr_t *avr, avr_cycle_count_t when, void *param)
{
    uint64_t due = due_ns(when);
    uint64_t now_ns;

    (void)avr;
    (void)param;
    wait_for(due);
    line_deliver();
    now_ns = clock_ns();
    if (now_ns > due + LATE_NS) {
        started_ns += now_ns - due;
        slips++;
    }
    return when + (line_is_quiet() ? QUIET_SLICE_CYCLES : SLICE_CYCLES);
}

/* Called by every reset, the watchdog's own too, once the registers are clear. */
static void on_reset(avr_io_t *io)
{
    const char *cause = commanded != NULL ? commanded->name : "watchdog";

    (void)io;
    memory_reset();
    pins_reset();
    line_reset();
    avr_cycle_timer_register(chip, SLICE_CYCLES, slice_over, NULL);
    rig_tell("reset", "\"cause\": \"%s\", ", cause);
}

static void do_commanded_reset(void)
{
    const struct cause *cause = commanded;

    memory_before_reset(cause->power);
    avr_reset(chip);
    chip->state = cpu_Running;
    avr_regbit_set(chip, *cause->flag);
    if (by_bootloader) {
        chip->data[R2] = chip->data[cause->flag->reg];
        chip->data[cause->flag->reg] = 0;
    }
    commanded = NULL;
}

static void do_commanded_jump(void)
{
    chip->pc = jump_to;
    chip->state = cpu_Running;
    if (jump_deaf) {
        chip->sreg[S_I] = 0;
    }
    jump_commanded = false;
}

static void change(void)
{
    if (commanded != NULL) {
        do_commanded_reset();
    }
    if (jump_commanded) {
        do_commanded_jump();
    }
    rig_tell("done", "%s", "");
    commands_obey();
}

static void never_sleep(avr_t *avr, avr_cycle_count_t cycles)
{
    (void)avr;
    (void)cycles; /* slice_over waits */
}

static void build(const char *elf)
{
    static avr_io_t bench = {.kind = "bench", .reset = on_reset};
    elf_firmware_t firmware;

    memset(&firmware, 0, sizeof firmware);
    if (elf_read_firmware(elf, &firmware) != 0) {
        rig_fail(elf);
    }
    chip = avr_make_mcu_by_name("atmega328p");
    if (chip == NULL || avr_init(chip) != 0) {
        rig_fail("atmega328p");
    }
    firmware.frequency = CHIP_HZ;
    avr_load_firmware(chip, &firmware);
    chip->log = LOG_ERROR;
    chip->sleep = never_sleep;
    run_usually = chip->run;
    causes[0] = (struct cause){"power_on", &chip->reset_flags.porf, true};
    causes[1] = (struct cause){"external", &chip->reset_flags.extrf, false};
    causes[2] = (struct cause){"brown_out", &chip->reset_flags.borf, true};
    causes[3] = (struct cause){"watchdog", &chip->reset_flags.wdrf, false};
    memory_attach(chip, &firmware);
    pins_attach(chip);
    avr_register_io(chip, &bench);
}

/* A chip waits for nobody: where this is allowed (root, CAP_SYS_NICE), neither does the bench. It
 * sleeps most of the time; the kernel keeps 5 % of a second for everybody else in any case. */
static void claim_core(void)
{
    const struct sched_param lowest = {.sched_priority = 1};

    (void)sched_setscheduler(0, SCHED_FIFO, &lowest);
}

int main(int count, char **arguments)
{
    if (count < 3) {
        fprintf(stderr, "usage: %s ELF LINK [EEPROM]\n", arguments[0]);
        return 1;
    }
    news = fdopen(dup(1), "w");
    dup2(2, 1); /* simavr prints */
    prctl(PR_SET_TIMERSLACK, 1);
    claim_core();
    build(arguments[1]);
    commands_attach(chip);
    line_start(chip, arguments[2]);
    if (count > 3) {
        memory_load(arguments[3]);
    }
    started_ns = clock_ns();
    commanded = &causes[0];
    change();
    for (;;) {
        int state;

        if (chip->run != run_usually) {
            memory_before_reset(false); /* the watchdog has fired: its reset comes next */
        }
        state = avr_run(chip);
        if (state == cpu_Done || state == cpu_Crashed) {
            rig_tell("crashed", "%s", "");
            return 2;
        }
        if (rig_is_changing()) {
            change();
        }
    }
}
