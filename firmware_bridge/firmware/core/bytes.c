/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes.h"

#define BYTE_BITS 8u

uint16_t bytes_u16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | (uint16_t)((uint16_t)bytes[1] << BYTE_BITS));
}

uint32_t bytes_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes_u16(bytes) | ((uint32_t)bytes_u16(&bytes[2]) << 16u);
}

void bytes_put_u16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)(value & 0xFFu);
    bytes[1] = (uint8_t)(value >> BYTE_BITS);
}

void bytes_put_u32(uint8_t *bytes, uint32_t value)
{
    bytes_put_u16(bytes, (uint16_t)(value & 0xFFFFu));
    bytes_put_u16(&bytes[2], (uint16_t)(value >> 16u));
}
