/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events other than drawables, and what all of them consist of. */
#include "replay_event.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CHUNKS = 65536 }; /* as many as the device takes (command_parse.h) */

uint8_t *
event_place(struct event_reader *reader, uint64_t prefix, uint64_t size,
            QXLPHYSICAL *address)
{
    struct block_writer *block = &reader->block;
    uint64_t start =
        (block->used + prefix + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT - prefix;
    *address = 0;
    if (reader->text.state != TEXT_GOOD) {
        return NULL;
    }
    if (start > block->size || size > block->size - start) {
        text_fail(&reader->text, TEXT_FULL, NULL);
        return NULL;
    }
    block->used = start + size;
    *address = block->address + start;
    return block->base + start;
}

void *
event_take(struct event_reader *reader, uint64_t size, QXLPHYSICAL *address)
{
    uint8_t *place = event_place(reader, 0, size, address);
    return place != NULL ? memset(place, 0, size) : NULL;
}

/* One chunk behind header_size bytes. */
static void *
take_chunk(struct event_reader *reader, const char *name, uint64_t header_size,
           QXLPHYSICAL *address, QXLDataChunk **chunk)
{
    uint32_t size = 0;
    const uint64_t prefix = header_size + sizeof(QXLDataChunk);
    const uint8_t *data = text_binary(&reader->text, name, UINT32_MAX, &size);
    uint8_t *to = event_place(reader, prefix, prefix + size, address);
    if (data == NULL || to == NULL) {
        return NULL;
    }
    memset(to, 0, prefix);
    memcpy(to + prefix, data, size);
    *chunk = (QXLDataChunk *)(void *)(to + header_size);
    (*chunk)->data_size = size;
    return to;
}

QXLPHYSICAL
event_chunks(struct event_reader *reader, const char *name, uint64_t header_size,
             void **header, uint64_t *total)
{
    struct replay_text *text = &reader->text;
    QXLPHYSICAL first = 0, address = 0;
    QXLDataChunk *chunk = NULL, *previous = NULL;
    QXLPHYSICAL previous_address = 0;

    *total = 0;
    text_key(text, "data_chunks");
    uint64_t more = text_number(text, "data_chunks", ' ');
    text_number(text, "data_chunks", '\n');
    if (more >= MAX_CHUNKS) {
        text_fail(text, TEXT_BAD, "a number of chunks that can be");
    }
    for (uint64_t i = 0; i <= more; i++) {
        void *place =
            take_chunk(reader, name, i == 0 ? header_size : 0, &address, &chunk);
        if (place == NULL) {
            return 0;
        }
        if (i == 0) {
            *header = place;
            first = address;
            previous_address = address + header_size;
        } else {
            previous->next_chunk = address;
            chunk->prev_chunk = previous_address;
            previous_address = address;
        }
        previous = chunk;
        *total += chunk->data_size;
    }
    return first;
}

void
event_rect(struct event_reader *reader, const char *name, QXLRect *rect)
{
    struct replay_text *text = &reader->text;
    text_key(text, "rect");
    text_key(text, name);
    rect->top = (int32_t)text_number_u32(text, name, ' ');
    rect->left = (int32_t)text_number_u32(text, name, ' ');
    rect->bottom = (int32_t)text_number_u32(text, name, ' ');
    rect->right = (int32_t)text_number_u32(text, name, '\n');
}

void
event_point(struct event_reader *reader, QXLPoint *point)
{
    text_key(&reader->text, "point");
    point->x = (int32_t)text_number_u32(&reader->text, "point", ' ');
    point->y = (int32_t)text_number_u32(&reader->text, "point", '\n');
}

static int16_t
number_16(struct event_reader *reader, const char *name, uint8_t terminator)
{
    int32_t value = (int32_t)text_number_u32(&reader->text, name, terminator);
    if (value < INT16_MIN || value > INT16_MAX) {
        text_fail(&reader->text, TEXT_BAD, name);
    }
    return (int16_t)value;
}

void
event_point16(struct event_reader *reader, const char *name, QXLPoint16 *point)
{
    text_key(&reader->text, name);
    point->x = number_16(reader, name, ' ');
    point->y = number_16(reader, name, '\n');
}

bool
event_flag(struct event_reader *reader, const char *name)
{
    uint64_t value = text_u64(&reader->text, name);
    if (value > 1) {
        text_fail(&reader->text, TEXT_BAD, name);
    }
    return value == 1;
}

QXLPHYSICAL
event_update(struct event_reader *reader)
{
    QXLPHYSICAL address;
    QXLRect area = {0};
    text_line(&reader->text, "update");
    event_rect(reader, "area", &area);
    uint32_t update_id = text_u32(&reader->text, "update_id");
    uint32_t surface_id = text_u32(&reader->text, "surface_id");
    QXLUpdateCmd *update = event_take(reader, sizeof(*update), &address);
    if (update != NULL) {
        update->area = area;
        update->update_id = update_id;
        update->surface_id = surface_id;
    }
    return address;
}

QXLPHYSICAL
event_message(struct event_reader *reader)
{
    QXLPHYSICAL address;
    uint32_t size = 0;
    const uint8_t *data = text_binary(&reader->text, "message", UINT32_MAX, &size);
    /* One byte more: a driver ends it with a NUL. */
    QXLMessage *message =
        event_take(reader, sizeof(*message) + (uint64_t)size + 1, &address);
    if (message != NULL && data != NULL) {
        memcpy(message->data, data, size);
    }
    return address;
}

/* Behind the "surface_cmd" line, a creation's part. */
static void
read_surface_create(struct event_reader *reader, QXLSurfaceCmd *command,
                    const uint8_t **data)
{
    struct replay_text *text = &reader->text;
    QXLSurface *create = &command->u.surface_create;
    create->format = text_u32(text, "u.surface_create.format");
    create->width = text_u32(text, "u.surface_create.width");
    create->height = text_u32(text, "u.surface_create.height");
    create->stride = (int32_t)text_u32(text, "u.surface_create.stride");
    uint64_t pitch = (uint64_t)llabs((long long)create->stride);
    if (pitch != 0 && create->height > MAX_TEXT_BINARY / pitch) {
        text_fail(text, TEXT_BAD, "a surface of a size that can be");
    }
    if (command->flags & QXL_SURF_FLAG_KEEP_DATA) {
        uint32_t size = 0;
        *data = text_binary(text, "data", UINT32_MAX, &size);
        if (size != pitch * create->height) {
            text_fail(text, TEXT_BAD, "as many bytes as the surface has");
        }
    }
}

QXLPHYSICAL
event_surface(struct event_reader *reader, QXLSurfaceCmd **command,
              const uint8_t **data)
{
    struct replay_text *text = &reader->text;
    QXLSurfaceCmd read = {0};
    QXLPHYSICAL address;
    *data = NULL;
    text_line(text, "surface_cmd");
    read.surface_id = text_u32(text, "surface_id");
    read.type = text_u8(text, "type");
    read.flags = text_u32(text, "flags");
    if (read.type == QXL_SURFACE_CMD_CREATE) {
        read_surface_create(reader, &read, data);
    } else if (read.type != QXL_SURFACE_CMD_DESTROY) {
        text_fail(text, TEXT_BAD, "a surface command's type");
    }
    *command = event_take(reader, sizeof(read), &address);
    if (*command != NULL) {
        **command = read;
    }
    return address;
}

/* A QXLCursor with its picture. */
static QXLPHYSICAL
read_shape(struct event_reader *reader)
{
    struct replay_text *text = &reader->text;
    uint64_t unique = text_u64(text, "header.unique");
    uint16_t type = text_u16(text, "header.type");
    uint16_t width = text_u16(text, "header.width");
    uint16_t height = text_u16(text, "header.height");
    uint16_t hot_spot_x = text_u16(text, "header.hot_spot_x");
    uint16_t hot_spot_y = text_u16(text, "header.hot_spot_y");
    uint32_t data_size = text_u32(text, "data_size");
    void *header = NULL;
    uint64_t total;
    QXLPHYSICAL address =
        event_chunks(reader, "cursor", offsetof(QXLCursor, chunk), &header, &total);
    if (address != 0) {
        QXLCursor *cursor = header;
        cursor->header = (QXLCursorHeader){
            .unique = unique,
            .type = type,
            .width = width,
            .height = height,
            .hot_spot_x = hot_spot_x,
            .hot_spot_y = hot_spot_y,
        };
        cursor->data_size = data_size;
    }
    return address;
}

QXLPHYSICAL
event_cursor(struct event_reader *reader)
{
    struct replay_text *text = &reader->text;
    QXLCursorCmd read = {0};
    QXLPoint16 position = {0};
    QXLPHYSICAL address;
    text_line(text, "cursor_cmd");
    read.type = text_u8(text, "type");
    switch (read.type) {
    case QXL_CURSOR_SET:
        event_point16(reader, "point16", &position);
        read.u.set.position = position;
        read.u.set.visible = text_u8(text, "u.set.visible");
        read.u.set.shape = read_shape(reader);
        break;
    case QXL_CURSOR_MOVE:
        event_point16(reader, "point16", &position);
        read.u.position = position;
        break;
    case QXL_CURSOR_HIDE:
        break;
    case QXL_CURSOR_TRAIL:
        read.u.trail.length = text_u16(text, "u.trail.length");
        read.u.trail.frequency = text_u16(text, "u.trail.frequency");
        break;
    default:
        text_fail(text, TEXT_BAD, "a cursor command's type");
        break;
    }
    QXLCursorCmd *cursor = event_take(reader, sizeof(*cursor), &address);
    if (cursor != NULL) {
        *cursor = read;
    }
    return address;
}

void
event_primary(struct event_reader *reader, QXLSurfaceCreate *create,
              const uint8_t **data, uint32_t *size)
{
    struct replay_text *text = &reader->text;
    const char *name = "the size and kind of a primary surface";
    *create = (QXLSurfaceCreate){0};
    create->width = text_number_u32(text, name, ' ');
    create->height = text_number_u32(text, name, ' ');
    create->stride = (int32_t)text_number_u32(text, name, ' ');
    create->format = text_number_u32(text, name, '\n');
    create->position = text_number_u32(text, name, ' ');
    create->mouse_mode = text_number_u32(text, name, ' ');
    create->flags = text_number_u32(text, name, ' ');
    create->type = text_number_u32(text, name, '\n');
    *data = text_binary(text, "data", UINT32_MAX, size);
    uint64_t pitch = (uint64_t)llabs((long long)create->stride);
    if (*data != NULL && (pitch == 0 || *size / pitch != create->height)) {
        text_fail(text, TEXT_BAD, "as many bytes as the surface has");
    }
}
