/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "replay_parts.h"

#include <stdlib.h>

struct replay *
replay_new(void)
{
    struct replay *replay = calloc(1, sizeof(*replay));
    if (replay == NULL) {
        return NULL;
    }
    replay->max_gap_ns = UINT64_MAX;
    replay->port = NO_PORT;
    /* Never NULL, so that an empty file has a start and an end, too. */
    if (replay_buffer(replay, MAX_TEXT_LINE) == NULL) {
        replay_free(replay);
        return NULL;
    }
    return replay;
}

void
replay_free(struct replay *replay)
{
    if (replay != NULL) {
        free(replay->buffer);
        free(replay);
    }
}

const struct replay_state *
replay_get_state(const struct replay *replay)
{
    return &replay->state;
}

void
replay_set_max_gap(struct replay *replay, uint64_t nanoseconds)
{
    replay->max_gap_ns = nanoseconds != 0 ? nanoseconds : UINT64_MAX;
}

static void
read_event_line(struct replay_text *text, struct event_line *line)
{
    text_key(text, "event");
    line->counter = text_number_u32(text, "event", ' ');
    line->what = text_number_u32(text, "event", ' ');
    line->type = text_number_u32(text, "event", ' ');
    line->ns = text_number(text, "event", '\n');
    if (line->what > 1) {
        text_fail(text, TEXT_BAD, "0 or 1 as an event's second number");
    }
}

static uint64_t
due_ns(const struct replay *replay, uint64_t ns)
{
    uint64_t gap = replay->has_time && ns > replay->last_ns ? ns - replay->last_ns : 0;
    return replay->state.clock_ns +
           (gap < replay->max_gap_ns ? gap : replay->max_gap_ns);
}

/* One event. */
static int32_t
play_event(struct replay *replay, struct replay_text *text, uint64_t until_ns)
{
    struct event_line line = {0};
    int32_t status = 0;
    bool again = false;
    read_event_line(text, &line);
    if (text->state != TEXT_GOOD) {
        return replay_not_good(replay, text);
    }
    uint64_t due = due_ns(replay, line.ns);
    if (due > until_ns) {
        replay->state.next_ns = due;
        return REPLAY_EARLY;
    }
    if (line.what == 1) {
        replay_device_message(replay, text, line.type, &again);
    } else {
        status = replay_command(replay, text, &line);
    }
    if (status != 0) {
        return status;
    }
    if (text->state != TEXT_GOOD) {
        return replay_not_good(replay, text);
    }
    if (again) {
        return PLAYED;
    }
    replay->state.clock_ns = due;
    replay->last_ns = line.ns;
    replay->has_time = true;
    replay->state.events++;
    replay_consume(replay, text);
    return PLAYED;
}

static int32_t
play_header(struct replay *replay, struct replay_text *text)
{
    text_line(text, "SPICE_REPLAY 1");
    if (text->state == TEXT_GOOD) {
        replay->has_header = true;
        replay_consume(replay, text);
        return PLAYED;
    }
    if (text->state == TEXT_BAD) {
        return replay_fail(replay, 0, "this is no \"SPICE_REPLAY 1\" file", "");
    }
    return replay_not_good(replay, text);
}

/* The next port or event. */
static int32_t
step(struct replay *replay, uint64_t until_ns)
{
    struct replay_text text;
    int32_t status = replay_next_port(replay);
    if (status != PLAYED) {
        return status;
    }
    if (replay->complete && replay->has_header && replay->begin == replay->end) {
        return REPLAY_END;
    }
    if (!replay->complete && replay->end - replay->begin <= replay->needed) {
        return REPLAY_MORE;
    }
    text_start(&text, replay->buffer + replay->begin, replay->buffer + replay->end);
    return replay->has_header ? play_event(replay, &text, until_ns)
                              : play_header(replay, &text);
}

int32_t
replay_play(struct replay *replay, uint64_t until_ns)
{
    int32_t status = replay->bad ? REPLAY_BAD : PLAYED;
    replay->state.notify = 0;
    while (status == PLAYED) {
        status = replay_collect(replay) < 0 ? REPLAY_BROKEN : step(replay, until_ns);
    }
    return status;
}
