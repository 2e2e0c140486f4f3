/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* QXL_DRAW_STROKE: a path and how its line looks. */
#include "command_parse.h"

#include <stddef.h>
#include <string.h>

/* Append the segment whose header was fetched with its points behind it. */
static enum command_error
append_segment(struct command_batch *batch, const QXLPathSeg *header,
               const uint8_t *points)
{
    struct path_segment *segment = more_segments(batch, 1);
    struct fixed_point *to = more_points(batch, header->count);

    _Static_assert(sizeof(QXLPointFix) == sizeof(struct fixed_point), "same layout");
    if (segment == NULL || to == NULL) {
        return COMMAND_NO_MEMORY;
    }
    memcpy(to, points, header->count * sizeof(*to));
    *segment = (struct path_segment){
        .first_point = batch->num_points,
        .num_points = header->count,
        .flags = header->flags & SPICE_PATH_FLAGS_MASK,
    };
    batch->num_segments++;
    batch->num_points += header->count;
    return COMMAND_OK;
}

/* The segments in size fetched bytes; less than a header at their end is nothing. */
static enum command_error
parse_segments(struct command_batch *batch, const uint8_t *bytes, uint32_t size)
{
    enum command_error error = COMMAND_OK;
    while (error == COMMAND_OK && size >= sizeof(QXLPathSeg)) {
        QXLPathSeg header;
        memcpy(&header, bytes, sizeof(header));
        bytes += sizeof(header);
        size -= (uint32_t)sizeof(header);
        if (header.count > size / sizeof(struct fixed_point)) {
            return COMMAND_BAD_PATH;
        }
        error = append_segment(batch, &header, bytes);
        bytes += header.count * sizeof(struct fixed_point);
        size -= header.count * (uint32_t)sizeof(struct fixed_point);
    }
    return error;
}

/* QXLPath.data_size counts for nothing with other devices; the chain's length does. */
static enum command_error
parse_path(struct parser *parser, uint64_t address, struct draw_path *to)
{
    struct command_batch *batch = parser->batch;
    uint32_t size;
    enum command_error error =
        fetch_chain(parser, address + offsetof(QXLPath, chunk), MAX_PATH_SIZE, &size);
    if (error != COMMAND_OK) {
        return error;
    }
    to->first_segment = batch->num_segments;
    error = parse_segments(batch, batch->glyph_bytes + batch->num_glyph_bytes, size);
    to->num_segments = batch->num_segments - to->first_segment;
    if (error != COMMAND_OK) {
        return error;
    }
    return path_ok(batch, to) ? COMMAND_OK : COMMAND_BAD_PATH;
}

static enum command_error
parse_line_attributes(struct parser *parser, const QXLLineAttr *from,
                      struct draw_path *to)
{
    struct command_batch *batch = parser->batch;
    to->line_flags = from->flags & SPICE_LINE_FLAGS_MASK;
    to->first_style = batch->num_styles;
    to->num_styles = 0;
    if (!(to->line_flags & SPICE_LINE_FLAGS_STYLED)) {
        return COMMAND_OK;
    }
    int32_t *styles = more_styles(batch, from->style_nseg);
    if (styles == NULL) {
        return COMMAND_NO_MEMORY;
    }
    to->num_styles = from->style_nseg;
    batch->num_styles += from->style_nseg;
    enum command_error error = command_fetch(parser->slots, from->style, styles,
                                             from->style_nseg * sizeof(*styles));
    if (error != COMMAND_OK) {
        return error;
    }
    return line_style_ok(batch, to) ? COMMAND_OK : COMMAND_BAD_PATH;
}

enum command_error
parse_stroke(struct parser *parser, const QXLDrawable *from, struct draw_command *to)
{
    const QXLStroke *stroke = &from->u.stroke;
    const QXLLineAttr attributes = stroke->attr;
    to->fore_mode = stroke->fore_mode;
    to->back_mode = stroke->back_mode;
    if (!operation_ok(to->fore_mode, 0) || !operation_ok(to->back_mode, 0)) {
        return COMMAND_BAD_DRAWABLE;
    }
    enum command_error error = parse_path(parser, stroke->path, &to->path);
    if (error == COMMAND_OK) {
        error = parse_line_attributes(parser, &attributes, &to->path);
    }
    return error == COMMAND_OK ? parse_brush(parser, &stroke->brush, &to->brush)
                               : error;
}
