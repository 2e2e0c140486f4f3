/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images of draw messages as they are: raw, or as compressed as the guest made them. */
#include <spice/enums.h>
#include <string.h>

#include "bitmap.h"
#include "display_message_writer.h"
#include "draw_message.h"
#include "shared_memory.h"

enum {
    DESCRIPTOR_SIZE = 8 + 1 + 1 + 4 + 4,
    BITMAP_SIZE = 1 + 1 + 4 + 4 + 4, /* without palette and pixels */
    PALETTE_SIZE = 8 + 2,            /* without colors */
    WORDS = 256,                     /* pixels converted at a time */
};

/* Reads the chunks of an image in order, each byte once. */
struct chunk_reader {
    const struct image_chunk *chunk;
    uint32_t num_chunks;
    uint32_t offset; /* in *chunk */
};

static void
read_chunks(struct chunk_reader *reader, uint8_t *to, uint64_t size)
{
    while (size > 0 && reader->num_chunks > 0) {
        uint64_t rest = reader->chunk->size - reader->offset;
        uint64_t part = size < rest ? size : rest;

        if (to) {
            fetch(to, reader->chunk->data + reader->offset, (size_t)part);
            to += part;
        }
        size -= part;
        reader->offset += (uint32_t)part;
        if (part == rest) {
            reader->chunk++;
            reader->num_chunks--;
            reader->offset = 0;
        }
    }
}

static struct chunk_reader
image_reader(const struct command_batch *batch, const struct guest_image *image)
{
    struct chunk_reader reader = {batch->chunks + image->first_chunk, image->num_chunks,
                                  0};

    return reader;
}

static uint8_t *
put_u64(uint8_t *at, uint64_t value)
{
    return put_u32(put_u32(at, (uint32_t)value), (uint32_t)(value >> 32));
}

static uint8_t *
put_descriptor(uint8_t *at, uint64_t id, uint32_t type, uint32_t flags, uint32_t width,
               uint32_t height)
{
    at = put_u64(at, id);
    at = put_u8(at, type);
    at = put_u8(at, flags);
    at = put_u32(at, width);
    return put_u32(at, height);
}

static uint8_t *
put_image_descriptor(uint8_t *at, const struct guest_image *image)
{
    /* What a client is to keep is decided elsewhere; what alpha means is not. */
    uint32_t flags =
        image->descriptor_flags & (uint32_t)SPICE_IMAGE_FLAGS_HIGH_BITS_SET;

    return put_descriptor(at, image->id, image->kind, flags, image->width,
                          image->height);
}

/* Append an image's start: descriptor and size more bytes, which the caller writes. */
static uint8_t *
append_image(struct display_messages *messages, const struct guest_image *image,
             uint64_t size)
{
    uint8_t *at = append_bytes(messages, DESCRIPTOR_SIZE + size);

    return at ? put_image_descriptor(at, image) : NULL;
}

/* Bytes of the field that names an image's palette. */
static uint32_t
palette_field_size(const struct guest_image *image)
{
    return image->palette_flags & SPICE_BITMAP_FLAGS_PAL_FROM_CACHE ? 8 : 4;
}

/* That field: a cached palette's id, or an offset to be set by append_palette(). */
static uint8_t *
put_palette_field(uint8_t *at, const struct guest_image *image)
{
    if (image->palette_flags & SPICE_BITMAP_FLAGS_PAL_FROM_CACHE)
        return put_u64(at, image->palette_unique);
    return put_u32(at, 0);
}

/* Append an image's palette, if it has one, and let the offset at field lead there. */
static int
append_palette(struct display_messages *messages, const struct command_batch *batch,
               const struct guest_image *image, uint64_t field)
{
    uint64_t offset = messages->size - message_body(messages);
    uint8_t *at;

    if (image->num_colors == 0)
        return 0;
    at = append_bytes(messages, PALETTE_SIZE + 4 * (uint64_t)image->num_colors);
    if (!at)
        return -1;
    put_u32(messages->data + field, (uint32_t)offset);
    at = put_u64(at, image->palette_unique);
    at = put_u16(at, image->num_colors);
    for (uint32_t i = 0; i < image->num_colors; i++)
        at = put_u32(at, batch->colors[image->first_color + i]);
    return 0;
}

