/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record_drawable.h"

#include <string.h>

#include <spice/qxl_dev.h>

static void
note_brush(struct record_text *text, const struct command_batch *batch,
           const struct draw_brush *brush)
{
    note_line(text, "type", brush->type);
    if (brush->type == SPICE_BRUSH_TYPE_SOLID) {
        note_line(text, "u.color", brush->color);
    } else if (brush->type == SPICE_BRUSH_TYPE_PATTERN) {
        note_image(text, batch, brush->image);
        note_pair(text, "point", brush->pos_x, brush->pos_y);
    }
}

static void
note_mask(struct record_text *text, const struct command_batch *batch,
          const struct draw_mask *mask)
{
    note_line(text, "flags", mask->flags);
    note_pair(text, "point", mask->pos_x, mask->pos_y);
    note_image(text, batch, mask->image);
}

/* The image and the part of it that most draw types begin with. */
static void
note_source(struct record_text *text, const struct command_batch *batch,
            const struct draw_command *draw)
{
    note_image(text, batch, draw->image);
    note_rect(text, "src_area", &draw->src_area);
}

static void
note_modes(struct record_text *text, const struct draw_command *draw)
{
    note_line(text, "fore_mode", draw->fore_mode);
    note_line(text, "back_mode", draw->back_mode);
}

/* The segments of a path as QXLPathSeg. */
static void
note_path(struct record_text *text, const struct command_batch *batch,
          const struct draw_path *path)
{
    const struct path_segment *segments = batch->segments + path->first_segment;
    uint64_t size = 0;
    for (uint32_t i = 0; i < path->num_segments; i++) {
        size += sizeof(QXLPathSeg) + segments[i].num_points * sizeof(QXLPointFix);
    }
    uint8_t *to = note_chunk(text, "path", size);
    for (uint32_t i = 0; to != NULL && i < path->num_segments; i++) {
        uint32_t head[2] = {segments[i].flags, segments[i].num_points};
        uint64_t points = segments[i].num_points * sizeof(QXLPointFix);
        memcpy(to, head, sizeof(head));
        if (points != 0) {
            memcpy(to + sizeof(head), batch->points + segments[i].first_point, points);
        }
        to += sizeof(head) + points;
    }
}

static void
note_stroke(struct record_text *text, const struct command_batch *batch,
            const struct draw_command *draw)
{
    const struct draw_path *path = &draw->path;
    note_path(text, batch, path);
    note_line(text, "attr.flags", path->line_flags);
    if (path->line_flags & SPICE_LINE_FLAGS_STYLED) {
        uint64_t size = path->num_styles * sizeof(int32_t);
        note_line(text, "attr.style_nseg", path->num_styles);
        uint8_t *to = note_binary(text, "style", size);
        if (to != NULL && size != 0) {
            memcpy(to, batch->styles + path->first_style, size);
        }
    }
    note_brush(text, batch, &draw->brush);
    note_modes(text, draw);
}

static uint8_t *
note_glyph(uint8_t *to, const struct command_batch *batch,
           const struct draw_glyph *glyph)
{
    QXLRasterGlyph head = {
        .render_pos = {.x = glyph->render_x, .y = glyph->render_y},
        .glyph_origin = {.x = glyph->origin_x, .y = glyph->origin_y},
        .width = (uint16_t)glyph->width,
        .height = (uint16_t)glyph->height,
    };
    memcpy(to, &head, sizeof(head));
    if (glyph->num_bytes != 0) {
        memcpy(to + sizeof(head), batch->glyph_bytes + glyph->first_byte,
               glyph->num_bytes);
    }
    return to + sizeof(head) + glyph->num_bytes;
}

static void
note_text(struct record_text *text, const struct command_batch *batch,
          const struct draw_command *draw)
{
    const struct draw_glyph *glyphs = batch->glyphs + draw->string.first_glyph;
    uint32_t count = draw->string.num_glyphs;
    uint64_t size = 0;
    for (uint32_t i = 0; i < count; i++) {
        size += sizeof(QXLRasterGlyph) + glyphs[i].num_bytes;
    }
    note_line(text, "data_size", (uint32_t)size);
    note_line(text, "length", count);
    note_line(text, "flags", draw->string.flags);
    uint8_t *to = note_chunk(text, "string", size);
    for (uint32_t i = 0; to != NULL && i < count; i++) {
        to = note_glyph(to, batch, &glyphs[i]);
    }
    note_rect(text, "back_area", &draw->back_area);
    note_brush(text, batch, &draw->brush);
    note_brush(text, batch, &draw->back_brush);
    note_modes(text, draw);
}

