/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tile_map.h"

#include <stdlib.h>
#include <string.h>

enum { WORD_BITS = 64 };

int
tile_map_init(struct tile_map *map, uint32_t width, uint32_t height)
{
    map->width = width;
    map->height = height;
    map->columns = (width + TILE_SIZE - 1) / TILE_SIZE;
    map->rows = (height + TILE_SIZE - 1) / TILE_SIZE;
    map->words = (map->columns + WORD_BITS - 1) / WORD_BITS;
    map->bits = calloc((size_t)map->words * map->rows + 1, sizeof(uint64_t));
    return map->bits ? 0 : -1;
}

void
tile_map_fini(struct tile_map *map)
{
    free(map->bits);
    memset(map, 0, sizeof(*map));
}

static size_t
num_words(const struct tile_map *map)
{
    return (size_t)map->words * map->rows;
}

void
tile_map_clear(struct tile_map *map)
{
    memset(map->bits, 0, num_words(map) * sizeof(uint64_t));
}

int
tile_map_empty(const struct tile_map *map)
{
    for (size_t i = 0; i < num_words(map); i++) {
        if (map->bits[i])
            return 0;
    }
    return 1;
}

uint32_t
tile_map_count(const struct tile_map *map)
{
    uint32_t count = 0;

    for (size_t i = 0; i < num_words(map); i++)
        count += (uint32_t)__builtin_popcountll(map->bits[i]);
    return count;
}

/* Tiles from (left, top) to before (right, bottom). */
struct tile_range {
    uint32_t left, top, right, bottom;
};

static pixman_box32_t
cut(const struct tile_map *map, pixman_box32_t box)
{
    if (box.x1 < 0)
        box.x1 = 0;
    if (box.y1 < 0)
        box.y1 = 0;
    if (box.x2 > (int32_t)map->width)
        box.x2 = (int32_t)map->width;
    if (box.y2 > (int32_t)map->height)
        box.y2 = (int32_t)map->height;
    return box;
}

/* The tiles that a box touches; none: right is left. */
static struct tile_range
touched(const struct tile_map *map, pixman_box32_t box)
{
    struct tile_range none = {0, 0, 0, 0}, range;

    box = cut(map, box);
    if (box.x1 >= box.x2 || box.y1 >= box.y2)
        return none;
    range.left = (uint32_t)box.x1 / TILE_SIZE;
    range.top = (uint32_t)box.y1 / TILE_SIZE;
    range.right = ((uint32_t)box.x2 - 1) / TILE_SIZE + 1;
    range.bottom = ((uint32_t)box.y2 - 1) / TILE_SIZE + 1;
    return range;
}

/* The tiles all of whose pixels are in a box. */
static struct tile_range
inside(const struct tile_map *map, pixman_box32_t box)
{
    struct tile_range none = {0, 0, 0, 0}, range;

    box = cut(map, box);
    if (box.x1 >= box.x2 || box.y1 >= box.y2)
        return none;
    range.left = ((uint32_t)box.x1 + TILE_SIZE - 1) / TILE_SIZE;
    range.top = ((uint32_t)box.y1 + TILE_SIZE - 1) / TILE_SIZE;
    range.right =
        (uint32_t)box.x2 == map->width ? map->columns : (uint32_t)box.x2 / TILE_SIZE;
    range.bottom =
        (uint32_t)box.y2 == map->height ? map->rows : (uint32_t)box.y2 / TILE_SIZE;
    return range.left < range.right && range.top < range.bottom ? range : none;
}

/* The bits of word that stand for columns from left to before right. */
static uint64_t
word_mask(uint32_t word, uint32_t left, uint32_t right)
{
    uint32_t first = word * WORD_BITS, last = first + WORD_BITS;
    uint64_t mask = ~(uint64_t)0;

    if (left > first)
        mask &= ~(uint64_t)0 << (left - first);
    if (right < last)
        mask &= ~(uint64_t)0 >> (last - right);
    return mask;
}

