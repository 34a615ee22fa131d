/* What ctypes needs beside the core's own functions: memory for a board, and calls in bulk.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "board.h"
#include "crc.h"
#include "library.h"

struct board *chot_board_new(const uint8_t *configuration, uint8_t state, uint16_t boot_count,
                             uint8_t reset_cause, uint32_t now_ms)
{
    struct configuration unpacked;
    struct board *board = NULL;

    if (!configuration_unpack(configuration, &unpacked)) {
        return NULL;
    }
    board = malloc(sizeof *board);
    if (board != NULL) {
        board_start(board, &unpacked, state, boot_count, reset_cause, now_ms);
    }
    return board;
}

void chot_board_free(struct board *board)
{
    free(board);
}

size_t chot_board_bytes(void)
{
    return sizeof(struct board);
}

void chot_receive(struct board *board, const uint8_t *bytes, size_t count, uint32_t now_ms)
{
    for (size_t at = 0u; at < count; at++) {
        board_receive(board, bytes[at], now_ms);
    }
}

size_t chot_take_bytes(struct board *board, uint8_t *bytes, size_t room)
{
    size_t count = 0u;

    while ((count < room) && board_take_byte(board, &bytes[count])) {
        count++;
    }
    return count;
}

uint32_t chot_run(struct board *board, uint32_t from_ms, uint32_t for_ms,
                  const struct chot_contacts *contacts, struct chot_moment *moment)
{
    uint32_t passed = 0u;
    bool changed = false;

    while ((passed < for_ms) && !changed) {
        const uint8_t energised = board_energised(board);
        const uint8_t pins = board_pins(board);
        uint32_t now_ms = 0u;

        passed++;
        now_ms = (uint32_t)(from_ms + passed);
        if (contacts->sampled) {
            board_sense(board, contacts->closed, contacts->jumper, now_ms);
        }
        board_advance(board, now_ms);
        changed = (board_energised(board) != energised) || (board_pins(board) != pins) ||
                  (board->outbox.count > 0u);
    }
    moment->energised = board_energised(board);
    moment->pins = board_pins(board);
    return passed;
}

uint32_t chot_quiet_ms(const struct board *board, uint32_t from_ms, uint32_t for_ms,
                       const struct chot_contacts *contacts)
{
    struct board copy = *board;
    struct chot_moment moment;

    return chot_run(&copy, from_ms, for_ms, contacts, &moment);
}

bool chot_take_configuration(struct board *board, uint8_t *bytes)
{
    struct configuration accepted;

    if (!board_take_configuration(board, &accepted)) {
        return false;
    }
    configuration_pack(&accepted, bytes);
    return true;
}

uint8_t chot_last_show(const struct board *board)
{
    return board->last_show;
}

uint8_t chot_last_answer(const struct board *board)
{
    return board->last_show_answer;
}

uint16_t chot_rejected(const struct board *board)
{
    return board->decoder.rejected;
}

uint16_t chot_crc(const uint8_t *bytes, uint8_t length)
{
    return crc_of(bytes, length);
}

bool chot_configuration_unpack(const uint8_t *bytes, uint8_t *packed_again)
{
    struct configuration configuration;

    if (!configuration_unpack(bytes, &configuration)) {
        return false;
    }
    configuration_pack(&configuration, packed_again);
    return true;
}

uint8_t chot_configuration_recover(const uint8_t *copy_a, const uint8_t *copy_b, uint8_t *packed)
{
    struct configuration configuration;
    const uint8_t state = configuration_recover(copy_a, copy_b, &configuration);

    configuration_pack(&configuration, packed);
    return state;
}

void chot_configuration_seal(const uint8_t *packed, uint8_t *sealed)
{
    struct configuration configuration;

    if (configuration_unpack(packed, &configuration)) {
        configuration_seal(&configuration, sealed);
    }
}
