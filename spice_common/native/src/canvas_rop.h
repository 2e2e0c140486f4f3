/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas_rop.h: raster operations on rows of bytes; none looks further than its bit.
 */
#ifndef CANVAS_ROP_H
#define CANVAS_ROP_H

#include <stddef.h>
#include <stdint.h>

/* dst = src ROP dst; rop is a SPICE_ROPD_* whose INVERS_SRC speaks of src. */
void rop_apply(uint8_t *dst, const uint8_t *src, size_t count, uint32_t rop);

/* A row of width pixels of one color. */
void rop_fill_row(uint8_t *row, uint32_t color, uint32_t width, uint32_t pixel_size);

/* The same, pixel by pixel: dst = rop3(pattern, src, dst), a Windows ternary code. */
void rop3_apply(uint8_t *dst, const uint8_t *src, const uint8_t *pattern, size_t count,
                uint8_t rop3);

/* Replace pixels of dst where src is not the key; 32 bits: whatever its high byte. */
void rop_color_key(uint8_t *dst, const uint8_t *src, uint32_t width,
                   uint32_t pixel_size, uint32_t key);

/* Make a descriptor speak of a brush as its source: INVERS_BRUSH becomes INVERS_SRC. */
uint32_t rop_of_brush(uint32_t rop);

/* The same for OPAQUE, whose brush meets the source: INVERS_SRC is INVERS_DEST. */
uint32_t rop_of_opaque(uint32_t rop);

/* Whether the result is the source and nothing else. */
int rop_is_put(uint32_t rop);

/* Whether the result does not depend on what was there before. */
int rop_is_opaque(uint32_t rop);
int rop3_is_opaque(uint8_t rop3);

/* Whether the result depends on pattern, source and destination. */
int rop3_is_ternary(uint8_t rop3);

#endif /* CANVAS_ROP_H */
