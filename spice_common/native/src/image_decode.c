/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image_decode.c: which codec, and what they share.
 */
#include "image_decode.h"

#include <spice/enums.h>
#include <stdlib.h>

#include "image_decoders.h"
#include "quic.h"

uint8_t *
pixel_buffer_reserve(struct pixel_buffer *buffer, size_t size)
{
    if (size > buffer->capacity || !buffer->data) {
        uint8_t *data = malloc(size ? size : 1);

        if (!data)
            return NULL;
        free(buffer->data);
        buffer->data = data;
        buffer->capacity = size;
    }
    return buffer->data;
}

void
pixel_buffer_free(struct pixel_buffer *buffer)
{
    free(buffer->data);
    buffer->data = NULL;
    buffer->capacity = 0;
}

struct image_decoder *
image_decoder_new(void)
{
    return calloc(1, sizeof(struct image_decoder));
}

void
image_decoder_free(struct image_decoder *decoder)
{
    if (!decoder)
        return;
    if (decoder->quic)
        quic_decoder_free(decoder->quic);
    if (decoder->jpeg)
        tjDestroy(decoder->jpeg);
    if (decoder->has_zlib)
        inflateEnd(&decoder->zlib);
    pixel_buffer_free(&decoder->glz);
    pixel_buffer_free(&decoder->alpha);
    free(decoder);
}

enum image_status
begin_pixels(const struct wire_image *image, uint8_t format, uint32_t pixel_size,
             struct pixel_buffer *buffer, struct decoded_image *out)
{
    uint64_t stride = (uint64_t)image->width * pixel_size;

    if (stride * image->height > MAX_DECODED_SIZE)
        return IMAGE_TOO_LARGE;
    if (!pixel_buffer_reserve(buffer, stride * image->height))
        return IMAGE_NO_MEMORY;
    out->data = buffer->data;
    out->width = image->width;
    out->height = image->height;
    out->stride = (uint32_t)stride;
    out->format = format;
    out->top_down = 1;
    out->num_colors = 0;
    out->colors = NULL;
    return IMAGE_OK;
}

enum image_status
image_decode(struct image_decoder *decoder, struct glz_window *window,
             const struct wire_image *image, struct pixel_buffer *buffer,
             struct decoded_image *out)
{
    /* 2^16 each: their product times 4 fits 64 bits, and begin_pixels bounds it. */
    if (!image->width || !image->height || image->width > UINT16_MAX ||
        image->height > UINT16_MAX)
        return IMAGE_BAD;
    switch (image->type) {
    case SPICE_IMAGE_TYPE_QUIC:
        return decode_quic(decoder, image, buffer, out);
    case SPICE_IMAGE_TYPE_LZ_PLT:
    case SPICE_IMAGE_TYPE_LZ_RGB:
        return decode_lz(image, buffer, out);
    case SPICE_IMAGE_TYPE_GLZ_RGB:
        return decode_glz(window, image, buffer, out);
    case SPICE_IMAGE_TYPE_ZLIB_GLZ_RGB:
        return decode_zlib_glz(decoder, window, image, buffer, out);
    case SPICE_IMAGE_TYPE_JPEG:
        return decode_jpeg(decoder, image, buffer, out);
    case SPICE_IMAGE_TYPE_JPEG_ALPHA:
        return decode_jpeg_alpha(decoder, image, buffer, out);
    case SPICE_IMAGE_TYPE_LZ4:
        return decode_lz4(image, buffer, out);
    default:
        return IMAGE_UNSUPPORTED;
    }
}
