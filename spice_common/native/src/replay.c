/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "replay.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command_parse.h"
#include "replay_event.h"
#include "replay_memory.h"
#include "ring.h"

/* Bytes of one event: a drawable with three images.  More would never be played. */
#define MAX_EVENT (4ull * MAX_TEXT_BINARY)

#define NO_PORT UINT32_MAX

/* Numbers of RedWorkerMessage; the others change nothing that is shown, or what they
 * change was not recorded, or spice-server's own replayer leaves them out, too. */
enum {
    MESSAGE_DESTROY_SURFACES = 19,
    MESSAGE_CREATE_PRIMARY = 20,
    MESSAGE_DESTROY_PRIMARY = 21,
    MESSAGE_CREATE_PRIMARY_ASYNC = 29,
};

struct live_surface {
    uint64_t extent;
    bool live;
};

struct replay {
    struct replay_state state;
    struct replay_memory memory;
    struct ring commands, cursors, releases;
    struct block_queue blocks;
    struct extent_list extents;
    struct live_surface surfaces[MAX_SURFACES]; /* [0]: the primary */
    struct live_surface next_primary;           /* data there, not created yet */
    QXLSurfaceCreate create;
    uint32_t port; /* to be written, or NO_PORT */
    bool port_given; /* and the caller is at it */
    bool has_header, has_time, complete, bad;
    uint64_t last_ns, max_gap_ns;
    uint8_t *buffer;
    uint64_t begin, end, capacity; /* of what is in the buffer */
    uint64_t small_events; /* since the last that takes a quarter of the buffer */
    uint64_t needed; /* so many bytes from begin on are known to be too few */
};

/* Besides enum replay_status: something was done, and more may follow at once. */
enum { PLAYED = 100 };

/* The "event" line. */
struct event_line {
    uint32_t counter, what, type;
    uint64_t ns;
};

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

/* ---- the device */

static uint8_t *
ram_header(const struct replay *replay)
{
    return replay->memory.ram + replay->memory.ram_size;
}

int32_t
replay_attach(struct replay *replay, const struct replay_memory *memory)
{
    if (memory->header_size < sizeof(QXLRam) || memory->ram_size % ALIGNMENT != 0) {
        return REPLAY_BROKEN;
    }
    replay->memory = *memory;
    replay->blocks.size = memory->ram_size;
    replay->extents.size = memory->vram_size;
    uint8_t *header = ram_header(replay);
    if (ring_attach(&replay->commands, header + offsetof(QXLRam, cmd_ring),
                    sizeof(QXLCommandRing), QXL_COMMAND_RING_SIZE,
                    sizeof(QXLCommand)) != 0 ||
        ring_attach(&replay->cursors, header + offsetof(QXLRam, cursor_ring),
                    sizeof(QXLCursorRing), QXL_CURSOR_RING_SIZE,
                    sizeof(QXLCommand)) != 0 ||
        ring_attach(&replay->releases, header + offsetof(QXLRam, release_ring),
                    sizeof(QXLReleaseRing), QXL_RELEASE_RING_SIZE,
                    sizeof(uint64_t)) != 0) {
        return REPLAY_BROKEN;
    }
    return 0;
}

static QXLPHYSICAL
slot_address(const struct replay *replay, uint32_t slot, uint64_t offset)
{
    return (QXLPHYSICAL)slot << replay->memory.slot_shift | offset;
}

static uint64_t
in_flight(const struct replay *replay)
{
    return replay->blocks.next - replay->blocks.first;
}

/* Blocks are named by their number, from 1 on: 0 ends a chain. */
static uint64_t
release_block(struct replay *replay, uint64_t id)
{
    uint64_t next = 0;
    struct queued_block *block = block_find(&replay->blocks, id - 1);
    if (block == NULL) {
        return 0;
    }
    memcpy(&next, replay->memory.ram + block->release_offset, sizeof(next));
    block->released = true;
    if (block->extent != NO_EXTENT) {
        extent_give_back(&replay->extents, block->extent);
    }
    replay->state.released += block->recorded;
    return next;
}

int32_t
replay_collect(struct replay *replay)
{
    uint64_t before = replay->state.released;
    uint64_t chain = 0;
    int32_t notify, count;
    while ((count = ring_pop(&replay->releases, (uint8_t *)&chain, 1, &notify)) > 0) {
        while (chain != 0) {
            chain = release_block(replay, chain);
        }
    }
    block_shrink(&replay->blocks);
    replay->state.in_flight = in_flight(replay);
    return count < 0 ? REPLAY_BROKEN : (int32_t)(replay->state.released - before);
}

