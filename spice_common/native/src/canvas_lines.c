/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas_lines.c: thin lines by Bresenham's algorithm.
 *
 * Along its longer side, from step to step, a line moves sideways when an error term
 * reaches zero.  Where the term is exactly zero, four of the eight octants move one
 * step later, so that a line covers the same pixels from either end.  After k steps
 *
 *     error = 2 k minor - major - bias,   sideways = floor(error / (2 major)) + 1
 *
 * which is how a line that begins far away is entered where it gets visible.
 */
#include "canvas_lines.h"

#include <stdlib.h>

static int64_t
floor_divide(int64_t number, int64_t divisor)
{
    int64_t quotient = number / divisor;

    return number % divisor < 0 ? quotient - 1 : quotient;
}

static int64_t
ceiling_divide(int64_t number, int64_t divisor)
{
    return -floor_divide(-number, divisor);
}

/* Whether the line comes to this pixel for the first time. */
static int
is_first_visit(struct line_output *output, int32_t x, int32_t y)
{
    const pixman_box32_t *extents = &output->painter->plan->extents;
    uint32_t *drawn_by = output->drawn_by +
                         (size_t)(y - extents->y1) * box_width(*extents) +
                         (x - extents->x1);
    int is_first = *drawn_by != output->line;

    *drawn_by = output->line;
    return is_first;
}

static void
paint_span(struct line_output *output, pixman_box32_t span)
{
    if (output->line == 0) {
        paint_brush(output->painter, span);
        return;
    }
    for (int32_t x = span.x1; x < span.x2; x++) {
        pixman_box32_t pixel = {x, span.y1, x + 1, span.y2};

        if (is_first_visit(output, x, span.y1))
            paint_brush(output->painter, pixel);
    }
}

/* The first rectangle that ends below row y. */
static uint32_t
first_rect(const struct draw_plan *plan, int64_t y)
{
    uint32_t low = 0, high = plan->num_rects;

    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (plan->rects[middle].y2 > y)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

void
line_span(struct line_output *output, int64_t x, int64_t y, int64_t width)
{
    const struct draw_plan *plan = output->painter->plan;

    for (uint32_t i = first_rect(plan, y); i < plan->num_rects; i++) {
        const pixman_box32_t *rect = &plan->rects[i];
        int64_t left = x > rect->x1 ? x : rect->x1;
        int64_t right = x + width < rect->x2 ? x + width : rect->x2;
        pixman_box32_t span = {(int32_t)left, (int32_t)y, (int32_t)right,
                               (int32_t)y + 1};

        if (rect->y1 > y)
            break;
        if (left < right)
            paint_span(output, span);
    }
}

/* One line: along its longer side ("major") and sideways ("minor"). */
struct thin_line {
    int64_t major, minor, bias; /* lengths of the sides, and 1 or 0 */
    int64_t first, end;         /* the steps that are visible */
};

static int64_t
sideways(const struct thin_line *line, int64_t step)
{
    return floor_divide(2 * step * line->minor - line->major - line->bias,
                        2 * line->major) +
           1;
}

/* The first step that is so far sideways. */
static int64_t
step_at(const struct thin_line *line, int64_t distance)
{
    if (distance <= 0)
        return 0;
    if (line->minor == 0)
        return line->major;
    return ceiling_divide((2 * distance - 1) * line->major + line->bias,
                          2 * line->minor);
}

static void
limit_steps(struct thin_line *line, int64_t first, int64_t end)
{
    line->first = first > line->first ? first : line->first;
    line->end = end < line->end ? end : line->end;
}

/* Keep the steps for which from + sign * distance lies in low .. high - 1. */
static void
limit_major(struct thin_line *line, int64_t from, int sign, int64_t low, int64_t high)
{
    if (sign > 0)
        limit_steps(line, low - from, high - from);
    else
        limit_steps(line, from - high + 1, from - low + 1);
}

static void
limit_minor(struct thin_line *line, int64_t from, int sign, int64_t low, int64_t high)
{
    int64_t nearest = sign > 0 ? low - from : from - high + 1;
    int64_t farthest = sign > 0 ? high - from : from - low + 1; /* excluded */

    limit_steps(line, step_at(line, nearest), farthest <= 0 ? 0 : line->end);
    if (farthest > 0 && line->minor > 0)
        limit_steps(line, 0, step_at(line, farthest));
}

/* Steps that stay in a row become one span. */
static void
draw_flat(struct line_output *output, const struct thin_line *line,
          struct line_point from, int x_sign, int y_sign)
{
    int64_t step = line->first;

    while (step < line->end) {
        int64_t row = sideways(line, step), next = step_at(line, row + 1);
        int64_t last, x;

        next = next > step && next < line->end ? next : line->end;
        last = next - 1;
        x = x_sign > 0 ? from.x + step : from.x - last;
        line_span(output, x, from.y + y_sign * row, next - step);
        step = next;
    }
}

static void
draw_steep(struct line_output *output, const struct thin_line *line,
           struct line_point from, int x_sign, int y_sign)
{
    for (int64_t step = line->first; step < line->end; step++)
        line_span(output, from.x + x_sign * sideways(line, step),
                  from.y + y_sign * step, 1);
}

static void
draw_line(struct line_output *output, struct line_point from, struct line_point to)
{
    const pixman_box32_t *box = &output->painter->plan->extents;
    int64_t width = llabs((int64_t)to.x - from.x),
            height = llabs((int64_t)to.y - from.y);
    int x_sign = to.x < from.x ? -1 : 1, y_sign = to.y < from.y ? -1 : 1;
    struct thin_line line = {.first = 0};

    if (width > height) {
        line.major = line.end = width;
        line.minor = height;
        line.bias = x_sign < 0; /* octants 4 and 5 */
        limit_major(&line, from.x, x_sign, box->x1, box->x2);
        limit_minor(&line, from.y, y_sign, box->y1, box->y2);
        draw_flat(output, &line, from, x_sign, y_sign);
    } else if (height > 0) {
        line.major = line.end = height;
        line.minor = width;
        line.bias = y_sign < 0; /* octants 2 and 3 */
        limit_major(&line, from.y, y_sign, box->y1, box->y2);
        limit_minor(&line, from.x, x_sign, box->x1, box->x2);
        draw_steep(output, &line, from, x_sign, y_sign);
    }
}

void
draw_polyline(struct line_output *output, const struct line_point *points,
              uint32_t num_points)
{
    for (uint32_t i = 1; i < num_points; i++)
        draw_line(output, points[i - 1], points[i]);
}
