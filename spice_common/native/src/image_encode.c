/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image_encode.c: which codec, and what stands around its data (spice.proto: Image).
 */
#include "image_encode.h"

#include <spice/enums.h>
#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "display_message_writer.h"
#include "image_codecs.h"
#include "pixel_kind.h"

enum {
    DESCRIPTOR_SIZE = 8 + 1 + 1 + 4 + 4,
    BITMAP_SIZE = 1 + 1 + 4 + 4 + 4 + 4, /* without palette */
    BINARY_SIZE = 4,                     /* BinaryData: its size */
    JPEG_ALPHA_SIZE = 1 + 4 + 4,         /* JPEGAlphaData */
    ZLIB_GLZ_SIZE = 4 + 4,               /* ZlibGlzRGBData */
    /* Fewer bytes of pixels than this go as they are: libspice-server's bound. */
    MIN_CODED_SIZE = 54,
    MIN_ZLIB_SIZE = 100, /* bytes of GLZ worth deflating, likewise */
};

struct image_encoder {
    struct image_codecs codecs;
    struct scratch widened; /* pixels in a format that images have */
};

struct image_encoder *
image_encoder_new(void)
{
    return calloc(1, sizeof(struct image_encoder));
}

void
image_encoder_free(struct image_encoder *encoder)
{
    if (!encoder)
        return;
    image_codecs_fini(&encoder->codecs);
    free(encoder->widened.data);
    free(encoder);
}

static uint32_t
bitmap_format(uint32_t surface_format)
{
    switch (surface_format) {
    case SPICE_SURFACE_FMT_8_A:
        return SPICE_BITMAP_FMT_8BIT_A;
    case SPICE_SURFACE_FMT_16_555:
        return SPICE_BITMAP_FMT_16BIT;
    case SPICE_SURFACE_FMT_32_ARGB:
        return SPICE_BITMAP_FMT_RGBA;
    default:
        return SPICE_BITMAP_FMT_32BIT;
    }
}

/* Copy pixels so that every image type can carry them; 0 or -1 for no memory. */
static int
widen(struct image_encoder *encoder, const struct pixels *pixels, struct picture *picture)
{
    uint8_t *to = scratch_room(&encoder->widened,
                               (size_t)picture->stride * picture->height);

    if (!to)
        return -1;
    picture->data = to;
    for (uint32_t y = 0; y < picture->height; y++, to += picture->stride) {
        const uint8_t *from = pixels->data + (int64_t)y * pixels->stride;

        if (pixels->format == SPICE_SURFACE_FMT_16_565)
            pixels_decode(from, picture->width, pixels->format, (uint32_t *)(void *)to);
        else
            memcpy(to, from, picture->row_size);
    }
    return 0;
}

/* Describe pixels as an image has them; they are copied only if they must be. */
static int
picture_init(struct picture *picture, struct image_encoder *encoder,
             const struct pixels *pixels)
{
    uint32_t pixel_size = surface_pixel_size(message_format(pixels->format));

    if (pixels->width == 0 || pixels->width > MAX_ENCODE_SIDE || pixels->height == 0 ||
        pixels->height > MAX_ENCODE_SIDE || surface_pixel_size(pixels->format) == 0)
        return -1;
    *picture = (struct picture){.data = pixels->data,
                                .width = pixels->width,
                                .height = pixels->height,
                                .row_size = pixels->width * pixel_size,
                                .format = bitmap_format(pixels->format)};
    if (pixels->format != SPICE_SURFACE_FMT_16_565 &&
        pixels->stride >= picture->row_size && pixels->stride <= INT32_MAX) {
        picture->stride = (uint32_t)pixels->stride;
        return 0;
    }
    picture->stride = (picture->row_size + 3) & ~3u;
    return widen(encoder, pixels, picture);
}

/* An image under construction: its codec's data goes to at. */
struct writer {
    struct image_codecs *codecs;
    const struct image_settings *settings;
    struct glz_dictionary *dictionary;
    const struct picture *picture;
    uint8_t *at;   /* behind the descriptor */
    uint64_t room; /* for all that follows it */
    uint32_t type; /* SPICE_IMAGE_TYPE_* */
    uint32_t lossy;
};

/* A way to write what follows the descriptor; bytes, or 0: try another. */
typedef int64_t image_way(struct writer *writer);

/* BinaryData: a size and what a codec wrote. */
static int64_t
finish_binary(struct writer *writer, uint32_t type, int64_t size)
{
    if (size <= 0)
        return 0;
    writer->type = type;
    put_u32(writer->at, (uint32_t)size);
    return BINARY_SIZE + size;
}

