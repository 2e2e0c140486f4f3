/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas_dash.c: dashed lines.
 *
 * The X server has no thin dashed line: it draws one as wide lines one pixel wide, each
 * dash a rectangle turned into the line's direction, filled as a polygon; where a dash
 * goes around a corner a miter joins its parts.  Which pixels these are depends on every
 * rounding on the way, hence the same doubles, integers and order of operations here.
 *
 * An edge of a polygon is the line  x dy - y dx = k;  k is kept because an end point's
 * product would be rounded.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "canvas_lines.h"

/* Half the width of a line. */
static const double half_width = 0.5;
/* 1 / sin^2 of half the angle (11 degrees) below which a corner is cut off. */
static const double miter_limit = 108.856472512142;

struct vertex {
    double x, y;
};

struct slope {
    int64_t dx, dy;
    double k;
};

/* From one row to the next x moves by step, and once more when error exceeds zero. */
struct edge {
    int64_t height, x, step, sign, error, dx, dy;
};

enum { TOP, RIGHT, BOTTOM, LEFT, NUM_SIDES };

struct polygon {
    struct vertex vertices[NUM_SIDES];
    struct slope slopes[NUM_SIDES]; /* slopes[i] leads from vertex i to the next */
    int count;
};

static int64_t
round_up(double number)
{
    int64_t truncated = (int64_t)number;

    return number == (double)truncated || number < 0.0 ? truncated : truncated + 1;
}

/* ---- polygons */

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

static void
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

/* ---- corners */

/* How a line ends or begins: its direction away from there, and its edge. */
struct face {
    struct line_point at;
    double xa, ya, k;
    int64_t dx, dy;
};

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

