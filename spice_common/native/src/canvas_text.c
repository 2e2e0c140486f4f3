/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas_text.c: strings of glyphs, as a mask through which the brush is laid on.
 *
 * A glyph's last row comes first, whatever SPICE_STRING_FLAGS_RASTER_TOP_DOWN says: the
 * clients do not know that flag.
 */
#include <spice/enums.h>
#include <stdlib.h>
#include <string.h>

#include "canvas_compose.h"

/* A string's alpha, one byte a pixel, where it is visible. */
struct text_mask {
    pixman_box32_t box;
    size_t stride;
    uint8_t *pixels;
};

static pixman_box32_t
common_box(pixman_box32_t box, pixman_box32_t other)
{
    box.x1 = box.x1 > other.x1 ? box.x1 : other.x1;
    box.y1 = box.y1 > other.y1 ? box.y1 : other.y1;
    box.x2 = box.x2 < other.x2 ? box.x2 : other.x2;
    box.y2 = box.y2 < other.y2 ? box.y2 : other.y2;
    return box;
}

static int
is_empty(pixman_box32_t box)
{
    return box.x1 >= box.x2 || box.y1 >= box.y2;
}

static pixman_box32_t
glyph_box(const struct draw_glyph *glyph)
{
    pixman_box32_t box;

    box.x1 = glyph->render_x + glyph->origin_x;
    box.y1 = glyph->render_y + glyph->origin_y;
    box.x2 = box.x1 + (int32_t)glyph->width;
    box.y2 = box.y1 + (int32_t)glyph->height;
    return box;
}

static pixman_box32_t
string_box(const struct draw_plan *plan)
{
    const struct draw_string *string = &plan->command->string;
    const struct draw_glyph *glyphs = plan->batch->glyphs + string->first_glyph;
    pixman_box32_t all = glyph_box(&glyphs[0]);

    for (uint32_t i = 1; i < string->num_glyphs; i++) {
        pixman_box32_t box = glyph_box(&glyphs[i]);

        all.x1 = box.x1 < all.x1 ? box.x1 : all.x1;
        all.y1 = box.y1 < all.y1 ? box.y1 : all.y1;
        all.x2 = box.x2 > all.x2 ? box.x2 : all.x2;
        all.y2 = box.y2 > all.y2 ? box.y2 : all.y2;
    }
    return all;
}

/* Bits of a glyph's pixel; 0: the string is of no kind that is drawn. */
static uint32_t
glyph_depth(const struct draw_string *string)
{
    if (string->flags & SPICE_STRING_FLAGS_RASTER_A1)
        return 1;
    if (string->flags & SPICE_STRING_FLAGS_RASTER_A4)
        return 4;
    return string->flags & SPICE_STRING_FLAGS_RASTER_A8 ? 8 : 0;
}

static void
add_alpha(uint8_t *to, uint8_t alpha)
{
    *to = alpha > *to ? alpha : *to;
}

/* Pixels from first to end of one row, the leftmost in the highest bits. */
static void
add_glyph_row(uint8_t *to, const uint8_t *row, uint32_t depth, uint32_t first,
              uint32_t end)
{
    for (uint32_t x = first; x < end; x++, to++) {
        uint8_t byte = row[x * depth / 8];

        if (depth == 1)
            add_alpha(to, byte >> (7 - x % 8) & 1 ? 0xff : 0);
        else if (depth == 8)
            add_alpha(to, byte);
        else if (x % 2 == 0)
            add_alpha(to, byte & 0xf0);
        else if (byte & 0xf0) /* what the clients make of the byte's other half */
            *to = (uint8_t)(byte << 4);
        else
            add_alpha(to, (uint8_t)(byte << 4));
    }
}

static void
add_glyph(struct text_mask *mask, const struct draw_plan *plan,
          const struct draw_glyph *glyph, uint32_t depth)
{
    const uint8_t *rows = plan->batch->glyph_bytes + glyph->first_byte;
    size_t stride = ((size_t)glyph->width * depth + 7) / 8;
    pixman_box32_t whole = glyph_box(glyph), box = common_box(whole, mask->box);

    if (is_empty(box) || stride * glyph->height > glyph->num_bytes)
        return;
    for (int32_t y = box.y1; y < box.y2; y++) {
        size_t row = glyph->height - 1 - (uint32_t)(y - whole.y1);

        add_glyph_row(mask->pixels + (size_t)(y - mask->box.y1) * mask->stride +
                          (box.x1 - mask->box.x1),
                      rows + row * stride, depth, (uint32_t)(box.x1 - whole.x1),
                      (uint32_t)(box.x2 - whole.x1));
    }
}

static int
text_mask_init(struct text_mask *mask, const struct draw_plan *plan)
{
    const struct draw_string *string = &plan->command->string;

    mask->pixels = NULL;
    if (string->num_glyphs == 0 || glyph_depth(string) == 0)
        return -1;
    mask->box = common_box(string_box(plan), plan->extents);
    if (is_empty(mask->box))
        return -1;
    mask->stride = ((size_t)box_width(mask->box) + 3) / 4 * 4;
    mask->pixels = calloc(box_height(mask->box), mask->stride);
    if (!mask->pixels)
        return -1;
    for (uint32_t i = 0; i < string->num_glyphs; i++)
        add_glyph(mask, plan, &plan->batch->glyphs[string->first_glyph + i],
                  glyph_depth(string));
    return 0;
}

