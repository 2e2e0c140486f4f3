/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas_mask.c: what of a clip a mask of bits lets through.
 */
#include <spice/enums.h>

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

/* Paint what the mask shows of one row. */
static void
paint_runs(struct painter *painter, pixman_box32_t row, const uint32_t *bits)
{
    uint32_t hidden = painter->mask.inverts;
    int32_t x = row.x1;

    while (x < row.x2) {
        pixman_box32_t run = {x, row.y1, x, row.y2};

        while (run.x2 < row.x2 && bits[run.x2 - row.x1] != hidden)
            run.x2++;
        if (run.x2 > run.x1)
            painter->paint(painter, run);
        x = run.x2 + 1;
    }
}

/* Nothing is drawn outside of the mask's bitmap, even if the mask is inverted. */
static void
paint_masked(struct painter *painter, pixman_box32_t box)
{
    const struct mask *mask = &painter->mask;
    uint32_t *bits = (uint32_t *)painter->canvas->bands[BAND_MASK];
    int32_t right = (int32_t)mask->bits.width - mask->dx;
    int32_t bottom = (int32_t)mask->bits.height - mask->dy;

    box.x1 = box.x1 < -mask->dx ? -mask->dx : box.x1;
    box.y1 = box.y1 < -mask->dy ? -mask->dy : box.y1;
    box.x2 = box.x2 > right ? right : box.x2;
    box.y2 = box.y2 > bottom ? bottom : box.y2;
    if (box.x1 >= box.x2)
        return;
    for (int32_t y = box.y1; y < box.y2; y++) {
        pixman_box32_t row = {box.x1, y, box.x2, y + 1};
        struct bitmap_part part = {(uint32_t)(row.x1 + mask->dx),
                                   (uint32_t)(y + mask->dy), box_width(row), 1};

        picture_read(&mask->bits, part, (uint8_t *)bits, 0);
        paint_runs(painter, row, bits);
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