static void
change(struct tile_map *map, struct tile_range range, int set)
{
    if (range.left >= range.right)
        return;
    for (uint32_t word = range.left / WORD_BITS; word <= (range.right - 1) / WORD_BITS;
         word++) {
        uint64_t mask = word_mask(word, range.left, range.right);

        for (uint32_t row = range.top; row < range.bottom; row++) {
            uint64_t *bits = &map->bits[(size_t)row * map->words + word];

            *bits = set ? *bits | mask : *bits & ~mask;
        }
    }
}

void
tile_map_fill(struct tile_map *map)
{
    struct tile_range all = {0, 0, map->columns, map->rows};

    change(map, all, 1);
}

void
tile_map_add(struct tile_map *map, pixman_box32_t box)
{
    change(map, touched(map, box), 1);
}

void
tile_map_add_inside(struct tile_map *map, pixman_box32_t box)
{
    change(map, inside(map, box), 1);
}

void
tile_map_remove_inside(struct tile_map *map, pixman_box32_t box)
{
    change(map, inside(map, box), 0);
}

void
tile_map_remove_touched(struct tile_map *map, pixman_box32_t box)
{
    change(map, touched(map, box), 0);
}

int
tile_map_covers(const struct tile_map *map, pixman_box32_t box)
{
    struct tile_range range = touched(map, box);

    if (range.left >= range.right)
        return 1;
    for (uint32_t word = range.left / WORD_BITS; word <= (range.right - 1) / WORD_BITS;
         word++) {
        uint64_t mask = word_mask(word, range.left, range.right);

        for (uint32_t row = range.top; row < range.bottom; row++) {
            if (~map->bits[(size_t)row * map->words + word] & mask)
                return 0;
        }
    }
    return 1;
}

int
tile_map_touches(const struct tile_map *map, pixman_box32_t box)
{
    struct tile_range range = touched(map, box);

    if (range.left >= range.right)
        return 0;
    for (uint32_t word = range.left / WORD_BITS; word <= (range.right - 1) / WORD_BITS;
         word++) {
        uint64_t mask = word_mask(word, range.left, range.right);

        for (uint32_t row = range.top; row < range.bottom; row++) {
            if (map->bits[(size_t)row * map->words + word] & mask)
                return 1;
        }
    }
    return 0;
}

void
tile_map_merge(struct tile_map *map, const struct tile_map *other)
{
    for (size_t i = 0; i < num_words(map); i++)
        map->bits[i] |= other->bits[i];
}

void
tile_map_subtract(struct tile_map *map, const struct tile_map *other)
{
    for (size_t i = 0; i < num_words(map); i++)
        map->bits[i] &= ~other->bits[i];
}

void
tile_map_intersect(struct tile_map *map, const struct tile_map *other)
{
    for (size_t i = 0; i < num_words(map); i++)
        map->bits[i] &= other->bits[i];
}

/* The first column from `from` on whose bit is set (or clear); columns: none. */
static uint32_t
find(const struct tile_map *map, uint32_t row, uint32_t from, int set)
{
    const uint64_t *bits = &map->bits[(size_t)row * map->words];

    for (uint32_t word = from / WORD_BITS; word < map->words; word++) {
        uint64_t found = (set ? bits[word] : ~bits[word]) &
                         word_mask(word, from, map->words * WORD_BITS);

        if (found) {
            uint32_t column = word * WORD_BITS + (uint32_t)__builtin_ctzll(found);

            return column < map->columns ? column : map->columns;
        }
    }
    return map->columns;
}

int
tile_map_next(const struct tile_map *map, struct tile_run *run)
{
    uint32_t from = run->column + run->count;

    for (uint32_t row = run->row; row < map->rows; row++, from = 0) {
        uint32_t column = from < map->columns ? find(map, row, from, 1) : map->columns;

        if (column < map->columns) {
            run->row = row;
            run->column = column;
            run->count = find(map, row, column, 0) - column;
            return 1;
        }
    }
    return 0;
}

pixman_box32_t
tile_run_box(const struct tile_map *map, const struct tile_run *run)
{
    pixman_box32_t box = {(int32_t)(run->column * TILE_SIZE),
                          (int32_t)(run->row * TILE_SIZE),
                          (int32_t)((run->column + run->count) * TILE_SIZE),
                          (int32_t)((run->row + 1) * TILE_SIZE)};

    return cut(map, box);
}
