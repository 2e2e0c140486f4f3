/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas_draw.c: moving pixels.  Everything here lies inside its surface already.
 */
#include "canvas_draw.h"

#include <spice/enums.h>
#include <string.h>

#include "bitmap.h"
#include "canvas_paint.h"
#include "canvas_rop.h"

static uint8_t *
surface_at(const struct surface *surface, int32_t x, int32_t y)
{
    return surface->line_0 + (ptrdiff_t)y * surface->stride +
           (size_t)x * surface->pixel_size;
}

static void
put_row(uint8_t *dst, const uint8_t *src, size_t count, uint32_t rop)
{
    if (rop_is_put(rop))
        memmove(dst, src, count);
    else
        rop_apply(dst, src, count, rop);
}

static void
count_pixels(struct canvas *canvas, const struct surface *surface, pixman_box32_t rect)
{
    canvas->counters.pixel_bytes +=
        (uint64_t)box_width(rect) * box_height(rect) * surface->pixel_size;
}

static void
draw_solid(const struct draw_plan *plan, struct canvas *canvas)
{
    const struct surface *surface = plan->surface;

    rop_fill_row(canvas->row, plan->color, box_width(plan->extents),
                 surface->pixel_size);
    for (uint32_t i = 0; i < plan->num_rects; i++) {
        pixman_box32_t rect = plan->rects[i];
        size_t count = (size_t)box_width(rect) * surface->pixel_size;

        for (int32_t y = rect.y1; y < rect.y2; y++)
            put_row(surface_at(surface, rect.x1, y), canvas->row, count, plan->rop);
        count_pixels(canvas, surface, rect);
    }
}

/* Move the pixels of one rectangle; upwards says in which order rows are safe. */
static void
move_rect(const struct draw_plan *plan, struct canvas *canvas, pixman_box32_t rect)
{
    const struct surface *surface = plan->surface;
    size_t count = (size_t)box_width(rect) * surface->pixel_size;

    for (int32_t i = 0; i < (int32_t)box_height(rect); i++) {
        int32_t y = plan->dy >= 0 ? rect.y1 + i : rect.y2 - 1 - i;

        memmove(surface_at(surface, rect.x1, y),
                surface_at(surface, rect.x1 + plan->dx, y + plan->dy), count);
    }
    count_pixels(canvas, surface, rect);
}

/*
 * The rectangles lie in bands, sorted down and to the right.  Going through them
 * against the direction of the move, none overwrites what another still has to read.
 */
static void
draw_copy_bits(const struct draw_plan *plan, struct canvas *canvas)
{
    uint32_t done = 0;

    while (done < plan->num_rects) {
        uint32_t first, last; /* of a band */

        if (plan->dy >= 0) {
            first = last = done;
            while (last + 1 < plan->num_rects &&
                   plan->rects[last + 1].y1 == plan->rects[first].y1)
                last++;
        } else {
            first = last = plan->num_rects - 1 - done;
            while (first > 0 && plan->rects[first - 1].y1 == plan->rects[last].y1)
                first--;
        }
        for (uint32_t i = 0; i <= last - first; i++)
            move_rect(plan, canvas, plan->rects[plan->dx >= 0 ? first + i : last - i]);
        done += last - first + 1;
    }
}

/* Bring width pixels to a format, through canvas->row if it is another one. */
static const uint8_t *
converted(struct canvas *canvas, const uint8_t *pixels, uint32_t format, uint32_t width,
          uint32_t wanted)
{
    if (same_pixels(format, wanted))
        return pixels;
    pixels_decode(pixels, width, format, canvas->scratch.words);
    pixels_encode(canvas->scratch.words, width, wanted, canvas->row);
    return canvas->row;
}

void
draw_pixels(const struct draw_plan *plan, struct canvas *canvas, pixman_box32_t rect,
            const uint8_t *pixels, size_t pixels_stride, uint32_t format)
{
    const struct surface *surface = plan->surface;
    size_t count = (size_t)box_width(rect) * surface->pixel_size;

    for (int32_t y = rect.y1; y < rect.y2; y++) {
        put_row(surface_at(surface, rect.x1, y),
                converted(canvas, pixels, format, box_width(rect), surface->format),
                count, plan->rop);
        pixels += pixels_stride;
    }
    count_pixels(canvas, surface, rect);
}

void
surface_read(struct canvas *canvas, const struct surface *surface, pixman_box32_t rect,
             uint32_t format, uint8_t *dst, size_t dst_stride)
{
    size_t count = (size_t)box_width(rect) * surface->pixel_size;

    for (int32_t y = rect.y1; y < rect.y2; y++) {
        const uint8_t *src = surface_at(surface, rect.x1, y);

        if (format == surface->format) {
            memmove(dst, src, count);
        } else {
            memcpy(canvas->row, src, count);
            pixels_decode(canvas->row, box_width(rect), surface->format,
                          canvas->scratch.words);
            pixels_encode(canvas->scratch.words, box_width(rect), format, dst);
        }
        dst += dst_stride;
    }
}

static void
draw_surface(const struct draw_plan *plan, struct canvas *canvas)
{
    for (uint32_t i = 0; i < plan->num_rects; i++) {
        pixman_box32_t rect = plan->rects[i];

        for (int32_t y = rect.y1; y < rect.y2; y++) {
            pixman_box32_t row = {rect.x1, y, rect.x2, y + 1};
            pixman_box32_t from = {row.x1 + plan->dx, row.y1 + plan->dy,
                                   row.x2 + plan->dx, row.y2 + plan->dy};

            surface_read(canvas, plan->source, from, plan->source->format,
                         canvas->scratch.bytes, 0);
            draw_pixels(plan, canvas, row, canvas->scratch.bytes, 0,
                        plan->source->format);
        }
    }
}

void
draw_bitmap_rect(const struct draw_plan *plan, struct canvas *canvas,
                 pixman_box32_t rect)
{
    const struct surface *surface = plan->surface;
    struct bitmap_part part = {(uint32_t)(rect.x1 + plan->dx),
                               (uint32_t)(rect.y1 + plan->dy), box_width(rect),
                               box_height(rect)};
    size_t count = (size_t)part.width * surface->pixel_size;

    count_pixels(canvas, surface, rect);
    if (rop_is_put(plan->rop)) {
        bitmap_source_read(&plan->bitmap, &canvas->scratch, part, surface->format,
                           surface_at(surface, rect.x1, rect.y1), surface->stride);
        return;
    }
    part.height = 1;
    for (int32_t y = rect.y1; y < rect.y2; y++, part.y++) {
        bitmap_source_read(&plan->bitmap, &canvas->scratch, part, surface->format,
                           canvas->row, 0);
        rop_apply(surface_at(surface, rect.x1, y), canvas->row, count, plan->rop);
    }
}

void
draw_plan_execute(const struct draw_plan *plan, struct canvas *canvas)
{
    switch (plan->kind) {
    case DRAW_BITMAP:
        for (uint32_t i = 0; i < plan->num_rects; i++)
            draw_bitmap_rect(plan, canvas, plan->rects[i]);
        break;
    case DRAW_SOLID:
        draw_solid(plan, canvas);
        break;
    case DRAW_COPY_BITS:
        draw_copy_bits(plan, canvas);
        break;
    case DRAW_SURFACE:
        draw_surface(plan, canvas);
        break;
    case DRAW_OTHER:
        paint_plan(plan, canvas);
        break;
    default:
        break;
    }
}
