/* Commands, one a line, each answered by {"event": "done", ...}:
 *   pin C2 0 | pin C2 1         close a contact to ground, or open it
 *   pin C2 0 32000000           ... in this cycle
 *   reset CAUSE [bootloader]    power_on, external, brown_out, watchdog
 *   hang | hang deaf            the program stands still, without or with interrupts barred
 *   stray_interrupt             one comes that the firmware does not use
 *   stop_tick                   the millisecond's interrupt fails
 *   unplug | replug             the cable
 *   eeprom save PATH
 *   stat                        counters, as fields of the answer
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rig.h"

#define TIMSK0 0x6Eu
#define INT0_VECTOR 4u
#define LAST_WORD 0x7FFEu

static avr_t *chip;
static char input[4096];
static size_t input_length;

/* These happen after the running instruction, and answer then. */
static bool command_later(const char *line)
{
    char cause[32];
    char how[32] = "";

    if (strcmp(line, "hang") == 0 || strcmp(line, "hang deaf") == 0) {
        chip->flash[LAST_WORD] = 0xFF; /* rjmp to itself */
        chip->flash[LAST_WORD + 1u] = 0xCF;
        rig_jump(LAST_WORD, strcmp(line, "hang deaf") == 0);
        return true;
    }
    if (strcmp(line, "stray_interrupt") == 0) {
        rig_jump(INT0_VECTOR, true);
        return true;
    }
    return sscanf(line, "reset %31s %31s", cause, how) >= 1
           && rig_reset(cause, strcmp(how, "bootloader") == 0);
}

static bool command_cable(const char *line)
{
    char port;
    unsigned bit;
    unsigned level;
    unsigned long long cycle;
    int read = sscanf(line, "pin %c%u %u %llu", &port, &bit, &level, &cycle);

    if (read == 4) {
        pins_contact_at(port, bit, level == 0u, cycle);
    } else if (read == 3) {
        pins_contact(port, bit, level == 0u);
    } else if (strcmp(line, "unplug") == 0) {
        line_unplug();
    } else if (strcmp(line, "replug") == 0) {
        line_plug();
    } else {
        return false;
    }
    return true;
}

static bool command_fault(const char *line)
{
    if (strcmp(line, "stop_tick") == 0) {
        chip->data[TIMSK0] = 0;
    } else if (strncmp(line, "eeprom save ", 12) == 0) {
        memory_save(line + 12);
    } else {
        return false;
    }
    return true;
}

static void obey(const char *line)
{
    if (command_later(line)) {
        return;
    }
    if (strcmp(line, "stat") == 0) {
        rig_tell("done", "\"lost\": %u, \"overruns\": %ld, \"ram_used\": %u, \"slips\": %u, ",
                 line_overruns(), memory_firmware_overruns(), memory_used(), rig_slips());
    } else if (command_cable(line) || command_fault(line)) {
        rig_tell("done", "%s", "");
    } else {
        rig_tell("done", "\"error\": \"unknown command\", ");
    }
}

void commands_attach(avr_t *avr)
{
    chip = avr;
}

void commands_read(void)
{
    ssize_t length = read(0, input + input_length, sizeof input - 1u - input_length);

    if (length <= 0) {
        exit(0);
    }
    input_length += (size_t)length;
    commands_obey();
}

void commands_obey(void)
{
    char *end;

    input[input_length] = '\0';
    while (!rig_is_changing() && (end = strchr(input, '\n')) != NULL) {
        *end = '\0';
        obey(input);
        input_length -= (size_t)(end + 1 - input);
        memmove(input, end + 1, input_length + 1u);
    }
}
