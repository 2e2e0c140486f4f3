/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tile_diff.h: where two pictures of the same surface differ.
 *
 * The byte that pads a pixel of 32_xRGB is not part of the picture.
 */
#ifndef TILE_DIFF_H
#define TILE_DIFF_H

#include <pixman.h>
#include <stdint.h>

#include "pixels.h"

enum {
    TILE_SIDE = 16, /* pixels; a tile is the unit of change, kind and splitting */
};

/* A bit for each tile of a surface; the tiles at the right and below may be cut. */
struct tile_map {
    uint64_t *bits;
    uint32_t width, height; /* in tiles */
    uint32_t row_words;
};

/* No tile is set.  0 or -1 for no memory. */
int tile_map_init(struct tile_map *map, uint32_t surface_width, uint32_t surface_height);
void tile_map_fini(struct tile_map *map);
void tile_map_clear(struct tile_map *map);

static inline int
tile_map_get(const struct tile_map *map, uint32_t x, uint32_t y)
{
    return map->bits[(uint64_t)y * map->row_words + x / 64] >> x % 64 & 1;
}

static inline void
tile_map_set(struct tile_map *map, uint32_t x, uint32_t y)
{
    map->bits[(uint64_t)y * map->row_words + x / 64] |= (uint64_t)1 << x % 64;
}

static inline void
tile_map_unset(struct tile_map *map, uint32_t x, uint32_t y)
{
    map->bits[(uint64_t)y * map->row_words + x / 64] &= ~((uint64_t)1 << x % 64);
}

/* Set every tile that box, inside the surface, touches. */
void tile_map_set_box(struct tile_map *map, pixman_box32_t box);

uint64_t tile_map_count(const struct tile_map *map);

/*
 * Set the tiles whose part inside box differs between then and now, both of the whole
 * surface and of the same format.  How many pixel rows of a tile differ does not matter.
 * The number of tiles that differ.
 */
uint32_t tile_diff(struct tile_map *map, const struct pixels *then,
                   const struct pixels *now, pixman_box32_t box);

/* The smallest box with every pixel of box that differs; no pixels: x1 == x2. */
pixman_box32_t diff_bounds(const struct pixels *then, const struct pixels *now,
                           pixman_box32_t box);

#endif /* TILE_DIFF_H */
