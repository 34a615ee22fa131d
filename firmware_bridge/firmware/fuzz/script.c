/* SPDX-License-Identifier: Apache-2.0 */
#include "script.h"

#include <string.h>

#include "require.h"
#include "watch.h"

#define MOST_MS 8000u /* of board time that one input may take */
#define HEARTBEAT_MS 250u
#define LEAP_MS (1u << 26)
#define LEAPS 40u /* x 2^26 ms = beyond 2^31 */
#define UNTIL_QUIET_MS 6000u
#define LAST_NONCE 0xC0FFEE01u

struct course {
    const uint8_t *data;
    size_t left;
    struct board board;
    struct watch watch;
    struct configuration configuration;
    uint32_t origin_ms; /* what the board's clock showed at the start */
    uint64_t spent_ms;
    uint16_t boots;
    uint8_t closed;
    bool jumper;
    uint8_t sequence; /* of the last SHOW */
    struct wire_frame last;
};

static uint8_t next(struct course *course)
{
    if (course->left == 0u) {
        return 0;
    }
    course->left--;
    return *course->data++;
}

static uint16_t next_u16(struct course *course)
{
    const uint8_t low = next(course);
    return (uint16_t)(low | next(course) << 8);
}

static uint32_t board_clock(const struct course *course)
{
    return (uint32_t)(course->origin_ms + course->watch.now_ms);
}

static void start(struct course *course, uint8_t state, uint8_t cause)
{
    course->boots++;
    board_start(&course->board, &course->configuration, state, course->boots, cause,
                board_clock(course));
    watch_start(&course->watch, &course->configuration, (state & STATE_DAMAGED) != 0u);
    course->sequence = 0;
}

static void obey_configuration(struct course *course)
{
    struct configuration wanted;
    if (board_take_configuration(&course->board, &wanted)) {
        watch_configured(&course->watch, &wanted);
        course->configuration = wanted;
        start(course, STATE_STORED, 2u);
    }
}

static void send_bytes(struct course *course, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        watch_byte(&course->watch, bytes[i]);
        board_receive(&course->board, bytes[i], board_clock(course));
        watch_board(&course->watch, &course->board, false);
    }
    obey_configuration(course);
}

static void send(struct course *course, const struct wire_frame *frame)
{
    uint8_t wire[WIRE_LONGEST];
    course->last = *frame;
    send_bytes(course, wire, wire_seal(frame, wire));
}

static void step_once(struct course *course)
{
    const uint32_t clock = board_clock(course);
    watch_contacts(&course->watch, course->closed, course->jumper);
    board_sense(&course->board, course->closed, course->jumper, clock);
    board_advance(&course->board, clock);
    watch_board(&course->watch, &course->board, true);
    obey_configuration(course);
}

static void wait_ms(struct course *course, uint32_t span_ms)
{
    for (uint32_t ms = 0; ms < span_ms && course->spent_ms < MOST_MS; ms++) {
        course->spent_ms++;
        course->watch.now_ms++;
        step_once(course);
    }
}

static struct wire_frame a_frame(const struct course *course, uint8_t kind, uint8_t sequence)
{
    struct wire_frame frame = {WIRE_VERSION, kind, course->watch.session, sequence, 0, {0}};
    return frame;
}

static void greet(struct course *course, uint32_t nonce)
{
    struct wire_frame hello = a_frame(course, WIRE_HELLO, 0);
    hello.session = 0;
    hello.length = 4;
    for (unsigned i = 0; i < 4u; i++) {
        hello.payload[i] = (uint8_t)(nonce >> (8u * i));
    }
    send(course, &hello);
    course->sequence = 0;
}

static void heartbeat(struct course *course)
{
    const struct wire_frame beat = a_frame(course, WIRE_HEARTBEAT, 0);
    send(course, &beat);
}

static void any_frame(struct course *course, uint8_t argument)
{
    const uint8_t first = next(course);
    struct wire_frame frame = a_frame(course, first & 0xFu, next(course));
    if (first >> 4 != 0u) {
        frame.version = first >> 4;
    }
    frame.length = next(course) % (WIRE_PAYLOAD + 1u);
    for (unsigned i = 0; i < frame.length; i++) {
        frame.payload[i] = next(course);
    }
    if ((argument & 1u) != 0u) {
        course->sequence++;
        frame.sequence = course->sequence;
    }
    if ((argument & 2u) != 0u) {
        frame.session = next_u16(course);
    }
    send(course, &frame);
}

static void one_pulse(struct course *course, uint8_t argument)
{
    course->sequence++;
    struct wire_frame show = a_frame(course, WIRE_SHOW, course->sequence);
    const uint16_t on_ms = (uint16_t)(20u * (1u + next(course) % 250u));
    const uint8_t output = argument % OUTPUT_COUNT;
    const uint16_t off_ms = (uint16_t)(20u * (next(course) % 250u));
    const uint8_t repeats = output >= 4u ? 1u : (uint8_t)(1u + next(course) % 8u);
    const uint8_t payload[] = {
        1, 1, course->sequence, 0, 0, 0, output, (uint8_t)(on_ms & 0xFFu), (uint8_t)(on_ms >> 8),
        (uint8_t)(off_ms & 0xFFu), (uint8_t)(off_ms >> 8), repeats,
    };
    show.length = sizeof payload;
    memcpy(show.payload, payload, sizeof payload);
    send(course, &show);
}

