/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bitmap.h"

#include <spice/enums.h>
#include <spice/qxl_dev.h>
#include <stdlib.h>
#include <string.h>

#include "bitmap_source.h"

uint32_t
bitmap_bits_per_pixel(uint32_t format)
{
    switch (format) {
    case SPICE_BITMAP_FMT_1BIT_LE:
    case SPICE_BITMAP_FMT_1BIT_BE:
        return 1;
    case SPICE_BITMAP_FMT_4BIT_LE:
    case SPICE_BITMAP_FMT_4BIT_BE:
        return 4;
    case SPICE_BITMAP_FMT_8BIT:
    case SPICE_BITMAP_FMT_8BIT_A:
        return 8;
    case SPICE_BITMAP_FMT_16BIT:
        return 16;
    case SPICE_BITMAP_FMT_24BIT:
        return 24;
    case SPICE_BITMAP_FMT_32BIT:
    case SPICE_BITMAP_FMT_RGBA:
        return 32;
    default:
        return 0;
    }
}

uint64_t
bitmap_row_size(uint32_t format, uint32_t width)
{
    return ((uint64_t)width * bitmap_bits_per_pixel(format) + 7) / 8;
}

uint32_t
surface_pixel_size(uint32_t format)
{
    switch (format) {
    case SPICE_SURFACE_FMT_8_A:
        return 1;
    case SPICE_SURFACE_FMT_16_555:
    case SPICE_SURFACE_FMT_16_565:
        return 2;
    case SPICE_SURFACE_FMT_32_xRGB:
    case SPICE_SURFACE_FMT_32_ARGB:
        return 4;
    default:
        return 0;
    }
}

/* Whether the bytes of a bitmap are those of the surface. */
static int
same_layout(uint32_t bitmap_format, uint32_t surface_format)
{
    switch (surface_format) {
    case SPICE_SURFACE_FMT_8_A:
        return bitmap_format == SPICE_BITMAP_FMT_8BIT_A;
    case SPICE_SURFACE_FMT_16_555:
        return bitmap_format == SPICE_BITMAP_FMT_16BIT;
    case SPICE_SURFACE_FMT_32_xRGB:
    case SPICE_SURFACE_FMT_32_ARGB:
        return bitmap_format == SPICE_BITMAP_FMT_32BIT ||
               bitmap_format == SPICE_BITMAP_FMT_RGBA;
    default:
        return 0;
    }
}

int
bitmap_scratch_init(struct bitmap_scratch *scratch)
{
    memset(scratch, 0, sizeof(*scratch));
    scratch->bytes = malloc((size_t)MAX_IMAGE_SIDE * 4);
    scratch->words = malloc((size_t)MAX_IMAGE_SIDE * 4);
    return scratch->bytes && scratch->words ? 0 : -1;
}

void
bitmap_scratch_fini(struct bitmap_scratch *scratch)
{
    free(scratch->chunk_ends);
    free(scratch->bytes);
    free(scratch->words);
}

static int
reserve_chunks(struct bitmap_scratch *scratch, uint32_t num_chunks)
{
    uint64_t *ends;

    if (num_chunks <= scratch->cap_chunks)
        return 0;
    ends = realloc(scratch->chunk_ends, (size_t)num_chunks * sizeof(*ends));
    if (!ends)
        return -1;
    scratch->chunk_ends = ends;
    scratch->cap_chunks = num_chunks;
    return 0;
}

int
bitmap_is_indexed(uint32_t format)
{
    return bitmap_bits_per_pixel(format) <= 8 && format != SPICE_BITMAP_FMT_8BIT_A;
}

static int
set_palette(struct bitmap_source *source, const uint32_t *colors, uint32_t num_colors)
{
    if (!bitmap_is_indexed(source->format))
        return 0;
    /* A mask has bits and no colors. */
    if (num_colors == 0 && bitmap_bits_per_pixel(source->format) > 1)
        return -1;
    for (uint32_t i = 0; i < 256; i++)
        source->palette[i] = i < num_colors ? colors[i] : 0;
    return 0;
}

/* The numbers are checked again here, where the memory is read: it costs nothing. */
static int
check_size(const struct bitmap_source *source, uint64_t size)
{
    uint64_t row = bitmap_row_size(source->format, source->width);

    if (source->width == 0 || source->width > MAX_IMAGE_SIDE || source->height == 0 ||
        source->height > MAX_IMAGE_SIDE || row == 0 || source->stride < row)
        return -1;
    return (uint64_t)source->stride * (source->height - 1) + row <= size ? 0 : -1;
}

int
bitmap_source_init(struct bitmap_source *source, struct bitmap_scratch *scratch,
                   const struct command_batch *batch, const struct guest_image *image)
{
    uint64_t size = 0;

    source->chunks = batch->chunks + image->first_chunk;
    source->num_chunks = image->num_chunks;
    source->width = image->width;
    source->height = image->height;
    source->stride = image->stride;
    source->format = image->format;
    source->top_down = (image->bitmap_flags & SPICE_BITMAP_FLAGS_TOP_DOWN) != 0;
    if (reserve_chunks(scratch, image->num_chunks))
        return -1;
    for (uint32_t i = 0; i < image->num_chunks; i++)
        scratch->chunk_ends[i] = size += source->chunks[i].size;
    source->chunk_ends = scratch->chunk_ends;
    source->high_bits = image->format != SPICE_BITMAP_FMT_RGBA &&
                        (image->descriptor_flags & QXL_IMAGE_HIGH_BITS_SET) != 0;
    if (check_size(source, size))
        return -1;
    return set_palette(source, batch->colors + image->first_color, image->num_colors);
}

