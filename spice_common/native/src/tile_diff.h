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
#include "tile_map.h"

/*
 * Take the tiles out of map that do not differ between then and now, both of the whole
 * surface and of the same format.  The number of tiles left.
 */
uint32_t tile_map_keep_changed(struct tile_map *map, const struct pixels *then,
                               const struct pixels *now);

/* The smallest box with every pixel of box that differs; no pixels: x1 == x2. */
pixman_box32_t diff_bounds(const struct pixels *then, const struct pixels *now,
                           pixman_box32_t box);

#endif /* TILE_DIFF_H */