static void raw(struct course *course, uint8_t argument)
{
    for (unsigned i = 0; i <= argument; i++) {
        const uint8_t byte = next(course);
        send_bytes(course, &byte, 1);
    }
}

/* Half the range of the board's clock goes by, with nobody there and a look now and then. */
static void leap(struct course *course)
{
    for (uint32_t ms = 0; ms < UNTIL_QUIET_MS && board_has_host(&course->board); ms++) {
        wait_ms(course, 1);
    }
    wait_ms(course, UNTIL_QUIET_MS / 2u);
    for (unsigned i = 0; i < LEAPS && course->spent_ms < MOST_MS; i++) {
        course->watch.now_ms += LEAP_MS;
        watch_leapt(&course->watch);
        step_once(course);
    }
}

static void other(struct course *course, uint8_t argument)
{
    switch (argument) {
    case OTHER_HEARTBEAT:
        heartbeat(course);
        break;
    case OTHER_CONFIRM: {
        const struct wire_frame confirm =
            a_frame(course, WIRE_EVENT_ACKNOWLEDGE, course->watch.event.sequence);
        send(course, &confirm);
        break;
    }
    case OTHER_STOP_READING:
        course->watch.deaf = true;
        break;
    case OTHER_READ:
        course->watch.deaf = false;
        break;
    case OTHER_LEAP:
        leap(course);
        break;
    case OTHER_REPEAT: {
        const struct wire_frame again = course->last;
        send(course, &again);
        break;
    }
    case OTHER_RESET:
        start(course, STATE_STORED, 3u);
        break;
    default:
        for (uint32_t ms = 0; ms < 5000u; ms += HEARTBEAT_MS) {
            heartbeat(course);
            wait_ms(course, HEARTBEAT_MS);
        }
        break;
    }
}

static void step(struct course *course)
{
    const uint8_t byte = next(course);
    const uint8_t argument = byte >> 3;
    switch ((enum step)(byte & 7u)) {
    case STEP_WAIT:
        wait_ms(course, argument + 1u);
        break;
    case STEP_WAIT_LONG:
        wait_ms(course, (argument + 1u) * 100u);
        break;
    case STEP_FRAME:
        any_frame(course, argument);
        break;
    case STEP_HELLO:
        greet(course, argument);
        break;
    case STEP_SHOW:
        one_pulse(course, argument);
        break;
    case STEP_CONTACTS:
        course->closed = next(course) & INPUTS_MASK;
        course->jumper = (argument & 1u) != 0u;
        break;
    case STEP_RAW:
        raw(course, argument);
        break;
    case STEP_OTHER:
        other(course, argument);
        break;
    }
}

static uint16_t within(uint16_t value, uint16_t low, uint16_t high)
{
    return (uint16_t)(low + value % (high - low + 1u));
}

/* One byte chooses: 0 to 127 a board as it comes, else a configuration from the bytes after it. */
static void configure(struct course *course, bool as_it_comes)
{
    struct configuration *configuration = &course->configuration;
    configuration_default(configuration);
    if (as_it_comes) {
        return;
    }
    configuration->outputs = next(course) & OUTPUTS_MASK;
    configuration->active_low = next(course) & OUTPUTS_MASK;
    configuration->inputs = next(course) & INPUTS_MASK;
    configuration->normally_closed = next(course) & INPUTS_MASK;
    configuration->options = next(course) & 7u;
    for (unsigned output = 0; output < OUTPUT_COUNT; output++) {
        configuration->max_on_ms[output] = within((uint16_t)(next(course) * 20u), 20, 5000);
    }
    configuration->dead_man_ms = within((uint16_t)(next(course) * 2u), 500, 1000);
    configuration->window_ms = within((uint16_t)(next(course) * 40u), 500, 10000);
    configuration->min_pulse_ms = within((uint16_t)(next(course) * 4u), 20, 1000);
    configuration->debounce_ms = (uint8_t)within(next(course), 1, 100);
    configuration->settle_ms = (uint8_t)within(next(course), 0, 250);
}

/* Whatever has happened, a host that comes now is answered: nothing may put the board out of step. */
static void greet_at_last(struct course *course)
{
    static const uint8_t delimiter = 0;
    course->watch.deaf = false;
    course->spent_ms = 0;
    wait_ms(course, 1);
    send_bytes(course, &delimiter, 1);
    greet(course, LAST_NONCE);
    wait_ms(course, 1);
    require(course->watch.greeted && board_has_host(&course->board),
                  "a board is greeted in any state");
    course->watch.beaten = false;
    heartbeat(course);
    wait_ms(course, 1);
    require(course->watch.beaten, "a board that was greeted answers a heartbeat");
}

void script_run(const uint8_t *data, size_t size)
{
    struct course course;
    memset(&course, 0, sizeof course);
    course.data = data;
    course.left = size;
    const uint8_t choice = next(&course);
    /* Clocks that are about to wrap are as likely as young ones. */
    course.origin_ms = (choice & 0x40u) != 0u ? 0u - 64u * next(&course) : next(&course);
    configure(&course, (choice & 0x80u) == 0u);
    start(&course, (choice & 0x3Fu) == 0x3Fu ? STATE_DAMAGED : STATE_STORED, 1u);
    wait_ms(&course, 1);
    while (course.left > 0u) {
        step(&course);
    }
    greet_at_last(&course);
}
