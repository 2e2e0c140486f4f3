/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas_polygon.h: the rectangles and corners that dashed lines are made of.
 *
 * An edge of a polygon is the line  x dy - y dx = k;  k is kept because an end point's
 * product would be rounded.
 */
#ifndef CANVAS_POLYGON_H
#define CANVAS_POLYGON_H

#include "canvas_lines.h"

/* Half the width of a line. */
#define HALF_WIDTH 0.5

struct vertex {
    double x, y;
};

struct slope {
    int64_t dx, dy;
    double k;
};

enum { TOP, RIGHT, BOTTOM, LEFT, NUM_SIDES };

struct polygon {
    struct vertex vertices[NUM_SIDES];
    struct slope slopes[NUM_SIDES]; /* slopes[i] leads from vertex i to the next */
    int count;
};

/* How a line ends or begins: its direction away from there, and its edge. */
struct face {
    struct line_point at;
    double xa, ya, k;
    int64_t dx, dy;
};

/* Fill a polygon whose vertices count from origin; no row or column comes twice. */
void fill_polygon(struct line_output *output, const struct polygon *polygon,
                  struct line_point origin);

/* Join two lines that meet; is_careful: also where one of them drew already. */
void draw_corner(struct line_output *output, struct face left, struct face right,
                 int is_careful);

#endif /* CANVAS_POLYGON_H */
