/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SpiceImage: a picture of a draw message, of whatever kind. */
#include "bitmap.h"
#include "bitmap_source.h"
#include "message_reader.h"

enum { MAX_COLORS = 256 };

static enum command_error
read_palette(const struct message_reader *reader, struct command_batch *batch,
             uint32_t offset, struct guest_image *image)
{
    struct message_reader palette = reader_at(reader, offset);
    image->palette_unique = read_u64(&palette);
    image->num_colors = read_u16(&palette);
    if (palette.failed) {
        return COMMAND_MESSAGE_SHORT;
    }
    if (image->num_colors == 0 || image->num_colors > MAX_COLORS) {
        return COMMAND_BAD_PALETTE;
    }
    uint32_t *colors = more_colors(batch, image->num_colors);
    if (colors == NULL) {
        return COMMAND_NO_MEMORY;
    }
    for (uint32_t i = 0; i < image->num_colors; i++) {
        colors[i] = read_u32(&palette);
    }
    image->first_color = batch->num_colors;
    batch->num_colors += image->num_colors;
    return palette.failed ? COMMAND_MESSAGE_SHORT : COMMAND_OK;
}

/* The palette of a BITMAP or LZ_PLT: here, in the client's cache, or none. */
static enum command_error
read_palette_field(struct message_reader *reader, struct command_batch *batch,
                   uint32_t flags, struct guest_image *image)
{
    image->palette_flags =
        flags & (SPICE_BITMAP_FLAGS_PAL_CACHE_ME | SPICE_BITMAP_FLAGS_PAL_FROM_CACHE);
    image->bitmap_flags = flags & QXL_BITMAP_TOP_DOWN;
    if (flags & SPICE_BITMAP_FLAGS_PAL_FROM_CACHE) {
        image->palette_unique = read_u64(reader);
        return COMMAND_OK;
    }
    uint32_t offset = read_u32(reader);
    return offset != 0 ? read_palette(reader, batch, offset, image) : COMMAND_OK;
}

/* The payload, which stays where it is. */
static enum command_error
read_payload(struct message_reader *reader, struct command_batch *batch, uint64_t size,
             struct guest_image *image)
{
    if (size == 0) {
        return reader->failed ? COMMAND_MESSAGE_SHORT : COMMAND_BAD_IMAGE;
    }
    if (size > MAX_IMAGE_DATA) {
        return COMMAND_TOO_BIG;
    }
    const uint8_t *data = read_bytes(reader, size);
    if (data == NULL) {
        return COMMAND_MESSAGE_SHORT;
    }
    image->data_size = size;
    return append_chunk(batch, data, (uint32_t)size) ? COMMAND_OK : COMMAND_NO_MEMORY;
}

static enum command_error
read_bitmap(struct message_reader *reader, struct command_batch *batch,
            struct guest_image *image)
{
    image->format = read_u8(reader);
    uint32_t flags = read_u8(reader);
    uint32_t width = read_u32(reader), height = read_u32(reader);
    image->stride = read_u32(reader);
    if (reader->failed) {
        return COMMAND_MESSAGE_SHORT;
    }
    if (width != image->width || height != image->height ||
        bitmap_bits_per_pixel(image->format) == 0 ||
        image->stride < bitmap_row_size(image->format, width)) {
        return COMMAND_BAD_IMAGE;
    }
    enum command_error error = read_palette_field(reader, batch, flags, image);
    if (error != COMMAND_OK) {
        return error;
    }
    return read_payload(reader, batch, (uint64_t)image->stride * height, image);
}

static enum command_error
read_lz_palette(struct message_reader *reader, struct command_batch *batch,
                struct guest_image *image)
{
    uint32_t flags = read_u8(reader);
    uint32_t size = read_u32(reader);
    enum command_error error = read_palette_field(reader, batch, flags, image);
    if (error == COMMAND_OK) {
        error = read_payload(reader, batch, size, image);
    }
    return error;
}

