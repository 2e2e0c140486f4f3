/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "canvas_compose.h"

#include <stdlib.h>
#include <string.h>

/* One side of a composition, ready for pixman. */
struct operand {
    pixman_image_t *image;
    int32_t x, y;
    uint8_t *pixels;
};

static struct operand
operand_of(struct sampling *sampling, pixman_image_t *plain, pixman_box32_t box)
{
    struct operand operand = {plain, 0, 0, NULL};

    if (sampling)
        operand.image =
            sampling_image(sampling, box, &operand.x, &operand.y, &operand.pixels);
    return operand;
}

static void
operand_fini(const struct sampling *sampling, const struct operand *operand)
{
    if (sampling && operand->image)
        pixman_image_unref(operand->image);
    free(operand->pixels);
}

static void
compose_at_once(const struct composition *composition, pixman_image_t *image,
                pixman_box32_t band, pixman_box32_t box)
{
    struct operand source =
        operand_of(composition->source, composition->plain_source, box);
    struct operand mask = operand_of(composition->mask, composition->plain_mask, box);

    if (source.image && (mask.image || !composition->mask))
        pixman_image_composite32(composition->op, source.image, mask.image, image,
                                 source.x, source.y, mask.x, mask.y, box.x1 - band.x1,
                                 box.y1 - band.y1, (int32_t)box_width(box),
                                 (int32_t)box_height(box));
    operand_fini(composition->source, &source);
    operand_fini(composition->mask, &mask);
}

static int
is_cheap(const struct composition *composition, pixman_box32_t box)
{
    return (!composition->source || sampling_is_cheap(composition->source, box)) &&
           (!composition->mask || sampling_is_cheap(composition->mask, box));
}

/*
 * Each call halves the box: they are nested no deeper than its sides have bits.  Rows
 * come first: of what lies between two of them nothing is looked at.
 */
void
compose(const struct composition *composition, pixman_image_t *image,
        pixman_box32_t band, pixman_box32_t box)
{
    pixman_box32_t first = box, second = box;

    if ((box_width(box) == 1 && box_height(box) == 1) || is_cheap(composition, box)) {
        compose_at_once(composition, image, band, box);
        return;
    }
    if (box_height(box) == 1)
        first.x2 = second.x1 = box.x1 + (int32_t)box_width(box) / 2;
    else
        first.y2 = second.y1 = box.y1 + (int32_t)box_height(box) / 2;
    compose(composition, image, band, first);
    compose(composition, image, band, second);
}

static void
compose_band(struct painter *painter, const struct composition *composition,
             pixman_format_code_t format, int clears, pixman_box32_t band)
{
    uint8_t *rows = painter->canvas->bands[BAND_RESULT];
    size_t count = (size_t)box_width(band) * painter->target.pixel_size;
    size_t stride = (count + 3) / 4 * 4;
    pixman_image_t *image =
        pixman_image_create_bits(format, (int)box_width(band), (int)box_height(band),
                                 (uint32_t *)rows, (int)stride);

    if (!image)
        return;
    for (uint32_t i = 0; i < box_height(band); i++)
        memcpy(rows + i * stride, target_at(painter, band.x1, band.y1 + (int32_t)i),
               count);
    compose(composition, image, band, band);
    pixman_image_unref(image);
    for (size_t i = 3; clears && i < stride * box_height(band); i += 4)
        rows[i] = 0;
    for (uint32_t i = 0; i < box_height(band); i++)
        memcpy(target_at(painter, band.x1, band.y1 + (int32_t)i), rows + i * stride,
               count);
}

void
compose_target(struct painter *painter, const struct composition *composition,
               pixman_format_code_t format, int clears, pixman_box32_t box)
{
    while (box.y1 < box.y2) {
        pixman_box32_t band = first_band(box);

        compose_band(painter, composition, format, clears, band);
        box.y1 = band.y2;
    }
}
