/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scroll_lines.h"

#include <spice/enums.h>
#include <string.h>

#include "bitmap.h"

enum {
    MIN_STRIP = 64,  /* pixels: eight letters of a console */
    MAX_STRIPS = 16, /* the search for the best rectangle grows with their square */
    BLOCK = 64,      /* pixels hashed in one go */
};

struct line_grid
line_grid_of(pixman_box32_t box, uint32_t vertical)
{
    uint32_t width = (uint32_t)(box.x2 - box.x1), height = (uint32_t)(box.y2 - box.y1);
    uint32_t across = vertical ? width : height;
    struct line_grid grid = {box, vertical, vertical ? height : width, 0, MIN_STRIP};

    if (across > MIN_STRIP * MAX_STRIPS)
        grid.strip_size = (across + MAX_STRIPS - 1) / MAX_STRIPS;
    grid.strips = (across + grid.strip_size - 1) / grid.strip_size;
    return grid;
}

uint32_t
strip_width(const struct line_grid *grid, uint32_t strip)
{
    uint32_t across = (uint32_t)(grid->vertical ? grid->box.x2 - grid->box.x1
                                                : grid->box.y2 - grid->box.y1);
    uint32_t left = across - strip * grid->strip_size;

    return left < grid->strip_size ? left : grid->strip_size;
}

static uint32_t
picture_mask(const struct pixels *pixels)
{
    return pixels->format == SPICE_SURFACE_FMT_32_xRGB ? 0x00ffffff : 0xffffffff;
}

static const uint8_t *
pixel_at(const struct pixels *pixels, int32_t x, int32_t y)
{
    return pixels->data + (int64_t)y * pixels->stride +
           (int64_t)x * surface_pixel_size(pixels->format);
}

/* Load count pixels as words that differ if the pixels do. */
static void
load_words(const struct pixels *pixels, const uint8_t *from, uint32_t count,
           uint32_t *words)
{
    uint32_t size = surface_pixel_size(pixels->format);
    uint32_t mask = picture_mask(pixels);

    if (size == 4) {
        memcpy(words, from, (size_t)count * 4);
        for (uint32_t i = 0; i < count; i++)
            words[i] &= mask;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint16_t pair = from[size * i];

        if (size == 2)
            memcpy(&pair, from + 2 * i, 2);
        words[i] = pair;
    }
}

/* Numbers without any pattern that pictures could have, too. */
static uint32_t keys[BLOCK];

__attribute__((constructor)) static void
make_keys(void)
{
    uint64_t state = 0x2545f4914f6cdd1d;

    for (int i = 0; i < BLOCK; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        keys[i] = (uint32_t)(state >> 16) | 1;
    }
}

static uint32_t
mix(uint64_t sum)
{
    sum ^= sum >> 32;
    sum *= 0xd6e8feb86659fd93;
    return (uint32_t)(sum >> 32);
}

/* The number of a run of pixels in a row. */
static uint32_t
hash_run(const struct pixels *pixels, const uint8_t *from, uint32_t count)
{
    uint32_t words[BLOCK], size = surface_pixel_size(pixels->format), differ = 0, first;
    uint64_t hash = 0;

    load_words(pixels, from, 1, &first);
    for (uint32_t done = 0; done < count; done += BLOCK) {
        uint32_t part = count - done < BLOCK ? count - done : BLOCK;
        uint64_t sum = 0;

        load_words(pixels, from + (size_t)done * size, part, words);
        if (part == BLOCK) { /* of a length that the compiler knows */
            for (uint32_t i = 0; i < BLOCK; i++) {
                sum += (uint64_t)words[i] * keys[i];
                differ |= words[i] ^ first;
            }
        } else {
            for (uint32_t i = 0; i < part; i++) {
                sum += (uint64_t)words[i] * keys[i];
                differ |= words[i] ^ first;
            }
        }
        hash = hash * 0x9e3779b97f4a7c15 + sum;
    }
    return differ ? mix(hash) | 1 : mix(first) & ~1u;
}

static void
hash_rows(const struct line_grid *grid, const struct pixels *pixels, uint32_t *hashes)
{
    for (uint32_t i = 0; i < grid->count; i++) {
        const uint8_t *row = pixel_at(pixels, grid->box.x1, grid->box.y1 + (int32_t)i);
        size_t step = (size_t)grid->strip_size * surface_pixel_size(pixels->format);

        for (uint32_t s = 0; s < grid->strips; s++)
            hashes[(size_t)s * grid->count + i] =
                hash_run(pixels, row + s * step, strip_width(grid, s));
    }
}

