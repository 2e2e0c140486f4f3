/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image_decode_lz.c: LZ_RGB, LZ_PLT and the alpha plane behind a JPEG.
 */
#include <spice/enums.h>

#include "image_decoders.h"
#include "lz.h"

/* What an LZ image is decoded to; indexes stay indexes. */
struct target {
    uint32_t type;
    uint8_t format;
    uint8_t pixel_size; /* 0: rows are as the header says */
    uint8_t known;
};

static struct target
palette_target(uint32_t type)
{
    switch (type) {
    case LZ_IMAGE_TYPE_PLT1_LE:
        return (struct target){type, SPICE_BITMAP_FMT_1BIT_LE, 0, 1};
    case LZ_IMAGE_TYPE_PLT1_BE:
        return (struct target){type, SPICE_BITMAP_FMT_1BIT_BE, 0, 1};
    case LZ_IMAGE_TYPE_PLT4_LE:
        return (struct target){type, SPICE_BITMAP_FMT_4BIT_LE, 0, 1};
    case LZ_IMAGE_TYPE_PLT4_BE:
        return (struct target){type, SPICE_BITMAP_FMT_4BIT_BE, 0, 1};
    case LZ_IMAGE_TYPE_PLT8:
        return (struct target){type, SPICE_BITMAP_FMT_8BIT, 0, 1};
    default:
        return (struct target){0, 0, 0, 0};
    }
}

static struct target
rgb_target(uint32_t type)
{
    switch (type) {
    case LZ_IMAGE_TYPE_RGB16:
        return (struct target){type, SPICE_BITMAP_FMT_16BIT, 2, 1};
    case LZ_IMAGE_TYPE_RGB24:
    case LZ_IMAGE_TYPE_RGB32:
        return (struct target){LZ_IMAGE_TYPE_RGB32, SPICE_BITMAP_FMT_32BIT, 4, 1};
    case LZ_IMAGE_TYPE_RGBA:
        return (struct target){type, SPICE_BITMAP_FMT_RGBA, 4, 1};
    case LZ_IMAGE_TYPE_A8:
        return (struct target){type, SPICE_BITMAP_FMT_8BIT_A, 1, 1};
    default:
        return (struct target){0, 0, 0, 0};
    }
}

/* Make room for height rows as the image was encoded. */
static enum image_status
begin_rows(const struct wire_image *image, const struct lz_header *header,
           struct target target, struct pixel_buffer *buffer, struct decoded_image *out)
{
    uint64_t size = (uint64_t)header->stride * header->height;

    if (header->stride < lz_row_size(header->type, header->width))
        return IMAGE_BAD;
    if (size > MAX_DECODED_SIZE)
        return IMAGE_TOO_LARGE;
    if (!pixel_buffer_reserve(buffer, size))
        return IMAGE_NO_MEMORY;
    out->data = buffer->data;
    out->width = image->width;
    out->height = image->height;
    out->stride = header->stride;
    out->format = target.format;
    out->colors = image->colors;
    out->num_colors = image->num_colors;
    return IMAGE_OK;
}

enum image_status
decode_lz(const struct wire_image *image, struct pixel_buffer *buffer,
          struct decoded_image *out)
{
    struct lz_header header;
    struct target target;
    enum image_status status;

    if (lz_decode_header(image->data, image->size, &header) ||
        header.width != image->width || header.height != image->height)
        return IMAGE_BAD;
    target = image->type == SPICE_IMAGE_TYPE_LZ_PLT ? palette_target(header.type)
                                                    : rgb_target(header.type);
    if (!target.known)
        return IMAGE_BAD;
    status = target.pixel_size
                 ? begin_pixels(image, target.format, target.pixel_size, buffer, out)
                 : begin_rows(image, &header, target, buffer, out);
    if (status)
        return status;
    out->top_down = header.top_down != 0;
    if (lz_decode(image->data, image->size, buffer->data,
                  (uint64_t)out->stride * out->height, out->stride, target.type))
        return IMAGE_BAD;
    return IMAGE_OK;
}

/* The alpha of rows that come bottom up, to pixels that come top down. */
static void
flip_alpha(const uint8_t *alpha, uint32_t stride, uint32_t height, uint8_t *pixels)
{
    for (uint32_t y = 0; y < height; y++) {
        const uint8_t *from = alpha + (size_t)(height - 1 - y) * stride;
        uint8_t *to = pixels + (size_t)y * stride;

        for (uint32_t i = 3; i < stride; i += 4)
            to[i] = from[i];
    }
}

enum image_status
decode_alpha_plane(struct image_decoder *decoder, const struct wire_image *image,
                   const uint8_t *data, uint64_t size, uint8_t *pixels)
{
    uint64_t stride = (uint64_t)image->width * 4, bytes = stride * image->height;
    uint8_t *rows = pixels;
    struct lz_header header;

    if (lz_decode_header(data, size, &header) || header.width != image->width ||
        header.height != image->height || header.type != LZ_IMAGE_TYPE_XXXA ||
        !header.top_down != !image->top_down)
        return IMAGE_BAD;
    if (!image->top_down && !(rows = pixel_buffer_reserve(&decoder->alpha, bytes)))
        return IMAGE_NO_MEMORY;
    if (lz_decode(data, size, rows, bytes, (int64_t)stride, LZ_IMAGE_TYPE_XXXA))
        return IMAGE_BAD;
    if (rows != pixels)
        flip_alpha(rows, (uint32_t)stride, image->height, pixels);
    return IMAGE_OK;
}
