/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image_guest.h"

#include <spice/enums.h>
#include <string.h>

#include "bitmap.h"
#include "bitmap_source.h"
#include "display_message_writer.h"
#include "image_encoder.h"
#include "shared_memory.h"

enum {
    DESCRIPTOR_SIZE = 8 + 1 + 1 + 4 + 4,
    LZ_PLT_SIZE = 1 + 4 + 4, /* LZPLTData: flags, size, palette */
    PALETTE_SIZE = 8 + 2,    /* without colors */
    MIN_PACKED_SIZE = 1024,  /* bytes of pixels whose packing pays for a second try */
};

/* The surface format with a bitmap's pixels; none: it has a palette. */
static uint32_t
direct_format(uint32_t format)
{
    switch (format) {
    case SPICE_BITMAP_FMT_16BIT:
        return SPICE_SURFACE_FMT_16_555;
    case SPICE_BITMAP_FMT_24BIT:
    case SPICE_BITMAP_FMT_32BIT:
        return SPICE_SURFACE_FMT_32_xRGB;
    case SPICE_BITMAP_FMT_RGBA:
        return SPICE_SURFACE_FMT_32_ARGB;
    case SPICE_BITMAP_FMT_8BIT_A:
        return SPICE_SURFACE_FMT_8_A;
    default:
        return 0;
    }
}

/* Copy a bitmap out of guest memory, each byte once; 0 or -1. */
static int
take_pixels(struct image_encoder *encoder, const struct command_batch *batch,
            const struct guest_image *image, uint32_t format, struct pixels *pixels)
{
    struct bitmap_part part = {0, 0, image->width, image->height};
    struct bitmap_source source;
    uint8_t *data;

    if (image_encoder_guest_scratch(encoder) ||
        bitmap_source_init(&source, &encoder->guest, batch, image))
        return -1;
    pixels->width = image->width;
    pixels->height = image->height;
    pixels->format = format;
    pixels->stride =
        ((int64_t)image->width * surface_pixel_size(format) + 3) & ~INT64_C(3);
    data = scratch_room(&encoder->rows, (size_t)pixels->stride * image->height);
    if (!data)
        return -1;
    pixels->data = data;
    bitmap_source_read(&source, &encoder->guest, part, format, data,
                       (ptrdiff_t)pixels->stride);
    return 0;
}

static int
write_direct(struct image_packer *packer, struct display_messages *messages,
             const struct command_batch *batch, const struct guest_image *image,
             uint32_t format)
{
    /* What a client is to keep is decided elsewhere; what alpha means is not. */
    uint32_t flags =
        image->descriptor_flags & (uint32_t)SPICE_IMAGE_FLAGS_HIGH_BITS_SET;
    struct pixels pixels;

    if (take_pixels(packer->encoder, batch, image, format, &pixels))
        return -1;
    return image_encode(packer->encoder, &packer->settings, packer->dictionary, &pixels,
                        image->id, flags, messages, NULL);
}

/* Copy the rows of a bitmap without what pads them; NULL: no memory. */
static const uint8_t *
take_rows(struct image_encoder *encoder, const struct command_batch *batch,
          const struct guest_image *image, uint32_t row_size)
{
    const struct image_chunk *chunk = batch->chunks + image->first_chunk;
    uint8_t *rows = scratch_room(&encoder->rows, (size_t)row_size * image->height);
    uint64_t start = 0; /* of the chunk, in the image */
    uint32_t left = image->num_chunks;

    for (uint32_t y = 0; rows && y < image->height; y++) {
        uint64_t at = (uint64_t)y * image->stride;
        uint32_t done = 0;

        while (done < row_size && left > 0) {
            uint64_t offset = at + done - start;
            size_t part;

            if (offset >= chunk->size) {
                start += chunk->size;
                chunk++;
                left--;
                continue;
            }
            part = (size_t)(chunk->size - offset);
            if (part > row_size - done)
                part = row_size - done;
            fetch(rows + (size_t)y * row_size + done, chunk->data + offset, part);
            done += (uint32_t)part;
        }
        memset(rows + (size_t)y * row_size + done, 0, row_size - done);
    }
    return rows;
}

