/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bitmaps: pixman converts the same pixels in the same way, and no read leaves the image
 * however it is cut into chunks.
 */
#include <pixman.h>
#include <spice/enums.h>
#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "bitmap_source.h"
#include "check.h"

enum { MAX_SIDE = 24, ROUNDS = 3000 };

static uint32_t state = 1;

static uint32_t
draw_number(uint32_t below)
{
    state = state * 1664525 + 1013904223;
    return (state >> 8) % below;
}

static const struct {
    uint32_t spice;
    pixman_format_code_t pixman;
} bitmap_formats[] = {
    {SPICE_BITMAP_FMT_16BIT, PIXMAN_x1r5g5b5}, {SPICE_BITMAP_FMT_24BIT, PIXMAN_r8g8b8},
    {SPICE_BITMAP_FMT_32BIT, PIXMAN_x8r8g8b8}, {SPICE_BITMAP_FMT_RGBA, PIXMAN_a8r8g8b8},
    {SPICE_BITMAP_FMT_8BIT_A, PIXMAN_a8},
}, surface_formats[] = {
    {SPICE_SURFACE_FMT_8_A, PIXMAN_a8},           {SPICE_SURFACE_FMT_16_555, PIXMAN_x1r5g5b5},
    {SPICE_SURFACE_FMT_16_565, PIXMAN_r5g6b5},    {SPICE_SURFACE_FMT_32_xRGB, PIXMAN_x8r8g8b8},
    {SPICE_SURFACE_FMT_32_ARGB, PIXMAN_a8r8g8b8},
};

/* Bits of a surface's pixel that mean something, in each 32 bits. */
static uint32_t
meaning(uint32_t surface_format, uint32_t bitmap_format)
{
    int has_unused = bitmap_format == SPICE_BITMAP_FMT_24BIT ||
                     bitmap_format == SPICE_BITMAP_FMT_32BIT;

    switch (surface_format) {
    case SPICE_SURFACE_FMT_32_ARGB:
        return has_unused ? 0x00ffffff : 0xffffffff;
    case SPICE_SURFACE_FMT_16_555:
        return 0x7fff7fff;
    case SPICE_SURFACE_FMT_32_xRGB:
        return 0x00ffffff;
    default:
        return 0xffffffff;
    }
}

static void
compare_with_pixman(uint32_t from, uint32_t to)
{
    enum { WIDTH = 16, HEIGHT = 9 };
    uint32_t src[WIDTH * HEIGHT], wanted[WIDTH * HEIGHT] = {0}, got[WIDTH * HEIGHT] = {0};
    uint32_t pixel_size = surface_pixel_size(surface_formats[to].spice);
    uint32_t row = (uint32_t)bitmap_row_size(bitmap_formats[from].spice, WIDTH);
    struct bitmap_view view = {(uint8_t *)src, sizeof(src), WIDTH, HEIGHT, row,
                               bitmap_formats[from].spice, 1, NULL, 0};
    pixman_image_t *in, *out;

    for (uint32_t i = 0; i < WIDTH * HEIGHT; i++)
        src[i] = draw_number(1 << 24) << 8 ^ draw_number(1 << 24);
    in = pixman_image_create_bits(bitmap_formats[from].pixman, WIDTH, HEIGHT, src,
                                  (int)row);
    out = pixman_image_create_bits(surface_formats[to].pixman, WIDTH, HEIGHT, wanted,
                                   (int)(WIDTH * pixel_size));
    pixman_image_composite32(PIXMAN_OP_SRC, in, NULL, out, 0, 0, 0, 0, 0, 0, WIDTH,
                             HEIGHT);
    pixman_image_unref(in);
    pixman_image_unref(out);
    CHECK(bitmap_convert(&view, 0, 0, WIDTH, HEIGHT, surface_formats[to].spice,
                         (uint8_t *)got, sizeof(got), WIDTH * pixel_size) == 0);
    for (uint32_t i = 0; i < WIDTH * HEIGHT * pixel_size / 4; i++)
        CHECK(((got[i] ^ wanted[i]) & meaning(surface_formats[to].spice,
                                                     bitmap_formats[from].spice)) ==
              0);
}

