/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "canvas_rop.h"

#include <spice/enums.h>
#include <string.h>

uint32_t
rop_of_brush(uint32_t rop)
{
    rop &= ~(uint32_t)SPICE_ROPD_INVERS_SRC;
    return rop & SPICE_ROPD_INVERS_BRUSH ? rop | SPICE_ROPD_INVERS_SRC : rop;
}

uint32_t
rop_of_opaque(uint32_t rop)
{
    uint32_t source = rop & SPICE_ROPD_INVERS_SRC;

    rop = rop_of_brush(rop) & ~(uint32_t)SPICE_ROPD_INVERS_DEST;
    return source ? rop | SPICE_ROPD_INVERS_DEST : rop;
}

int
rop_is_put(uint32_t rop)
{
    uint32_t any = SPICE_ROPD_OP_PUT | SPICE_ROPD_OP_OR | SPICE_ROPD_OP_AND |
                   SPICE_ROPD_OP_XOR | SPICE_ROPD_OP_BLACKNESS |
                   SPICE_ROPD_OP_WHITENESS | SPICE_ROPD_OP_INVERS;

    if (!(rop & any))
        return 1; /* as clients take a descriptor without an operation */
    return (rop & SPICE_ROPD_OP_PUT) &&
           !(rop & SPICE_ROPD_INVERS_SRC) == !(rop & SPICE_ROPD_INVERS_RES);
}

int
rop_is_opaque(uint32_t rop)
{
    if (rop & SPICE_ROPD_OP_PUT)
        return 1;
    if (rop & (SPICE_ROPD_OP_OR | SPICE_ROPD_OP_AND | SPICE_ROPD_OP_XOR))
        return 0;
    if (rop & (SPICE_ROPD_OP_BLACKNESS | SPICE_ROPD_OP_WHITENESS))
        return 1;
    return (rop & SPICE_ROPD_OP_INVERS) == 0;
}

void
rop_apply(uint8_t *dst, const uint8_t *src, size_t count, uint32_t rop)
{
    uint8_t src_mask = rop & SPICE_ROPD_INVERS_SRC ? 0xff : 0;
    uint8_t dst_mask = rop & SPICE_ROPD_INVERS_DEST ? 0xff : 0;
    uint8_t res_mask = rop & SPICE_ROPD_INVERS_RES ? 0xff : 0;

    /* In this order of precedence, as spice-common reads a descriptor. */
    if (rop & SPICE_ROPD_OP_PUT) {
        for (size_t i = 0; i < count; i++)
            dst[i] = src[i] ^ src_mask ^ res_mask;
    } else if (rop & SPICE_ROPD_OP_OR) {
        for (size_t i = 0; i < count; i++)
            dst[i] = (uint8_t)((src[i] ^ src_mask) | (dst[i] ^ dst_mask)) ^ res_mask;
    } else if (rop & SPICE_ROPD_OP_AND) {
        for (size_t i = 0; i < count; i++)
            dst[i] = (uint8_t)((src[i] ^ src_mask) & (dst[i] ^ dst_mask)) ^ res_mask;
    } else if (rop & SPICE_ROPD_OP_XOR) {
        for (size_t i = 0; i < count; i++)
            dst[i] = (uint8_t)((src[i] ^ src_mask) ^ (dst[i] ^ dst_mask)) ^ res_mask;
    } else if (rop & SPICE_ROPD_OP_BLACKNESS) {
        memset(dst, 0, count);
    } else if (rop & SPICE_ROPD_OP_WHITENESS) {
        memset(dst, 0xff, count);
    } else if (rop & SPICE_ROPD_OP_INVERS) {
        for (size_t i = 0; i < count; i++)
            dst[i] = dst[i] ^ 0xff;
    } else {
        memmove(dst, src, count);
    }
}

void
rop_fill_row(uint8_t *row, uint32_t color, uint32_t width, uint32_t pixel_size)
{
    uint16_t half = (uint16_t)color;

    if (pixel_size == 1)
        memset(row, (int)(color & 0xff), width);
    for (uint32_t i = 0; pixel_size == 2 && i < width; i++)
        memcpy(row + 2 * i, &half, 2);
    for (uint32_t i = 0; pixel_size == 4 && i < width; i++)
        memcpy(row + 4 * i, &color, 4);
}

/* Bit 4p + 2s + d of the code is the result for the bits p, s and d. */
void
rop3_apply(uint8_t *dst, const uint8_t *src, const uint8_t *pattern, size_t count,
           uint8_t rop3)
{
    uint8_t chosen[8];

    for (int i = 0; i < 8; i++)
        chosen[i] = rop3 >> i & 1 ? 0xff : 0;
    for (size_t i = 0; i < count; i++) {
        uint8_t p = pattern[i], s = src[i], d = dst[i];
        uint8_t low = (uint8_t)((~s & ((~d & chosen[0]) | (d & chosen[1]))) |
                                (s & ((~d & chosen[2]) | (d & chosen[3]))));
        uint8_t high = (uint8_t)((~s & ((~d & chosen[4]) | (d & chosen[5]))) |
                                 (s & ((~d & chosen[6]) | (d & chosen[7]))));

        dst[i] = (uint8_t)((~p & low) | (p & high));
    }
}

int
rop3_is_opaque(uint8_t rop3)
{
    return (rop3 & 0x55) == (rop3 >> 1 & 0x55);
}

int
rop3_is_ternary(uint8_t rop3)
{
    return !rop3_is_opaque(rop3) && (rop3 & 0x33) != (rop3 >> 2 & 0x33) &&
           (rop3 & 0x0f) != rop3 >> 4;
}

void
rop_color_key(uint8_t *dst, const uint8_t *src, uint32_t width, uint32_t pixel_size,
              uint32_t key)
{
    for (uint32_t i = 0; i < width; i++) {
        uint32_t pixel = 0;

        memcpy(&pixel, src + (size_t)i * pixel_size, pixel_size);
        if (pixel_size == 4 ? (pixel ^ key) & 0xffffff
                            : pixel != (pixel_size == 2 ? (uint16_t)key : (uint8_t)key))
            memcpy(dst + (size_t)i * pixel_size, &pixel, pixel_size);
    }
}
