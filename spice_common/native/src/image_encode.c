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
#include "image_encoder.h"
#include "image_ways.h"
#include "pixel_kind.h"

enum {
    DESCRIPTOR_SIZE = 8 + 1 + 1 + 4 + 4,
    /* Fewer bytes of pixels than this go as they are: libspice-server's bound. */
    MIN_CODED_SIZE = 54,
    /* A photo of up to so many is tried in two codecs: GLZ may have seen it. */
    MAX_TRIAL_PIXELS = 128 * 128,
    MAX_KEPT_SIZE = 4 << 20, /* bytes of scratch memory that stay: a large message's */
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
    scratch_fini(&encoder->widened);
    scratch_fini(&encoder->rows);
    if (encoder->has_guest)
        bitmap_scratch_fini(&encoder->guest);
    free(encoder);
}

int
image_encoder_guest_scratch(struct image_encoder *encoder)
{
    if (encoder->has_guest)
        return 0;
    if (bitmap_scratch_init(&encoder->guest)) {
        bitmap_scratch_fini(&encoder->guest);
        return -1;
    }
    encoder->has_guest = 1;
    return 0;
}

static void
shrink(struct scratch *scratch)
{
    if (scratch->size > MAX_KEPT_SIZE)
        scratch_fini(scratch);
}

void
image_encoder_shrink(struct image_encoder *encoder)
{
    shrink(&encoder->widened);
    shrink(&encoder->rows);
    shrink(&encoder->codecs.packed);
    shrink(&encoder->codecs.coded);
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
widen(struct image_encoder *encoder, const struct pixels *pixels, struct raster *raster)
{
    uint8_t *to =
        scratch_room(&encoder->widened, (size_t)raster->stride * raster->height);

    if (!to)
        return -1;
    raster->data = to;
    for (uint32_t y = 0; y < raster->height; y++, to += raster->stride) {
        const uint8_t *from = pixels->data + (int64_t)y * pixels->stride;

        if (pixels->format == SPICE_SURFACE_FMT_16_565)
            pixels_decode(from, raster->width, pixels->format, (uint32_t *)(void *)to);
        else
            memcpy(to, from, raster->row_size);
    }
    return 0;
}

/* Describe pixels as an image has them; they are copied only if they must be. */
static int
raster_init(struct raster *raster, struct image_encoder *encoder,
            const struct pixels *pixels)
{
    uint32_t pixel_size = surface_pixel_size(message_format(pixels->format));

    if (pixels->width == 0 || pixels->width > MAX_ENCODE_SIDE || pixels->height == 0 ||
        pixels->height > MAX_ENCODE_SIDE || surface_pixel_size(pixels->format) == 0)
        return -1;
    *raster = (struct raster){.data = pixels->data,
                              .width = pixels->width,
                              .height = pixels->height,
                              .row_size = pixels->width * pixel_size,
                              .format = bitmap_format(pixels->format)};
    if (pixels->format != SPICE_SURFACE_FMT_16_565 &&
        pixels->stride >= raster->row_size && pixels->stride <= INT32_MAX) {
        raster->stride = (uint32_t)pixels->stride;
        return 0;
    }
    raster->stride = (raster->row_size + 3) & ~3u;
    return widen(encoder, pixels, raster);
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
choose_by_kind(const struct image_writer_state *writer, const struct pixels *pixels,
               struct choice *choice)
{
    int is_glz = writer->settings->compression == SPICE_IMAGE_COMPRESSION_AUTO_GLZ;
    int is_small = (uint64_t)pixels->width * pixels->height <= MAX_TRIAL_PIXELS;

    if (pixel_kind_of(pixels) == KIND_PHOTO) {
        if (writer->settings->jpeg)
            try_way(choice, write_jpeg);
        try_way(choice, is_glz && is_small ? write_quic_or_glz : write_quic);
    } else if (is_glz) {
        try_way(choice, write_glz_or_lz);
    }
    try_way(choice, write_lz);
}

static void
choose(const struct image_writer_state *writer, const struct pixels *pixels,
       struct choice *choice)
{
    int is_rgb = writer->raster->format != SPICE_BITMAP_FMT_8BIT_A;

    if (writer->room < MIN_CODED_SIZE + BITMAP_HEADER_SIZE)
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
write_payload(struct image_writer_state *writer, const struct pixels *pixels)
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
               const struct raster *raster)
{
    at = put_u32(at, (uint32_t)id);
    at = put_u32(at, (uint32_t)(id >> 32));
    at = put_u8(at, type);
    at = put_u8(at, flags);
    at = put_u32(at, raster->width);
    put_u32(at, raster->height);
}

int
image_encode(struct image_encoder *encoder, const struct image_settings *settings,
             struct glz_dictionary *dictionary, const struct pixels *pixels,
             uint64_t id, uint32_t descriptor_flags, struct display_messages *out,
             struct encoded_info *info)
{
    struct raster raster;
    struct image_writer_state writer = {
        &encoder->codecs, settings, dictionary, &raster, NULL, 0, 0, 0};
    uint64_t start = out->size, size;
    uint8_t *at;

    if (raster_init(&raster, encoder, pixels))
        return -1;
    writer.room = bitmap_size(&raster);
    at = append_bytes(out, DESCRIPTOR_SIZE + writer.room);
    if (!at)
        return -1;
    writer.at = at + DESCRIPTOR_SIZE;
    size = DESCRIPTOR_SIZE + (uint64_t)write_payload(&writer, pixels);
    put_descriptor(at, id, writer.type, descriptor_flags, &raster);
    out->size = start + size;
    image_encoder_shrink(encoder);
    if (info)
        *info = (struct encoded_info){writer.type, writer.lossy, size,
                                      (uint64_t)raster.row_size * raster.height};
    return 0;
}
