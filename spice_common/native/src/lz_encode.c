/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "lz_compress.h"
#include "lz_match.h"

struct lz_encoder {
    struct lz_table table;
    uint8_t *units; /* a plane that had to be gathered from the picture */
    uint64_t capacity;
};

struct lz_encoder *
lz_encoder_new(void)
{
    struct lz_encoder *encoder = malloc(sizeof(*encoder));

    if (!encoder)
        return NULL;
    lz_table_init(&encoder->table);
    encoder->units = NULL;
    encoder->capacity = 0;
    return encoder;
}

void
lz_encoder_free(struct lz_encoder *encoder)
{
    if (!encoder)
        return;
    free(encoder->units);
    free(encoder);
}

/* What is to be encoded. */
struct picture {
    uint32_t type, width, height;
    struct lz_rows rows;
    struct lz_layout layout;
};

static int
reserve(struct lz_encoder *encoder, uint64_t size)
{
    if (size <= encoder->capacity)
        return 0;
    /* Nobody needs what was there: no copying. */
    free(encoder->units);
    encoder->units = malloc(size);
    encoder->capacity = encoder->units ? size : 0;
    return encoder->units ? 0 : -1;
}

/* 3-byte pixels, as those of 4 bytes that the compressor knows. */
static void
widen(const uint8_t *row, uint32_t width, uint8_t *units)
{
    for (uint32_t x = 0; x < width; x++) {
        uint32_t pixel = (uint32_t)row[3 * x] | (uint32_t)row[3 * x + 1] << 8 |
                         (uint32_t)row[3 * x + 2] << 16;

        lz_store32(units + 4 * (uint64_t)x, pixel);
    }
}

static void
gather_alpha(const uint8_t *row, uint32_t width, uint8_t *units)
{
    for (uint32_t x = 0; x < width; x++)
        units[x] = row[4 * (uint64_t)x + 3];
}

static uint8_t *
put_header(uint8_t *dst, const struct picture *picture, int top_down)
{
    dst = lz_put_be32(dst, LZ_MAGIC);
    dst = lz_put_be32(dst, LZ_VERSION);
    dst = lz_put_be32(dst, picture->type);
    dst = lz_put_be32(dst, picture->width);
    dst = lz_put_be32(dst, picture->height);
    dst = lz_put_be32(dst, picture->layout.row_size);
    return lz_put_be32(dst, top_down ? 1 : 0);
}

/* The pixels as a plane: in place if their rows have no gaps between them. */
static int
color_plane(struct lz_encoder *encoder, const struct picture *picture,
            struct lz_plane *plane)
{
    const struct lz_layout *layout = &picture->layout;
    uint64_t row_size = (uint64_t)layout->row_units * lz_unit_size(layout->unit);

    plane->unit = layout->unit;
    plane->count = layout->units;
    plane->row_units = layout->row_units;
    plane->units = picture->rows.first;
    if (picture->type != LZ_IMAGE_TYPE_RGB24 && picture->rows.step == (int64_t)row_size)
        return 0;
    if (reserve(encoder, row_size * picture->height))
        return -1;
    plane->units = encoder->units;
    for (uint32_t y = 0; y < picture->height; y++) {
        const uint8_t *row = lz_row(&picture->rows, y);

        if (picture->type == LZ_IMAGE_TYPE_RGB24)
            widen(row, picture->width, encoder->units + y * row_size);
        else
            memcpy(encoder->units + y * row_size, row, row_size);
    }
    return 0;
}

static int
alpha_plane(struct lz_encoder *encoder, const struct picture *picture,
            struct lz_plane *plane)
{
    uint64_t width = picture->width;

    if (reserve(encoder, width * picture->height))
        return -1;
    for (uint32_t y = 0; y < picture->height; y++)
        gather_alpha(lz_row(&picture->rows, y), picture->width,
                     encoder->units + y * width);
    plane->unit = LZ_UNIT_BYTE;
    plane->count = picture->width * picture->height;
    plane->row_units = picture->width;
    plane->units = encoder->units;
    return 0;
}

int64_t
lz_encode(struct lz_encoder *encoder, uint32_t type, uint32_t width, uint32_t height,
          const uint8_t *pixels, uint64_t size, int64_t stride, int top_down,
          uint8_t *dst, uint64_t dst_size)
{
    struct picture picture = {.type = type, .width = width, .height = height};
    const uint8_t *dst_end = dst + dst_size;
    uint8_t *end = dst;
    struct lz_plane plane;

    if (lz_layout_init(&picture.layout, type, width, height) ||
        lz_rows_init(&picture.rows, pixels, size, stride, picture.layout.row_size,
                     height))
        return -1;
    if (dst_size < LZ_HEADER_SIZE)
        return 0;
    end = put_header(end, &picture, top_down);
    if (type != LZ_IMAGE_TYPE_XXXA) {
        if (color_plane(encoder, &picture, &plane))
            return -1;
        end = lz_compress(&encoder->table, &plane, end, dst_end);
        if (!end)
            return 0;
    }
    if (type == LZ_IMAGE_TYPE_RGBA || type == LZ_IMAGE_TYPE_XXXA) {
        if (alpha_plane(encoder, &picture, &plane))
            return -1;
        end = lz_compress(&encoder->table, &plane, end, dst_end);
        if (!end)
            return 0;
    }
    return end - dst;
}
