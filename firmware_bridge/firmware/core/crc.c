/* SPDX-License-Identifier: Apache-2.0 */
#include "crc.h"

/* The polynomial 0x1021 has the terms 16, 12, 5 and 0: a whole byte is divided by a few shifts,
 * without a table in RAM and without a loop over its bits. */
static uint16_t with_byte(uint16_t crc, uint8_t byte)
{
    const uint8_t top = (uint8_t)((uint8_t)(crc >> 8u) ^ byte);
    const uint8_t folded = (uint8_t)(top ^ (uint8_t)(top >> 4u));
    const uint16_t shifted = (uint16_t)(crc << 8u);

    return (uint16_t)(shifted ^ (uint16_t)((uint16_t)folded << 12u) ^
                      (uint16_t)((uint16_t)folded << 5u) ^ folded);
}

uint16_t crc_of(const uint8_t *bytes, uint8_t length)
{
    uint16_t crc = 0xFFFFu;

    for (uint8_t at = 0u; at < length; at++) {
        crc = with_byte(crc, bytes[at]);
    }
    return (uint16_t)(crc ^ 0xFFFFu);
}
