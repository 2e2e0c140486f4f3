/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas_lines.h: lines one pixel wide, as the X server's machine-independent layer
 * draws them and with it every SPICE client.
 */
#ifndef CANVAS_LINES_H
#define CANVAS_LINES_H

#include "canvas_paint.h"

/* Whole pixels. */
struct line_point {
    int32_t x, y;
};

/* Where the pixels of lines go. */
struct line_output {
    struct painter *painter;
    /* For operations that add up, what drew each pixel of the extents last; a number of
     * its own for each line whose pixels are painted once, 0: painted as they come. */
    uint32_t *drawn_by;
    uint32_t line, last_line;
};

/* Lengths of dashes and gaps; total is not 0. */
struct dashes {
    uint8_t lengths[256];
    uint32_t count, total;
    uint32_t offset; /* into the first, where a line begins */
};

/* Paint width pixels of a row as far as they are visible. */
void line_span(struct line_output *output, int64_t x, int64_t y, int64_t width);

/* Lines from each point to the next; the last point is not drawn. */
void draw_polyline(struct line_output *output, const struct line_point *points,
                   uint32_t num_points);
void draw_dashed_polyline(struct line_output *output, const struct dashes *dashes,
                          const struct line_point *points, uint32_t num_points);

#endif /* CANVAS_LINES_H */