static uint32_t
find_chunk(const struct bitmap_source *source, uint64_t offset)
{
    uint32_t low = 0, high = source->num_chunks - 1;

    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (source->chunk_ends[middle] > offset)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Copy count bytes from offset of the image, across chunks. */
static void
fetch(const struct bitmap_source *source, uint64_t offset, size_t count, uint8_t *dst)
{
    uint32_t index = find_chunk(source, offset);

    while (count > 0) {
        const struct image_chunk *chunk = &source->chunks[index];
        uint64_t start = source->chunk_ends[index] - chunk->size;
        size_t skip = (size_t)(offset - start);
        size_t part = chunk->size - skip < count ? chunk->size - skip : count;

        memmove(dst, chunk->data + skip, part);
        dst += part;
        offset += part;
        count -= part;
        index++;
    }
}

/* Make of decoded words what the clients read in such a bitmap. */
static void
adjust_words(const struct bitmap_source *source, uint32_t surface_format,
             uint32_t *words, uint32_t width)
{
    int indexed = bitmap_is_indexed(source->format);

    /* On such a surface the colors of a palette are pixels of its format. */
    if (indexed && surface_format == SPICE_SURFACE_FMT_16_555)
        for (uint32_t i = 0; i < width; i++)
            words[i] = expand_555(words[i] & 0x7fff);
    if (surface_format == SPICE_SURFACE_FMT_8_A &&
        (indexed || source->format == SPICE_BITMAP_FMT_24BIT ||
         source->format == SPICE_BITMAP_FMT_32BIT))
        for (uint32_t i = 0; i < width; i++)
            words[i] |= OPAQUE_BLACK;
}

static void
set_high_bits(uint8_t *dst, uint32_t width)
{
    for (uint32_t i = 0; i < width; i++)
        dst[4 * (size_t)i + 3] = 0xff;
}

static void
read_row(const struct bitmap_source *source, struct bitmap_scratch *scratch, uint32_t x,
         uint32_t row, uint32_t width, uint32_t surface_format, uint8_t *dst)
{
    uint32_t bits = bitmap_bits_per_pixel(source->format);
    uint64_t first = (uint64_t)x * bits / 8;
    size_t count = (size_t)(((uint64_t)(x + width) * bits + 7) / 8 - first);
    uint64_t offset = (uint64_t)source->stride * row + first;

    if (same_layout(source->format, surface_format)) {
        fetch(source, offset, count, dst);
    } else {
        fetch(source, offset, count, scratch->bytes);
        bitmap_decode(scratch->bytes, bits < 8 ? x % (8 / bits) : 0, width,
                      source->format, source->palette, scratch->words);
        adjust_words(source, surface_format, scratch->words, width);
        pixels_encode(scratch->words, width, surface_format, dst);
    }
    if (source->high_bits && surface_pixel_size(surface_format) == 4)
        set_high_bits(dst, width);
}

void
bitmap_source_read(const struct bitmap_source *source, struct bitmap_scratch *scratch,
                   struct bitmap_part part, uint32_t surface_format, uint8_t *dst,
                   ptrdiff_t dst_stride)
{
    for (uint32_t i = 0; i < part.height; i++) {
        uint32_t y = part.y + i;
        uint32_t row = source->top_down ? y : source->height - 1 - y;

        read_row(source, scratch, part.x, row, part.width, surface_format,
                 dst + (ptrdiff_t)i * dst_stride);
    }
}

int
bitmap_convert(const struct bitmap_view *bitmap, uint32_t x, uint32_t y, uint32_t width,
               uint32_t height, uint32_t surface_format, uint8_t *dst,
               uint64_t dst_size, uint32_t dst_stride)
{
    struct bitmap_part part = {x, y, width, height};
    struct bitmap_scratch scratch;
    struct bitmap_source source;
    uint64_t end = bitmap->size;
    struct image_chunk chunk = {bitmap->data, (uint32_t)bitmap->size};
    uint64_t row = (uint64_t)width * surface_pixel_size(surface_format);

    memset(&source, 0, sizeof(source));
    source.chunks = &chunk;
    source.chunk_ends = &end;
    source.num_chunks = 1;
    source.width = bitmap->width;
    source.height = bitmap->height;
    source.stride = bitmap->stride;
    source.format = (uint8_t)bitmap->format;
    source.top_down = bitmap->top_down != 0;
    if (bitmap_is_indexed(bitmap->format) && bitmap->num_colors == 0)
        return -1;
    if (bitmap->size > UINT32_MAX || bitmap->format > UINT8_MAX || row == 0 ||
        height == 0 || check_size(&source, bitmap->size) ||
        set_palette(&source, bitmap->colors, bitmap->num_colors))
        return -1;
    if (x > bitmap->width || width > bitmap->width - x || y > bitmap->height ||
        height > bitmap->height - y || dst_stride < row ||
        (uint64_t)dst_stride * (height - 1) + row > dst_size)
        return -1;
    if (bitmap_scratch_init(&scratch) == 0)
        bitmap_source_read(&source, &scratch, part, surface_format, dst, dst_stride);
    else
        end = 0;
    bitmap_scratch_fini(&scratch);
    return end ? 0 : -1;
}
