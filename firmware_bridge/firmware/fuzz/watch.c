/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"

#include <string.h>

#include "hearing.h"
#include "require.h"

#define LAMPS 0x07u
#define GATES 0x30u
#define FIRST_GATE 4u
#define STOP 5u
#define REST_MS 100u       /* a shorter pause does not end an on-time */
#define JUMPER_MS 100u    /* contacts are debounced: it may have been taken out just now */

void watch_start(struct watch *watch, const struct configuration *configuration, bool damaged)
{
    const uint64_t now_ms = watch->now_ms;
    const struct wire_ear to_board = {{0}, 0};
    const bool deaf = watch->deaf;
    memset(watch, 0, sizeof *watch);
    watch->now_ms = now_ms;
    watch->to_board = to_board;
    watch->deaf = deaf;
    watch->missed = deaf;
    watch->configuration = *configuration;
    watch->damaged = damaged;
}

void watch_contacts(struct watch *watch, uint8_t closed, bool jumper)
{
    const uint8_t active = (uint8_t)((closed ^ watch->configuration.normally_closed)
                                     & watch->configuration.inputs);
    const bool stop = (active & 1u << STOP) != 0u;
    if (stop && !watch->stop_active) {
        watch->stop_since_ms = watch->now_ms;
    }
    watch->stop_active = stop;
    if (jumper) {
        watch->jumper_ms = watch->now_ms;
        watch->jumper_seen = true;
    }
}

static void look_at_edges(struct watch *watch, uint8_t on)
{
    for (unsigned output = 0; output < OUTPUT_COUNT; output++) {
        const bool is_on = (on & 1u << output) != 0u;
        const bool was_on = (watch->on & 1u << output) != 0u;
        if (was_on && !is_on) {
            watch->worn_ms[output] += watch->now_ms - watch->on_since_ms[output];
            watch->off_since_ms[output] = watch->now_ms;
        }
        if (!is_on || was_on) {
            continue;
        }
        if (watch->now_ms - watch->off_since_ms[output] >= REST_MS) {
            watch->worn_ms[output] = 0;
        }
        watch->on_since_ms[output] = watch->now_ms;
        if (output >= FIRST_GATE) {
            require(watch->releases[output - FIRST_GATE] > 0u,
                          "a gate is released once for each SHOW that was acknowledged");
            watch->releases[output - FIRST_GATE]--;
        }
    }
    watch->on = on;
}

static uint8_t pins_of(const struct watch *watch, uint8_t on, bool has_host)
{
    uint8_t coils = on;
    if ((watch->configuration.options & OPTION_FAIL_SAFE) != 0u) {
        const uint8_t locked = has_host ? (uint8_t)(~on & GATES) : 0u;
        coils = (uint8_t)((on & ~GATES) | locked);
    }
    return (uint8_t)(coils ^ watch->configuration.active_low);
}

static void look_at_pins(const struct watch *watch, const struct board *board, uint8_t on)
{
    const uint8_t driven = board_driven(board);
    const uint8_t fitted = watch->damaged ? 0u : watch->configuration.outputs;
    require(driven == fitted, "what is fitted is driven, and nothing else");
    require((on & ~fitted) == 0u, "what is not driven is not energised");
    const uint8_t wanted = pins_of(watch, on, board_has_host(board));
    require(((board_pins(board) ^ wanted) & driven) == 0u,
                  "pins follow from what is energised, polarity and fail-safe");
}

static void look_at_limits(const struct watch *watch, const struct board *board, uint8_t on)
{
    for (unsigned output = 0; output < OUTPUT_COUNT; output++) {
        if ((on & 1u << output) != 0u) {
            require(watch->worn_ms[output] + watch->now_ms - watch->on_since_ms[output]
                        < watch->configuration.max_on_ms[output],
                    "no output is on for longer than its longest on-time without a rest");
        }
    }
    if (watch->stop_active
        && watch->now_ms - watch->stop_since_ms > watch->configuration.debounce_ms) {
        require((on & GATES) == 0u, "no gate is released while STOP is pressed");
    }
    require(!board_has_host(board) || hearing_holds(watch),
                  "a host that is silent is lost after the dead-man's time");
}

void watch_board(struct watch *watch, struct board *board, bool settled)
{
    hearing_drain(watch, board);
    const uint8_t on = board_energised(board);
    look_at_edges(watch, on);
    look_at_pins(watch, board, on);
    if (!board_has_host(board)) {
        const bool blinks = (watch->configuration.options & OPTION_SAFE_BLINK) != 0u;
        require((on & ~(blinks ? LAMPS : 0u)) == 0u,
                      "without a host nothing is on but lamps that blink");
    }
    if (settled) {
        look_at_limits(watch, board, on);
    }
}

void watch_configured(const struct watch *watch, const struct configuration *configuration)
{
    uint8_t packed[CONFIGURATION_BYTES];
    struct configuration again;
    configuration_pack(configuration, packed);
    require(configuration_unpack(packed, &again), "a new configuration is within the limits");
    require(watch->jumper_seen && watch->now_ms - watch->jumper_ms <= JUMPER_MS,
                  "a configuration is taken only while the jumper is fitted");
}

void watch_leapt(struct watch *watch)
{
    for (unsigned output = 0; output < OUTPUT_COUNT; output++) {
        watch->on_since_ms[output] = watch->now_ms;
        watch->worn_ms[output] = 0;
    }
}
