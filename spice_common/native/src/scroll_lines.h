/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scroll_lines.h: a picture as lines across the direction of a move, cut in strips.
 *
 * For a vertical move lines are rows and strips are columns of the picture some dozen
 * pixels wide; for a horizontal one it is the other way round.
 */
#ifndef SCROLL_LINES_H
#define SCROLL_LINES_H

#include <pixman.h>
#include <stdint.h>

#include "pixels.h"

enum {
    MAX_STRIPS = 16, /* the search for the best rectangle grows with their square */
};

struct line_grid {
    pixman_box32_t box;
    uint32_t vertical;   /* the direction of the move */
    uint32_t count;      /* lines: pixels of the box along the move */
    uint32_t strips;     /* parts of a line */
    uint32_t strip_size; /* pixels; the last one may have fewer */
};

struct line_grid line_grid_of(pixman_box32_t box, uint32_t vertical);

/* Pixels of a strip. */
uint32_t strip_width(const struct line_grid *grid, uint32_t strip);

/*
 * What stands in each line of a strip, as a number: count of them.  A line of one color
 * has an even one, any other line an odd one.
 */
void hash_strip(const struct line_grid *grid, const struct pixels *pixels,
                uint32_t strip, uint32_t *hashes);

static inline int
is_blank(uint32_t hash)
{
    return (hash & 1) == 0;
}

/*
 * For each column of to: the pixels that are right after the move by (dx, dy) and were
 * not before, less those that were and then are not.
 */
void gain_by_column(const struct pixels *then, const struct pixels *now,
                    pixman_box32_t to, int32_t dx, int32_t dy, int32_t *gains);
/* The same for each row. */
void gain_by_row(const struct pixels *then, const struct pixels *now, pixman_box32_t to,
                 int32_t dx, int32_t dy, int32_t *gains);

#endif /* SCROLL_LINES_H */
