/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tile_diff.h"

#include <spice/enums.h>
#include <stdlib.h>
#include <string.h>

#include "bitmap.h"

int
tile_map_init(struct tile_map *map, uint32_t surface_width, uint32_t surface_height)
{
    map->width = (surface_width + TILE_SIDE - 1) / TILE_SIDE;
    map->height = (surface_height + TILE_SIDE - 1) / TILE_SIDE;
    map->row_words = (map->width + 63) / 64;
    map->bits = calloc((size_t)map->row_words * map->height + 1, sizeof(*map->bits));
    return map->bits ? 0 : -1;
}

void
tile_map_fini(struct tile_map *map)
{
    free(map->bits);
    map->bits = NULL;
}

void
tile_map_clear(struct tile_map *map)
{
    memset(map->bits, 0, (size_t)map->row_words * map->height * sizeof(*map->bits));
}

void
tile_map_set_box(struct tile_map *map, pixman_box32_t box)
{
    if (box.x1 >= box.x2)
        return;
    for (int32_t y = box.y1 / TILE_SIDE; y * TILE_SIDE < box.y2; y++)
        for (int32_t x = box.x1 / TILE_SIDE; x * TILE_SIDE < box.x2; x++)
            tile_map_set(map, (uint32_t)x, (uint32_t)y);
}

uint64_t
tile_map_count(const struct tile_map *map)
{
    uint64_t count = 0;

    for (size_t i = 0; i < (size_t)map->row_words * map->height; i++)
        count += (uint64_t)__builtin_popcountll(map->bits[i]);
    return count;
}

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
    struct pair pair = {then->data, now->data, then->stride, now->stride,
                        surface_pixel_size(now->format), UINT64_MAX};

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

/* Compare one row of pixels; the tiles of map's row y that differ are set. */
static void
diff_row(struct tile_map *map, const struct pair *pair, uint32_t y, uint32_t x1,
         uint32_t x2)
{
    const uint8_t *then = pair->then + (int64_t)y * pair->then_stride;
    const uint8_t *now = pair->now + (int64_t)y * pair->now_stride;
    uint32_t size = pair->pixel_size;

    if (memcmp(then + (size_t)x1 * size, now + (size_t)x1 * size,
               (size_t)(x2 - x1) * size) == 0)
        return;
    for (uint32_t x = x1; x < x2;) {
        uint32_t tile = x / TILE_SIDE, end = (tile + 1) * TILE_SIDE;
        size_t at = (size_t)x * size, n;
        uint64_t differs;

        if (end > x2)
            end = x2;
        n = (size_t)(end - x) * size;
        differs = n == 64 ? difference_64(then + at, now + at, pair->mask)
                          : difference(then + at, now + at, n, pair->mask);
        if (differs)
            tile_map_set(map, tile, y / TILE_SIDE);
        x = end;
    }
}

/* The tiles of one row of the map are all set between those of x1 and x2. */
static int
row_is_full(const struct tile_map *map, uint32_t tile_y, uint32_t x1, uint32_t x2)
{
    for (uint32_t x = x1 / TILE_SIDE; x * TILE_SIDE < x2; x++)
        if (!tile_map_get(map, x, tile_y))
            return 0;
    return 1;
}

static uint32_t
count_tiles(const struct tile_map *map, uint32_t tile_y, uint32_t x1, uint32_t x2)
{
    uint32_t count = 0;

    for (uint32_t x = x1 / TILE_SIDE; x * TILE_SIDE < x2; x++)
        count += (uint32_t)tile_map_get(map, x, tile_y);
    return count;
}

uint32_t
tile_diff(struct tile_map *map, const struct pixels *then, const struct pixels *now,
          pixman_box32_t box)
{
    struct pair pair = pair_of(then, now);
    uint32_t x1 = (uint32_t)box.x1, x2 = (uint32_t)box.x2, found = 0;

    if (box.x1 >= box.x2)
        return 0;
    for (uint32_t y = (uint32_t)box.y1; y < (uint32_t)box.y2;) {
        uint32_t tile_y = y / TILE_SIDE, end = (tile_y + 1) * TILE_SIDE;
        uint32_t before = count_tiles(map, tile_y, x1, x2);

        if (end > (uint32_t)box.y2)
            end = (uint32_t)box.y2;
        for (; y < end && !row_is_full(map, tile_y, x1, x2); y++)
            diff_row(map, &pair, y, x1, x2);
        y = end;
        found += count_tiles(map, tile_y, x1, x2) - before;
    }
    return found;
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
