/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record.h"

#include <stdlib.h>
#include <string.h>

#include <spice/qxl_dev.h>

#include "command.h"
#include "cursor_command.h"
#include "record_drawable.h"
#include "shared_memory.h"

enum { RING_COMMAND = 0, DEVICE_MESSAGE = 1 };

struct record {
    struct record_text text;
    uint32_t counter;
};

struct record *
record_new(uint64_t max_size)
{
    struct record *record = calloc(1, sizeof(*record));
    if (record == NULL) {
        return NULL;
    }
    record->text.limit = max_size;
    note_word(&record->text, "SPICE_REPLAY 1\n");
    if (record->text.failed) {
        record_free(record);
        return NULL;
    }
    return record;
}

void
record_free(struct record *record)
{
    if (record != NULL) {
        free(record->text.data);
        free(record);
    }
}

uint64_t
record_size(const struct record *record)
{
    return record->text.size;
}

uint8_t *
record_take(struct record *record, uint64_t *size)
{
    uint8_t *data = record->text.data;
    *size = record->text.size;
    record->text.data = NULL;
    record->text.size = record->text.capacity = 0;
    return data;
}

void
record_free_data(uint8_t *data)
{
    free(data);
}

static void
note_event(struct record *record, uint32_t what, uint32_t type, uint64_t ns)
{
    struct record_text *text = &record->text;
    note_word(text, "event");
    note_number_u64(text, record->counter);
    note_number(text, what);
    note_number(text, type);
    note_number_u64(text, ns);
    note_end(text);
}

/* End the event that began at start: there whole, or not at all. */
static int32_t
end_event(struct record *record, uint64_t start)
{
    if (record->text.failed) {
        record->text.failed = false;
        record->text.size = start;
        return -1;
    }
    record->counter++;
    return 0;
}

static void
note_surface(struct record_text *text, const struct surface_command *command)
{
    note_word(text, "surface_cmd\n");
    note_line(text, "surface_id", command->surface_id);
    note_line(text, "type", command->type);
    note_line(text, "flags", command->flags);
    if (command->type != QXL_SURFACE_CMD_CREATE) {
        return;
    }
    note_line(text, "u.surface_create.format", command->format);
    note_line(text, "u.surface_create.width", command->width);
    note_line(text, "u.surface_create.height", command->height);
    note_line(text, "u.surface_create.stride", (uint32_t)command->stride);
    if (command->flags & QXL_SURF_FLAG_KEEP_DATA) {
        uint64_t size = (uint64_t)llabs((long long)command->stride) * command->height;
        uint8_t *to = note_binary(text, "data", size);
        if (to != NULL) {
            fetch(to, command->data, size);
        }
    }
}

static void
note_update(struct record_text *text, const struct update_command *command)
{
    note_word(text, "update\n");
    note_rect(text, "area", &command->area);
    note_line(text, "update_id", command->update_id);
    note_line(text, "surface_id", command->surface_id);
}

static void
note_entry(struct record *record, const struct command_batch *batch,
           const struct batch_entry *entry, uint64_t ns)
{
    struct record_text *text = &record->text;
    switch (entry->kind) {
    case BATCH_DRAW:
        note_event(record, RING_COMMAND, QXL_CMD_DRAW, ns);
        note_drawable(text, batch, &batch->draws[entry->index]);
        break;
    case BATCH_SURFACE:
        note_event(record, RING_COMMAND, QXL_CMD_SURFACE, ns);
        note_surface(text, &batch->surface_commands[entry->index]);
        break;
    case BATCH_UPDATE:
        note_event(record, RING_COMMAND, QXL_CMD_UPDATE, ns);
        note_update(text, &batch->updates[entry->index]);
        break;
    case BATCH_MESSAGE:
    default: {
        const char *message = batch->bookkeeping->messages[entry->index];
        size_t size = strlen(message);
        note_event(record, RING_COMMAND, QXL_CMD_MESSAGE, ns);
        uint8_t *to = note_binary(text, "message", size);
        if (to != NULL) {
            memcpy(to, message, size);
        }
        break;
    }
    }
}

int32_t
record_batch(struct record *record, const struct command_batch *batch, uint64_t ns)
{
    int32_t status = 0;
    for (uint32_t i = 0; i < batch->num_entries && status == 0; i++) {
        uint64_t start = record->text.size;
        note_entry(record, batch, &batch->entries[i], ns);
        status = end_event(record, start);
    }
    return status;
}

static void
note_shape(struct record_text *text, const struct cursor_command *command)
{
    note_line(text, "u.set.visible", command->visible);
    note_line_u64(text, "header.unique", command->unique);
    note_line(text, "header.type", command->shape_type);
    note_line(text, "header.width", command->width);
    note_line(text, "header.height", command->height);
    note_line(text, "header.hot_spot_x", command->hot_spot_x);
    note_line(text, "header.hot_spot_y", command->hot_spot_y);
    note_line(text, "data_size", command->data_size);
    uint8_t *to = note_chunk(text, "cursor", command->data_size);
    if (to != NULL && command->data_size != 0) {
        memcpy(to, command->data, command->data_size);
    }
}

int32_t
record_cursor(struct record *record, const struct cursor_command *command, uint64_t ns)
{
    struct record_text *text = &record->text;
    uint64_t start = text->size;
    note_event(record, RING_COMMAND, QXL_CMD_CURSOR, ns);
    note_word(text, "cursor_cmd\n");
    note_line(text, "type", command->type);
    switch (command->type) {
    case QXL_CURSOR_SET:
        note_pair(text, "point16", command->x, command->y);
        note_shape(text, command);
        break;
    case QXL_CURSOR_MOVE:
        note_pair(text, "point16", command->x, command->y);
        break;
    case QXL_CURSOR_TRAIL:
        note_line(text, "u.trail.length", command->trail_length);
        note_line(text, "u.trail.frequency", command->trail_frequency);
        break;
    case QXL_CURSOR_HIDE:
    default:
        break;
    }
    return end_event(record, start);
}

int32_t
record_message(struct record *record, uint32_t type, uint64_t ns)
{
    uint64_t start = record->text.size;
    note_event(record, DEVICE_MESSAGE, type, ns);
    return end_event(record, start);
}

int32_t
record_create_primary(struct record *record, const struct record_surface *surface,
                      uint64_t ns)
{
    struct record_text *text = &record->text;
    uint64_t start = text->size;
    note_event(record, DEVICE_MESSAGE, RECORD_CREATE_PRIMARY, ns);
    note_signed(text, surface->width);
    note_number(text, surface->height);
    note_number(text, (uint32_t)surface->stride);
    note_number(text, surface->format);
    note_word(text, "\n0 1"); /* position, mouse_mode: nobody reads them */
    note_number(text, surface->flags);
    note_word(text, " 0\n"); /* QXL_SURF_TYPE_PRIMARY */
    uint8_t *to = note_binary(text, "data", surface->size);
    if (to != NULL) {
        fetch(to, surface->data, surface->size);
    }
    return end_event(record, start);
}
