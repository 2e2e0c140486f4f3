/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shadow.h: a private copy of a surface, as a client shows it.
 */
#ifndef SHADOW_H
#define SHADOW_H

#include <pixman.h>
#include <stddef.h>
#include <stdint.h>

struct surface;

struct shadow {
    uint8_t *data; /* top row first */
    size_t stride;
    uint32_t width, height, pixel_size;
};

/* Black, as a client makes a new surface; 0 or -1. */
int shadow_init(struct shadow *shadow, uint32_t width, uint32_t height,
                uint32_t pixel_size);
void shadow_fini(struct shadow *shadow);

static inline uint8_t *
shadow_at(const struct shadow *shadow, int32_t x, int32_t y)
{
    return shadow->data + (size_t)y * shadow->stride + (size_t)x * shadow->pixel_size;
}

/* Boxes lie inside the surface. */

void shadow_fill(struct shadow *shadow, pixman_box32_t box, uint32_t color);

/* Each pixel of the disjoint rectangles, in bands, becomes the one at (+dx, +dy). */
void shadow_move(struct shadow *shadow, const pixman_box32_t *rects, uint32_t num_rects,
                 int32_t dx, int32_t dy);

/* Take box over from the surface, reading each byte once. */
void shadow_copy(struct shadow *shadow, const struct surface *surface,
                 pixman_box32_t box);

#endif /* SHADOW_H */
