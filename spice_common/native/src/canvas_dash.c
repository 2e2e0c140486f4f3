/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas_dash.c: dashed lines.
 *
 * The X server has no thin dashed line: it draws one as wide lines one pixel wide, each
 * dash a rectangle turned into the line's direction, filled as a polygon; where a dash
 * goes around a corner a miter joins its parts.  Which pixels these are depends on
 * every rounding on the way, hence the same doubles, integers and order of operations
 * here.
 */
#include <math.h>

#include "canvas_polygon.h"

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
    double first, last;  /* visible: from which distance to which */
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
        line->rdx = dx > 0 ? HALF_WIDTH : dx < 0 ? -HALF_WIDTH : 0;
        line->rdy = dy > 0 ? HALF_WIDTH : dy < 0 ? -HALF_WIDTH : 0;
    } else {
        line->length = hypot(dx, dy);
        ratio = HALF_WIDTH / line->length;
        line->rdx = ratio * dx;
        line->rdy = ratio * dy;
    }
    line->remaining = line->length;
    polygon->count = NUM_SIDES;
    polygon->slopes[TOP] =
        (struct slope){line->dx, line->dy, HALF_WIDTH * line->length};
    polygon->slopes[RIGHT] = (struct slope){-line->dy, line->dx, 0};
    polygon->slopes[BOTTOM] =
        (struct slope){-line->dx, -line->dy, HALF_WIDTH * line->length};
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
    double k = HALF_WIDTH * line->length;

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
