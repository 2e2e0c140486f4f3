/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas_paint_rows.c: commands that put pixels together bit by bit.
 */
#include <math.h>
#include <spice/enums.h>
#include <spice/qxl_dev.h>
#include <string.h>

#include "canvas_paint.h"
#include "canvas_rop.h"

int
has_source(const struct draw_command *command)
{
    switch (command->type) {
    case QXL_DRAW_COPY:
    case QXL_DRAW_BLEND:
    case QXL_DRAW_OPAQUE:
    case QXL_DRAW_ROP3:
    case QXL_DRAW_TRANSPARENT:
    case QXL_DRAW_ALPHA_BLEND:
    case QXL_DRAW_COMPOSITE:
        return 1;
    default:
        return 0;
    }
}

/* To the nearest whole number; what is too far away for any picture stays there. */
static int32_t
rounded(double number)
{
    double limit = 1 << 28;

    return (int32_t)floor(fmin(fmax(number, -limit), limit) + 0.5);
}

/* The clients scale the source of a ROP3 from its origin on, not from the area's. */
static void
scale_for_rop3(struct painter *painter, double x_factor, double y_factor)
{
    const struct draw_command *command = painter->command;

    sampling_scale(&painter->sampling, pixman_double_to_fixed(x_factor),
                   pixman_double_to_fixed(y_factor), 0, 0,
                   command->scale_mode == SPICE_IMAGE_SCALE_MODE_NEAREST);
    painter->sampling.x += rounded(command->src_area.left / x_factor);
    painter->sampling.y += rounded(command->src_area.top / y_factor);
}

void
scale_source(struct painter *painter)
{
    const struct draw_command *command = painter->command;
    const struct draw_rect *area = &command->src_area, *box = &command->bbox;
    int64_t width = box->right - box->left, height = box->bottom - box->top;
    int64_t src_width = area->right - area->left, src_height = area->bottom - area->top;
    int nearest = command->type == QXL_DRAW_TRANSPARENT ||
                  command->type == QXL_DRAW_ALPHA_BLEND ||
                  command->scale_mode == SPICE_IMAGE_SCALE_MODE_NEAREST;

    painter->sampling.x = -box->left;
    painter->sampling.y = -box->top;
    painter->is_scaled = 0;
    if (command->type == QXL_DRAW_COMPOSITE || src_width <= 0 || src_height <= 0)
        return; /* the latter is not drawn */
    painter->is_scaled = width != src_width || height != src_height;
    if (!painter->is_scaled) {
        painter->sampling.x += area->left;
        painter->sampling.y += area->top;
    } else if (command->type == QXL_DRAW_ROP3) {
        scale_for_rop3(painter, (double)src_width / (double)width,
                       (double)src_height / (double)height);
    } else {
        sampling_scale(&painter->sampling, (pixman_fixed_t)(src_width * 65536 / width),
                       (pixman_fixed_t)(src_height * 65536 / height), area->left,
                       area->top, nearest);
    }
}

static size_t
row_bytes(const struct painter *painter, pixman_box32_t box)
{
    return (size_t)box_width(box) * painter->target.pixel_size;
}

void
paint_brush(struct painter *painter, pixman_box32_t box)
{
    size_t count = row_bytes(painter, box);

    for (int32_t y = box.y1; y < box.y2; y++)
        rop_apply(target_at(painter, box.x1, y), brush_row(painter, box, y), count,
                  painter->rop);
}

void
paint_copy(struct painter *painter, pixman_box32_t box)
{
    size_t count = row_bytes(painter, box);

    while (box.y1 < box.y2) {
        pixman_box32_t band = first_band(box);
        ptrdiff_t stride;
        const uint8_t *row = source_rows(painter, band, &stride);

        for (int32_t y = band.y1; y < band.y2; y++, row += stride)
            rop_apply(target_at(painter, box.x1, y), row, count, painter->rop);
        box.y1 = band.y2;
    }
}

/* The brush meets the source, not what was there before. */
void
paint_opaque(struct painter *painter, pixman_box32_t box)
{
    size_t count = row_bytes(painter, box);

    while (box.y1 < box.y2) {
        pixman_box32_t band = first_band(box);
        ptrdiff_t stride;
        const uint8_t *row = source_rows(painter, band, &stride);

        for (int32_t y = band.y1; y < band.y2; y++, row += stride) {
            uint8_t *dst = target_at(painter, box.x1, y);

            memmove(dst, row, count);
            rop_apply(dst, brush_row(painter, box, y), count, painter->rop);
        }
        box.y1 = band.y2;
    }
}

void
paint_rop3(struct painter *painter, pixman_box32_t box)
{
    size_t count = row_bytes(painter, box);

    while (box.y1 < box.y2) {
        pixman_box32_t band = first_band(box);
        ptrdiff_t stride;
        const uint8_t *row = source_rows(painter, band, &stride);

        for (int32_t y = band.y1; y < band.y2; y++, row += stride)
            rop3_apply(target_at(painter, box.x1, y), row, brush_row(painter, box, y),
                       count, painter->command->rop3);
        box.y1 = band.y2;
    }
}

/* The key as a pixel of the surface; the clients give it no meaning in 8 bits. */
static uint32_t
color_key(const struct painter *painter)
{
    uint32_t color = painter->command->true_color;

    switch (painter->target.format) {
    case SPICE_SURFACE_FMT_16_555:
        return (color >> 3 & 0x1f) | (color >> 6 & 0x3e0) | (color >> 9 & 0x7c00);
    case SPICE_SURFACE_FMT_16_565:
        return (color >> 3 & 0x1f) | (color >> 5 & 0x7e0) | (color >> 8 & 0xf800);
    case SPICE_SURFACE_FMT_8_A:
        return 0;
    default:
        return color;
    }
}

void
paint_transparent(struct painter *painter, pixman_box32_t box)
{
    while (box.y1 < box.y2) {
        pixman_box32_t band = first_band(box);
        ptrdiff_t stride;
        const uint8_t *row = source_rows(painter, band, &stride);

        for (int32_t y = band.y1; y < band.y2; y++, row += stride)
            rop_color_key(target_at(painter, box.x1, y), row, box_width(box),
                          painter->target.pixel_size, color_key(painter));
        box.y1 = band.y2;
    }
}