static void
draw_corner(struct line_output *output, struct face left, struct face right,
            int is_careful)
{
    double denominator = -(double)left.dx * (double)right.dy +
                         (double)right.dx * (double)left.dy;
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

/* ---- dashes */

/* Where in the list of dashes a line is. */
struct dash_place {
    uint32_t index, offset;
};

static int
is_dash(uint32_t index)
{
    return index % 2 == 0;
}

static uint32_t
next_index(const struct dashes *dashes, uint32_t index)
{
    return index + 1 == dashes->count ? 0 : index + 1;
}

static struct dash_place
place_after(const struct dashes *dashes, uint32_t distance)
{
    struct dash_place place = {0, distance};

    if (distance < dashes->lengths[0])
        return place;
    place.offset -= dashes->lengths[0];
    place.index = next_index(dashes, 0);
    place.offset %= dashes->total;
    while (place.offset >= dashes->lengths[place.index]) {
        place.offset -= dashes->lengths[place.index];
        place.index = next_index(dashes, place.index);
    }
    return place;
}

/* A line of a dashed polyline while it is drawn. */
struct dashed_line {
    struct line_output *output;
    const struct dashes *dashes;
    struct line_point from, to;
    int64_t dx, dy;
    double length, remaining;
    double rdx, rdy; /* half the width along the line */
    struct polygon polygon;
    uint32_t index;
    double left_in_dash; /* whole */
    double first, last; /* visible: from which distance to which */
};

static void
line_init(struct dashed_line *line)
{
    struct polygon *polygon = &line->polygon;
    double dx, dy, ratio;

    line->dx = (int64_t)line->to.x - line->from.x;
    line->dy = (int64_t)line->to.y - line->from.y;
    dx = (double)line->dx;
    dy = (double)line->dy;
    if (line->dx == 0 || line->dy == 0) {
        line->length = fabs(dx + dy);
        line->rdx = dx > 0 ? half_width : dx < 0 ? -half_width : 0;
        line->rdy = dy > 0 ? half_width : dy < 0 ? -half_width : 0;
    } else {
        line->length = hypot(dx, dy);
        ratio = half_width / line->length;
        line->rdx = ratio * dx;
        line->rdy = ratio * dy;
    }
    line->remaining = line->length;
    polygon->count = NUM_SIDES;
    polygon->slopes[TOP] =
        (struct slope){line->dx, line->dy, half_width * line->length};
    polygon->slopes[RIGHT] = (struct slope){-line->dy, line->dx, 0};
    polygon->slopes[BOTTOM] =
        (struct slope){-line->dx, -line->dy, half_width * line->length};
    polygon->slopes[LEFT] = (struct slope){line->dy, -line->dx, 0};
    polygon->vertices[TOP] = polygon->vertices[RIGHT] =
        (struct vertex){line->rdy, -line->rdx};
    polygon->vertices[BOTTOM] = polygon->vertices[LEFT] =
        (struct vertex){-line->rdy, line->rdx};
}

/* Narrow [*first, *last], parts of a line, to where one coordinate is visible. */
static void
narrow(double *first, double *last, double from, double delta, double low, double high)
{
    double a, b;

    if (delta == 0) {
        if (from < low || from > high)
            *last = -1;
        return;
    }
    a = (low - from) / delta;
    b = (high - from) / delta;
    *first = fmax(*first, fmin(a, b));
    *last = fmin(*last, fmax(a, b));
}

/* Around what is visible a dash more is drawn than can be seen. */
static void
find_visible(struct dashed_line *line)
{
    const pixman_box32_t *box = &line->output->painter->plan->extents;
    double margin = 4, first = 0, last = 1;

    narrow(&first, &last, line->from.x, (double)line->dx, box->x1 - margin,
           box->x2 + margin);
    narrow(&first, &last, line->from.y, (double)line->dy, box->y1 - margin,
           box->y2 + margin);
    line->first = first * line->length - 256;
    line->last = last < first ? -1 : last * line->length + 1;
}

/* Move the end of the next dash along the line. */
static void
advance(struct dashed_line *line, double distance)
{
    struct polygon *polygon = &line->polygon;
    double dx = distance * (double)line->dx / line->length;
    double dy = distance * (double)line->dy / line->length;

    polygon->vertices[RIGHT].x += dx;
    polygon->vertices[RIGHT].y += dy;
    polygon->vertices[BOTTOM].x += dx;
    polygon->vertices[BOTTOM].y += dy;
    polygon->slopes[RIGHT].k = polygon->vertices[RIGHT].x * (double)line->dx +
                               polygon->vertices[RIGHT].y * (double)line->dy;
}

/* The end of what was drawn is the beginning of what comes. */
static void
begin_where_it_ended(struct dashed_line *line)
{
    struct polygon *polygon = &line->polygon;

    polygon->vertices[TOP] = polygon->vertices[RIGHT];
    polygon->vertices[LEFT] = polygon->vertices[BOTTOM];
    polygon->slopes[LEFT].k = -polygon->slopes[RIGHT].k;
}

/* Go past whole lists of dashes that are not visible, and end before the line does. */
static void
skip_hidden(struct dashed_line *line)
{
    double done = line->length - line->remaining, total = line->dashes->total;
    double until = done > line->last ? line->length - 256 : line->first;
    double lists = floor((until - done) / total) - 1;

    if (lists < 1 || lists * total >= line->remaining)
        return;
    advance(line, lists * total);
    begin_where_it_ended(line);
    line->remaining -= lists * total;
}

static int
is_visible(const struct dashed_line *line)
{
    double done = line->length - line->remaining;

    return done >= line->first && done <= line->last;
}

static void
draw_whole_dashes(struct dashed_line *line)
{
    while (line->remaining > line->left_in_dash) {
        skip_hidden(line);
        if (line->remaining <= line->left_in_dash)
            return;
        advance(line, line->left_in_dash);
        if (is_dash(line->index) && is_visible(line))
            fill_polygon(line->output, &line->polygon, line->from);
        line->remaining -= line->left_in_dash;
        line->index = next_index(line->dashes, line->index);
        line->left_in_dash = line->dashes->lengths[line->index];
        begin_where_it_ended(line);
    }
}

/* The dash that the line's end cuts off, as seen from there. */
static void
draw_last_dash(struct dashed_line *line)
{
    struct polygon *polygon = &line->polygon;
    double dx = (double)line->dx, dy = (double)line->dy;

    if (!is_dash(line->index) || !is_visible(line))
        return;
    polygon->vertices[TOP].x -= dx;
    polygon->vertices[TOP].y -= dy;
    polygon->vertices[LEFT].x -= dx;
    polygon->vertices[LEFT].y -= dy;
    polygon->vertices[RIGHT] = (struct vertex){line->rdy, -line->rdx};
    polygon->vertices[BOTTOM] = (struct vertex){-line->rdy, line->rdx};
    polygon->slopes[RIGHT].k = 0;
    polygon->slopes[LEFT].k += (double)(line->dx * line->dx + line->dy * line->dy);
    fill_polygon(line->output, polygon, line->to);
}

static void
set_faces(const struct dashed_line *line, struct face *begin, struct face *end)
{
    double k = half_width * line->length;

    *begin = (struct face){line->from, line->rdy, -line->rdx, k, line->dx, line->dy};
    *end = (struct face){line->to, -line->rdy, line->rdx, k, -line->dx, -line->dy};
}

/* Draw a line that begins at place, which then is where the next one begins. */
static void
draw_dashed_line(struct dashed_line *line, struct dash_place *place)
{
    const struct dashes *dashes = line->dashes;

    line_init(line);
    find_visible(line);
    line->index = place->index;
    line->left_in_dash = (double)dashes->lengths[place->index] - place->offset;
    draw_whole_dashes(line);
    draw_last_dash(line);
    line->left_in_dash = trunc(line->left_in_dash - line->remaining);
    if (line->left_in_dash == 0) {
        line->index = next_index(dashes, line->index);
        line->left_in_dash = dashes->lengths[line->index];
    }
    place->index = line->index;
    place->offset = dashes->lengths[line->index] - (uint32_t)line->left_in_dash;
}

void
draw_dashed_polyline(struct line_output *output, const struct dashes *dashes,
                     const struct line_point *points, uint32_t num_points)
{
    struct dash_place place = place_after(dashes, dashes->offset);
    struct dashed_line line = {.output = output, .dashes = dashes};
    struct face begin, end, before = {0}, first = {0};
    int is_careful = output->drawn_by && num_points >= 3;
    int any = 0, was_dash = 0, ends_in_dash = 0, first_is_dash = 0, is_closed;

    if (num_points < 2)
        return;
    output->line = is_careful ? ++output->last_line : 0;
    is_closed = points[0].x == points[num_points - 1].x &&
                points[0].y == points[num_points - 1].y;
    for (uint32_t i = 1; i < num_points; i++) {
        int starts_in_dash = is_dash(place.index);

        line.from = points[i - 1];
        line.to = points[i];
        if (line.from.x == line.to.x && line.from.y == line.to.y)
            continue;
        draw_dashed_line(&line, &place);
        set_faces(&line, &begin, &end);
        ends_in_dash = (int)(place.index & 1) ^ (place.offset != 0);
        if (starts_in_dash && !any && is_closed) {
            first = begin;
            first_is_dash = 1;
        } else if (starts_in_dash && any && was_dash) {
            draw_corner(output, begin, before, is_careful);
        }
        before = end;
        was_dash = ends_in_dash;
        any = 1;
    }
    if (any && ends_in_dash && is_closed && first_is_dash)
        draw_corner(output, first, before, is_careful);
}
