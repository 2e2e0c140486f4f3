/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shadow.h"

#include <stdlib.h>
#include <string.h>

#include "canvas_draw.h"

int
shadow_init(struct shadow *shadow, uint32_t width, uint32_t height, uint32_t pixel_size)
{
    shadow->width = width;
    shadow->height = height;
    shadow->pixel_size = pixel_size;
    shadow->stride = ((size_t)width * pixel_size + 3) & ~(size_t)3;
    shadow->data = calloc(height, shadow->stride);
    return shadow->data ? 0 : -1;
}

void
shadow_fini(struct shadow *shadow)
{
    free(shadow->data);
    shadow->data = NULL;
}

static void
fill_pixels(uint8_t *row, uint32_t color, uint32_t width, uint32_t pixel_size)
{
    uint16_t half = (uint16_t)color;

    if (pixel_size == 1)
        memset(row, (int)(color & 0xff), width);
    for (uint32_t i = 0; pixel_size == 2 && i < width; i++)
        memcpy(row + 2 * i, &half, 2);
    for (uint32_t i = 0; pixel_size == 4 && i < width; i++)
        memcpy(row + 4 * i, &color, 4);
}

void
shadow_fill(struct shadow *shadow, pixman_box32_t box, uint32_t color)
{
    uint8_t *first = shadow_at(shadow, box.x1, box.y1);

    if (box.x1 >= box.x2)
        return;
    for (int32_t y = box.y1; y < box.y2; y++) {
        if (y == box.y1)
            fill_pixels(first, color, box_width(box), shadow->pixel_size);
        else
            memcpy(shadow_at(shadow, box.x1, y), first,
                   (size_t)box_width(box) * shadow->pixel_size);
    }
}

static void
move_box(struct shadow *shadow, pixman_box32_t box, int32_t dx, int32_t dy)
{
    size_t count = (size_t)box_width(box) * shadow->pixel_size;

    for (int32_t i = 0; i < (int32_t)box_height(box); i++) {
        int32_t y = dy >= 0 ? box.y1 + i : box.y2 - 1 - i;

        memmove(shadow_at(shadow, box.x1, y), shadow_at(shadow, box.x1 + dx, y + dy),
                count);
    }
}

/* The band that rects[index] is in: its first and last rectangle. */
static void
find_band(const pixman_box32_t *rects, uint32_t num_rects, uint32_t index,
          uint32_t *first, uint32_t *last)
{
    *first = *last = index;
    while (*first > 0 && rects[*first - 1].y1 == rects[index].y1)
        --*first;
    while (*last + 1 < num_rects && rects[*last + 1].y1 == rects[index].y1)
        ++*last;
}

/* Against the direction of the move, so that none overwrites what another reads. */
void
shadow_move(struct shadow *shadow, const pixman_box32_t *rects, uint32_t num_rects,
            int32_t dx, int32_t dy)
{
    uint32_t first, last;

    for (uint32_t done = 0; done < num_rects; done += last - first + 1) {
        find_band(rects, num_rects, dy >= 0 ? done : num_rects - 1 - done, &first,
                  &last);
        for (uint32_t i = 0; i <= last - first; i++)
            move_box(shadow, rects[dx >= 0 ? first + i : last - i], dx, dy);
    }
}

void
shadow_copy(struct shadow *shadow, const struct surface *surface, pixman_box32_t box)
{
    size_t count = (size_t)box_width(box) * shadow->pixel_size;

    for (int32_t y = box.y1; y < box.y2; y++)
        memcpy(shadow_at(shadow, box.x1, y),
               surface->line_0 + (ptrdiff_t)y * surface->stride +
                   (size_t)box.x1 * surface->pixel_size,
               count);
}
