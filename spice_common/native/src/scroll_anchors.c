/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scroll_anchors.c: a hash of 16 bits rolls over each row; where some of its bits are
 * zero is an anchor, and only there all pixels of the run are hashed properly.
 */
#include "scroll_anchors.h"

#include <spice/enums.h>
#include <string.h>

#include "bitmap.h"

enum {
    LANES = 8,  /* values in a vector */
    PART = 256, /* pixels looked at in one go */
};

typedef uint16_t fold_vector __attribute__((vector_size(16)));

static const uint8_t *
row_at(const struct pixels *pixels, int32_t x, int32_t y)
{
    return pixels->data + (int64_t)y * pixels->stride +
           (int64_t)x * surface_pixel_size(pixels->format);
}

/* 32 bit pixels as 16 bits each. */
static inline void
fold_words(const uint8_t *row, uint32_t count, uint32_t mask, uint16_t *restrict folded)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t pixel;

        memcpy(&pixel, row + 4 * (size_t)i, 4);
        pixel &= mask;
        folded[i] = (uint16_t)(pixel ^ pixel >> 9);
    }
}

/* Each pixel as 16 bits; the byte that pads one of 32_xRGB is not among them. */
static void
fold_row(const struct pixels *pixels, const uint8_t *row, uint32_t count,
         uint16_t *restrict folded)
{
    uint32_t size = surface_pixel_size(pixels->format);

    if (pixels->format == SPICE_SURFACE_FMT_32_xRGB)
        fold_words(row, count, 0x00ffffff, folded);
    else if (size == 4)
        fold_words(row, count, 0xffffffff, folded);
    else if (size == 2)
        memcpy(folded, row, 2 * (size_t)count);
    else
        for (uint32_t i = 0; i < count; i++)
            folded[i] = (uint16_t)(row[i] * 257);
}

static inline fold_vector
load(const uint16_t *from)
{
    fold_vector values;

    memcpy(&values, from, sizeof(values));
    return values;
}

/* From sums over step values, in from, to such over twice as many. */
static inline void
roll(const uint16_t *from, uint16_t *to, uint32_t count, uint32_t step, int bits)
{
    for (uint32_t i = 0; i < count; i += LANES) {
        fold_vector sums = load(from + i);

        sums = (sums << bits | sums >> (16 - bits)) + load(from + i + step);
        memcpy(to + i, &sums, sizeof(sums));
    }
}

/* For each run of ANCHOR_RUN values a number that depends on all of them; how many. */
static uint32_t
roll_row(const uint16_t *folded, uint16_t *rolled, uint32_t count)
{
    roll(folded, rolled, count - 1, 1, 5);
    roll(rolled, rolled, count - 3, 2, 3);
    roll(rolled, rolled, count - 7, 4, 7);
    roll(rolled, rolled, count - 15, 8, 11);
    roll(rolled, rolled, count - 31, 16, 5);
    return count - 31;
}

/* Mark the anchors: all ones; their first pixel differs from the second. */
static void
mark(const uint16_t *folded, uint16_t *rolled, uint32_t runs, uint32_t rarity)
{
    uint16_t mask = (uint16_t)((1u << rarity) - 1);

    for (uint32_t i = 0; i < runs; i += LANES) {
        fold_vector mixed = load(rolled + i) * 0x9e37 >> 3;
        fold_vector marks = (fold_vector)((mixed & mask) == 0) &
                            (fold_vector)(load(folded + i) != load(folded + i + 1));

        memcpy(rolled + i, &marks, sizeof(marks));
    }
}

/* Of the bytes of a run, a multiple of 32; what pads pixels is masked. */
static inline uint64_t
hash_bytes(const uint8_t *run, size_t size, uint64_t mask)
{
    uint64_t lanes[4] = {1, 2, 3, 4}, words[4];

    for (size_t i = 0; i < size; i += sizeof(words)) {
        memcpy(words, run + i, sizeof(words));
        for (int j = 0; j < 4; j++) {
            lanes[j] = (lanes[j] ^ (words[j] & mask)) * 0x9e3779b97f4a7c15;
            lanes[j] ^= lanes[j] >> 29;
        }
    }
    return (lanes[0] * 3 + lanes[1]) * 5 + lanes[2] * 7 + (lanes[3] ^ lanes[3] << 17);
}

static uint64_t
hash_run(const struct pixels *pixels, const uint8_t *run)
{
    if (pixels->format == SPICE_SURFACE_FMT_32_xRGB)
        return hash_bytes(run, ANCHOR_RUN * (size_t)4, 0x00ffffff00ffffff);
    return hash_bytes(run, ANCHOR_RUN * (size_t)surface_pixel_size(pixels->format),
                      UINT64_MAX);
}

uint32_t
count_places(struct anchor_rows *rows, const struct pixels *pixels, int32_t y,
             int32_t x1, int32_t x2)
{
    uint32_t count = 0;

    for (int32_t x = x1; x < x2; x += PART) {
        uint32_t width = (uint32_t)(x2 - x < PART ? x2 - x : PART);

        fold_row(pixels, row_at(pixels, x, y), width, rows->folded);
        for (uint32_t i = 0; i + 1 < width; i++)
            count += rows->folded[i] != rows->folded[i + 1];
    }
    return count;
}

/* The first mark from i on, or runs or behind it; a mark is never missed. */
static inline uint32_t
next_mark(const uint16_t *marks, uint32_t i, uint32_t runs)
{
    uint64_t words[2];

    for (; i < runs; i += LANES) {
        memcpy(words, marks + i, sizeof(words));
        if (words[0])
            return i + (uint32_t)__builtin_ctzll(words[0]) / 16;
        if (words[1])
            return i + LANES / 2 + (uint32_t)__builtin_ctzll(words[1]) / 16;
    }
    return i;
}

/* The anchors of runs that begin at the first `runs` pixels of a part of a row. */
static uint32_t
find_in_part(struct anchor_rows *rows, const struct pixels *pixels, const uint8_t *part,
             uint32_t runs, uint32_t rarity, struct anchor *anchors, uint32_t max)
{
    size_t size = surface_pixel_size(pixels->format);
    uint32_t found = 0, width = runs + ANCHOR_RUN - 1;

    /* Most of what is on a screen is background: nothing begins in it. */
    if (memcmp(part, part + size, (width - 1) * size) == 0)
        return 0;
    fold_row(pixels, part, width, rows->folded);
    roll_row(rows->folded, rows->rolled, width);
    mark(rows->folded, rows->rolled, runs, rarity);
    for (uint32_t i = next_mark(rows->rolled, 0, runs); i < runs && found < max;
         i = next_mark(rows->rolled, i + 1, runs))
        anchors[found++] =
            (struct anchor){hash_run(pixels, part + i * size), (int32_t)i, 0};
    return found;
}

uint32_t
find_anchors(struct anchor_rows *rows, const struct pixels *pixels, int32_t y,
             int32_t x1, int32_t x2, uint32_t rarity, struct anchor *anchors,
             uint32_t max)
{
    uint32_t found = 0;

    for (int32_t x = x1; x + ANCHOR_RUN <= x2 && found < max; x += PART) {
        int32_t runs = x2 - x - ANCHOR_RUN + 1;
        uint32_t here = find_in_part(rows, pixels, row_at(pixels, x, y),
                                     (uint32_t)(runs < PART ? runs : PART), rarity,
                                     anchors + found, max - found);

        for (uint32_t i = found; i < found + here; i++) {
            anchors[i].x += x;
            anchors[i].y = y;
        }
        found += here;
    }
    return found;
}
