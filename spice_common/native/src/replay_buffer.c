/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes of the file, from their feeding until they are played. */
#include "replay_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint8_t *
replay_buffer(struct replay *replay, uint64_t size)
{
    uint64_t used = replay->end - replay->begin;
    if (size > MAX_EVENT || used + size > 2 * MAX_EVENT) {
        return NULL;
    }
    if (replay->capacity - replay->end >= size) {
        return replay->buffer + replay->end;
    }
    if (replay->begin != 0 && used != 0) {
        memmove(replay->buffer, replay->buffer + replay->begin, used);
    }
    replay->begin = 0;
    replay->end = used;
    bool wasteful = replay->capacity / 4 > used + size && replay->small_events > 256;
    if (replay->capacity < used + size || wasteful) {
        uint64_t capacity = (used + size) * 5 / 4;
        uint8_t *buffer = realloc(replay->buffer, capacity);
        if (buffer == NULL) {
            return NULL;
        }
        replay->buffer = buffer;
        replay->capacity = capacity;
    }
    return replay->buffer + used;
}

void
replay_fed(struct replay *replay, uint64_t size)
{
    if (size <= replay->capacity - replay->end) {
        replay->end += size;
    }
}

void
replay_end_of_file(struct replay *replay)
{
    replay->complete = true;
}

int32_t
replay_fail(struct replay *replay, uint64_t offset, const char *what,
            const char *detail)
{
    replay->bad = true;
    replay->state.offset = offset;
    snprintf(replay->state.problem, sizeof(replay->state.problem),
             "event %" PRIu64 ": %s%s", replay->state.events, what, detail);
    return REPLAY_BAD;
}

int32_t
replay_not_good(struct replay *replay, const struct replay_text *text)
{
    uint64_t here = (uint64_t)(text->at - replay->buffer) - replay->begin;
    switch (text->state) {
    case TEXT_FULL:
        return replay_in_flight(replay) != 0
                   ? REPLAY_NO_ROOM
                   : replay_fail(replay, replay->state.offset,
                                 "it is larger than all RAM", "");
    case TEXT_SHORT:
        if (replay->complete) {
            return replay_fail(replay,
                               replay->state.offset + replay->end - replay->begin,
                               "the file ends inside it", "");
        }
        replay->needed = replay->end - replay->begin;
        if (text->needed > replay->needed) {
            replay->needed = text->needed - 1;
        }
        if (replay->end - replay->begin < MAX_EVENT) {
            return REPLAY_MORE;
        }
        return replay_fail(replay, replay->state.offset, "it is longer than any can be",
                           "");
    case TEXT_BAD:
    default:
        return replay_fail(replay, replay->state.offset + here, "expected ",
                           text->expected);
    }
}

void
replay_consume(struct replay *replay, const struct replay_text *text)
{
    uint64_t size = (uint64_t)(text->at - replay->buffer) - replay->begin;
    replay->begin += size;
    replay->state.offset += size;
    replay->needed = 0;
    replay->small_events = size > replay->capacity / 4 ? 0 : replay->small_events + 1;
}
