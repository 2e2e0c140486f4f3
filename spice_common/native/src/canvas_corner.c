/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas_corner.c: where two dashes meet a miter joins them, or a bevel if it got long.
 */
#include <math.h>

#include "canvas_polygon.h"

/* 1 / sin^2 of half the angle (11 degrees) below which a corner is cut off. */
static const double miter_limit = 108.856472512142;

static void
turn(struct face *face)
{
    face->xa = -face->xa;
    face->ya = -face->ya;
    face->dx = -face->dx;
    face->dy = -face->dy;
}

static struct slope
slope_of(const struct face *face, int swapped)
{
    struct slope slope = {face->dx, face->dy, face->k};

    if (swapped) {
        slope.dx = -slope.dx;
        slope.dy = -slope.dy;
        slope.k = -slope.k;
    }
    return slope;
}

/* The slope of a cut-off corner. */
static struct slope
bevel(const struct face *left, const struct face *right)
{
    double dx = right->xa - left->xa, dy = right->ya - left->ya;
    double scale = fabs(dx) > fabs(dy) ? fabs(dx) : fabs(dy);
    struct slope slope = {(int64_t)(dx * 65536 / scale), (int64_t)(dy * 65536 / scale),
                          0};

    slope.k = ((left->xa + right->xa) * (double)slope.dy -
               (left->ya + right->ya) * (double)slope.dx) /
              2.0;
    return slope;
}

/* Where the outer edges of two lines meet. */
static struct vertex
miter(const struct face *left, const struct face *right, double denominator)
{
    double ldx = (double)left->dx, ldy = (double)left->dy;
    double rdx = (double)right->dx, rdy = (double)right->dy;
    struct vertex point;

    point.y = (ldy * (right->xa * rdy - right->ya * rdx) -
               rdy * (left->xa * ldy - left->ya * ldx)) /
              denominator;
    if (left->dy != 0)
        point.x = left->xa + (point.y - left->ya) * ldx / ldy;
    else
        point.x = right->xa + (point.y - right->ya) * rdx / rdy;
    return point;
}

/* One of the two lines draws the pixel of the corner already. */
static int
corner_is_drawn(const struct face *left, const struct face *right)
{
    return left->dx > 0 || (left->dx == 0 && left->dy > 0) || right->dx > 0 ||
           (right->dx == 0 && right->dy > 0);
}

void
draw_corner(struct line_output *output, struct face left, struct face right,
            int is_careful)
{
    double denominator =
        -(double)left.dx * (double)right.dy + (double)right.dx * (double)left.dy;
    int swapped = denominator <= 0;
    struct polygon polygon = {.count = NUM_SIDES};
    struct vertex point;

    if ((!is_careful && corner_is_drawn(&left, &right)) || denominator == 0)
        return;
    turn(swapped ? &right : &left);
    polygon.vertices[0] = (struct vertex){right.xa, right.ya};
    polygon.slopes[0] = (struct slope){-right.dy, right.dx, 0};
    polygon.slopes[1] = (struct slope){left.dy, -left.dx, 0};
    polygon.vertices[2] = (struct vertex){left.xa, left.ya};
    point = miter(&left, &right, denominator);
    if ((point.x * point.x + point.y * point.y) * 4 > miter_limit) {
        polygon.slopes[2] = bevel(&left, &right);
        polygon.count = 3;
    } else {
        polygon.slopes[2] = slope_of(&left, swapped);
        polygon.vertices[3] = point;
        polygon.slopes[3] = slope_of(&right, swapped);
    }
    fill_polygon(output, &polygon, left.at);
}