/* Clients' canvases want rows of whole words. */
static uint64_t
whole_words(uint64_t row)
{
    return (row + 3) & ~UINT64_C(3);
}

/* An image's rows without what pads them in the guest. */
static void
copy_rows(const struct command_batch *batch, const struct guest_image *image,
          uint64_t row, uint64_t stride, uint8_t *to)
{
    struct chunk_reader reader = image_reader(batch, image);

    for (uint32_t y = 0; y < image->height; y++) {
        read_chunks(&reader, to, row);
        memset(to + row, 0, (size_t)(stride - row));
        read_chunks(&reader, NULL, image->stride - row);
        to += stride;
    }
}

static int
write_bitmap(struct display_messages *messages, const struct command_batch *batch,
             const struct guest_image *image)
{
    uint64_t row = bitmap_row_size(image->format, image->width);
    uint64_t stride = whole_words(row), field;
    uint64_t header = BITMAP_SIZE + palette_field_size(image);
    uint8_t *at = append_image(messages, image, header + stride * image->height);

    if (!at)
        return -1;
    at = put_u8(at, image->format);
    at = put_u8(at, (image->bitmap_flags & (uint32_t)SPICE_BITMAP_FLAGS_TOP_DOWN) |
                        image->palette_flags);
    at = put_u32(at, image->width);
    at = put_u32(at, image->height);
    at = put_u32(at, (uint32_t)stride);
    field = (uint64_t)(at - messages->data);
    at = put_palette_field(at, image);
    copy_rows(batch, image, row, stride, at);
    return append_palette(messages, batch, image, field);
}

static int
write_lz_palette(struct display_messages *messages, const struct command_batch *batch,
                 const struct guest_image *image)
{
    struct chunk_reader reader = image_reader(batch, image);
    uint64_t header = 1 + 4 + (uint64_t)palette_field_size(image), field;
    uint8_t *at = append_image(messages, image, header + image->data_size);

    if (!at)
        return -1;
    at = put_u8(at, (image->bitmap_flags & (uint32_t)SPICE_BITMAP_FLAGS_TOP_DOWN) |
                        image->palette_flags);
    at = put_u32(at, (uint32_t)image->data_size);
    field = (uint64_t)(at - messages->data);
    at = put_palette_field(at, image);
    read_chunks(&reader, at, image->data_size);
    return append_palette(messages, batch, image, field);
}

/* BinaryData, and the two kinds that have something before it. */
static int
write_compressed(struct display_messages *messages, const struct command_batch *batch,
                 const struct guest_image *image)
{
    struct chunk_reader reader = image_reader(batch, image);
    uint8_t *at = append_image(messages, image, 1 + 4 + 4 + image->data_size);

    if (!at)
        return -1;
    if (image->kind == SPICE_IMAGE_TYPE_JPEG_ALPHA)
        at = put_u8(at, image->bitmap_flags & SPICE_BITMAP_FLAGS_TOP_DOWN
                            ? SPICE_JPEG_ALPHA_FLAGS_TOP_DOWN
                            : 0u);
    if (image->kind == SPICE_IMAGE_TYPE_JPEG_ALPHA ||
        image->kind == SPICE_IMAGE_TYPE_ZLIB_GLZ_RGB)
        at = put_u32(at, image->inner_size);
    at = put_u32(at, (uint32_t)image->data_size);
    read_chunks(&reader, at, image->data_size);
    messages->size = (uint64_t)(at - messages->data) + image->data_size;
    return 0;
}

