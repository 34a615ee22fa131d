/* SPDX-License-Identifier: Apache-2.0 */
#include "script.h"

#include <string.h>

#include "course.h"

#define HEARTBEAT_MS 250u

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

static void any_frame(struct course *course, uint8_t argument)
{
    const uint8_t first = next(course);
    struct wire_frame frame = course_frame(course, first & 0xFu, next(course));
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
    course_send(course, &frame);
}

static void one_pulse(struct course *course, uint8_t argument)
{
    course->sequence++;
    struct wire_frame show = course_frame(course, WIRE_SHOW, course->sequence);
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
    course_send(course, &show);
}

static void raw(struct course *course, uint8_t argument)
{
    for (unsigned i = 0; i <= argument; i++) {
        const uint8_t byte = next(course);
        course_send_bytes(course, &byte, 1);
    }
}

static void other(struct course *course, uint8_t argument)
{
    switch (argument) {
    case OTHER_HEARTBEAT:
        course_heartbeat(course);
        break;
    case OTHER_CONFIRM: {
        const struct wire_frame confirm =
            course_frame(course, WIRE_EVENT_ACKNOWLEDGE, course->watch.event.sequence);
        course_send(course, &confirm);
        break;
    }
    case OTHER_STOP_READING:
        course->watch.deaf = true;
        break;
    case OTHER_READ:
        course->watch.deaf = false;
        break;
    case OTHER_LEAP:
        course_leap(course);
        break;
    case OTHER_REPEAT: {
        const struct wire_frame again = course->last;
        course_send(course, &again);
        break;
    }
    case OTHER_RESET:
        course_start(course, STATE_STORED, 3u);
        break;
    default:
        for (uint32_t ms = 0; ms < 5000u; ms += HEARTBEAT_MS) {
            course_heartbeat(course);
            course_wait(course, HEARTBEAT_MS);
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
        course_wait(course, argument + 1u);
        break;
    case STEP_WAIT_LONG:
        course_wait(course, (argument + 1u) * 100u);
        break;
    case STEP_FRAME:
        any_frame(course, argument);
        break;
    case STEP_HELLO:
        course_greet(course, argument);
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
    course_start(&course, (choice & 0x3Fu) == 0x3Fu ? STATE_DAMAGED : STATE_STORED, 1u);
    course_wait(&course, 1);
    while (course.left > 0u) {
        step(&course);
    }
    course_end(&course);
}
