/* What is fitted and how the site wants it: 26 bytes, on the wire and in the EEPROM.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CHOT_CORE_CONFIGURATION_H
#define CHOT_CORE_CONFIGURATION_H

#include <stdbool.h>
#include <stdint.h>

enum output {
    OUTPUT_GREEN = 0,
    OUTPUT_AMBER = 1,
    OUTPUT_RED = 2,
    OUTPUT_BUZZER = 3,
    OUTPUT_GATE = 4,  /* releases side A: entry */
    OUTPUT_GATE_B = 5 /* releases side B: exit */
};

enum input {
    INPUT_BUTTON = 0,
    INPUT_TAMPER = 1,
    INPUT_PASSAGE_A = 2,
    INPUT_PASSAGE_B = 3,
    INPUT_FIRE = 4,
    INPUT_STOP = 5,
    INPUT_READY = 6
};

#define OUTPUT_COUNT 6u
#define INPUT_COUNT 7u
#define OUTPUTS_MASK 0x3Fu
#define INPUTS_MASK 0x7Fu

#define CONFIGURATION_BYTES 26u
#define CONFIGURATION_SEALED_BYTES 28u /* with its CRC: one copy in the EEPROM */

/* Options. Other bits are refused. */
#define OPTION_HOLD 0x01u       /* the gate stays released until the person has passed */
#define OPTION_FAIL_SAFE 0x02u  /* the coil locks: without current the gate is released */
#define OPTION_SAFE_BLINK 0x04u /* lamps blink OUT OF ORDER while no host is there */

/* State bits of HELLO REPLY. */
#define STATE_STORED 0x01u  /* a sound configuration was stored */
#define STATE_DAMAGED 0x02u /* what is stored is not sound: the board drives nothing */
#define STATE_JUMPER 0x04u  /* the configuration jumper is fitted */

struct configuration {
    uint16_t max_on_ms[OUTPUT_COUNT]; /* 20 to 5000 */
    uint16_t dead_man_ms;             /* 500 to 1000 */
    uint16_t window_ms;               /* 500 to 10000: passage window */
    uint16_t min_pulse_ms;            /* 20 to 1000: shortest gate pulse */
    uint8_t outputs;                  /* bit n: output n is fitted */
    uint8_t active_low;               /* bit n: output n is on at low level */
    uint8_t inputs;                   /* bit n: input n is fitted */
    uint8_t normally_closed;          /* bit n: input n is active while its contact is open */
    uint8_t options;                  /* OPTION_ bits */
    uint8_t debounce_ms;              /* 1 to 100 */
    uint8_t settle_ms;                /* 0 to 250: READY around a passage edge */
};

/* Set what a board without a stored configuration does. */
void configuration_default(struct configuration *configuration);

/* Read CONFIGURATION_BYTES. Return false, and leave `out` alone, if a value is beyond its
 * limits. */
bool configuration_unpack(const uint8_t *bytes, struct configuration *out);

/* Write CONFIGURATION_BYTES. */
void configuration_pack(const struct configuration *configuration, uint8_t *bytes);

/* Return the CRC of the packed configuration: the host compares it with the one it wants. */
uint16_t configuration_fingerprint(const struct configuration *configuration);

/* Write CONFIGURATION_SEALED_BYTES: one copy for the EEPROM. */
void configuration_seal(const struct configuration *configuration, uint8_t *sealed);

/* Find the configuration in the two copies (CONFIGURATION_SEALED_BYTES each): the first that is
 * sound, or the default if both are blank (0xFF) or none is sound. Return the state bits for
 * board_start: STATE_STORED, 0 (blank) or STATE_DAMAGED. */
uint8_t configuration_recover(const uint8_t *copy_a, const uint8_t *copy_b,
                              struct configuration *out);

#endif
