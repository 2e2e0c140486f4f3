/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image_decode_glz.c: GLZ_RGB, in the clear or packed once more with zlib.
 */
#include <spice/enums.h>

#include "glz.h"
#include "image_decoders.h"
#include "lz.h"

enum {
    /* zlib cannot make more of a byte: a small message is no large allocation. */
    MAX_EXPANSION = 1032,
};

static enum image_status
decode_data(struct glz_window *window, const struct wire_image *image,
            const uint8_t *data, uint64_t size, struct pixel_buffer *buffer,
            struct decoded_image *out)
{
    struct glz_header header;
    enum image_status status;

    if (!window || glz_decode_header(data, size, &header) ||
        header.width != image->width || header.height != image->height)
        return IMAGE_BAD;
    status = begin_pixels(image,
                          header.type == LZ_IMAGE_TYPE_RGBA ? SPICE_BITMAP_FMT_RGBA
                                                            : SPICE_BITMAP_FMT_32BIT,
                          4, buffer, out);
    if (status)
        return status;
    out->top_down = header.top_down != 0;
    switch (glz_decode(window, data, size, buffer->data,
                       (uint64_t)out->stride * out->height, out->stride)) {
    case 0:
        return IMAGE_OK;
    case GLZ_NO_IMAGE:
        return IMAGE_NOT_YET;
    case GLZ_NO_MEMORY:
        return IMAGE_NO_MEMORY;
    case GLZ_TOO_MUCH:
        return IMAGE_TOO_LARGE;
    default:
        return IMAGE_BAD;
    }
}

enum image_status
decode_glz(struct glz_window *window, const struct wire_image *image,
           struct pixel_buffer *buffer, struct decoded_image *out)
{
    return decode_data(window, image, image->data, image->size, buffer, out);
}

/* Unpack to exactly size bytes at to. */
static enum image_status
unpack(struct image_decoder *decoder, const struct wire_image *image, uint8_t *to,
       uint32_t size)
{
    z_stream *zlib = &decoder->zlib;

    if (!decoder->has_zlib) {
        if (inflateInit(zlib) != Z_OK)
            return IMAGE_NO_MEMORY;
        decoder->has_zlib = 1;
    } else if (inflateReset(zlib) != Z_OK) {
        return IMAGE_BAD;
    }
    /* zlib promises not to write there. */
    zlib->next_in = (uint8_t *)(uintptr_t)image->data;
    zlib->avail_in = (uInt)image->size;
    zlib->next_out = to;
    zlib->avail_out = size;
    if (inflate(zlib, Z_FINISH) != Z_STREAM_END || zlib->avail_out)
        return IMAGE_BAD;
    return IMAGE_OK;
}

enum image_status
decode_zlib_glz(struct image_decoder *decoder, struct glz_window *window,
                const struct wire_image *image, struct pixel_buffer *buffer,
                struct decoded_image *out)
{
    enum image_status status;

    if (image->inner_size > MAX_DECODED_SIZE || image->size > UINT32_MAX ||
        image->inner_size > (image->size + 1) * MAX_EXPANSION)
        return IMAGE_TOO_LARGE;
    if (!pixel_buffer_reserve(&decoder->glz, image->inner_size))
        return IMAGE_NO_MEMORY;
    status = unpack(decoder, image, decoder->glz.data, image->inner_size);
    if (status)
        return status;
    return decode_data(window, image, decoder->glz.data, image->inner_size, buffer,
                       out);
}