static uint8_t *
binary_at(const struct writer *writer)
{
    return writer->at + BINARY_SIZE;
}

static int64_t
write_quic(struct writer *writer)
{
    return finish_binary(writer, SPICE_IMAGE_TYPE_QUIC,
                         encode_quic(writer->codecs, writer->picture, binary_at(writer),
                                     writer->room - BINARY_SIZE));
}

static int64_t
write_lz(struct writer *writer)
{
    return finish_binary(writer, SPICE_IMAGE_TYPE_LZ_RGB,
                         encode_lz(writer->codecs, writer->picture, binary_at(writer),
                                   writer->room - BINARY_SIZE));
}

/* ZlibGlzRGBData over the GLZ data at writer->at; 0: it would not be smaller. */
static int64_t
write_zlib_glz(struct writer *writer, int64_t glz_size)
{
    struct scratch *coded = &writer->codecs->coded;
    uint8_t *copy = scratch_room(coded, (size_t)glz_size), *at = writer->at;
    int64_t size;

    if (!copy)
        return 0;
    memcpy(copy, binary_at(writer), (size_t)glz_size);
    size = encode_zlib(writer->codecs, copy, (uint64_t)glz_size, at + ZLIB_GLZ_SIZE,
                       (uint64_t)glz_size - (ZLIB_GLZ_SIZE - BINARY_SIZE));
    if (size <= 0) {
        memcpy(binary_at(writer), copy, (size_t)glz_size);
        return 0;
    }
    writer->type = SPICE_IMAGE_TYPE_ZLIB_GLZ_RGB;
    at = put_u32(at, (uint32_t)glz_size);
    put_u32(at, (uint32_t)size);
    return ZLIB_GLZ_SIZE + size;
}

static int64_t
write_glz(struct writer *writer)
{
    int64_t size = encode_glz(writer->dictionary, writer->picture, binary_at(writer),
                              writer->room - BINARY_SIZE);
    int64_t deflated = 0;

    if (writer->settings->zlib_glz && size >= MIN_ZLIB_SIZE)
        deflated = write_zlib_glz(writer, size);
    return deflated ? deflated
                    : finish_binary(writer, SPICE_IMAGE_TYPE_GLZ_RGB, size);
}

static int64_t
write_lz4(struct writer *writer)
{
    return finish_binary(writer, SPICE_IMAGE_TYPE_LZ4,
                         encode_lz4(writer->codecs, writer->picture, binary_at(writer),
                                    writer->room - BINARY_SIZE));
}

/* JPEGAlphaData: the alpha plane follows the JPEG picture. */
static int64_t
finish_jpeg_alpha(struct writer *writer, int64_t jpeg_size)
{
    uint8_t *at = writer->at;
    uint64_t used = JPEG_ALPHA_SIZE + (uint64_t)jpeg_size;
    int64_t alpha_size = encode_lz_alpha(writer->codecs, writer->picture, at + used,
                                         writer->room - used);

    if (alpha_size <= 0)
        return 0;
    writer->type = SPICE_IMAGE_TYPE_JPEG_ALPHA;
    at = put_u8(at, SPICE_JPEG_ALPHA_FLAGS_TOP_DOWN);
    at = put_u32(at, (uint32_t)jpeg_size);
    put_u32(at, (uint32_t)(jpeg_size + alpha_size));
    return (int64_t)used + alpha_size;
}

static int64_t
write_jpeg(struct writer *writer)
{
    int has_alpha = writer->picture->format == SPICE_BITMAP_FMT_RGBA;
    uint32_t head = has_alpha ? JPEG_ALPHA_SIZE : BINARY_SIZE;
    int64_t size = encode_jpeg(writer->codecs, writer->picture,
                               writer->settings->jpeg_quality, writer->at + head,
                               writer->room - head);

    if (size > 0 && has_alpha)
        size = finish_jpeg_alpha(writer, size);
    else
        size = finish_binary(writer, SPICE_IMAGE_TYPE_JPEG, size);
    writer->lossy = size > 0;
    return size;
}

/* BitmapData: the pixels themselves, in rows of whole words as clients want them. */
static int64_t
write_bitmap(struct writer *writer)
{
    const struct picture *picture = writer->picture;
    uint32_t stride = (picture->row_size + 3) & ~3u;
    uint8_t *at = writer->at;

    writer->type = SPICE_IMAGE_TYPE_BITMAP;
    at = put_u8(at, picture->format);
    at = put_u8(at, SPICE_BITMAP_FLAGS_TOP_DOWN);
    at = put_u32(at, picture->width);
    at = put_u32(at, picture->height);
    at = put_u32(at, stride);
    at = put_u32(at, 0); /* no palette */
    for (uint32_t y = 0; y < picture->height; y++, at += stride) {
        memcpy(at, picture->data + (size_t)y * picture->stride, picture->row_size);
        memset(at + picture->row_size, 0, stride - picture->row_size);
    }
    return BITMAP_SIZE + (int64_t)stride * picture->height;
}

