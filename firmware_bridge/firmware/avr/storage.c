/* SPDX-License-Identifier: Apache-2.0 */
#include "storage.h"

#include <avr/eeprom.h>
#include <stdbool.h>

#include "bytes.h"
#include "crc.h"
#include "reset.h"

#define COPY_A_AT 0u
#define COPY_B_AT 32u

/* The count of starts goes round a ring, so that each cell is written every 128th start: 100,000
 * writes to a cell are 12.8 million starts. Count n lies in slot n modulo 128; 128 divides 65536,
 * so this holds over the wrap as well. */
#define RING_AT 64u
#define SLOTS 128u
#define SLOT_BYTES 4u
#define COUNT_BYTES 2u

static void read_bytes(uint16_t address, uint8_t *bytes, uint8_t length)
{
    eeprom_read_block(bytes, (const void *)(uintptr_t)address, length);
}

static void write_bytes(uint16_t address, const uint8_t *bytes, uint8_t length)
{
    for (uint8_t at = 0u; at < length; at++) {
        eeprom_update_byte((uint8_t *)(uintptr_t)(address + at), bytes[at]);
        reset_feed_watchdog(); /* a byte takes 3.4 ms, and their number is bounded */
    }
    eeprom_busy_wait();
}

uint8_t storage_load(struct configuration *out)
{
    uint8_t copy_a[CONFIGURATION_SEALED_BYTES];
    uint8_t copy_b[CONFIGURATION_SEALED_BYTES];
    uint8_t state;

    read_bytes(COPY_A_AT, copy_a, CONFIGURATION_SEALED_BYTES);
    read_bytes(COPY_B_AT, copy_b, CONFIGURATION_SEALED_BYTES);
    state = configuration_recover(copy_a, copy_b, out);
    if (state == STATE_STORED) {
        /* A power cut may have left an older copy, or half of one. It must not be what a second
         * fault falls back to. Bytes that are right already are not written. */
        storage_save(out);
    }
    return state;
}

void storage_save(const struct configuration *configuration)
{
    uint8_t sealed[CONFIGURATION_SEALED_BYTES];

    configuration_seal(configuration, sealed);
    write_bytes(COPY_A_AT, sealed, CONFIGURATION_SEALED_BYTES);
    write_bytes(COPY_B_AT, sealed, CONFIGURATION_SEALED_BYTES);
}

static uint16_t address_of(uint8_t slot)
{
    return (uint16_t)(RING_AT + (uint16_t)((uint16_t)slot * SLOT_BYTES));
}

/* The complement of the CRC: that of an erased cell's 0xFFFF would be 0xFFFF, as if it were sound. */
static uint16_t seal_of(const uint8_t *bytes)
{
    return (uint16_t)~crc_of(bytes, COUNT_BYTES);
}

/* Read the count in a slot. Return false if none is there, or a power cut tore it. */
static bool read_slot(uint8_t slot, uint16_t *count)
{
    uint8_t bytes[SLOT_BYTES];

    read_bytes(address_of(slot), bytes, SLOT_BYTES);
    *count = bytes_u16(bytes);
    return (bytes_u16(&bytes[COUNT_BYTES]) == seal_of(bytes))
           && ((*count % SLOTS) == slot);
}

uint16_t storage_count_start(void)
{
    uint8_t bytes[SLOT_BYTES];
    uint16_t newest = 0u;
    bool found = false;

    for (uint8_t slot = 0u; slot < SLOTS; slot++) {
        uint16_t count;

        /* All sound counts are within 128 of each other: half the numbers ahead means newer. */
        if (read_slot(slot, &count)
            && (!found || ((uint16_t)(count - newest) <= (uint16_t)INT16_MAX))) {
            newest = count;
            found = true;
        }
    }
    newest++;
    bytes_put_u16(bytes, newest);
    bytes_put_u16(&bytes[COUNT_BYTES], seal_of(bytes));
    write_bytes(address_of((uint8_t)(newest % SLOTS)), bytes, SLOT_BYTES);
    return newest;
}
