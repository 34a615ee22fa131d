/* SPDX-License-Identifier: Apache-2.0 */
#include "course.h"

#include "require.h"

#define MOST_MS 8000u /* of board time that one input may take */
#define LEAP_MS (1u << 26)
#define LEAPS 40u /* x 2^26 ms = beyond 2^31 */
#define UNTIL_QUIET_MS 6000u
#define LAST_NONCE 0xC0FFEE01u

static uint32_t board_clock(const struct course *course)
{
    return (uint32_t)(course->origin_ms + course->watch.now_ms);
}

void course_start(struct course *course, uint8_t state, uint8_t cause)
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
        course_start(course, STATE_STORED, 2u);
    }
}

void course_send_bytes(struct course *course, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        watch_byte(&course->watch, bytes[i]);
        board_receive(&course->board, bytes[i], board_clock(course));
        watch_board(&course->watch, &course->board, false);
    }
    obey_configuration(course);
}

void course_send(struct course *course, const struct wire_frame *frame)
{
    uint8_t wire[WIRE_LONGEST];
    course->last = *frame;
    course_send_bytes(course, wire, wire_seal(frame, wire));
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

void course_wait(struct course *course, uint32_t span_ms)
{
    for (uint32_t ms = 0; ms < span_ms && course->spent_ms < MOST_MS; ms++) {
        course->spent_ms++;
        course->watch.now_ms++;
        step_once(course);
    }
}

struct wire_frame course_frame(const struct course *course, uint8_t kind, uint8_t sequence)
{
    struct wire_frame frame = {WIRE_VERSION, kind, course->watch.session, sequence, 0, {0}};
    return frame;
}

void course_greet(struct course *course, uint32_t nonce)
{
    struct wire_frame hello = course_frame(course, WIRE_HELLO, 0);
    hello.session = 0;
    hello.length = 4;
    for (unsigned i = 0; i < 4u; i++) {
        hello.payload[i] = (uint8_t)(nonce >> (8u * i));
    }
    course_send(course, &hello);
    course->sequence = 0;
}

void course_heartbeat(struct course *course)
{
    const struct wire_frame beat = course_frame(course, WIRE_HEARTBEAT, 0);
    course_send(course, &beat);
}

/* Half the range of the board's clock goes by, with nobody there and a look now and then. */
void course_leap(struct course *course)
{
    for (uint32_t ms = 0; ms < UNTIL_QUIET_MS && board_has_host(&course->board); ms++) {
        course_wait(course, 1);
    }
    course_wait(course, UNTIL_QUIET_MS / 2u);
    for (unsigned i = 0; i < LEAPS && course->spent_ms < MOST_MS; i++) {
        course->watch.now_ms += LEAP_MS;
        watch_leapt(&course->watch);
        step_once(course);
    }
}

/* Greet and speak, as a host does. */
static void come(struct course *course, uint32_t nonce)
{
    course_greet(course, nonce);
    course_wait(course, 1);
    require(course->watch.greeted, "a board is greeted in any state");
    course_heartbeat(course);
    course_wait(course, 1);
}

/* Whatever has happened, a host that comes now is answered: nothing may put the board out of step.
 * The time of the host before may run out just between greeting and first word: then it comes
 * again, and meets nobody else's time. */
void course_end(struct course *course)
{
    static const uint8_t delimiter = 0;
    course->watch.deaf = false;
    course->spent_ms = 0;
    course_wait(course, 1);
    course_send_bytes(course, &delimiter, 1);
    course->watch.beaten = false;
    come(course, LAST_NONCE);
    if (!course->watch.beaten) {
        come(course, LAST_NONCE + 1u);
    }
    require(course->watch.beaten && board_has_host(&course->board),
            "a board that was greeted answers a heartbeat");
}
