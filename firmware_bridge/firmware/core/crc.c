/* SPDX-License-Identifier: Apache-2.0 */
#include "crc.h"

#define POLYNOMIAL 0x1021u
#define TOP_BIT 0x8000u
#define BITS_OF_A_BYTE 8u

/* Bit by bit: 64 bytes take less than 1 ms at 16 MHz, and a table would cost 512 bytes. */
static uint16_t with_byte(uint16_t crc, uint8_t byte)
{
    uint16_t next = (uint16_t)(crc ^ (uint16_t)((uint16_t)byte << BITS_OF_A_BYTE));

    for (uint8_t bit = 0u; bit < BITS_OF_A_BYTE; bit++) {
        if ((next & TOP_BIT) != 0u) {
            next = (uint16_t)((uint16_t)(next << 1u) ^ POLYNOMIAL);
        } else {
            next = (uint16_t)(next << 1u);
        }
    }
    return next;
}

uint16_t crc_of(const uint8_t *bytes, uint8_t length)
{
    uint16_t crc = 0xFFFFu;

    for (uint8_t at = 0u; at < length; at++) {
        crc = with_byte(crc, bytes[at]);
    }
    return (uint16_t)(crc ^ 0xFFFFu);
}
