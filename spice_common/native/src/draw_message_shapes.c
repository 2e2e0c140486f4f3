/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths, their dashes, and strings: what draw messages have behind pointers. */
#include <string.h>

#include "draw_message_parts.h"

/* SpicePath. */
int
write_path(const struct draw_message *message)
{
    const struct draw_path *path = &message->command->path;
    const struct command_batch *batch = message->batch;
    const struct path_segment *segments = batch->segments + path->first_segment;
    uint64_t size = 4;
    uint8_t *at;

    for (uint32_t i = 0; i < path->num_segments; i++)
        size += 1 + 4 + 8 * (uint64_t)segments[i].num_points;
    at = append_bytes(message->messages, size);
    if (!at)
        return -1;
    at = put_u32(at, path->num_segments);
    for (uint32_t i = 0; i < path->num_segments; i++) {
        const struct fixed_point *points = batch->points + segments[i].first_point;

        at = put_u8(at, segments[i].flags);
        at = put_u32(at, segments[i].num_points);
        for (uint32_t j = 0; j < segments[i].num_points; j++)
            at = put_point(at, points[j].x, points[j].y);
    }
    return 0;
}

int
write_style(const struct draw_message *message)
{
    const struct draw_path *path = &message->command->path;
    const int32_t *styles = message->batch->styles + path->first_style;
    uint8_t *at = append_bytes(message->messages, 4 * (uint64_t)path->num_styles);

    if (!at)
        return -1;
    for (uint32_t i = 0; i < path->num_styles; i++)
        at = put_u32(at, (uint32_t)styles[i]);
    return 0;
}

/* SpiceString. */
int
write_string(const struct draw_message *message)
{
    const struct draw_string *string = &message->command->string;
    const struct command_batch *batch = message->batch;
    const struct draw_glyph *glyphs = batch->glyphs + string->first_glyph;
    uint64_t size = 2 + 1;
    uint8_t *at;

    for (uint32_t i = 0; i < string->num_glyphs; i++)
        size += 8 + 8 + 2 + 2 + (uint64_t)glyphs[i].num_bytes;
    at = append_bytes(message->messages, size);
    if (!at)
        return -1;
    at = put_u16(at, string->num_glyphs);
    at = put_u8(at, string->flags);
    for (uint32_t i = 0; i < string->num_glyphs; i++) {
        at = put_point(at, glyphs[i].render_x, glyphs[i].render_y);
        at = put_point(at, glyphs[i].origin_x, glyphs[i].origin_y);
        at = put_u16(at, glyphs[i].width);
        at = put_u16(at, glyphs[i].height);
        memcpy(at, batch->glyph_bytes + glyphs[i].first_byte, glyphs[i].num_bytes);
        at += glyphs[i].num_bytes;
    }
    return 0;
}
