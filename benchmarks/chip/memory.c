/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include <simavr/avr_eeprom.h>

#include "rig.h"

#define EEPROM_BYTES 1024u
#define EECR 0x3Fu /* data address of the EEPROM's control register */
#define EEARL 0x41u
#define EEPE 0x02u
#define WRITE_CYCLES (CHIP_HZ / 10000u * 34u) /* 3.4 ms: data sheet, table 8-2 */
#define MCUSR 0x54u
#define RAM_AT 0x100u
#define RAM_BYTES 2048u
#define NEVER_USED 0xC5u
#define RAM_IN_ELF 0x800000u

static avr_t *chip;
static uint8_t kept[RAM_BYTES];
static uint8_t kept_flags;
static avr_cycle_count_t busy_until;
static uint16_t written_at;
static uint16_t overruns_at; /* 0: the firmware has no such counter */

static bool busy(void)
{
    return chip->cycle < busy_until;
}

/* simavr writes at once; the chip takes its time, and shows it. */
static void control_written(avr_t *avr, avr_io_addr_t address, uint8_t value, void *param)
{
    (void)address;
    (void)param;
    if ((value & EEPE) != 0u) {
        busy_until = avr->cycle + WRITE_CYCLES;
        written_at = (uint16_t)((avr->data[EEARL] | (avr->data[EEARL + 1] << 8)) % EEPROM_BYTES);
    }
}

static uint8_t control_read(avr_t *avr, avr_io_addr_t address, void *param)
{
    uint8_t value = (uint8_t)(avr->data[address] & ~EEPE);

    (void)param;
    return busy() ? (uint8_t)(value | EEPE) : value;
}

void memory_attach(avr_t *avr, const elf_firmware_t *firmware)
{
    chip = avr;
    avr_register_io_write(avr, EECR, control_written, NULL);
    avr_register_io_read(avr, EECR, control_read, NULL);
    for (uint32_t at = 0; at < firmware->symbolcount; at++) {
        if (strcmp(firmware->symbol[at]->symbol, "uart_overruns") == 0) {
            overruns_at = (uint16_t)(firmware->symbol[at]->addr - RAM_IN_ELF);
        }
    }
}

/* Return where libsimavr keeps the EEPROM. */
static uint8_t *cells(void)
{
    avr_eeprom_desc_t all = {.ee = NULL, .offset = 0, .size = EEPROM_BYTES - 1u};

    avr_ioctl(chip, AVR_IOCTL_EEPROM_GET, &all);
    if (all.ee == NULL) {
        rig_fail("this libsimavr shows no EEPROM");
    }
    return all.ee;
}

void memory_before_reset(bool power)
{
    memcpy(kept, chip->data + RAM_AT, RAM_BYTES);
    /* Flags of earlier resets stay until the program clears them. */
    kept_flags = power ? 0u : chip->data[MCUSR];
    if (power) {
        memset(kept, NEVER_USED, RAM_BYTES);
    }
    if (power && busy()) {
        cells()[written_at] = 0xFF; /* erased before it is written */
        busy_until = 0;
    }
}

void memory_reset(void)
{
    memcpy(chip->data + RAM_AT, kept, RAM_BYTES);
    chip->data[MCUSR] = kept_flags;
}

unsigned memory_used(void)
{
    unsigned longest = 0;
    unsigned run = 0;

    for (unsigned at = 0; at < RAM_BYTES; at++) {
        run = chip->data[RAM_AT + at] == NEVER_USED ? run + 1u : 0u;
        longest = run > longest ? run : longest;
    }
    return RAM_BYTES - longest;
}

long memory_firmware_overruns(void)
{
    if (overruns_at == 0u) {
        return -1;
    }
    return chip->data[overruns_at] | (chip->data[overruns_at + 1] << 8);
}

void memory_save(const char *path)
{
    FILE *file = fopen(path, "wb");

    if (file == NULL || fwrite(cells(), 1, EEPROM_BYTES, file) != EEPROM_BYTES
        || fclose(file) != 0) {
        rig_fail(path);
    }
}

void memory_load(const char *path)
{
    FILE *file = fopen(path, "rb");

    if (file == NULL || fread(cells(), 1, EEPROM_BYTES, file) != EEPROM_BYTES) {
        rig_fail(path);
    }
    fclose(file);
}
