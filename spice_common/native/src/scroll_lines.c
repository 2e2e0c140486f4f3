/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scroll_lines.h"

#include <spice/enums.h>
#include <string.h>

#include "bitmap.h"

enum {
    MIN_STRIP = 64, /* pixels: eight letters of a console */
    BLOCK = 64,     /* pixels hashed in one go */
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

typedef uint32_t pixel_vector __attribute__((vector_size(16)));

enum { LANES = 4 }; /* pixels in a vector */

static uint32_t
mix(uint64_t sum)
{
    sum *= 0xd6e8feb86659fd93;
    sum ^= sum >> 32;
    sum *= 0xd6e8feb86659fd93;
    return (uint32_t)(sum >> 32);
}

/* A polynomial in 31 for each lane, which is a shift and a difference. */
struct line_hash {
    pixel_vector sums[2];
    pixel_vector differ; /* bits in which pixels differ from the first one */
    pixel_vector first, mask;
};

static inline void
absorb(struct line_hash *hash, const uint8_t *from, int chain)
{
    pixel_vector pixels;

    memcpy(&pixels, from, sizeof(pixels));
    pixels &= hash->mask;
    hash->sums[chain] = (hash->sums[chain] << 5) - hash->sums[chain] + pixels;
    hash->differ |= pixels ^ hash->first;
}

/* The number of a run of pixels, given as bytes of words. */
static uint32_t
hash_words(const uint8_t *from, uint32_t count, uint32_t mask)
{
    uint32_t first, words[2 * LANES];
    struct line_hash hash = {0};
    uint64_t sum = 0;

    memcpy(&first, from, 4);
    first &= mask;
    for (int i = 0; i < LANES; i++) {
        hash.mask[i] = mask;
        hash.first[i] = first;
    }
    for (; count >= 2 * LANES; count -= 2 * LANES, from += 8 * LANES) {
        absorb(&hash, from, 0);
        absorb(&hash, from + 4 * LANES, 1);
    }
    if (count > 0) {
        for (uint32_t i = 0; i < 2 * LANES; i++)
            words[i] = first;
        memcpy(words, from, (size_t)count * 4);
        absorb(&hash, (const uint8_t *)words, 0);
        absorb(&hash, (const uint8_t *)(words + LANES), 1);
    }
    if ((hash.differ[0] | hash.differ[1] | hash.differ[2] | hash.differ[3]) == 0)
        return mix(first) & ~1u;
    for (int i = 0; i < LANES; i++)
        sum = (sum ^ hash.sums[0][i] ^ (uint64_t)hash.sums[1][i] << 32) *
              0x9e3779b97f4a7c15;
    return mix(sum) | 1;
}

/* The number of a run of pixels in a row. */
static uint32_t
hash_run(const struct pixels *pixels, const uint8_t *from, uint32_t count)
{
    uint32_t size = surface_pixel_size(pixels->format), words[BLOCK];
    uint64_t sum = 0;
    uint32_t blank = 1;

    if (size == 4)
        return hash_words(from, count, picture_mask(pixels));
    for (uint32_t done = 0; done < count; done += BLOCK) {
        uint32_t part = count - done < BLOCK ? count - done : BLOCK, number;

        load_words(pixels, from + (size_t)done * size, part, words);
        number = hash_words((const uint8_t *)words, part, UINT32_MAX);
        blank &= is_blank(number) && (done == 0 || number == (uint32_t)sum);
        sum = done == 0 ? number : blank ? sum : sum * 0x9e3779b97f4a7c15 + number;
    }
    return blank ? (uint32_t)sum : mix(sum) | 1;
}

static void
hash_rows(const struct line_grid *grid, const struct pixels *pixels, uint32_t strip,
          uint32_t *hashes)
{
    int32_t x = grid->box.x1 + (int32_t)(strip * grid->strip_size);
    uint32_t width = strip_width(grid, strip);

    for (uint32_t i = 0; i < grid->count; i++)
        hashes[i] =
            hash_run(pixels, pixel_at(pixels, x, grid->box.y1 + (int32_t)i), width);
}

/* The numbers of a block of columns, count pixels wide, in a strip of rows. */
static void
hash_columns_block(const struct pixels *pixels, int32_t x, int32_t y, uint32_t rows,
                   uint32_t count, uint32_t *hashes)
{
    uint32_t words[BLOCK] = {0}, first[BLOCK] = {0}, differ[BLOCK] = {0};
    uint32_t sums[BLOCK] = {0}, mask = picture_mask(pixels);
    int is_direct = count == BLOCK && surface_pixel_size(pixels->format) == 4;

    load_words(pixels, pixel_at(pixels, x, y), count, first);
    for (uint32_t row = 0; row < rows; row++) {
        const uint8_t *from = pixel_at(pixels, x, y + (int32_t)row);

        if (is_direct)
            memcpy(words, from, sizeof(words));
        else
            load_words(pixels, from, count, words);
        for (uint32_t i = 0; i < BLOCK; i++) {
            uint32_t word = words[i] & mask;

            sums[i] = (sums[i] << 5) - sums[i] + word;
            differ[i] |= word ^ first[i];
        }
    }
    for (uint32_t i = 0; i < count; i++)
        hashes[i] = differ[i] ? mix(sums[i]) | 1 : mix(first[i]) & ~1u;
}

static void
hash_columns(const struct line_grid *grid, const struct pixels *pixels, uint32_t strip,
             uint32_t *hashes)
{
    int32_t y = grid->box.y1 + (int32_t)(strip * grid->strip_size);

    for (uint32_t i = 0; i < grid->count; i += BLOCK) {
        uint32_t part = grid->count - i < BLOCK ? grid->count - i : BLOCK;

        hash_columns_block(pixels, grid->box.x1 + (int32_t)i, y,
                           strip_width(grid, strip), part, hashes + i);
    }
}

void
hash_strip(const struct line_grid *grid, const struct pixels *pixels, uint32_t strip,
           uint32_t *hashes)
{
    if (grid->vertical)
        hash_rows(grid, pixels, strip, hashes);
    else
        hash_columns(grid, pixels, strip, hashes);
}

/* Pixels right afterwards less pixels right before, for count of a row. */
static void
gain_of_block(const struct pixels *then, const struct pixels *now, int32_t x, int32_t y,
              int32_t dx, int32_t dy, uint32_t count, int32_t *gains)
{
    uint32_t before[BLOCK] = {0}, after[BLOCK] = {0}, wanted[BLOCK] = {0};
    uint32_t mask = picture_mask(now);

    if (count == BLOCK && surface_pixel_size(now->format) == 4) {
        memcpy(before, pixel_at(then, x, y), sizeof(before));
        memcpy(after, pixel_at(then, x - dx, y - dy), sizeof(after));
        memcpy(wanted, pixel_at(now, x, y), sizeof(wanted));
    } else {
        load_words(then, pixel_at(then, x, y), count, before);
        load_words(then, pixel_at(then, x - dx, y - dy), count, after);
        load_words(now, pixel_at(now, x, y), count, wanted);
    }
    for (uint32_t i = 0; i < BLOCK; i++)
        gains[i] = (((after[i] ^ wanted[i]) & mask) == 0) -
                   (((before[i] ^ wanted[i]) & mask) == 0);
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
