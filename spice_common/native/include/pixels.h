/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pixels.h: a rectangle of pixels in memory, lent to whoever looks at it.
 */
#ifndef PIXELS_H
#define PIXELS_H

#include <stdint.h>

struct pixels {
    const uint8_t *data; /* the top row's first pixel */
    uint32_t width, height;
    int64_t stride;  /* bytes from one row to the one below it; may be negative */
    uint32_t format; /* SPICE_SURFACE_FMT_* that can be drawn on */
};

#endif /* PIXELS_H */
