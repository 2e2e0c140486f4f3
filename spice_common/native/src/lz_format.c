/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lz_format.h"

static uint32_t
bits_per_pixel(uint32_t type)
{
    static const uint8_t bits[] = {
        [LZ_IMAGE_TYPE_PLT1_LE] = 1, [LZ_IMAGE_TYPE_PLT1_BE] = 1,
        [LZ_IMAGE_TYPE_PLT4_LE] = 4, [LZ_IMAGE_TYPE_PLT4_BE] = 4,
        [LZ_IMAGE_TYPE_PLT8] = 8,    [LZ_IMAGE_TYPE_RGB16] = 16,
        [LZ_IMAGE_TYPE_RGB24] = 24,  [LZ_IMAGE_TYPE_RGB32] = 32,
        [LZ_IMAGE_TYPE_RGBA] = 32,   [LZ_IMAGE_TYPE_XXXA] = 32,
        [LZ_IMAGE_TYPE_A8] = 8,
    };

    return type < sizeof(bits) ? bits[type] : 0;
}

static enum lz_unit
unit_of(uint32_t type)
{
    switch (type) {
    case LZ_IMAGE_TYPE_RGB16:
        return LZ_UNIT_RGB16;
    case LZ_IMAGE_TYPE_RGB24:
    case LZ_IMAGE_TYPE_RGB32:
    case LZ_IMAGE_TYPE_RGBA:
        return LZ_UNIT_RGB32;
    default:
        return LZ_UNIT_BYTE;
    }
}

uint64_t
lz_row_size(uint32_t type, uint32_t width)
{
    return ((uint64_t)width * bits_per_pixel(type) + 7) / 8;
}

int
lz_layout_init(struct lz_layout *layout, uint32_t type, uint32_t width, uint32_t height)
{
    uint32_t bits = bits_per_pixel(type);
    uint64_t row_size = lz_row_size(type, width);
    /* The last byte of a row counts in full: clients decode its unused bits, too. */
    uint64_t row_pixels = bits < 8 && bits > 0 ? row_size * 8 / bits : width;

    if (bits == 0 || width == 0 || height == 0 || row_pixels > LZ_MAX_PIXELS / height)
        return -1;
    layout->unit = unit_of(type);
    layout->row_size = (uint32_t)row_size;
    layout->row_units = bits < 8 ? layout->row_size : width;
    layout->units = layout->row_units * height;
    return 0;
}

int
lz_rows_init(struct lz_rows *rows, const uint8_t *memory, uint64_t size, int64_t stride,
             uint32_t row_size, uint32_t height)
{
    uint64_t apart = stride < 0 ? 0 - (uint64_t)stride : (uint64_t)stride;

    if (size < row_size || apart < row_size || (size - row_size) / apart < height - 1)
        return -1;
    /* Only decoders write there: to what they were given for that. */
    rows->first = (uint8_t *)(uintptr_t)memory;
    if (stride < 0)
        rows->first += apart * (height - 1);
    rows->step = stride;
    return 0;
}
