/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image_reader.h"

#include <lz4.h>
#include <spice/enums.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>
#include <zlib.h>

#include "check.h"
#include "glz.h"
#include "lz.h"
#include "quic.h"

struct reader {
    const uint8_t *at, *end;
    struct decoded_image *image;
};

static uint32_t
take(struct reader *reader, int bytes)
{
    uint32_t value = 0;

    CHECK(reader->end - reader->at >= bytes);
    for (int i = 0; i < bytes; i++)
        value |= (uint32_t)reader->at[i] << 8 * i;
    reader->at += bytes;
    return value;
}

static void
make_room(struct decoded_image *image, uint32_t format, uint32_t pixel_size)
{
    image->format = format;
    image->stride = (image->width * pixel_size + 3) & ~3u;
    image->pixels = calloc(image->height, image->stride);
    CHECK(image->pixels);
}

/* The rest of the image is one block of data, as long as the next word says. */
static uint32_t
take_size(struct reader *reader)
{
    uint32_t size = take(reader, 4);

    CHECK(size == (uint64_t)(reader->end - reader->at));
    return size;
}

static void
read_bitmap(struct reader *reader)
{
    struct decoded_image *image = reader->image;
    uint32_t format = take(reader, 1), pixel_size = 4;

    CHECK(take(reader, 1) == SPICE_BITMAP_FLAGS_TOP_DOWN);
    CHECK(take(reader, 4) == image->width && take(reader, 4) == image->height);
    if (format == SPICE_BITMAP_FMT_16BIT)
        pixel_size = 2;
    else if (format == SPICE_BITMAP_FMT_8BIT_A)
        pixel_size = 1;
    make_room(image, format, pixel_size);
    CHECK(take(reader, 4) == image->stride && take(reader, 4) == 0);
    CHECK((uint64_t)(reader->end - reader->at) ==
          (uint64_t)image->stride * image->height);
    memcpy(image->pixels, reader->at, (size_t)image->stride * image->height);
}

static void
read_quic(struct reader *reader)
{
    static const uint32_t formats[] = {
        0, 0, SPICE_BITMAP_FMT_16BIT, 0, SPICE_BITMAP_FMT_32BIT, SPICE_BITMAP_FMT_RGBA};
    struct decoded_image *image = reader->image;
    struct quic_decoder *decoder = quic_decoder_new();
    uint32_t size = take_size(reader), type, width, height;

    CHECK(decoder && quic_decode_header(reader->at, size, &type, &width, &height) == 0);
    CHECK(width == image->width && height == image->height && type <= 5);
    make_room(image, formats[type], type == QUIC_IMAGE_TYPE_RGB16 ? 2 : 4);
    CHECK(quic_decode(decoder, reader->at, size, image->pixels,
                      (uint64_t)image->stride * image->height, image->stride,
                      type) == 0);
    quic_decoder_free(decoder);
}

static void
read_lz(struct reader *reader)
{
    struct decoded_image *image = reader->image;
    uint32_t size = take_size(reader);
    struct lz_header header;

    CHECK(lz_decode_header(reader->at, size, &header) == 0);
    CHECK(header.width == image->width && header.height == image->height &&
          header.top_down);
    switch (header.type) {
    case LZ_IMAGE_TYPE_A8:
        make_room(image, SPICE_BITMAP_FMT_8BIT_A, 1);
        break;
    case LZ_IMAGE_TYPE_RGB16:
        make_room(image, SPICE_BITMAP_FMT_16BIT, 2);
        break;
    case LZ_IMAGE_TYPE_RGBA:
        make_room(image, SPICE_BITMAP_FMT_RGBA, 4);
        break;
    default:
        CHECK(header.type == LZ_IMAGE_TYPE_RGB32);
        make_room(image, SPICE_BITMAP_FMT_32BIT, 4);
        break;
    }
    CHECK(lz_decode(reader->at, size, image->pixels,
                    (uint64_t)image->stride * image->height, image->stride,
                    header.type) == 0);
}

static void
read_lz4(struct reader *reader)
{
    struct decoded_image *image = reader->image;
    uint32_t pixel_size, coded;
    int row, size;
    char *packed;

    take_size(reader);
    CHECK(take(reader, 1) == 1);
    image->format = take(reader, 1);
    pixel_size = image->format == SPICE_BITMAP_FMT_16BIT ? 2 : 4;
    make_room(image, image->format, pixel_size);
    coded = __builtin_bswap32(take(reader, 4));
    CHECK(coded == (uint64_t)(reader->end - reader->at));
    row = (int)(image->width * pixel_size);
    size = row * (int)image->height;
    packed = malloc((size_t)size);
    CHECK(packed);
    CHECK(LZ4_decompress_safe((const char *)reader->at, packed, (int)coded, size) ==
          size);
    for (uint32_t y = 0; y < image->height; y++)
        memcpy(image->pixels + (size_t)y * image->stride,
               packed + (size_t)y * (size_t)row, (size_t)row);
    free(packed);
}

