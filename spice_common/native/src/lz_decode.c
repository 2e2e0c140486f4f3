/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "lz_expand.h"

int
lz_decode_header(const uint8_t *data, uint64_t size, struct lz_header *header)
{
    struct lz_layout layout;

    if (size < LZ_HEADER_SIZE || lz_get_be32(data) != LZ_MAGIC ||
        lz_get_be32(data + 4) != LZ_VERSION)
        return -1;
    header->type = lz_get_be32(data + 8);
    header->width = lz_get_be32(data + 12);
    header->height = lz_get_be32(data + 16);
    header->stride = lz_get_be32(data + 20);
    header->top_down = lz_get_be32(data + 24) != 0;
    if (lz_layout_init(&layout, header->type, header->width, header->height) ||
        header->stride != layout.row_size)
        return -1;
    return 0;
}

/* A picture on its way from packets to the rows that the caller wants. */
struct decoding {
    const uint8_t *in, *in_end;
    struct lz_header header;
    struct lz_layout layout;
    enum lz_output output;
    uint32_t want_type;
    struct lz_rows rows;
};

/* What the units become, and how long the wanted rows are; 0: they cannot be had. */
static uint64_t
choose_output(struct decoding *decoding)
{
    uint32_t type = decoding->header.type, want = decoding->want_type;

    if (want != type && (want != LZ_IMAGE_TYPE_RGB32 ||
                         (type != LZ_IMAGE_TYPE_RGB16 && type != LZ_IMAGE_TYPE_RGB24)))
        return 0;
    switch (decoding->layout.unit) {
    case LZ_UNIT_BYTE:
        decoding->output = LZ_OUTPUT_BYTE;
        break;
    case LZ_UNIT_RGB16:
        decoding->output = want == type ? LZ_OUTPUT_RGB16 : LZ_OUTPUT_RGB16_TO_32;
        break;
    case LZ_UNIT_RGB32:
        decoding->output = LZ_OUTPUT_RGB32;
        break;
    }
    return lz_row_size(want, decoding->header.width);
}

static void
narrow(uint8_t *dst, const uint8_t *units, uint32_t width)
{
    for (uint32_t x = 0; x < width; x++)
        memcpy(dst + 3 * (uint64_t)x, units + 4 * (uint64_t)x, 3);
}

static int
decode_colors(struct decoding *decoding)
{
    const struct lz_layout *layout = &decoding->layout;
    uint64_t row_size = (uint64_t)layout->row_units * lz_output_size(decoding->output);
    uint8_t *units = decoding->rows.first;
    int apart = decoding->want_type == LZ_IMAGE_TYPE_RGB24 ||
                decoding->rows.step != (int64_t)row_size;

    /* A match knows no rows: it is copied where there are no gaps between them. */
    if (apart) {
        units = malloc(row_size * decoding->header.height);
        if (!units)
            return -1;
    }
    decoding->in = lz_expand(decoding->in, decoding->in_end, units, layout->units,
                             decoding->output);
    if (!apart)
        return decoding->in ? 0 : -1;
    for (uint32_t y = 0; decoding->in && y < decoding->header.height; y++) {
        uint8_t *row = lz_row(&decoding->rows, y);

        if (decoding->want_type == LZ_IMAGE_TYPE_RGB24)
            narrow(row, units + y * row_size, decoding->header.width);
        else
            memcpy(row, units + y * row_size, row_size);
    }
    free(units);
    return decoding->in ? 0 : -1;
}

static int
decode_alpha(struct decoding *decoding)
{
    uint32_t width = decoding->header.width, height = decoding->header.height;
    uint8_t *alpha = malloc((uint64_t)width * height);

    if (!alpha)
        return -1;
    decoding->in = lz_expand(decoding->in, decoding->in_end, alpha, width * height,
                             LZ_OUTPUT_BYTE);
    for (uint32_t y = 0; decoding->in && y < height; y++)
        lz_set_alpha(lz_row(&decoding->rows, y), alpha + (uint64_t)y * width, width);
    free(alpha);
    return decoding->in ? 0 : -1;
}

int
lz_decode(const uint8_t *data, uint64_t size, uint8_t *dst, uint64_t dst_size,
          int64_t stride, uint32_t want_type)
{
    struct decoding decoding = {
        .in = data + LZ_HEADER_SIZE, .in_end = data + size, .want_type = want_type};
    struct lz_header *header = &decoding.header;
    uint64_t row_size;

    if (lz_decode_header(data, size, header) ||
        lz_layout_init(&decoding.layout, header->type, header->width, header->height))
        return -1;
    row_size = choose_output(&decoding);
    if (row_size == 0 || lz_rows_init(&decoding.rows, dst, dst_size, stride,
                                      (uint32_t)row_size, header->height))
        return -1;
    if (header->type != LZ_IMAGE_TYPE_XXXA && decode_colors(&decoding))
        return -1;
    if ((header->type == LZ_IMAGE_TYPE_RGBA || header->type == LZ_IMAGE_TYPE_XXXA) &&
        decode_alpha(&decoding))
        return -1;
    return decoding.in == decoding.in_end ? 0 : -1;
}
