/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scroll_area.h: what a move is good for, and where.
 */
#ifndef SCROLL_AREA_H
#define SCROLL_AREA_H

#include <pixman.h>
#include <stdint.h>

#include "pixels.h"
#include "scroll.h"

enum {
    /* The search for the best rectangle grows with the tiles and the shorter side. */
    MAX_SCROLL_TILES = 1 << 15,
};

/* What scroll->dx and ->dy save in box, as far as it comes from the surface. */
int32_t scroll_gain(const struct pixels *then, const struct pixels *now,
                    pixman_box32_t box, const struct scroll *scroll);

/*
 * Find the rectangle, in or close to the tiles of box, for which scroll->dx and ->dy
 * save most pixels, and set to and saved.  gains has room for the tiles of box and a
 * row and a column more.  0: the move saves nothing.
 */
int find_scroll_area(const struct pixels *then, const struct pixels *now,
                     pixman_box32_t box, int32_t *gains, struct scroll *scroll);

#endif /* SCROLL_AREA_H */