static void
read_jpeg_data(struct reader *reader, uint32_t size)
{
    struct decoded_image *image = reader->image;
    tjhandle decoder = tjInitDecompress();

    make_room(image, SPICE_BITMAP_FMT_32BIT, 4);
    CHECK(decoder &&
          tjDecompress2(decoder, reader->at, size, image->pixels, (int)image->width,
                        (int)image->stride, (int)image->height, TJPF_BGRX, 0) == 0);
    tjDestroy(decoder);
    reader->at += size;
}

static void
read_jpeg_alpha(struct reader *reader)
{
    struct decoded_image *image = reader->image;
    uint32_t jpeg_size;

    CHECK(take(reader, 1) == SPICE_JPEG_ALPHA_FLAGS_TOP_DOWN);
    jpeg_size = take(reader, 4);
    CHECK(jpeg_size < take_size(reader));
    read_jpeg_data(reader, jpeg_size);
    image->format = SPICE_BITMAP_FMT_RGBA;
    CHECK(lz_decode(reader->at, (uint64_t)(reader->end - reader->at), image->pixels,
                    (uint64_t)image->stride * image->height, image->stride,
                    LZ_IMAGE_TYPE_XXXA) == 0);
}

static void
read_glz_data(struct decoded_image *image, const uint8_t *data, uint64_t size,
              struct glz_window *window)
{
    struct glz_header header;

    CHECK(window && glz_decode_header(data, size, &header) == 0);
    CHECK(header.width == image->width && header.height == image->height &&
          header.top_down);
    make_room(image,
              header.type == LZ_IMAGE_TYPE_RGBA ? SPICE_BITMAP_FMT_RGBA
                                                : SPICE_BITMAP_FMT_32BIT,
              4);
    CHECK(glz_decode(window, data, size, image->pixels,
                     (uint64_t)image->stride * image->height, image->stride) == 0);
}

static void
read_zlib_glz(struct reader *reader, struct glz_window *window)
{
    unsigned long size = take(reader, 4), wanted = size;
    uint32_t coded = take_size(reader);
    uint8_t *data = malloc(size);

    CHECK(data && coded < size);
    CHECK(uncompress(data, &size, reader->at, coded) == Z_OK && size == wanted);
    read_glz_data(reader->image, data, size, window);
    free(data);
}

static void
read_payload(struct reader *reader, struct glz_window *window)
{
    uint32_t size;

    switch (reader->image->type) {
    case SPICE_IMAGE_TYPE_BITMAP:
        read_bitmap(reader);
        break;
    case SPICE_IMAGE_TYPE_QUIC:
        read_quic(reader);
        break;
    case SPICE_IMAGE_TYPE_LZ_RGB:
        read_lz(reader);
        break;
    case SPICE_IMAGE_TYPE_GLZ_RGB:
        size = take_size(reader);
        read_glz_data(reader->image, reader->at, size, window);
        break;
    case SPICE_IMAGE_TYPE_ZLIB_GLZ_RGB:
        read_zlib_glz(reader, window);
        break;
    case SPICE_IMAGE_TYPE_LZ4:
        read_lz4(reader);
        break;
    case SPICE_IMAGE_TYPE_JPEG:
        read_jpeg_data(reader, take_size(reader));
        break;
    case SPICE_IMAGE_TYPE_JPEG_ALPHA:
        read_jpeg_alpha(reader);
        break;
    default:
        CHECK(reader->image->type == SPICE_IMAGE_TYPE_BITMAP); /* or what is above */
    }
}

struct decoded_image
decode_checked(const uint8_t *data, uint64_t size, struct glz_window *window)
{
    struct decoded_image image = {0};
    struct reader reader = {data, data + size, &image};

    image.id = take(&reader, 4);
    image.id |= (uint64_t)take(&reader, 4) << 32;
    image.type = take(&reader, 1);
    image.flags = take(&reader, 1);
    image.width = take(&reader, 4);
    image.height = take(&reader, 4);
    read_payload(&reader, window);
    return image;
}

void
decoded_image_free(struct decoded_image *image)
{
    free(image->pixels);
}
