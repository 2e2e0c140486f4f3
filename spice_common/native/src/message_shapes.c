/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SpicePath and SpiceString: what a draw message has behind pointers beside images. */
#include <string.h>

#include "message_reader.h"

static enum command_error
read_segment(struct message_reader *reader, struct command_batch *batch)
{
    struct path_segment segment = {.first_point = batch->num_points};
    segment.flags = read_u8(reader) & SPICE_PATH_FLAGS_MASK;
    segment.num_points = read_u32(reader);
    /* Never more than what is there, so the size of a message bounds the arrays. */
    if (reader->failed || segment.num_points > (reader->size - reader->at) / 8) {
        return COMMAND_MESSAGE_SHORT;
    }
    struct path_segment *slot = more_segments(batch, 1);
    struct fixed_point *points = more_points(batch, segment.num_points);
    if (slot == NULL || points == NULL) {
        return COMMAND_NO_MEMORY;
    }
    for (uint32_t i = 0; i < segment.num_points; i++) {
        points[i].x = read_i32(reader);
        points[i].y = read_i32(reader);
    }
    *slot = segment;
    batch->num_segments++;
    batch->num_points += segment.num_points;
    return COMMAND_OK;
}

enum command_error
read_path(const struct message_reader *reader, struct command_batch *batch,
          uint32_t offset, struct draw_path *path)
{
    struct message_reader at = reader_at(reader, offset);
    enum command_error error = offset != 0 ? COMMAND_OK : COMMAND_BAD_PATH;

    path->first_segment = batch->num_segments;
    path->num_segments = read_u32(&at);
    for (uint32_t i = 0; error == COMMAND_OK && i < path->num_segments; i++) {
        error = at.at - offset <= MAX_PATH_SIZE ? read_segment(&at, batch)
                                                : COMMAND_TOO_BIG;
    }
    if (error == COMMAND_OK && at.failed) {
        error = COMMAND_MESSAGE_SHORT;
    }
    if (error != COMMAND_OK) {
        return error;
    }
    return path_ok(batch, path) ? COMMAND_OK : COMMAND_BAD_PATH;
}

static enum command_error
read_glyph(struct message_reader *reader, struct command_batch *batch, uint32_t bits)
{
    struct draw_glyph glyph = {.first_byte = batch->num_glyph_bytes};
    glyph.render_x = read_i32(reader);
    glyph.render_y = read_i32(reader);
    glyph.origin_x = read_i32(reader);
    glyph.origin_y = read_i32(reader);
    glyph.width = read_u16(reader);
    glyph.height = read_u16(reader);
    uint64_t size = ((uint64_t)glyph.width * bits + 7) / 8 * glyph.height;
    const uint8_t *bytes = read_bytes(reader, size);
    if (bytes == NULL) {
        return COMMAND_MESSAGE_SHORT;
    }
    if (size > MAX_STRING_SIZE) {
        return COMMAND_TOO_BIG;
    }
    glyph.num_bytes = (uint32_t)size;
    struct draw_glyph *slot = more_glyphs(batch, 1);
    uint8_t *to = more_glyph_bytes(batch, glyph.num_bytes);
    if (slot == NULL || to == NULL) {
        return COMMAND_NO_MEMORY;
    }
    memcpy(to, bytes, (size_t)size);
    *slot = glyph;
    batch->num_glyphs += size != 0; /* a blank without pixels draws nothing */
    batch->num_glyph_bytes += glyph.num_bytes;
    return COMMAND_OK;
}

enum command_error
read_string(const struct message_reader *reader, struct command_batch *batch,
            uint32_t offset, struct draw_string *string)
{
    struct message_reader at = reader_at(reader, offset);
    enum command_error error = offset != 0 ? COMMAND_OK : COMMAND_BAD_STRING;

    string->first_glyph = batch->num_glyphs;
    uint32_t length = read_u16(&at);
    string->flags = read_u8(&at) & SPICE_STRING_FLAGS_MASK;
    for (uint32_t i = 0; error == COMMAND_OK && i < length; i++) {
        error = at.at - offset <= MAX_STRING_SIZE
                    ? read_glyph(&at, batch, glyph_bits(string->flags))
                    : COMMAND_TOO_BIG;
    }
    if (error == COMMAND_OK && at.failed) {
        error = COMMAND_MESSAGE_SHORT;
    }
    if (error != COMMAND_OK) {
        return error;
    }
    string->num_glyphs = batch->num_glyphs - string->first_glyph;
    return string_ok(batch, string) ? COMMAND_OK : COMMAND_BAD_STRING;
}
