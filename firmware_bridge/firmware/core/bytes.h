/* Little-endian numbers, byte by byte: on the cable and in the EEPROM.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CHOT_CORE_BYTES_H
#define CHOT_CORE_BYTES_H

#include <stdint.h>

/* Read a number from its 2 or 4 bytes. */
uint16_t bytes_u16(const uint8_t *bytes);
uint32_t bytes_u32(const uint8_t *bytes);

/* Write a number to its 2 or 4 bytes. */
void bytes_put_u16(uint8_t *bytes, uint16_t value);
void bytes_put_u32(uint8_t *bytes, uint32_t value);

#endif
