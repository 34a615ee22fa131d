/* A test bench for the firmware: an ATmega328P of libsimavr with a cable, contacts and pin probes.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CHOT_RIG_H
#define CHOT_RIG_H

#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>

#define CHIP_HZ 16000000u
#define NS_PER_S 1000000000ull

/* rig.c: time and news. */

/* Print one JSON line: {"event": kind, further fields, "cycle": now, "at_ns": now}. `fields` is a
 * format for further fields, each followed by ", ", or "". */
void rig_tell(const char *kind, const char *fields, ...) __attribute__((format(printf, 2, 3)));
/* Print what failed, and end. */
void rig_fail(const char *what) __attribute__((noreturn));

/* Reset the chip once the running instruction is over. With `bootloader`, hand the cause over in r2
 * and not in MCUSR, as Optiboot does. Return false if there is no such cause. */
bool rig_reset(const char *cause, bool bootloader);
/* Let the program go on at this address once the running instruction is over, `deaf` to interrupts
 * or not. */
void rig_jump(uint32_t address, bool deaf);
/* Return whether one of these is still to happen. */
bool rig_is_changing(void);
/* Return how often this machine kept the rig from running, so that the chip's clock stood still. */
unsigned rig_slips(void);

/* commands.c: what standard input asks for. */

void commands_attach(avr_t *avr);
/* Take what has come on standard input. Its end ends the program. */
void commands_read(void);
/* Obey what waits, unless a change has to happen first. */
void commands_obey(void);

/* line.c: the UART and the cable to the host, both at true speed. */

/* Begin with the cable plugged in: a pseudo-terminal that `link` points to. */
void line_start(avr_t *avr, const char *link);
/* Pull the cable out: the terminal hangs up, its name is gone, bytes on their way are lost. */
void line_unplug(void);
/* Plug the cable in again: a new terminal under the old name. */
void line_plug(void);
/* Describe the terminal for poll; its fd is -1 while the cable is out. */
struct pollfd line_poll(void);
/* Take what the host has written, if anything. */
void line_read(void);
/* Hand the host what has left the chip by now. */
void line_deliver(void);
/* Return whether no byte is on its way. */
bool line_is_quiet(void);
/* Forget what is on its way: the chip was reset. */
void line_reset(void);
/* Return how many bytes were lost because the firmware fetched them too late. */
unsigned line_overruns(void);

/* pins.c: probes on ports B, C and D, and contacts to ground. */

void pins_attach(avr_t *avr);
/* Close a contact to ground, or open it. */
void pins_contact(char port, unsigned bit, bool closed);
/* The same in a cycle to come; at most 32 may wait, and a reset forgets them. */
void pins_contact_at(char port, unsigned bit, bool closed, avr_cycle_count_t cycle);
/* All pins have become inputs without pull-ups: the chip was reset. */
void pins_reset(void);

/* memory.c: EEPROM and RAM. */

void memory_attach(avr_t *avr, const elf_firmware_t *firmware);
/* Keep what the reset that follows leaves in RAM: everything, or a pattern after `power` was off. A
 * byte of the EEPROM that is being written is lost with the power. */
void memory_before_reset(bool power);
/* Put back what memory_before_reset kept. */
void memory_reset(void);
/* Return how many bytes of RAM were ever used since power on, stack included. */
unsigned memory_used(void);
/* Return the firmware's own count of lost bytes, or -1 if it has none. */
long memory_firmware_overruns(void);
void memory_save(const char *path);
void memory_load(const char *path);

#endif