static int
write_surface_reference(struct display_messages *messages, const struct canvas *canvas,
                        const struct guest_image *image)
{
    const struct surface *surface =
        canvas ? canvas_find(canvas, image->surface_id) : NULL;
    uint8_t *at = append_bytes(messages, DESCRIPTOR_SIZE + 4);

    if (!at)
        return -1;
    at = put_descriptor(at, image->id, SPICE_IMAGE_TYPE_SURFACE, 0,
                        surface ? surface->width : 0, surface ? surface->height : 0);
    put_u32(at, image->surface_id);
    return 0;
}

int
write_plain_image(void *opaque, struct display_messages *messages,
                  const struct command_batch *batch, const struct guest_image *image,
                  enum image_use use)
{
    (void)use;
    switch (image->kind) {
    case SPICE_IMAGE_TYPE_BITMAP:
        return write_bitmap(messages, batch, image);
    case SPICE_IMAGE_TYPE_LZ_PLT:
        return write_lz_palette(messages, batch, image);
    case SPICE_IMAGE_TYPE_SURFACE:
        return write_surface_reference(messages, opaque, image);
    case SPICE_IMAGE_TYPE_FROM_CACHE:
    case SPICE_IMAGE_TYPE_FROM_CACHE_LOSSLESS:
        return append_image(messages, image, 0) ? 0 : -1;
    default:
        return write_compressed(messages, batch, image);
    }
}

/* One row of a surface, from x on, as format; each byte is read once. */
static void
copy_surface_row(const struct surface *surface, const uint8_t *from, uint32_t format,
                 uint8_t *to, uint32_t width)
{
    uint32_t words[WORDS];
    uint32_t from_size = surface->pixel_size, to_size = surface_pixel_size(format);

    for (uint32_t x = 0; x < width; x += WORDS) {
        uint32_t part = width - x < WORDS ? width - x : WORDS;

        pixels_decode(from + (size_t)x * from_size, part, surface->format, words);
        pixels_encode(words, part, format, to + (size_t)x * to_size);
    }
}

static void
copy_surface_area(const struct surface *surface, struct draw_rect area, uint32_t format,
                  uint8_t *to, size_t stride)
{
    int32_t left = area.left > 0 ? area.left : 0;
    int32_t right =
        area.right < (int32_t)surface->width ? area.right : (int32_t)surface->width;

    for (int32_t y = area.top; y < area.bottom; y++, to += stride) {
        if (y < 0 || y >= (int32_t)surface->height || left >= right)
            continue;
        copy_surface_row(
            surface,
            surface->line_0 + y * surface->stride + (size_t)left * surface->pixel_size,
            format, to + (size_t)(left - area.left) * surface_pixel_size(format),
            (uint32_t)(right - left));
    }
}

int
write_surface_image(struct display_messages *messages, const struct surface *surface,
                    struct draw_rect area)
{
    uint32_t width = (uint32_t)(area.right - area.left);
    uint32_t height = (uint32_t)(area.bottom - area.top);
    uint32_t format = message_format(surface->format);
    size_t stride = message_row_size(format, width);
    uint8_t *at;

    if (width > MAX_IMAGE_SIDE || height > MAX_IMAGE_SIDE)
        return -1;
    at = append_bytes(messages,
                      DESCRIPTOR_SIZE + BITMAP_SIZE + 4 + (uint64_t)stride * height);
    if (!at)
        return -1;
    at = put_descriptor(at, next_image_id(messages), SPICE_IMAGE_TYPE_BITMAP, 0, width,
                        height);
    at = put_u8(at, message_bitmap_format(surface->format));
    at = put_u8(at, SPICE_BITMAP_FLAGS_TOP_DOWN);
    at = put_u32(at, width);
    at = put_u32(at, height);
    at = put_u32(at, (uint32_t)stride);
    at = put_u32(at, 0); /* no palette */
    memset(at, 0, stride * height);
    copy_surface_area(surface, area, format, at, stride);
    return 0;
}
