/* The core for ctypes. SPDX-License-Identifier: Apache-2.0 */
#ifndef CHOT_HOST_LIBRARY_H
#define CHOT_HOST_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board.h"

/* What can be seen from outside at one moment. */
struct chot_moment {
    uint8_t energised;
    uint8_t pins;
};

/* What is at the contacts for a while. */
struct chot_contacts {
    uint8_t closed;
    bool jumper;
    bool sampled; /* false: nobody has looked at them yet */
};

/* Return a started board with the packed configuration, or NULL if that is beyond its limits. */
struct board *chot_board_new(const uint8_t *configuration, uint8_t state, uint16_t boot_count,
                             uint8_t reset_cause, uint32_t now_ms);

void chot_board_free(struct board *board);

size_t chot_board_bytes(void);

/* Give the board these bytes, all at `now_ms`. */
void chot_receive(struct board *board, const uint8_t *bytes, size_t count, uint32_t now_ms);

/* Take up to `room` bytes for the host. Return how many. */
size_t chot_take_bytes(struct board *board, uint8_t *bytes, size_t room);

/* Sense and advance ms by ms as the chip does, at most `for_ms`, until something can be seen from
 * outside or is to be sent. Return how many ms it took. */
uint32_t chot_run(struct board *board, uint32_t from_ms, uint32_t for_ms,
                  const struct chot_contacts *contacts, struct chot_moment *moment);

/* Return how many ms chot_run would take. */
uint32_t chot_quiet_ms(const struct board *board, uint32_t from_ms, uint32_t for_ms,
                       const struct chot_contacts *contacts);

/* Take an accepted configuration, packed. */
bool chot_take_configuration(struct board *board, uint8_t *bytes);

/* Return the number of the newest SHOW that was decided on. */
uint8_t chot_last_show(const struct board *board);

/* Return what was decided on it: 0, it ran; else enum refusal. */
uint8_t chot_last_answer(const struct board *board);

/* Return how many pieces were no frame. */
uint16_t chot_rejected(const struct board *board);

uint16_t chot_crc(const uint8_t *bytes, uint8_t length);

/* Unpack and pack again. Return false if a value is beyond its limits. */
bool chot_configuration_unpack(const uint8_t *bytes, uint8_t *packed_again);

/* As configuration_recover and configuration_seal, packed. */
uint8_t chot_configuration_recover(const uint8_t *copy_a, const uint8_t *copy_b, uint8_t *packed);
void chot_configuration_seal(const uint8_t *packed, uint8_t *sealed);

#endif