static enum command_error
read_jpeg_alpha(struct message_reader *reader, struct command_batch *batch,
                struct guest_image *image)
{
    uint32_t flags = read_u8(reader);
    image->bitmap_flags =
        flags & SPICE_JPEG_ALPHA_FLAGS_TOP_DOWN ? QXL_BITMAP_TOP_DOWN : 0;
    image->inner_size = read_u32(reader);
    uint32_t size = read_u32(reader);
    if (!reader->failed && image->inner_size > size) {
        return COMMAND_BAD_IMAGE;
    }
    return read_payload(reader, batch, size, image);
}

static enum command_error
read_data(struct message_reader *reader, struct command_batch *batch,
          struct guest_image *image)
{
    switch (image->kind) {
    case SPICE_IMAGE_TYPE_BITMAP:
        return read_bitmap(reader, batch, image);
    case SPICE_IMAGE_TYPE_LZ_PLT:
        return read_lz_palette(reader, batch, image);
    case SPICE_IMAGE_TYPE_JPEG_ALPHA:
        return read_jpeg_alpha(reader, batch, image);
    case SPICE_IMAGE_TYPE_ZLIB_GLZ_RGB:
        image->inner_size = read_u32(reader);
        return read_payload(reader, batch, read_u32(reader), image);
    case SPICE_IMAGE_TYPE_QUIC:
    case SPICE_IMAGE_TYPE_LZ_RGB:
    case SPICE_IMAGE_TYPE_GLZ_RGB:
    case SPICE_IMAGE_TYPE_JPEG:
    case SPICE_IMAGE_TYPE_LZ4:
        return read_payload(reader, batch, read_u32(reader), image);
    case SPICE_IMAGE_TYPE_SURFACE:
        image->surface_id = read_u32(reader);
        return COMMAND_OK;
    case SPICE_IMAGE_TYPE_FROM_CACHE:
    case SPICE_IMAGE_TYPE_FROM_CACHE_LOSSLESS:
        return COMMAND_OK;
    default:
        return COMMAND_BAD_IMAGE;
    }
}

static enum command_error
read_descriptor(struct message_reader *reader, struct guest_image *image)
{
    image->id = read_u64(reader);
    image->kind = read_u8(reader);
    image->descriptor_flags = read_u8(reader) & SPICE_IMAGE_FLAGS_MASK;
    image->width = read_u32(reader);
    image->height = read_u32(reader);
    if (reader->failed) {
        return COMMAND_MESSAGE_SHORT;
    }
    if (image->kind == SPICE_IMAGE_TYPE_SURFACE) {
        image->width = image->height = 0; /* the surface knows */
        return COMMAND_OK;
    }
    return image->width == 0 || image->width > MAX_IMAGE_SIDE || image->height == 0 ||
                   image->height > MAX_IMAGE_SIDE
               ? COMMAND_BAD_IMAGE
               : COMMAND_OK;
}

enum command_error
read_image(const struct message_reader *reader, struct command_batch *batch,
           uint32_t offset, uint32_t *index)
{
    struct message_reader at = reader_at(reader, offset);
    struct guest_image image = {.first_chunk = batch->num_chunks};

    if (offset == 0) {
        return COMMAND_BAD_IMAGE; /* a null pointer */
    }
    enum command_error error = read_descriptor(&at, &image);
    if (error == COMMAND_OK) {
        error = read_data(&at, batch, &image);
    }
    if (error == COMMAND_OK && at.failed) {
        error = COMMAND_MESSAGE_SHORT;
    }
    if (error != COMMAND_OK) {
        return error;
    }
    image.num_chunks = batch->num_chunks - image.first_chunk;
    struct guest_image *slot = more_images(batch, 1);
    if (slot == NULL) {
        return COMMAND_NO_MEMORY;
    }
    *slot = image;
    *index = batch->num_images++;
    return COMMAND_OK;
}
