/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas_polygon.c: filling polygons as the X server's machine-independent layer does.
 */
#include "canvas_polygon.h"

#include <stdlib.h>

/* From one row to the next x moves by step, and once more when error exceeds zero. */
struct edge {
    int64_t height, x, step, sign, error, dx, dy;
};

static int64_t
round_up(double number)
{
    int64_t truncated = (int64_t)number;

    return number == (double)truncated || number < 0.0 ? truncated : truncated + 1;
}

/* An edge from start on, in whole pixels from origin; its first row. */
static int64_t
build_edge(struct edge *edge, struct vertex start, struct slope slope,
           struct line_point origin, int is_left)
{
    int64_t y = round_up(start.y), scaled, x;

    if (slope.dy < 0) {
        slope.dy = -slope.dy;
        slope.dx = -slope.dx;
        slope.k = -slope.k;
    }
    scaled = round_up(slope.k) + y * slope.dx;
    x = scaled <= 0 ? -(-scaled / slope.dy) - 1 : (scaled - 1) / slope.dy;
    edge->error = scaled - x * slope.dy;
    edge->sign = slope.dx >= 0 ? 1 : -1;
    edge->step = slope.dx / slope.dy;
    edge->dx = llabs(slope.dx) % slope.dy;
    if (slope.dx < 0)
        edge->error = slope.dy - edge->error + 1;
    edge->error -= slope.dy; /* compared with zero instead of dy */
    edge->dy = slope.dy;
    edge->x = x + is_left + origin.x;
    return y + origin.y;
}

static int
step_around(int place, int direction, int count)
{
    return (place + direction + count) % count;
}

/* The edges on one side, from the top vertex to the bottom one; how many. */
static int
build_side(struct edge *edges, const struct polygon *polygon, int top, int bottom,
           int direction, int64_t bottom_row, struct line_point origin, int is_left,
           int64_t *top_row)
{
    int slope = step_around(top, direction > 0 ? 0 : -1, polygon->count);
    int64_t row, last_row = 0;
    int count = 0;

    for (int i = top; i != bottom; i = step_around(i, direction, polygon->count)) {
        if (polygon->slopes[slope].dy != 0) {
            row = build_edge(&edges[count], polygon->vertices[i],
                             polygon->slopes[slope], origin, is_left);
            if (count > 0)
                edges[count - 1].height = row - last_row;
            else
                *top_row = row;
            last_row = row;
            count++;
        }
        slope = step_around(slope, direction, polygon->count);
    }
    if (count > 0)
        edges[count - 1].height = bottom_row - last_row;
    return count;
}

static void
next_row(struct edge *edge)
{
    edge->x += edge->step;
    edge->error += edge->dx;
    if (edge->error > 0) {
        edge->x += edge->sign;
        edge->error -= edge->dy;
    }
}

/* A side's edge for the next row, or NULL behind the last; a row is taken from it. */
static struct edge *
edge_of_row(struct edge *edges, int count, int *current)
{
    while (*current < count && edges[*current].height <= 0)
        (*current)++;
    if (*current == count)
        return NULL;
    edges[*current].height--;
    return &edges[*current];
}

static void
fill_sides(struct line_output *output, struct edge *left, int num_left,
           struct edge *right, int num_right, int64_t row)
{
    int on_left = 0, on_right = 0;

    for (;; row++) {
        struct edge *from = edge_of_row(left, num_left, &on_left);
        struct edge *to = edge_of_row(right, num_right, &on_right);

        if (!from || !to)
            return;
        if (to->x >= from->x)
            line_span(output, from->x, row, to->x - from->x + 1);
        next_row(from);
        next_row(to);
    }
}

void
fill_polygon(struct line_output *output, const struct polygon *polygon,
             struct line_point origin)
{
    struct edge left[NUM_SIDES], right[NUM_SIDES];
    int top = 0, bottom = 0, before, direction = 1, num_left, num_right;
    int64_t bottom_row, top_row = 0, ignored;

    for (int i = 1; i < polygon->count; i++) {
        if (polygon->vertices[i].y < polygon->vertices[top].y)
            top = i;
        if (polygon->vertices[i].y >= polygon->vertices[bottom].y)
            bottom = i;
    }
    before = step_around(top, -1, polygon->count);
    if (polygon->slopes[before].dy * polygon->slopes[top].dx >
        polygon->slopes[top].dy * polygon->slopes[before].dx)
        direction = -1;
    bottom_row = round_up(polygon->vertices[bottom].y) + origin.y;
    num_right = build_side(right, polygon, top, bottom, direction, bottom_row, origin,
                           0, &top_row);
    num_left = build_side(left, polygon, top, bottom, -direction, bottom_row, origin, 1,
                          &ignored);
    fill_sides(output, left, num_left, right, num_right, top_row);
}
