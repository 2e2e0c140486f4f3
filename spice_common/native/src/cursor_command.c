/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cursor_command.h"

#include <stddef.h>
#include <stdlib.h>

#include "command_parse.h"
#include "release.h"
#include "ring.h"
#include "shared_memory.h"

_Static_assert(sizeof(((struct cursor_reader *)0)->errors) ==
                   NUM_COMMAND_ERRORS * sizeof(uint32_t),
               "a counter for every error");

struct cursor_reader *
cursor_reader_new(void)
{
    return calloc(1, sizeof(struct cursor_reader));
}

void
cursor_reader_free(struct cursor_reader *reader)
{
    if (reader != NULL) {
        free(reader->command.data);
        free(reader);
    }
}

/* Bytes of a cursor's picture, as clients count them; 0: no such type. */
static uint32_t
cursor_data_size(uint16_t type, uint32_t width, uint32_t height)
{
    uint32_t mask = (width + 7) / 8 * height; /* one bit per pixel */
    switch (type) {
    case SPICE_CURSOR_TYPE_ALPHA:
        return 4 * width * height;
    case SPICE_CURSOR_TYPE_MONO:
        return 2 * mask;
    case SPICE_CURSOR_TYPE_COLOR4:
        return (width + 1) / 2 * height + 16 * 4 + mask;
    case SPICE_CURSOR_TYPE_COLOR8:
        return width * height + 256 * 4 + mask;
    case SPICE_CURSOR_TYPE_COLOR16:
        return 2 * width * height + mask;
    case SPICE_CURSOR_TYPE_COLOR24:
        return 3 * width * height + mask;
    case SPICE_CURSOR_TYPE_COLOR32:
        return 4 * width * height + mask;
    default:
        return 0;
    }
}

static enum command_error
copy_chunks(struct cursor_reader *reader, const struct memslot_table *slots,
            uint64_t first, uint32_t size)
{
    struct cursor_command *command = &reader->command;
    struct chunk_walk walk;
    enum command_error error;

    uint8_t *to = reserve(command->data, &reader->data_capacity, 0, size, 1);
    if (to == NULL) {
        return COMMAND_NO_MEMORY;
    }
    command->data = to;
    chunk_walk_start(&walk, slots, first, size);
    while ((error = chunk_walk_step(&walk)) == COMMAND_OK && walk.size != 0) {
        fetch(to, walk.data, walk.size);
        to += walk.size;
    }
    command->data_size = error == COMMAND_OK ? size : 0;
    return error;
}

static enum command_error
parse_shape(struct cursor_reader *reader, const struct memslot_table *slots,
            uint64_t address)
{
    struct cursor_command *command = &reader->command;
    QXLCursor cursor;
    enum command_error error =
        command_fetch(slots, address, &cursor, offsetof(QXLCursor, chunk));
    if (error != COMMAND_OK) {
        return error;
    }
    const QXLCursorHeader header = cursor.header;
    if (header.width == 0 || header.width > MAX_CURSOR_SIDE || header.height == 0 ||
        header.height > MAX_CURSOR_SIDE || header.hot_spot_x >= header.width ||
        header.hot_spot_y >= header.height) {
        return COMMAND_BAD_CURSOR;
    }
    uint32_t size = cursor_data_size(header.type, header.width, header.height);
    if (size == 0 || cursor.data_size < size) {
        return COMMAND_BAD_CURSOR;
    }
    command->unique = header.unique;
    command->shape_type = header.type;
    command->width = header.width;
    command->height = header.height;
    command->hot_spot_x = header.hot_spot_x;
    command->hot_spot_y = header.hot_spot_y;
    return copy_chunks(reader, slots, address + offsetof(QXLCursor, chunk), size);
}

static enum command_error
parse_cursor(struct cursor_reader *reader, const struct memslot_table *slots,
             uint64_t address)
{
    struct cursor_command *command = &reader->command;
    QXLCursorCmd cursor;
    /* device_data, the rest of the structure, was never used by anybody. */
    enum command_error error =
        command_fetch(slots, address, &cursor, offsetof(QXLCursorCmd, device_data));
    if (error != COMMAND_OK) {
        return error;
    }
    uint8_t *data = command->data;
    *command = (struct cursor_command){.type = cursor.type, .data = data};
    switch (cursor.type) {
    case QXL_CURSOR_SET:
        command->x = cursor.u.set.position.x;
        command->y = cursor.u.set.position.y;
        command->visible = cursor.u.set.visible != 0;
        return parse_shape(reader, slots, cursor.u.set.shape);
    case QXL_CURSOR_MOVE:
        command->x = cursor.u.position.x;
        command->y = cursor.u.position.y;
        return COMMAND_OK;
    case QXL_CURSOR_HIDE:
        return COMMAND_OK;
    case QXL_CURSOR_TRAIL:
        command->trail_length = cursor.u.trail.length;
        command->trail_frequency = cursor.u.trail.frequency;
        return COMMAND_OK;
    default:
        return COMMAND_BAD_TYPE;
    }
}

/* Parse and release one QXLCommand of the cursor ring. */
static enum command_error
take_cursor(struct cursor_reader *reader, const struct memslot_table *slots,
            struct release_queue *queue, uint32_t bunch, const QXLCommand *command)
{
    struct command_release release = {.address = command->data};
    bool has_release = command_fetch(slots, command->data, &release.id,
                                     sizeof(release.id)) == COMMAND_OK;
    enum command_error error = command->type == QXL_CMD_CURSOR
                                   ? parse_cursor(reader, slots, command->data)
                                   : COMMAND_BAD_TYPE;
    if (has_release) {
        release.serial = memslot_serial(slots, command->data);
        reader->release_result |= release_add(queue, slots, &release, 1, bunch);
    }
    if (error != COMMAND_OK) {
        reader->errors[error]++;
    }
    return error;
}

int32_t
cursor_reader_pop(struct cursor_reader *reader, const struct ring *ring,
                  const struct memslot_table *slots, struct release_queue *queue,
                  uint32_t bunch)
{
    reader->notify = 0;
    reader->release_result = 0;
    if (ring->item_size != sizeof(QXLCommand)) {
        return RING_BAD_LAYOUT;
    }
    for (uint32_t i = 0; i < ring->num_items; i++) {
        QXLCommand command;
        int32_t notify = 0;
        int32_t count = ring_pop(ring, (uint8_t *)&command, 1, &notify);
        if (count < 0) {
            return count;
        }
        reader->notify |= notify;
        if (count == 0) {
            count = ring_cons_wait(ring);
            if (count != 0) {
                return count < 0 ? count : 0;
            }
        } else if (take_cursor(reader, slots, queue, bunch, &command) == COMMAND_OK) {
            return 1;
        }
    }
    ring_ask(ring);
    return 0;
}