static void
note_transform(struct record_text *text, const char *name, const int32_t *transform)
{
    note_line(text, name, transform != NULL);
    if (transform != NULL) {
        uint8_t *to = note_binary(text, "transform", sizeof(QXLTransform));
        if (to != NULL) {
            memcpy(to, transform, sizeof(QXLTransform));
        }
    }
}

static void
note_composite(struct record_text *text, const struct command_batch *batch,
               const struct draw_command *draw)
{
    const struct draw_composite *composite = &draw->composite;
    note_line(text, "flags", composite->flags);
    note_image(text, batch, draw->image);
    note_transform(text, "src_transform",
                   composite->has_src_transform ? composite->src_transform : NULL);
    note_line(text, "mask", composite->mask != NO_IMAGE);
    if (composite->mask != NO_IMAGE) {
        note_image(text, batch, composite->mask);
    }
    note_transform(text, "mask_transform",
                   composite->has_mask_transform ? composite->mask_transform : NULL);
    note_pair(text, "src_origin", composite->src_origin_x, composite->src_origin_y);
    note_pair(text, "mask_origin", composite->mask_origin_x, composite->mask_origin_y);
}

static void
note_operation(struct record_text *text, const struct draw_command *draw)
{
    note_line(text, "rop_descriptor", draw->rop_descriptor);
    if (draw->type != QXL_DRAW_FILL) {
        note_line(text, "scale_mode", draw->scale_mode);
    }
}

static void
note_type(struct record_text *text, const struct command_batch *batch,
          const struct draw_command *draw)
{
    switch (draw->type) {
    case QXL_DRAW_FILL:
        note_brush(text, batch, &draw->brush);
        note_operation(text, draw);
        note_mask(text, batch, &draw->mask);
        break;
    case QXL_DRAW_OPAQUE:
        note_source(text, batch, draw);
        note_brush(text, batch, &draw->brush);
        note_operation(text, draw);
        note_mask(text, batch, &draw->mask);
        break;
    case QXL_DRAW_COPY:
    case QXL_DRAW_BLEND:
        note_source(text, batch, draw);
        note_operation(text, draw);
        note_mask(text, batch, &draw->mask);
        break;
    case QXL_COPY_BITS:
        note_pair(text, "point", draw->src_x, draw->src_y);
        break;
    case QXL_DRAW_BLACKNESS:
    case QXL_DRAW_WHITENESS:
    case QXL_DRAW_INVERS:
        note_mask(text, batch, &draw->mask);
        break;
    case QXL_DRAW_ROP3:
        note_source(text, batch, draw);
        note_brush(text, batch, &draw->brush);
        note_line(text, "rop3", draw->rop3);
        note_line(text, "scale_mode", draw->scale_mode);
        note_mask(text, batch, &draw->mask);
        break;
    case QXL_DRAW_STROKE:
        note_stroke(text, batch, draw);
        break;
    case QXL_DRAW_TEXT:
        note_text(text, batch, draw);
        break;
    case QXL_DRAW_TRANSPARENT:
        note_source(text, batch, draw);
        note_line(text, "src_color", draw->src_color);
        note_line(text, "true_color", draw->true_color);
        break;
    case QXL_DRAW_ALPHA_BLEND:
        note_line(text, "alpha_flags", draw->alpha_flags);
        note_line(text, "alpha", draw->alpha);
        note_source(text, batch, draw);
        break;
    case QXL_DRAW_COMPOSITE:
        note_composite(text, batch, draw);
        break;
    default:
        break;
    }
}

static void
note_clip(struct record_text *text, const struct command_batch *batch,
          const struct draw_command *draw)
{
    note_line(text, "type", draw->clip_type);
    if (draw->clip_type == SPICE_CLIP_TYPE_RECTS) {
        uint64_t size = draw->num_clips * sizeof(struct draw_rect);
        note_line(text, "num_rects", draw->num_clips);
        uint8_t *to = note_chunk(text, "clip_rects", size);
        if (to != NULL && size != 0) {
            memcpy(to, batch->clips + draw->first_clip, size);
        }
    }
}

void
note_drawable(struct record_text *text, const struct command_batch *batch,
              const struct draw_command *draw)
{
    note_word(text, "drawable\n");
    note_rect(text, "bbox", &draw->bbox);
    note_clip(text, batch, draw);
    note_line(text, "effect", draw->effect);
    note_line(text, "mm_time", draw->mm_time);
    note_line(text, "self_bitmap", draw->self_bitmap);
    note_rect(text, "self_bitmap_area", &draw->self_bitmap_area);
    note_line(text, "surface_id", draw->surface_id);
    for (int i = 0; i < 3; i++) {
        note_line(text, "surfaces_dest", (uint32_t)draw->surfaces_dest[i]);
        note_rect(text, "surfaces_rects", &draw->surfaces_rects[i]);
    }
    note_line(text, "type", draw->type);
    note_type(text, batch, draw);
}
