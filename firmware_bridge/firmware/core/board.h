/* The board: the link's far end, the dead-man, lamps, gates and contacts, without any hardware.
 *
 * The same machine as firmware_bridge/link/board.py, which is its reference. Whoever drives it
 * (avr/, host/) hands over bytes, contacts and the time, and applies the pins.
 *
 * Time is a u32 of milliseconds that may wrap at any moment. Nothing in here keeps a point in time
 * to compare with later: every deadline is a count of milliseconds that are left, 0 is "not armed".
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CHOT_CORE_BOARD_H
#define CHOT_CORE_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "configuration.h"
#include "contact.h"
#include "events.h"
#include "frame.h"
#include "message.h"
#include "outbox.h"
#include "output.h"
#include "turnstile.h"

#define FIRMWARE_MAJOR 2u
#define FIRMWARE_MINOR 0u
#define FIRMWARE_PATCH 0u

#define EVENT_RESEND_MS 100u
/* The dead-man's time is kept at the pins: what noticing a frame and switching off may take. */
#define DEAD_MAN_EARLY_MS 5u
#define CATCH_UP_MS 250u /* twice the watchdog's time: a caller that is later has been reset by it */

struct board {
    struct configuration configuration; /* in force */
    struct configuration accepted;      /* to be stored; in force after the restart */
    struct frame_decoder decoder;
    struct contacts contacts;
    struct turnstile turnstile;
    struct patterns patterns;
    struct limiter limiter;
    struct events events;
    struct outbox outbox;
    uint32_t at_ms;    /* caller's time up to which everything is done */
    uint32_t clock_ms; /* since the start; only ever reported */
    uint32_t nonce;
    uint16_t boot_count;
    uint16_t session; /* the open one, or the last one */
    uint16_t dead_man_ms; /* left until the host counts as lost */
    uint16_t blink_ms;    /* left until the blinking of OUT OF ORDER begins anew */
    uint8_t resend_ms;    /* left until the oldest event is sent again */
    uint8_t event_sequence;
    uint8_t last_show;        /* sequence of the newest SHOW that was decided on */
    uint8_t last_show_answer; /* enum refusal; REFUSAL_NONE: acknowledged; STALE: none came yet */
    uint8_t reset_cause;
    uint8_t state; /* STATE_ bits */
    bool has_session; /* a number was given to who said HELLO */
    bool has_host;    /* somebody has spoken in that session: who says HELLO may be deaf */
    bool configured; /* a new configuration was accepted: dead until the restart */
    bool configuration_waits; /* ... and was not taken yet */
};

/* Begin at `now_ms`, everything off. `state` is that of configuration_recover. */
void board_start(struct board *board, const struct configuration *configuration, uint8_t state,
                 uint16_t boot_count, uint8_t reset_cause, uint32_t now_ms);

/* Take a byte from the host. A frame's last byte does what is due up to now, then what it says. */
void board_receive(struct board *board, uint8_t byte, uint32_t now_ms);

/* Take a sample of the contacts: bit n of `closed`: contact of input n is closed. Every ms. */
void board_sense(struct board *board, uint8_t closed, bool jumper, uint32_t now_ms);

/* Do what is due. Every ms. A late call makes up for up to CATCH_UP_MS ms, one by one; after a
 * longer standstill what should have ended ends at once. */
void board_advance(struct board *board, uint32_t now_ms);

/* Return what is on: bit n, output n. For a gate: it is released. */
uint8_t board_energised(const struct board *board);

/* Return the levels for the pins, polarity and fail-safe applied; 0 where nothing is driven. */
uint8_t board_pins(const struct board *board);

/* Return which pins to drive: bit n, output n. The others stay high-impedance. */
uint8_t board_driven(const struct board *board);

/* Return whether the stored configuration is not sound: then the board drives nothing. */
bool board_is_damaged(const struct board *board);

/* Return whether a host holds the dead-man's handle: it has spoken in the open session. */
bool board_has_host(const struct board *board);

/* Take the next byte for the host. Return false if there is none. */
bool board_take_byte(struct board *board, uint8_t *byte);

/* Take a configuration that was accepted, once. Then send what board_take_byte still has, store
 * it, and restart the chip: the board does nothing any more. Return false if there is none. */
bool board_take_configuration(struct board *board, struct configuration *out);

#endif
