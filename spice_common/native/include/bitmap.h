/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bitmap.h: from the pixels of a SpiceBitmap to those of a surface.
 *
 * Every SPICE_BITMAP_FMT_* is read; 8_A, 16_555, 16_565, 32_xRGB and 32_ARGB surfaces
 * are written, with the rules of the clients' canvas: a channel that shrinks is cut
 * off, one that grows repeats its high bits, 32 bits are copied with their unused byte.
 * The colors of a palette are 0xRRGGBB, but for a 16_555 surface pixels of that format.
 */
#ifndef BITMAP_H
#define BITMAP_H

#include <stdint.h>

/* A bitmap in one piece of memory. */
struct bitmap_view {
    const uint8_t *data;
    uint64_t size;
    uint32_t width, height;
    uint32_t stride;        /* bytes per row */
    uint32_t format;        /* SPICE_BITMAP_FMT_* */
    uint32_t top_down;      /* 0: the last row comes first */
    const uint32_t *colors; /* palette */
    uint32_t num_colors;
};

/* Bytes that a row of width pixels takes without padding; 0: no such format. */
uint64_t bitmap_row_size(uint32_t format, uint32_t width);

/* Bytes per pixel of a SPICE_SURFACE_FMT_* that can be drawn on, otherwise 0. */
uint32_t surface_pixel_size(uint32_t format);

/*
 * Write the pixels of a part of bitmap to dst in surface_format, top row first.
 * 0, or -1 if the bitmap, the part or dst is not consistent or memory is short.
 */
int bitmap_convert(const struct bitmap_view *bitmap, uint32_t x, uint32_t y,
                   uint32_t width, uint32_t height, uint32_t surface_format,
                   uint8_t *dst, uint64_t dst_size, uint32_t dst_stride);

#endif /* BITMAP_H */
