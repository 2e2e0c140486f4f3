/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas_mask.c: what of a clip a mask of bits lets through.
 */
#include <spice/enums.h>
#include <string.h>

#include "bitmap.h"
#include "canvas_paint.h"

enum picture_status
mask_init(struct mask *mask, struct canvas *canvas, const struct draw_plan *plan)
{
    const struct draw_command *command = plan->command;
    const struct guest_image *image;

    mask->is_there = command->mask.image != NO_IMAGE;
    mask->bits.owned = NULL;
    if (!mask->is_there)
        return PICTURE_OK;
    image = &plan->batch->images[command->mask.image];
    if (image->kind != SPICE_IMAGE_TYPE_BITMAP ||
        bitmap_bits_per_pixel(image->format) != 1)
        return PICTURE_BAD; /* the clients take no other bits for a mask's */
    mask->bits.scratch = &canvas->more_scratch[1];
    if (bitmap_source_init(&mask->bits.bitmap, mask->bits.scratch, plan->batch, image))
        return PICTURE_BAD;
    mask->bits.bitmap.palette[0] = 0;
    mask->bits.bitmap.palette[1] = 1;
    mask->bits.kind = PICTURE_BITMAP;
    mask->bits.width = image->width;
    mask->bits.height = image->height;
    mask->bits.layout = SPICE_SURFACE_FMT_32_xRGB;
    mask->bits.pixel_size = 4;
    mask->inverts = (command->mask.flags & SPICE_MASK_FLAGS_INVERS) != 0;
    mask->dx = command->mask.pos_x - command->bbox.left;
    mask->dy = command->mask.pos_y - command->bbox.top;
    return PICTURE_OK;
}

/* Copy what the mask shows of one row, whose pixels are at src. */
static void
copy_runs(const struct painter *painter, pixman_box32_t row, const uint32_t *bits,
          const uint8_t *src)
{
    uint32_t hidden = painter->mask.inverts, width = box_width(row), first = 0;
    size_t pixel = painter->target.pixel_size;
    uint8_t *dst = target_at(painter, row.x1, row.y1);

    while (first < width) {
        uint32_t end = first;

        while (end < width && bits[end] != hidden)
            end++;
        memcpy(dst + first * pixel, src + first * pixel, (end - first) * pixel);
        first = end + 1;
    }
}

/* Paint a band on a copy, of which the mask lets some pixels through. */
static void
paint_band(struct painter *painter, pixman_box32_t band)
{
    const struct mask *mask = &painter->mask;
    uint32_t *bits = (uint32_t *)painter->canvas->bands[BAND_MASK];
    uint8_t *copy = painter->canvas->bands[BAND_MASKED];
    struct surface target = painter->target;
    size_t count = (size_t)box_width(band) * target.pixel_size;
    struct bitmap_part part = {(uint32_t)(band.x1 + mask->dx), 0, box_width(band), 1};

    for (uint32_t i = 0; i < box_height(band); i++)
        memcpy(copy + i * count, target_at(painter, band.x1, band.y1 + (int32_t)i),
               count);
    painter->target.stride = (ptrdiff_t)count;
    painter->target.line_0 = copy - (ptrdiff_t)band.y1 * (ptrdiff_t)count -
                             (ptrdiff_t)band.x1 * (ptrdiff_t)target.pixel_size;
    painter->paint(painter, band);
    painter->target = target;
    for (int32_t y = band.y1; y < band.y2; y++) {
        pixman_box32_t row = {band.x1, y, band.x2, y + 1};

        part.y = (uint32_t)(y + mask->dy);
        picture_read(&mask->bits, part, (uint8_t *)bits, 0);
        copy_runs(painter, row, bits, copy + (size_t)(y - band.y1) * count);
    }
}

/* Nothing is drawn outside of the mask's bitmap, even if the mask is inverted. */
static void
paint_masked(struct painter *painter, pixman_box32_t box)
{
    const struct mask *mask = &painter->mask;
    int32_t right = (int32_t)mask->bits.width - mask->dx;
    int32_t bottom = (int32_t)mask->bits.height - mask->dy;

    box.x1 = box.x1 < -mask->dx ? -mask->dx : box.x1;
    box.y1 = box.y1 < -mask->dy ? -mask->dy : box.y1;
    box.x2 = box.x2 > right ? right : box.x2;
    box.y2 = box.y2 > bottom ? bottom : box.y2;
    while (box.x1 < box.x2 && box.y1 < box.y2) {
        pixman_box32_t band = first_band(box);

        paint_band(painter, band);
        box.y1 = band.y2;
    }
}

void
paint_visible(struct painter *painter)
{
    const struct draw_plan *plan = painter->plan;

    for (uint32_t i = 0; i < plan->num_rects; i++) {
        if (painter->mask.is_there)
            paint_masked(painter, plan->rects[i]);
        else
            painter->paint(painter, plan->rects[i]);
    }
}
