/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tile_diff.h"

#include <spice/enums.h>
#include <stdlib.h>
#include <string.h>

#include "bitmap.h"

enum {
    MAX_ROW_WORDS = (1 << 15) / TILE_SIZE / 64, /* of the widest surface */
};

/* Two pictures seen as rows of bytes. */
struct pair {
    const uint8_t *then, *now;
    int64_t then_stride, now_stride;
    uint32_t pixel_size;
    uint64_t mask; /* the bits of 8 bytes that belong to the picture */
};

static struct pair
pair_of(const struct pixels *then, const struct pixels *now)
{
    struct pair pair = {then->data,
                        now->data,
                        then->stride,
                        now->stride,
                        surface_pixel_size(now->format),
                        UINT64_MAX};

    if (now->format == SPICE_SURFACE_FMT_32_xRGB)
        pair.mask = 0x00ffffff00ffffff;
    return pair;
}

/* The bits in which n bytes, n being whole pixels, differ: 0 if they do not. */
static uint64_t
difference(const uint8_t *a, const uint8_t *b, size_t n, uint64_t mask)
{
    uint64_t found = 0, x, y;
    size_t i = 0;

    for (; i + 8 <= n; i += 8) {
        memcpy(&x, a + i, 8);
        memcpy(&y, b + i, 8);
        found |= x ^ y;
    }
    if (i < n) {
        x = y = 0;
        memcpy(&x, a + i, n - i);
        memcpy(&y, b + i, n - i);
        found |= x ^ y;
    }
    return found & mask;
}

/* A whole tile's row of 32 bit pixels: a fixed length, for the compiler's vectors. */
static uint64_t
difference_64(const uint8_t *a, const uint8_t *b, uint64_t mask)
{
    uint64_t x[8], y[8], found = 0;

    memcpy(x, a, 64);
    memcpy(y, b, 64);
    for (int i = 0; i < 8; i++)
        found |= x[i] ^ y[i];
    return found & mask;
}

/* A part of a row of the map. */
struct row_part {
    uint32_t x1, x2; /* pixels */
    uint64_t *found; /* the bits of the row's tiles that differ */
};

static int
is_found(const struct row_part *part, uint32_t tile)
{
    return part->found[tile / 64] >> tile % 64 & 1;
}

/* Compare one row of pixels as far as its tiles are not found yet. */
static void
diff_row(const struct row_part *part, const struct pair *pair, uint32_t y)
{
    const uint8_t *then = pair->then + (int64_t)y * pair->then_stride;
    const uint8_t *now = pair->now + (int64_t)y * pair->now_stride;
    size_t size = pair->pixel_size;

    if (memcmp(then + part->x1 * size, now + part->x1 * size,
               (part->x2 - part->x1) * size) == 0)
        return;
    for (uint32_t x = part->x1; x < part->x2; x += TILE_SIZE) {
        uint32_t tile = x / TILE_SIZE, left = part->x2 - x;
        size_t at = x * size, n = (left < TILE_SIZE ? left : TILE_SIZE) * size;

        if (is_found(part, tile))
            continue;
        if (n == 64 ? difference_64(then + at, now + at, pair->mask)
                    : difference(then + at, now + at, n, pair->mask))
            part->found[tile / 64] |= (uint64_t)1 << tile % 64;
    }
}

/* Are all tiles of the part found? */
static int
is_complete(const struct row_part *part)
{
    for (uint32_t x = part->x1; x < part->x2; x += TILE_SIZE)
        if (!is_found(part, x / TILE_SIZE))
            return 0;
    return 1;
}

/* The tiles of run that differ, in part->found. */
static void
diff_run(const struct row_part *part, const struct pair *pair, pixman_box32_t box)
{
    memset(part->found + part->x1 / TILE_SIZE / 64, 0,
           ((part->x2 - 1) / TILE_SIZE / 64 - part->x1 / TILE_SIZE / 64 + 1) *
               sizeof(*part->found));
    for (int32_t y = box.y1; y < box.y2 && !is_complete(part); y++)
        diff_row(part, pair, (uint32_t)y);
}

uint32_t
tile_map_keep_changed(struct tile_map *map, const struct pixels *then,
                      const struct pixels *now)
{
    struct pair pair = pair_of(then, now);
    struct tile_run run = {0, 0, 0};
    uint64_t found[MAX_ROW_WORDS];
    uint32_t kept = 0;

    while (tile_map_next(map, &run)) {
        pixman_box32_t box = tile_run_box(map, &run);
        struct row_part part = {(uint32_t)box.x1, (uint32_t)box.x2, found};
        uint64_t *bits = map->bits + (size_t)run.row * map->words;

        diff_run(&part, &pair, box);
        for (uint32_t tile = run.column; tile < run.column + run.count; tile++) {
            if (is_found(&part, tile))
                kept++;
            else
                bits[tile / 64] &= ~((uint64_t)1 << tile % 64);
        }
    }
    return kept;
}

/* The first pixel from x1 on that differs, or x2. */
static uint32_t
first_difference(const struct pair *pair, uint32_t y, uint32_t x1, uint32_t x2)
{
    const uint8_t *then = pair->then + (int64_t)y * pair->then_stride;
    const uint8_t *now = pair->now + (int64_t)y * pair->now_stride;
    size_t size = pair->pixel_size;
    uint32_t x = x1;

    for (; x + 16 <= x2; x += 16)
        if (difference(then + x * size, now + x * size, 16 * size, pair->mask))
            break;
    for (; x < x2; x++)
        if (difference(then + x * size, now + x * size, size, pair->mask))
            break;
    return x;
}

/* One behind the last pixel before x2 that differs, or x1. */
static uint32_t
last_difference(const struct pair *pair, uint32_t y, uint32_t x1, uint32_t x2)
{
    const uint8_t *then = pair->then + (int64_t)y * pair->then_stride;
    const uint8_t *now = pair->now + (int64_t)y * pair->now_stride;
    size_t size = pair->pixel_size;
    uint32_t x = x2;

    for (; x >= x1 + 16; x -= 16) {
        size_t at = (x - 16) * size;

        if (difference(then + at, now + at, 16 * size, pair->mask))
            break;
    }
    for (; x > x1; x--)
        if (difference(then + (x - 1) * size, now + (x - 1) * size, size, pair->mask))
            break;
    return x;
}

pixman_box32_t
diff_bounds(const struct pixels *then, const struct pixels *now, pixman_box32_t box)
{
    struct pair pair = pair_of(then, now);
    uint32_t x1 = (uint32_t)box.x1, x2 = (uint32_t)box.x2;
    uint32_t y1 = (uint32_t)box.y1, y2 = (uint32_t)box.y2, left, right;

    while (y1 < y2 && first_difference(&pair, y1, x1, x2) == x2)
        y1++;
    while (y1 < y2 && first_difference(&pair, y2 - 1, x1, x2) == x2)
        y2--;
    left = x2;
    right = x1;
    for (uint32_t y = y1; y < y2; y++) {
        left = first_difference(&pair, y, x1, left);
        right = last_difference(&pair, y, right, x2);
    }
    if (y1 == y2 || left >= right) /* memory that changes meanwhile: no pixels */
        return (pixman_box32_t){box.x1, box.y1, box.x1, box.y1};
    return (pixman_box32_t){(int32_t)left, (int32_t)y1, (int32_t)right, (int32_t)y2};
}
