/* CRC-16/GENIBUS: polynomial 0x1021, initial 0xFFFF, not reflected, final XOR 0xFFFF.
 * Check value ("123456789"): 0xD64E. SPDX-License-Identifier: Apache-2.0 */
#ifndef CHOT_CORE_CRC_H
#define CHOT_CORE_CRC_H

#include <stdint.h>

#define CRC_BYTES 2u

/* Return the CRC of the first `length` of `bytes`. */
uint16_t crc_of(const uint8_t *bytes, uint8_t length);

#endif
