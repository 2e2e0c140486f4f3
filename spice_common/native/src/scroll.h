/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scroll.h: finds what only moved between two pictures of a surface: text that
 * scrolled, a photo that was dragged, a window.
 */
#ifndef SCROLL_H
#define SCROLL_H

#include <pixman.h>
#include <stdint.h>

#include "pixels.h"
#include "tile_map.h"

/*
 * A COPY_BITS that brings then closer to now: after it, then(x, y) = then(x - dx, y -
 * dy) for all of to.  Both lie inside the surface.
 */
struct scroll {
    pixman_box32_t to;
    int32_t dx, dy;
    /* Pixels of to that are right afterwards and were not, less those it spoils. */
    uint64_t saved;
};

/* Memory for finding, kept between searches; all zero is empty. */
struct scroll_finder {
    struct scroll_memory *memory;
};

void scroll_finder_fini(struct scroll_finder *finder);

/*
 * Look where changed, a map of the tiles in which two pictures of a whole surface
 * differ, reaches, for the move that saves most.  1, or 0: none is worth a message, or
 * there is no memory.  Every pixel of the move was compared; if memory changes
 * meanwhile, saved is a guess and the rest stays inside the surface.
 */
int scroll_find(struct scroll_finder *finder, const struct pixels *then,
                const struct pixels *now, const struct tile_map *changed,
                struct scroll *found);

#endif /* SCROLL_H */