/* The color of a brush as the clients widen it; 16 bits are 5 for each channel. */
static pixman_image_t *
plain_color(const struct painter *painter)
{
    uint32_t bits = painter->target.pixel_size == 2 ? 5 : 8, most = (1u << bits) - 1;
    uint32_t color = painter->brush.color;
    pixman_color_t plain = {.alpha = 0xffff};

    plain.blue = (uint16_t)((color & most) * 0xffff / most);
    plain.green = (uint16_t)((color >> bits & most) * 0xffff / most);
    plain.red = (uint16_t)((color >> 2 * bits & most) * 0xffff / most);
    return pixman_image_create_solid_fill(&plain);
}

/* The pattern for box, which begins where the string does. */
static pixman_image_t *
pattern_image(struct painter *painter, pixman_box32_t box)
{
    uint8_t *rows = painter->canvas->bands[BAND_SOURCE];
    size_t count = (size_t)box_width(box) * painter->target.pixel_size;
    size_t stride = (count + 3) / 4 * 4;
    pixman_format_code_t format = painter->brush.pattern.format;

    if (!same_pixels(painter->brush.pattern.layout, painter->target.format))
        format = surface_pixman_format(painter->target.format);
    for (int32_t y = box.y1; y < box.y2; y++)
        memcpy(rows + (size_t)(y - box.y1) * stride, brush_row(painter, box, y), count);
    return pixman_image_create_bits(format, (int)box_width(box), (int)box_height(box),
                                    (uint32_t *)rows, (int)stride);
}

static void
lay_on(struct painter *painter, const struct text_mask *mask, pixman_image_t *color,
       pixman_box32_t box)
{
    struct composition composition = {.op = PIXMAN_OP_OVER, .plain_source = color};
    const uint8_t *pixels = mask->pixels +
                            (size_t)(box.y1 - mask->box.y1) * mask->stride +
                            (box.x1 - mask->box.x1);
    uint8_t *rows = painter->canvas->bands[BAND_MASK];
    size_t stride = ((size_t)box_width(box) + 3) / 4 * 4;

    for (uint32_t i = 0; i < box_height(box); i++)
        memcpy(rows + i * stride, pixels + i * mask->stride, box_width(box));
    if (!color)
        composition.plain_source = pattern_image(painter, box);
    composition.plain_mask =
        pixman_image_create_bits(PIXMAN_a8, (int)box_width(box), (int)box_height(box),
                                 (uint32_t *)rows, (int)stride);
    if (composition.plain_mask && composition.plain_source)
        compose_target(painter, &composition,
                       surface_pixman_format(painter->target.format),
                       painter->target.format == SPICE_SURFACE_FMT_32_xRGB, box);
    if (composition.plain_mask)
        pixman_image_unref(composition.plain_mask);
    if (!color && composition.plain_source)
        pixman_image_unref(composition.plain_source);
}

/* The background is a fill of what is visible of back_area. */
static void
paint_back(struct painter *painter)
{
    const struct draw_command *command = painter->command;
    const struct draw_rect *area = &command->back_area;
    pixman_box32_t back = {area->left, area->top, area->right, area->bottom};

    picture_fini(&painter->brush.pattern); /* the pictures share their scratch */
    if (brush_init(&painter->brush, painter->canvas, painter->plan,
                   &command->back_brush, PICTURE_TO_READ) == PICTURE_OK) {
        painter->rop = SPICE_ROPD_OP_PUT;
        for (uint32_t i = 0; i < painter->plan->num_rects; i++) {
            pixman_box32_t box = common_box(painter->plan->rects[i], back);

            if (!is_empty(box))
                paint_brush(painter, box);
        }
    }
    picture_fini(&painter->brush.pattern);
}

static void
paint_string(struct painter *painter, const struct text_mask *mask)
{
    const struct draw_plan *plan = painter->plan;
    pixman_box32_t string = string_box(plan);
    pixman_image_t *color = NULL;

    if (painter->brush.is_pattern) {
        painter->brush.x += string.x1;
        painter->brush.y += string.y1;
        painter->brush.row_y = -1;
    } else {
        color = plain_color(painter);
    }
    for (uint32_t i = 0; i < plan->num_rects; i++) {
        pixman_box32_t box = common_box(plan->rects[i], mask->box);

        while (!is_empty(box)) {
            pixman_box32_t band = first_band(box);

            if (color || painter->brush.is_pattern)
                lay_on(painter, mask, color, band);
            box.y1 = band.y2;
        }
    }
    if (color)
        pixman_image_unref(color);
}

void
paint_text(struct painter *painter)
{
    const struct draw_command *command = painter->command;
    const struct draw_rect *area = &command->back_area;
    struct text_mask mask;

    if (area->left < area->right && area->top < area->bottom) {
        paint_back(painter);
        if (brush_init(&painter->brush, painter->canvas, painter->plan, &command->brush,
                       PICTURE_TO_READ) != PICTURE_OK)
            return;
    }
    if (command->brush.type == SPICE_BRUSH_TYPE_NONE)
        return;
    if (text_mask_init(&mask, painter->plan) == 0)
        paint_string(painter, &mask);
    free(mask.pixels);
}