/* Append the palette and let the offset at field, in the run, lead to it. */
static int
append_palette(struct display_messages *messages, const struct command_batch *batch,
               const struct guest_image *image, uint64_t field)
{
    uint64_t offset = messages->size - message_body(messages);
    uint8_t *at =
        append_bytes(messages, PALETTE_SIZE + 4 * (uint64_t)image->num_colors);

    if (!at)
        return -1;
    put_u32(messages->data + field, (uint32_t)offset);
    at = put_u32(at, (uint32_t)image->palette_unique);
    at = put_u32(at, (uint32_t)(image->palette_unique >> 32));
    at = put_u16(at, image->num_colors);
    for (uint32_t i = 0; i < image->num_colors; i++)
        at = put_u32(at, batch->colors[image->first_color + i]);
    return 0;
}

/* LZPLTData at `at`, which has room for as much as the raw rows; 0: that is no gain. */
static int64_t
pack_indexes(struct image_packer *packer, const struct command_batch *batch,
             const struct guest_image *image, uint8_t *at, uint64_t room)
{
    uint32_t row_size = (uint32_t)bitmap_row_size(image->format, image->width);
    const uint8_t *rows = take_rows(packer->encoder, batch, image, row_size);
    uint32_t top_down = image->bitmap_flags & (uint32_t)SPICE_BITMAP_FLAGS_TOP_DOWN;
    int64_t size = 0;

    if (rows)
        size = encode_lz_rows(&packer->encoder->codecs, lz_type(image->format),
                              image->width, image->height, rows, row_size,
                              top_down != 0, at + LZ_PLT_SIZE, room - LZ_PLT_SIZE);
    if (size <= 0)
        return 0;
    at = put_u8(at, top_down);
    at = put_u32(at, (uint32_t)size);
    put_u32(at, 0); /* the palette's offset: append_palette */
    return LZ_PLT_SIZE + size;
}

/* 1: written; 0: it would be no gain, nothing was appended; -1. */
static int
write_indexed(struct image_packer *packer, struct display_messages *messages,
              const struct command_batch *batch, const struct guest_image *image)
{
    uint64_t start = messages->size;
    uint64_t room = bitmap_row_size(image->format, image->width) * image->height;
    uint8_t *at = append_bytes(messages, DESCRIPTOR_SIZE + room);
    int64_t size;

    if (!at)
        return -1;
    size = pack_indexes(packer, batch, image, at + DESCRIPTOR_SIZE, room);
    if (size == 0) {
        messages->size = start;
        return 0;
    }
    at = put_u32(at, (uint32_t)image->id);
    at = put_u32(at, (uint32_t)(image->id >> 32));
    at = put_u8(at, SPICE_IMAGE_TYPE_LZ_PLT);
    at = put_u8(at, 0);
    at = put_u32(at, image->width);
    put_u32(at, image->height);
    messages->size = start + DESCRIPTOR_SIZE + (uint64_t)size;
    return append_palette(messages, batch, image,
                          start + DESCRIPTOR_SIZE + LZ_PLT_SIZE - 4)
               ? -1
               : 1;
}

/* Is this a bitmap with a palette, large enough, that the mode lets be packed? */
static int
is_packable(const struct image_packer *packer, const struct guest_image *image)
{
    return image->num_colors > 0 && lz_type(image->format) != LZ_IMAGE_TYPE_INVALID &&
           packer->settings.compression != SPICE_IMAGE_COMPRESSION_OFF &&
           packer->settings.compression != SPICE_IMAGE_COMPRESSION_QUIC &&
           bitmap_row_size(image->format, image->width) * image->height >=
               MIN_PACKED_SIZE;
}

int
write_packed_image(void *opaque, struct display_messages *messages,
                   const struct command_batch *batch, const struct guest_image *image,
                   enum image_use use)
{
    struct image_packer *packer = opaque;
    uint32_t format = direct_format(image->format);
    int written = 0;

    if (image->kind == SPICE_IMAGE_TYPE_BITMAP && use != IMAGE_MASK) {
        if (format != 0)
            written = write_direct(packer, messages, batch, image, format) ? -1 : 1;
        else if (is_packable(packer, image))
            written = write_indexed(packer, messages, batch, image);
        image_encoder_shrink(packer->encoder);
    }
    if (written)
        return written > 0 ? 0 : -1;
    return write_plain_image((void *)(uintptr_t)packer->canvas, messages, batch, image,
                             use);
}
