/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "picture.h"

#include <spice/enums.h>
#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "bitmap_source.h"
#include "check.h"

enum { PADDING = 12, CELL_WIDTH = 8, CELL_HEIGHT = 16, LETTERS = 64 };

uint32_t
draw_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

int32_t
draw_number(uint32_t *state, int32_t from, int32_t to)
{
    return from + (int32_t)(draw_random(state) % (uint32_t)(to - from + 1));
}

uint8_t *
picture_row(const struct pixels *pixels, int32_t y)
{
    return (uint8_t *)(uintptr_t)pixels->data + y * pixels->stride;
}

uint32_t
picture_pixel(const struct pixels *pixels, int32_t x, int32_t y)
{
    uint32_t size = surface_pixel_size(pixels->format), pixel = 0;

    memcpy(&pixel, picture_row(pixels, y) + (uint32_t)x * size, size);
    return pixels->format == SPICE_SURFACE_FMT_32_xRGB ? pixel & 0xffffff : pixel;
}

static uint32_t
letter_pixel(uint32_t seed, int32_t x, int32_t y)
{
    uint32_t cell = (uint32_t)(x / CELL_WIDTH) * 7 + (uint32_t)(y / CELL_HEIGHT) * 1931;
    uint32_t hash = (cell ^ seed) * 2654435761u;
    uint32_t letter = ((hash ^ hash >> 15) * 2246822519u) >> 9 & (LETTERS - 1);
    uint32_t dot = letter * 4096 + (uint32_t)(x % CELL_WIDTH) * 31 +
                   (uint32_t)(y % CELL_HEIGHT) * 977;

    if (x % CELL_WIDTH == 0 || y % CELL_HEIGHT < 3 || letter < 8)
        return 0xffffffff;
    return (dot * 2246822519u) >> 30 ? 0xffffffff : 0xff000000;
}

static uint32_t
photo_pixel(uint32_t *state, int32_t x, int32_t y)
{
    uint32_t noise = draw_random(state);
    uint32_t r = (uint32_t)(x * 2 + y) / 3 + (noise & 7);
    uint32_t g = (uint32_t)(x + y * 2) / 4 + (noise >> 3 & 7);
    uint32_t b = (uint32_t)(255 + x - y / 2) / 2 + (noise >> 6 & 7);

    return 0xff000000 | (r & 0xff) << 16 | (g & 0xff) << 8 | (b & 0xff);
}

static uint32_t
paint_pixel(uint32_t *state, enum picture_kind kind, uint32_t seed, int32_t x,
            int32_t y)
{
    switch (kind) {
    case PICTURE_FLAT:
        return 0xff000000 | seed * 2654435761u >> 8;
    case PICTURE_TEXT:
        return letter_pixel(seed, x, y);
    case PICTURE_UI:
        return 0xff000000 | ((uint32_t)(x / 23) * 77 + (uint32_t)(y / 9) * 991 + seed) *
                                    2654435761u >>
                                8;
    case PICTURE_GRADIENT:
        return 0xff000000 | ((uint32_t)(x / 2 + y) & 0xff) * 0x010101;
    case PICTURE_PHOTO:
        return photo_pixel(state, x, y);
    default:
        return draw_random(state) << 16 ^ draw_random(state);
    }
}

void
picture_paint(uint32_t *state, enum picture_kind kind, const struct pixels *pixels,
              int32_t x, int32_t y, int32_t width, int32_t height)
{
    uint32_t seed = draw_random(state), size = surface_pixel_size(pixels->format);
    uint32_t *words = malloc((size_t)width * 4 + 4);

    CHECK(words);
    for (int32_t row = y; row < y + height; row++) {
        for (int32_t i = 0; i < width; i++)
            words[i] = paint_pixel(state, kind, seed, x + i, row);
        for (int32_t i = 0; i < width && size == 1; i++)
            words[i] <<= 24; /* A8: something to see */
        pixels_encode(words, (uint32_t)width, pixels->format,
                      picture_row(pixels, row) + (uint32_t)x * size);
    }
    free(words);
}

struct pixels
picture_new(uint32_t *state, enum picture_kind kind, uint32_t format, uint32_t width,
            uint32_t height)
{
    struct pixels pixels = {NULL, width, height, 0, format};
    uint8_t *data;

    pixels.stride = (int64_t)((width * surface_pixel_size(format) + 3) & ~3u) + PADDING;
    data = malloc((size_t)pixels.stride * height);
    CHECK(data);
    memset(data, 0xa5, (size_t)pixels.stride * height);
    pixels.data = data;
    picture_paint(state, kind, &pixels, 0, 0, (int32_t)width, (int32_t)height);
    return pixels;
}

struct pixels
picture_copy(const struct pixels *pixels)
{
    struct pixels copy = *pixels;
    uint8_t *data = malloc((size_t)pixels->stride * pixels->height);

    CHECK(data);
    memcpy(data, pixels->data, (size_t)pixels->stride * pixels->height);
    copy.data = data;
    return copy;
}

void
picture_free(struct pixels *pixels)
{
    free((void *)(uintptr_t)pixels->data);
    pixels->data = NULL;
}

int
picture_equal(const struct pixels *a, const struct pixels *b)
{
    for (int32_t y = 0; y < (int32_t)a->height; y++)
        for (int32_t x = 0; x < (int32_t)a->width; x++)
            if (picture_pixel(a, x, y) != picture_pixel(b, x, y))
                return 0;
    return 1;
}