/* Cut size bytes into chunks, each in memory of its own; how many. */
static uint32_t
cut(const uint8_t *data, uint32_t size, struct image_chunk *chunks)
{
    uint32_t count = 0;

    while (size > 0) {
        uint32_t part = draw_number(3) ? 1 + draw_number(size) : 0;
        uint8_t *copy = malloc(part ? part : 1);

        CHECK(copy);
        memcpy(copy, data, part);
        chunks[count++] = (struct image_chunk){copy, part};
        data += part;
        size -= part;
    }
    return count;
}

static void
read_through_chunks(struct bitmap_scratch *scratch)
{
    uint8_t data[MAX_SIDE * (MAX_SIDE * 4 + 4)];
    uint32_t colors[256];
    struct image_chunk chunks[4 * sizeof(data)];
    uint32_t format = 1 + draw_number(10);
    uint32_t width = 1 + draw_number(MAX_SIDE), height = 1 + draw_number(MAX_SIDE);
    uint32_t stride = (uint32_t)bitmap_row_size(format, width) + draw_number(4);
    uint32_t x = draw_number(width), y = draw_number(height);
    struct bitmap_part part = {x, y, 1 + draw_number(width - x),
                               1 + draw_number(height - y)};
    uint32_t surface_format = surface_formats[draw_number(5)].spice;
    uint32_t row = part.width * surface_pixel_size(surface_format);
    struct guest_image image = {.width = width, .height = height, .stride = stride,
                                .num_colors = 256, .format = (uint8_t)format};
    struct command_batch batch = {.chunks = chunks, .colors = colors};
    struct bitmap_view view = {data, (uint64_t)stride * height, width, height, stride,
                               format, draw_number(2), colors, 256};
    struct bitmap_source source;
    uint8_t *wanted = malloc((size_t)row * part.height);
    uint8_t *got = malloc((size_t)row * part.height);

    CHECK(wanted && got);
    for (uint32_t i = 0; i < stride * height; i++)
        data[i] = (uint8_t)draw_number(256);
    for (uint32_t i = 0; i < 256; i++)
        colors[i] = draw_number(1 << 24);
    image.bitmap_flags = view.top_down ? SPICE_BITMAP_FLAGS_TOP_DOWN : 0;
    image.num_chunks = cut(data, stride * height, chunks);
    CHECK(bitmap_source_init(&source, scratch, &batch, &image) == 0);
    bitmap_source_read(&source, scratch, part, surface_format, got, row);
    CHECK(bitmap_convert(&view, part.x, part.y, part.width, part.height, surface_format,
                         wanted, (uint64_t)row * part.height, row) == 0);
    CHECK(memcmp(wanted, got, (size_t)row * part.height) == 0);
    /* One byte less than the rows need is refused, whatever the image says. */
    for (uint32_t i = image.num_chunks; i-- > 0;)
        free((uint8_t *)chunks[i].data);
    chunks[0] = (struct image_chunk){
        data, stride * (height - 1) + (uint32_t)bitmap_row_size(format, width) - 1};
    image.num_chunks = 1;
    CHECK(bitmap_source_init(&source, scratch, &batch, &image) == -1);
    free(wanted);
    free(got);
}

int
main(void)
{
    struct bitmap_scratch scratch;

    for (uint32_t from = 0; from < 5; from++)
        for (uint32_t to = 0; to < 5; to++)
            compare_with_pixman(from, to);
    CHECK(bitmap_scratch_init(&scratch) == 0);
    for (uint32_t i = 0; i < ROUNDS; i++)
        read_through_chunks(&scratch);
    bitmap_scratch_fini(&scratch);
    return 0;
}
