/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands of the rings: where they are written to. */
#include "replay_parts.h"

#include <stdlib.h>
#include <string.h>

static struct block_writer
writer_at(const struct replay *replay, const struct block_place *place)
{
    return (struct block_writer){
        .base = replay->memory.ram + place->start,
        .address = replay_slot_address(replay, replay->memory.ram_slot, place->start),
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
    create->data = replay_slot_address(replay, replay->memory.vram_slot, extent);
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
    return replay_push(replay, &reader.block, QXL_CMD_SURFACE, address, freed, false);
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
        if (replay_in_flight(replay) == 0) {
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
    return replay_push(replay, &reader->block, line->type, address, freed, true);
}

int32_t
replay_command(struct replay *replay, struct replay_text *text,
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
            return status != 0 ? status : replay_command(replay, text, line);
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