/* Push what was written to a block.  freed: VRAM that goes with it. */
static int32_t
push_block(struct replay *replay, const struct block_writer *written, uint32_t type,
           QXLPHYSICAL address, uint64_t freed, bool recorded)
{
    const struct ring *ring =
        type == QXL_CMD_CURSOR ? &replay->cursors : &replay->commands;
    uint64_t start = (uint64_t)(written->base - replay->memory.ram);
    struct queued_block block = {
        .start = start,
        .end = (start + written->used + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT,
        .release_offset = address - written->address + start,
        .extent = freed,
        .recorded = recorded,
    };
    uint64_t id = replay->blocks.next + 1;
    memcpy(replay->memory.ram + block.release_offset, &id, sizeof(id));
    block_push(&replay->blocks, &block);

    QXLCommand command = {.data = address, .type = type};
    int32_t notify = 0;
    int32_t pushed = ring_push(ring, (const uint8_t *)&command, 1, &notify);
    replay->state.notify |= notify;
    return pushed == 1 ? 0 : REPLAY_BROKEN;
}

/* ---- the file */

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

static int32_t
fail(struct replay *replay, uint64_t offset, const char *what, const char *detail)
{
    replay->bad = true;
    replay->state.offset = offset;
    snprintf(replay->state.problem, sizeof(replay->state.problem),
             "event %" PRIu64 ": %s%s", replay->state.events, what, detail);
    return REPLAY_BAD;
}

/* What became of reading an event that is not good. */
static int32_t
not_good(struct replay *replay, const struct replay_text *text)
{
    uint64_t here = (uint64_t)(text->at - replay->buffer) - replay->begin;
    switch (text->state) {
    case TEXT_FULL:
        return in_flight(replay) != 0
                   ? REPLAY_NO_ROOM
                   : fail(replay, replay->state.offset, "it is larger than all RAM", "");
    case TEXT_SHORT:
        if (replay->complete) {
            return fail(replay, replay->state.offset + replay->end - replay->begin,
                        "the file ends inside it", "");
        }
        replay->needed = replay->end - replay->begin;
        if (text->needed > replay->needed) {
            replay->needed = text->needed - 1;
        }
        if (replay->end - replay->begin < MAX_EVENT) {
            return REPLAY_MORE;
        }
        return fail(replay, replay->state.offset, "it is longer than any can be", "");
    case TEXT_BAD:
    default:
        return fail(replay, replay->state.offset + here, "expected ",
                    text->expected);
    }
}

static void
consume(struct replay *replay, const struct replay_text *text)
{
    uint64_t size = (uint64_t)(text->at - replay->buffer) - replay->begin;
    replay->begin += size;
    replay->state.offset += size;
    replay->needed = 0;
    replay->small_events = size > replay->capacity / 4 ? 0 : replay->small_events + 1;
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

/* ---- commands */

static struct block_writer
writer_at(const struct replay *replay, const struct block_place *place)
{
    return (struct block_writer){
        .base = replay->memory.ram + place->start,
        .address = slot_address(replay, replay->memory.ram_slot, place->start),
        .size = place->size,
    };
}

/* A surface command gets its memory, or tells what the end of a surface frees. */
static int32_t
place_surface(struct replay *replay, QXLSurfaceCmd *command, const uint8_t *data,
              uint64_t *freed)
{
    struct live_surface *surface = &replay->surfaces[command->surface_id];
    if (command->type == QXL_SURFACE_CMD_DESTROY) {
        *freed = surface->live ? surface->extent : NO_EXTENT;
        surface->live = false;
        return 0;
    }
    QXLSurface *create = &command->u.surface_create;
    uint64_t size = (uint64_t)llabs((long long)create->stride) * create->height;
    uint64_t extent = extent_take(&replay->extents, size);
    if (extent == NO_EXTENT) {
        return -1;
    }
    *surface = (struct live_surface){.extent = extent, .live = true};
    create->data = slot_address(replay, replay->memory.vram_slot, extent);
    if (data != NULL) {
        memcpy(replay->memory.vram + extent, data, size);
    }
    return 0;
}

/* A surface is made anew that is still there: the replay destroyed less than the guest
 * did (DESTROY_SURFACES_ASYNC). */
static int32_t
destroy_first(struct replay *replay, const struct block_place *place, uint32_t id)
{
    struct event_reader reader = {.block = writer_at(replay, place)};
    QXLPHYSICAL address;
    QXLSurfaceCmd *command = event_take(&reader, sizeof(*command), &address);
    if (command == NULL) {
        return REPLAY_NO_ROOM;
    }
    uint64_t freed = NO_EXTENT;
    command->surface_id = id;
    command->type = QXL_SURFACE_CMD_DESTROY;
    place_surface(replay, command, NULL, &freed);
    return push_block(replay, &reader.block, QXL_CMD_SURFACE, address, freed, false);
}

static int32_t
read_surface(struct replay *replay, struct event_reader *reader,
             const struct block_place *place, QXLPHYSICAL *address, uint64_t *freed,
             bool *again)
{
    QXLSurfaceCmd *command = NULL;
    const uint8_t *data = NULL;
    *address = event_surface(reader, &command, &data);
    if (reader->text.state != TEXT_GOOD) {
        return 0;
    }
    uint32_t id = command->surface_id;
    if (id == 0 || id >= MAX_SURFACES) {
        text_fail(&reader->text, TEXT_BAD, "a surface's number from 1 to 1023");
        return 0;
    }
    if (command->type == QXL_SURFACE_CMD_CREATE && replay->surfaces[id].live) {
        *again = true;
        return destroy_first(replay, place, id);
    }
    if (place_surface(replay, command, data, freed) != 0) {
        if (in_flight(replay) == 0) {
            text_fail(&reader->text, TEXT_BAD, "a surface that fits all VRAM");
            return 0;
        }
        return REPLAY_NO_ROOM;
    }
    return 0;
}

/* Write the command behind line to a place in RAM and push it.  *again: something else
 * had to be pushed first. */
static int32_t
play_command(struct replay *replay, struct event_reader *reader,
             const struct block_place *place, const struct event_line *line,
             bool *again)
{
    QXLPHYSICAL address = 0;
    uint64_t freed = NO_EXTENT;
    int32_t status = 0;
    switch (line->type) {
    case QXL_CMD_DRAW:
        address = event_drawable(reader);
        break;
    case QXL_CMD_UPDATE:
        address = event_update(reader);
        break;
    case QXL_CMD_CURSOR:
        address = event_cursor(reader);
        break;
    case QXL_CMD_MESSAGE:
        address = event_message(reader);
        break;
    case QXL_CMD_SURFACE:
        status = read_surface(replay, reader, place, &address, &freed, again);
        break;
    default: /* spice-server writes nothing more of what it does not know */
        return 0;
    }
    if (status != 0 || *again || reader->text.state != TEXT_GOOD) {
        return status;
    }
    replay->state.commands++;
    return push_block(replay, &reader->block, line->type, address, freed, true);
}

/* Find a place where the command fits, and play it. */
static int32_t
place_command(struct replay *replay, struct replay_text *text,
              const struct event_line *line)
{
    const struct ring *ring =
        line->type == QXL_CMD_CURSOR ? &replay->cursors : &replay->commands;
    struct block_place places[2];
    int32_t full = ring_prod_wait(ring);
    if (full != 0) {
        return full < 0 ? REPLAY_BROKEN : REPLAY_RING_FULL;
    }
    uint32_t num_places = block_places(&replay->blocks, places);
    const struct replay_text start = *text;
    for (uint32_t i = 0; i < num_places; i++) {
        struct event_reader reader = {
            .text = start,
            .block = writer_at(replay, &places[i]),
        };
        bool again = false;
        int32_t status = play_command(replay, &reader, &places[i], line, &again);
        if (again) {
            return status != 0 ? status : place_command(replay, text, line);
        }
        if (status != 0) {
            return status;
        }
        *text = reader.text;
        if (text->state != TEXT_FULL) {
            return 0;
        }
    }
    text_fail(text, TEXT_FULL, NULL);
    return 0;
}

/* ---- device messages */

/*
 * The event's picture goes to VRAM, and a port follows.  *again: first another port, for
 * there is a primary surface still, whose end was asynchronous.
 */
static void
create_primary(struct replay *replay, struct replay_text *text, bool *again)
{
    struct event_reader reader = {.text = *text};
    const uint8_t *data = NULL;
    uint32_t size = 0;
    event_primary(&reader, &replay->create, &data, &size);
    *text = reader.text;
    if (text->state != TEXT_GOOD) {
        return;
    }
    *again = replay->surfaces[0].live;
    if (*again) {
        replay->port = QXL_IO_DESTROY_PRIMARY;
        return;
    }
    uint64_t extent = extent_take(&replay->extents, size);
    if (extent == NO_EXTENT) {
        text_fail(text, TEXT_BAD, "a primary surface that fits VRAM");
        return;
    }
    memcpy(replay->memory.vram + extent, data, size);
    replay->create.mem = slot_address(replay, replay->memory.vram_slot, extent);
    replay->next_primary = (struct live_surface){.extent = extent, .live = true};
    replay->port = QXL_IO_CREATE_PRIMARY;
}

/* Whether an "event" line follows at once; if so or not, text is left where it is. */
static bool
event_follows(const struct replay *replay, struct replay_text *text)
{
    struct replay_text look = *text;
    text_key(&look, "event");
    if (look.state == TEXT_SHORT) {
        bool at_end = replay->complete && text->at == text->end;
        if (!at_end) {
            text_fail(text, TEXT_SHORT, "event");
        }
        return at_end;
    }
    return look.state == TEXT_GOOD;
}

static void
device_message(struct replay *replay, struct replay_text *text, uint32_t type,
               bool *again)
{
    switch (type) {
    case MESSAGE_CREATE_PRIMARY:
    case MESSAGE_CREATE_PRIMARY_ASYNC:
        /* A surface that was refused has no picture here. */
        if (!event_follows(replay, text)) {
            create_primary(replay, text, again);
        }
        break;
    case MESSAGE_DESTROY_PRIMARY:
        if (replay->surfaces[0].live) {
            replay->port = QXL_IO_DESTROY_PRIMARY;
        }
        break;
    case MESSAGE_DESTROY_SURFACES:
        replay->port = QXL_IO_DESTROY_ALL_SURFACES;
        break;
    default:
        break;
    }
}

static void
forget_surface(struct replay *replay, struct live_surface *surface)
{
    if (surface->live) {
        extent_give_back(&replay->extents, surface->extent);
        surface->live = false;
    }
}

/* The device has done what the port asks for. */
static void
port_done(struct replay *replay)
{
    switch (replay->port) {
    case QXL_IO_CREATE_PRIMARY:
        replay->surfaces[0] = replay->next_primary;
        break;
    case QXL_IO_DESTROY_PRIMARY:
        forget_surface(replay, &replay->surfaces[0]);
        break;
    default:
        for (uint32_t id = 0; id < MAX_SURFACES; id++) {
            forget_surface(replay, &replay->surfaces[id]);
        }
        break;
    }
    replay->port = NO_PORT;
    replay->port_given = false;
}

/* Hand the next port over once all before it is done; PLAYED if there is none. */
static int32_t
next_port(struct replay *replay)
{
    if (replay->port_given) {
        port_done(replay);
    }
    if (replay->port == NO_PORT) {
        return PLAYED;
    }
    if (ring_prod_drain(&replay->commands) != 0 ||
        ring_prod_drain(&replay->cursors) != 0) {
        return REPLAY_BUSY;
    }
    if (replay->port == QXL_IO_CREATE_PRIMARY) {
        memcpy(ram_header(replay) + offsetof(QXLRam, create_surface), &replay->create,
               sizeof(replay->create));
    }
    replay->state.port = replay->port;
    replay->port_given = true;
    return REPLAY_PORT;
}

/* ---- playing */

static uint64_t
due_ns(const struct replay *replay, uint64_t ns)
{
    uint64_t gap = replay->has_time && ns > replay->last_ns ? ns - replay->last_ns : 0;
    return replay->state.clock_ns + (gap < replay->max_gap_ns ? gap
                                                              : replay->max_gap_ns);
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
        return not_good(replay, text);
    }
    uint64_t due = due_ns(replay, line.ns);
    if (due > until_ns) {
        replay->state.next_ns = due;
        return REPLAY_EARLY;
    }
    if (line.what == 1) {
        device_message(replay, text, line.type, &again);
    } else {
        status = place_command(replay, text, &line);
    }
    if (status != 0) {
        return status;
    }
    if (text->state != TEXT_GOOD) {
        return not_good(replay, text);
    }
    if (again) {
        return PLAYED;
    }
    replay->state.clock_ns = due;
    replay->last_ns = line.ns;
    replay->has_time = true;
    replay->state.events++;
    consume(replay, text);
    return PLAYED;
}

static int32_t
play_header(struct replay *replay, struct replay_text *text)
{
    text_line(text, "SPICE_REPLAY 1");
    if (text->state == TEXT_GOOD) {
        replay->has_header = true;
        consume(replay, text);
        return PLAYED;
    }
    if (text->state == TEXT_BAD) {
        return fail(replay, 0, "this is no \"SPICE_REPLAY 1\" file", "");
    }
    return not_good(replay, text);
}

/* The next port or event. */
static int32_t
step(struct replay *replay, uint64_t until_ns)
{
    struct replay_text text;
    int32_t status = next_port(replay);
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
