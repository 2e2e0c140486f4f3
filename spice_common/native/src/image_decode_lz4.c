/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image_decode_lz4.c: LZ4 images: top_down, format, then blocks, each after its size in
 * big-endian order; a block refers to what the ones before it gave.
 */
#include <lz4.h>
#include <spice/enums.h>

#include "image_decoders.h"

/* 8BIT_A is what libspice-server sends, though it crashes the clients it knows. */
static uint32_t
lz4_pixel_size(uint8_t format)
{
    switch (format) {
    case SPICE_BITMAP_FMT_8BIT_A:
        return 1;
    case SPICE_BITMAP_FMT_16BIT:
        return 2;
    case SPICE_BITMAP_FMT_24BIT:
        return 3;
    case SPICE_BITMAP_FMT_32BIT:
    case SPICE_BITMAP_FMT_RGBA:
        return 4;
    default:
        return 0;
    }
}

static uint32_t
big_endian(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Fill exactly room bytes at pixels. */
static enum image_status
decode_blocks(const uint8_t *data, uint64_t size, uint8_t *pixels, uint32_t room)
{
    LZ4_streamDecode_t stream;

    LZ4_setStreamDecode(&stream, NULL, 0);
    while (room) {
        uint32_t block;
        int given;

        if (size < 4)
            return IMAGE_BAD;
        block = big_endian(data);
        data += 4;
        size -= 4;
        if (block > size || block > INT32_MAX)
            return IMAGE_BAD;
        given = LZ4_decompress_safe_continue(&stream, (const char *)data,
                                             (char *)pixels, (int)block, (int)room);
        if (given <= 0)
            return IMAGE_BAD;
        pixels += given;
        room -= (uint32_t)given;
        data += block;
        size -= block;
    }
    return IMAGE_OK;
}

enum image_status
decode_lz4(const struct wire_image *image, struct pixel_buffer *buffer,
           struct decoded_image *out)
{
    enum image_status status;
    uint32_t pixel_size;

    if (image->size < 2)
        return IMAGE_BAD;
    pixel_size = lz4_pixel_size(image->data[1]);
    if (!pixel_size)
        return IMAGE_BAD;
    status = begin_pixels(image, image->data[1], pixel_size, buffer, out);
    if (status)
        return status;
    out->top_down = image->data[0] != 0;
    return decode_blocks(image->data + 2, image->size - 2, buffer->data,
                         out->stride * out->height);
}
