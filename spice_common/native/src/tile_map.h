/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tile_map.h: parts of a surface as a grid of squares, a bit for each.
 *
 * Adding and removing take time by the words of a row, not by what was added before:
 * ten thousand rectangles cost no more than one that is as large.
 */
#ifndef TILE_MAP_H
#define TILE_MAP_H

#include <pixman.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TILE_SIZE = 16, /* pixels; what text and most controls are a multiple of */
};

struct tile_map {
    uint32_t width, height; /* of the surface, in pixels */
    uint32_t columns, rows; /* in tiles; the last ones may reach beyond the surface */
    uint32_t words;         /* of bits, for each row */
    uint64_t *bits;         /* tile (0, 0) is the lowest bit of word 0 */
};

/* An empty map for a surface, 0 or -1 for no memory. */
int tile_map_init(struct tile_map *map, uint32_t width, uint32_t height);
void tile_map_fini(struct tile_map *map);

void tile_map_clear(struct tile_map *map);
void tile_map_fill(struct tile_map *map);
int tile_map_empty(const struct tile_map *map);
uint32_t tile_map_count(const struct tile_map *map);

/* Boxes are cut to the surface; what is empty then changes and says nothing. */

/* Add every tile that the box touches. */
void tile_map_add(struct tile_map *map, pixman_box32_t box);
/* Remove every tile whose pixels are all in the box. */
void tile_map_remove_inside(struct tile_map *map, pixman_box32_t box);
/* Remove every tile that the box touches. */
void tile_map_remove_touched(struct tile_map *map, pixman_box32_t box);
/* Add every tile whose pixels are all in the box. */
void tile_map_add_inside(struct tile_map *map, pixman_box32_t box);
/* Whether all tiles that the box touches are there; true for no box. */
int tile_map_covers(const struct tile_map *map, pixman_box32_t box);
/* Whether some tile that the box touches is there. */
int tile_map_touches(const struct tile_map *map, pixman_box32_t box);

/* Add or remove what other, of the same size, has. */
void tile_map_merge(struct tile_map *map, const struct tile_map *other);
void tile_map_subtract(struct tile_map *map, const struct tile_map *other);
/* Keep only what other, of the same size, has too. */
void tile_map_intersect(struct tile_map *map, const struct tile_map *other);

static inline int
tile_map_has(const struct tile_map *map, uint32_t column, uint32_t row)
{
    return map->bits[(size_t)row * map->words + column / 64] >> column % 64 & 1;
}

/* Neighbours in a row: pixels from (column, row) on, count tiles wide. */
struct tile_run {
    uint32_t row, column, count;
};

/* The next run behind *run; {0, 0, 0} to begin.  0: there is none. */
int tile_map_next(const struct tile_map *map, struct tile_run *run);

/* The run's pixels inside the surface. */
pixman_box32_t tile_run_box(const struct tile_map *map, const struct tile_run *run);

#endif /* TILE_MAP_H */
