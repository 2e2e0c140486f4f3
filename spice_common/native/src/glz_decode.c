/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "glz_window.h"
#include "lz_expand.h"

int
glz_decode_header(const uint8_t *data, uint64_t size, struct glz_header *header)
{
    struct lz_layout layout;

    if (size < GLZ_HEADER_SIZE || lz_get_be32(data) != LZ_MAGIC ||
        lz_get_be32(data + 4) != LZ_VERSION || data[8] >= 2 * GLZ_TOP_DOWN)
        return -1;
    header->type = data[8] & GLZ_TYPE_MASK;
    header->top_down = data[8] >= GLZ_TOP_DOWN;
    header->width = lz_get_be32(data + 9);
    header->height = lz_get_be32(data + 13);
    header->id = (uint64_t)lz_get_be32(data + 21) << 32 | lz_get_be32(data + 25);
    header->window_head_distance = lz_get_be32(data + 29);
    if (!glz_type_valid(header->type) ||
        lz_layout_init(&layout, header->type, header->width, header->height) ||
        layout.units > GLZ_MAX_WINDOW || lz_get_be32(data + 17) != layout.row_size)
        return -1;
    return 0;
}

/* Between the ends of the data and of the picture. */
struct cursor {
    const uint8_t *in, *in_end;
    uint8_t *out, *out_start, *out_end;
    const struct glz_window *window;
    uint64_t id;
};

/* Where a match is from. */
struct reference {
    uint32_t place, images_back;
};

/* The bytes that follow a match's length; -1 if the data end before. */
LZ_INLINE int
get_reference(struct cursor *at, uint32_t first, struct reference *reference)
{
    uint32_t place = first & 15, images_back = 0, shift = 0, code, bytes;
    int very_far;

    if (at->in_end - at->in < 2)
        return -1;
    place |= (uint32_t)at->in[0] << 4;
    code = at->in[1];
    at->in += 2;
    bytes = code >> 6;
    very_far = (first & GLZ_FAR_FLAG) && (code & GLZ_VERY_FAR_FLAG);
    if ((uint64_t)(at->in_end - at->in) < bytes + (very_far ? 1 : 0))
        return -1;
    if (first & GLZ_FAR_FLAG) {
        place |= (code & 31) << 12;
    } else {
        images_back = code & 63;
        shift = 6;
    }
    for (; bytes > 0; bytes--, shift += 8)
        images_back |= (uint32_t)*at->in++ << shift;
    if (very_far)
        place |= (uint32_t)*at->in++ << 17;
    reference->place = place;
    reference->images_back = images_back;
    return 0;
}

/* Pixels of an earlier image; alpha: only that of each. */
LZ_INLINE int
copy_earlier(struct cursor *at, struct reference reference, uint64_t length,
             unsigned size)
{
    const struct kept_image *image = NULL;
    const uint32_t *pixels;

    if (reference.images_back <= at->id)
        image = glz_window_find(at->window, at->id - reference.images_back);
    if (!image)
        return GLZ_NO_IMAGE;
    if (length > image->count || reference.place > image->count - length)
        return GLZ_DAMAGED;
    pixels = image->pixels + reference.place;
    for (uint64_t i = 0; i < length; i++) {
        if (size == 1)
            at->out[i] = (uint8_t)(pixels[i] >> 24);
        else
            lz_store32(at->out + 4 * i, pixels[i] & 0xffffff);
    }
    return 0;
}

LZ_INLINE int
match(struct cursor *at, uint32_t first, enum lz_output output)
{
    const unsigned size = lz_output_size(output);
    uint64_t length = lz_get_length(&at->in, at->in_end, first);
    uint64_t bytes = (length + lz_length_bias(lz_output_unit(output))) * size;
    uint64_t room = (uint64_t)(at->out_end - at->out), back;
    struct reference reference;
    int error = get_reference(at, first, &reference);

    if (error || bytes > room)
        return GLZ_DAMAGED;
    if (reference.images_back) {
        error = copy_earlier(at, reference, bytes / size, size);
        if (error)
            return error;
    } else {
        back = ((uint64_t)reference.place + 1) * size;
        if (back > (uint64_t)(at->out - at->out_start))
            return GLZ_DAMAGED;
        lz_copy_back(at->out, back, bytes, room - bytes >= LZ_OVERRUN, size);
    }
    at->out += bytes;
    return 0;
}

LZ_INLINE int
expand(struct cursor *at, enum lz_output output)
{
    while (at->out < at->out_end) {
        uint32_t first;
        int error;

        if (at->in == at->in_end)
            return GLZ_DAMAGED;
        first = *at->in++;
        if (first >= LZ_MAX_LITERALS)
            error = match(at, first, output);
        else
            error = lz_take_literals(&at->in, at->in_end, &at->out, at->out_end,
                                     first + 1, output);
        if (error)
            return error;
    }
    return 0;
}

static int
decode_alpha(struct cursor *at, uint32_t *pixels, uint64_t count)
{
    uint8_t *alpha = malloc(count);
    int error;

    if (!alpha)
        return GLZ_NO_MEMORY;
    at->out = at->out_start = alpha;
    at->out_end = alpha + count;
    error = expand(at, LZ_OUTPUT_BYTE);
    if (!error)
        lz_set_alpha((uint8_t *)pixels, alpha, count);
    free(alpha);
    return error;
}

static int
decode_pixels(const struct glz_window *window, const struct glz_header *header,
              const uint8_t *data, uint64_t size, uint32_t *pixels)
{
    uint64_t count = (uint64_t)header->width * header->height;
    struct cursor at = {
        .in = data + GLZ_HEADER_SIZE,
        .in_end = data + size,
        .out = (uint8_t *)pixels,
        .out_start = (uint8_t *)pixels,
        .out_end = (uint8_t *)(pixels + count),
        .window = window,
        .id = header->id,
    };
    int error = header->type == LZ_IMAGE_TYPE_RGB16 ? expand(&at, LZ_OUTPUT_RGB16_TO_32)
                                                    : expand(&at, LZ_OUTPUT_RGB32);

    if (!error && header->type == LZ_IMAGE_TYPE_RGBA)
        error = decode_alpha(&at, pixels, count);
    /* libspice-server has been seen to send nothing behind an image. */
    return !error && at.in != at.in_end ? GLZ_DAMAGED : error;
}

int
glz_decode(struct glz_window *window, const uint8_t *data, uint64_t size, uint8_t *dst,
           uint64_t dst_size, int64_t stride)
{
    struct glz_header header;
    uint32_t *pixels;
    struct lz_rows rows;
    uint32_t row_size;
    int error;

    if (glz_decode_header(data, size, &header))
        return GLZ_DAMAGED;
    row_size = header.width * 4;
    if (lz_rows_init(&rows, dst, dst_size, stride, row_size, header.height))
        return GLZ_DAMAGED;
    error = glz_window_check(window, &header);
    if (error)
        return error;
    pixels = malloc((uint64_t)row_size * header.height);
    if (!pixels)
        return GLZ_NO_MEMORY;
    error = decode_pixels(window, &header, data, size, pixels);
    for (uint32_t y = 0; !error && y < header.height; y++)
        memcpy(lz_row(&rows, y), pixels + (uint64_t)y * header.width, row_size);
    if (!error)
        error = glz_window_add(window, &header, pixels);
    if (error)
        free(pixels);
    return error;
}