/* The numbers of a block of columns, count pixels wide, in a strip of rows. */
static void
hash_columns_block(const struct pixels *pixels, int32_t x, int32_t y, uint32_t rows,
                   uint32_t count, uint32_t *hashes)
{
    uint32_t words[BLOCK] = {0}, first[BLOCK] = {0}, differ[BLOCK] = {0};
    uint32_t sums[BLOCK] = {0};

    load_words(pixels, pixel_at(pixels, x, y), count, first);
    for (uint32_t row = 0; row < rows; row++) {
        load_words(pixels, pixel_at(pixels, x, y + (int32_t)row), count, words);
        for (uint32_t i = 0; i < BLOCK; i++) {
            sums[i] = (sums[i] << 5) - sums[i] + words[i];
            differ[i] |= words[i] ^ first[i];
        }
    }
    for (uint32_t i = 0; i < count; i++)
        hashes[i] = differ[i] ? mix(sums[i]) | 1 : mix(first[i]) & ~1u;
}

static void
hash_columns(const struct line_grid *grid, const struct pixels *pixels, uint32_t *hashes)
{
    for (uint32_t s = 0; s < grid->strips; s++) {
        int32_t y = grid->box.y1 + (int32_t)(s * grid->strip_size);

        for (uint32_t i = 0; i < grid->count; i += BLOCK) {
            uint32_t part = grid->count - i < BLOCK ? grid->count - i : BLOCK;

            hash_columns_block(pixels, grid->box.x1 + (int32_t)i, y,
                               strip_width(grid, s), part,
                               hashes + (size_t)s * grid->count + i);
        }
    }
}

void
hash_lines(const struct line_grid *grid, const struct pixels *pixels, uint32_t *hashes)
{
    if (grid->vertical)
        hash_rows(grid, pixels, hashes);
    else
        hash_columns(grid, pixels, hashes);
}

/* Pixels right afterwards less pixels right before, for count of a row. */
static void
gain_of_block(const struct pixels *then, const struct pixels *now, int32_t x, int32_t y,
              int32_t dx, int32_t dy, uint32_t count, int32_t *gains)
{
    uint32_t before[BLOCK] = {0}, after[BLOCK] = {0}, wanted[BLOCK] = {0};

    load_words(then, pixel_at(then, x, y), count, before);
    load_words(then, pixel_at(then, x - dx, y - dy), count, after);
    load_words(now, pixel_at(now, x, y), count, wanted);
    for (uint32_t i = 0; i < BLOCK; i++)
        gains[i] = (after[i] == wanted[i]) - (before[i] == wanted[i]);
}

void
gain_by_column(const struct pixels *then, const struct pixels *now, pixman_box32_t to,
               int32_t dx, int32_t dy, int32_t *gains)
{
    int32_t block[BLOCK];

    memset(gains, 0, (size_t)(to.x2 - to.x1) * sizeof(*gains));
    for (int32_t y = to.y1; y < to.y2; y++) {
        for (int32_t x = to.x1; x < to.x2; x += BLOCK) {
            int32_t count = to.x2 - x < BLOCK ? to.x2 - x : BLOCK;

            gain_of_block(then, now, x, y, dx, dy, (uint32_t)count, block);
            for (int32_t i = 0; i < count; i++)
                gains[x - to.x1 + i] += block[i];
        }
    }
}

void
gain_by_row(const struct pixels *then, const struct pixels *now, pixman_box32_t to,
            int32_t dx, int32_t dy, int32_t *gains)
{
    int32_t block[BLOCK];

    for (int32_t y = to.y1; y < to.y2; y++) {
        int32_t sum = 0;

        for (int32_t x = to.x1; x < to.x2; x += BLOCK) {
            int32_t count = to.x2 - x < BLOCK ? to.x2 - x : BLOCK;

            gain_of_block(then, now, x, y, dx, dy, (uint32_t)count, block);
            for (int32_t i = 0; i < BLOCK; i++)
                sum += i < count ? block[i] : 0;
        }
        gains[y - to.y1] = sum;
    }
}
