/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check_draw.h"

#include <spice/enums.h>
#include <spice/qxl_dev.h>
#include <stdbool.h>

#include "check.h"

enum { FAR = 1 << 20 };

static bool
near_enough(int32_t x, int32_t y)
{
    return x >= -FAR && x <= FAR && y >= -FAR && y <= FAR;
}

static bool
rect_ok(const struct draw_rect *rect)
{
    return rect->left < rect->right && rect->top < rect->bottom &&
           near_enough(rect->left, rect->top) && near_enough(rect->right, rect->bottom);
}

static void
check_range(uint32_t first, uint32_t count, uint32_t length)
{
    CHECK(first <= length && count <= length - first);
}

static void
check_brush(const struct command_batch *batch, const struct draw_brush *brush)
{
    CHECK(brush->type <= SPICE_BRUSH_TYPE_PATTERN);
    if (brush->type == SPICE_BRUSH_TYPE_PATTERN) {
        CHECK(brush->image < batch->num_images);
        CHECK(near_enough(brush->pos_x, brush->pos_y));
    }
}

static void
check_source(const struct command_batch *batch, const struct draw_command *draw)
{
    if (draw->image == NO_IMAGE) {
        return;
    }
    CHECK(draw->image < batch->num_images);
    if (draw->type == QXL_DRAW_COMPOSITE) {
        return;
    }
    const struct guest_image *image = &batch->images[draw->image];
    bool unknown = image->kind == SPICE_IMAGE_TYPE_SURFACE ||
                   image->kind == SPICE_IMAGE_TYPE_FROM_CACHE ||
                   image->kind == SPICE_IMAGE_TYPE_FROM_CACHE_LOSSLESS;
    CHECK(rect_ok(&draw->src_area));
    CHECK(draw->src_area.left >= 0 && draw->src_area.top >= 0);
    CHECK((uint32_t)draw->src_area.right <= (unknown ? MAX_IMAGE_SIDE : image->width));
    CHECK((uint32_t)draw->src_area.bottom <=
          (unknown ? MAX_IMAGE_SIDE : image->height));
}

static void
check_path(const struct command_batch *batch, const struct draw_path *path)
{
    int32_t pixels = 0;
    check_range(path->first_segment, path->num_segments, batch->num_segments);
    check_range(path->first_style, path->num_styles, batch->num_styles);
    for (uint32_t i = 0; i < path->num_segments; i++) {
        const struct path_segment *segment = &batch->segments[path->first_segment + i];
        CHECK(segment->num_points != 0);
        check_range(segment->first_point, segment->num_points, batch->num_points);
        for (uint32_t j = 0; j < segment->num_points; j++) {
            const struct fixed_point *point = &batch->points[segment->first_point + j];
            CHECK(near_enough(point->x / 16, point->y / 16));
        }
    }
    for (uint32_t i = 0; i < path->num_styles; i++) {
        int32_t style = batch->styles[path->first_style + i];
        CHECK(style >= 0 && style < 256 * 16);
        pixels += (style + 7) / 16;
    }
    CHECK(!(path->line_flags & SPICE_LINE_FLAGS_STYLED) || pixels > 0);
}

static void
check_string(const struct command_batch *batch, const struct draw_string *string)
{
    static const uint8_t depths[] = {0, 1, 4, 0, 8};
    uint32_t depth = depths[string->flags & 7];
    CHECK((string->flags & 7) <= 4 && depth != 0 && string->num_glyphs != 0);
    check_range(string->first_glyph, string->num_glyphs, batch->num_glyphs);
    for (uint32_t i = 0; i < string->num_glyphs; i++) {
        const struct draw_glyph *glyph = &batch->glyphs[string->first_glyph + i];
        CHECK(near_enough(glyph->render_x, glyph->render_y));
        CHECK(near_enough(glyph->origin_x, glyph->origin_y));
        CHECK(glyph->width >= 1 && glyph->width <= MAX_IMAGE_SIDE);
        CHECK(glyph->height >= 1 && glyph->height <= MAX_IMAGE_SIDE);
        CHECK(glyph->num_bytes == (glyph->width * depth + 7) / 8 * glyph->height);
        check_range(glyph->first_byte, glyph->num_bytes, batch->num_glyph_bytes);
    }
}

static void
check_text(const struct command_batch *batch, const struct draw_command *draw)
{
    const struct draw_rect *area = &draw->back_area;
    check_string(batch, &draw->string);
    check_brush(batch, &draw->back_brush);
    CHECK(rect_ok(area) || (area->right == 0 && area->bottom == 0));
}

static void
check_composite(const struct command_batch *batch, const struct draw_command *draw)
{
    const struct draw_composite *composite = &draw->composite;
    CHECK(draw->image != NO_IMAGE);
    CHECK(composite->mask == NO_IMAGE || composite->mask < batch->num_images);
    CHECK((composite->mask != NO_IMAGE) ==
          ((composite->flags & SPICE_COMPOSITE_HAS_MASK) != 0));
    CHECK(composite->has_src_transform ==
          ((composite->flags & SPICE_COMPOSITE_HAS_SRC_TRANSFORM) != 0));
    CHECK(composite->has_mask_transform ==
          ((composite->flags & SPICE_COMPOSITE_HAS_MASK_TRANSFORM) != 0));
}

void
check_draw(const struct command_batch *batch, const struct draw_command *draw)
{
    CHECK(rect_ok(&draw->bbox));
    CHECK(draw->type >= QXL_DRAW_FILL && draw->type <= QXL_DRAW_COMPOSITE);
    CHECK(draw->mask.image == NO_IMAGE || draw->mask.image < batch->num_images);
    check_range(draw->first_clip, draw->num_clips, batch->num_clips);
    for (uint32_t i = 0; i < draw->num_clips; i++) {
        CHECK(rect_ok(&batch->clips[draw->first_clip + i]));
    }
    check_brush(batch, &draw->brush);
    check_source(batch, draw);
    if (draw->type == QXL_DRAW_STROKE) {
        check_path(batch, &draw->path);
    } else if (draw->type == QXL_DRAW_TEXT) {
        check_text(batch, draw);
    } else if (draw->type == QXL_DRAW_COMPOSITE) {
        check_composite(batch, draw);
    }
}