static uint64_t
bitmap_size(const struct picture *picture)
{
    return BITMAP_SIZE + (uint64_t)((picture->row_size + 3) & ~3u) * picture->height;
}

/* The ways to try, best first; when none is a gain the pixels go as they are. */
struct choice {
    image_way *ways[3];
    uint32_t count;
};

static void
try_way(struct choice *choice, image_way *way)
{
    choice->ways[choice->count++] = way;
}

/* The modes auto_lz and auto_glz: by what the pixels look like. */
static void
choose_by_kind(const struct writer *writer, const struct pixels *pixels,
               struct choice *choice)
{
    if (pixel_kind_of(pixels) == KIND_PHOTO) {
        if (writer->settings->jpeg)
            try_way(choice, write_jpeg);
        try_way(choice, write_quic);
    } else if (writer->settings->compression == SPICE_IMAGE_COMPRESSION_AUTO_GLZ) {
        try_way(choice, write_glz);
    }
    try_way(choice, write_lz);
}

static void
choose(const struct writer *writer, const struct pixels *pixels, struct choice *choice)
{
    int is_rgb = writer->picture->format != SPICE_BITMAP_FMT_8BIT_A;

    if (writer->room < MIN_CODED_SIZE + BITMAP_SIZE)
        return;
    switch (writer->settings->compression) {
    case SPICE_IMAGE_COMPRESSION_QUIC:
        if (writer->settings->jpeg && pixel_kind_of(pixels) == KIND_PHOTO)
            try_way(choice, write_jpeg);
        try_way(choice, write_quic);
        break;
    case SPICE_IMAGE_COMPRESSION_GLZ:
        try_way(choice, write_glz);
        try_way(choice, write_lz);
        break;
    case SPICE_IMAGE_COMPRESSION_LZ:
        try_way(choice, write_lz);
        break;
    case SPICE_IMAGE_COMPRESSION_LZ4:
        if (is_rgb && writer->settings->lz4)
            try_way(choice, write_lz4);
        else
            try_way(choice, write_lz);
        break;
    case SPICE_IMAGE_COMPRESSION_AUTO_LZ:
    case SPICE_IMAGE_COMPRESSION_AUTO_GLZ:
        choose_by_kind(writer, pixels, choice);
        break;
    default: /* off */
        break;
    }
}

static int64_t
write_payload(struct writer *writer, const struct pixels *pixels)
{
    struct choice choice = {{NULL}, 0};

    choose(writer, pixels, &choice);
    for (uint32_t i = 0; i < choice.count; i++) {
        int64_t size = choice.ways[i](writer);

        if (size > 0)
            return size;
    }
    return write_bitmap(writer);
}

static void
put_descriptor(uint8_t *at, uint64_t id, uint32_t type, uint32_t flags,
               const struct picture *picture)
{
    at = put_u32(at, (uint32_t)id);
    at = put_u32(at, (uint32_t)(id >> 32));
    at = put_u8(at, type);
    at = put_u8(at, flags);
    at = put_u32(at, picture->width);
    put_u32(at, picture->height);
}

int
image_encode(struct image_encoder *encoder, const struct image_settings *settings,
             struct glz_dictionary *dictionary, const struct pixels *pixels, uint64_t id,
             uint32_t descriptor_flags, struct display_messages *out,
             struct encoded_info *info)
{
    struct picture picture;
    struct writer writer = {&encoder->codecs, settings, dictionary, &picture, NULL, 0, 0, 0};
    uint64_t start = out->size, size;
    uint8_t *at;

    if (picture_init(&picture, encoder, pixels))
        return -1;
    writer.room = bitmap_size(&picture);
    at = append_bytes(out, DESCRIPTOR_SIZE + writer.room);
    if (!at)
        return -1;
    writer.at = at + DESCRIPTOR_SIZE;
    size = DESCRIPTOR_SIZE + (uint64_t)write_payload(&writer, pixels);
    put_descriptor(at, id, writer.type, descriptor_flags, &picture);
    out->size = start + size;
    if (info)
        *info = (struct encoded_info){writer.type, writer.lossy, size,
                                      (uint64_t)picture.row_size * picture.height};
    return 0;
}
