/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas_stroke.c: paths become lines from pixel to pixel.
 */
#include <spice/enums.h>
#include <stdlib.h>
#include <string.h>

#include "canvas_lines.h"
#include "canvas_rop.h"

enum {
    /* Points that the curves of one path become.  A curve across a screen has some
     * hundred; beyond, they are drawn as straight lines. */
    MAX_CURVE_POINTS = 1 << 16,
    /* Halvings of a curve: as many as FIXED28_4 coordinates have bits. */
    MAX_CURVE_DEPTH = 32,
};

struct stroke {
    struct line_output output;
    const struct dashes *dashes; /* NULL: solid */
    struct line_point *points;
    uint32_t num_points, cap_points;
    uint32_t curve_points;
    int failed;
};

/* To the nearest pixel, half of one to the lower. */
static int32_t
whole(int32_t fixed)
{
    return (fixed >> 4) + ((fixed & 0xf) > 8);
}

static void
append(struct stroke *stroke, struct line_point point)
{
    if (stroke->num_points == stroke->cap_points) {
        uint32_t wanted = stroke->cap_points ? 2 * stroke->cap_points : 64;
        void *grown = realloc(stroke->points, wanted * sizeof(*stroke->points));

        if (!grown) {
            stroke->failed = 1;
            return;
        }
        stroke->points = grown;
        stroke->cap_points = wanted;
    }
    stroke->points[stroke->num_points++] = point;
}

static void
append_fixed(struct stroke *stroke, struct fixed_point point)
{
    struct line_point pixel = {whole(point.x), whole(point.y)};

    append(stroke, pixel);
}

static void
draw_points(struct stroke *stroke)
{
    if (stroke->dashes)
        draw_dashed_polyline(&stroke->output, stroke->dashes, stroke->points,
                             stroke->num_points);
    else
        draw_polyline(&stroke->output, stroke->points, stroke->num_points);
    stroke->num_points = 0;
}

/* ---- curves */

static struct fixed_point
middle(struct fixed_point a, struct fixed_point b)
{
    struct fixed_point point;

    point.x = (int32_t)(((int64_t)a.x + b.x) / 2);
    point.y = (int32_t)(((int64_t)a.y + b.y) / 2);
    return point;
}

static int64_t
product(struct fixed_point a, struct fixed_point b, struct fixed_point c,
        struct fixed_point d)
{
    int64_t x = ((int64_t)b.x - a.x) * ((int64_t)d.x - c.x);
    int64_t y = ((int64_t)b.y - a.y) * ((int64_t)d.y - c.y);

    return (x + y) >> 4;
}

/* The square of a control point's distance from the chord, times the chord's. */
static int
is_near_chord(struct fixed_point end, struct fixed_point control,
              struct fixed_point other_end)
{
    __int128 length = product(end, other_end, end, other_end);
    __int128 control_length = product(end, control, end, control);
    __int128 along = product(end, control, end, other_end);

    return (control_length * length - along * along) >> 3 < length;
}

static int
same_points(const struct fixed_point *points)
{
    for (int i = 1; i < 4; i++)
        if (points[i].x != points[0].x || points[i].y != points[0].y)
            return 0;
    return 1;
}

/* Halve a Bezier curve until its parts deviate by less than half a pixel. */
static void
append_curve(struct stroke *stroke, const struct fixed_point *p, int depth)
{
    struct fixed_point first[4], second[4], top;

    if (stroke->curve_points >= MAX_CURVE_POINTS || depth == MAX_CURVE_DEPTH ||
        same_points(p) ||
        (is_near_chord(p[0], p[1], p[3]) && is_near_chord(p[3], p[2], p[0]))) {
        stroke->curve_points++;
        append_fixed(stroke, p[3]);
        return;
    }
    top = middle(p[1], p[2]);
    first[0] = p[0];
    first[1] = middle(p[0], p[1]);
    first[2] = middle(first[1], top);
    second[3] = p[3];
    second[2] = middle(p[2], p[3]);
    second[1] = middle(top, second[2]);
    first[3] = second[0] = middle(first[2], second[1]);
    append_curve(stroke, first, depth + 1);
    append_curve(stroke, second, depth + 1);
}

static void
append_curves(struct stroke *stroke, const struct fixed_point *points, uint32_t count)
{
    for (uint32_t i = 0; i + 2 < count && stroke->num_points > 0; i += 3) {
        struct line_point last = stroke->points[stroke->num_points - 1];
        struct fixed_point curve[4] = {{0, 0}, points[i], points[i + 1], points[i + 2]};

        curve[0].x = (int32_t)((uint32_t)last.x * 16);
        curve[0].y = (int32_t)((uint32_t)last.y * 16);
        append_curve(stroke, curve, 0);
    }
}

/* ---- paths */

/* 0, or -1: the clients give up at such a segment. */
static int
draw_segment(struct stroke *stroke, const struct fixed_point *points,
             const struct path_segment *segment)
{
    uint32_t first = 0, count = segment->num_points;

    if (segment->flags & SPICE_PATH_BEGIN && count > 0) {
        draw_points(stroke);
        append_fixed(stroke, points[first++]);
    }
    if (segment->flags & SPICE_PATH_BEZIER) {
        if ((count - first) % 3 != 0)
            return -1;
        append_curves(stroke, points + first, count - first);
    } else {
        for (; first < count; first++)
            append_fixed(stroke, points[first]);
    }
    if (segment->flags & SPICE_PATH_END) {
        if (segment->flags & SPICE_PATH_CLOSE && stroke->num_points > 0)
            append(stroke, stroke->points[0]);
        draw_points(stroke);
    }
    return stroke->failed ? -1 : 0;
}

static void
draw_path(struct stroke *stroke, const struct draw_plan *plan)
{
    const struct draw_path *path = &plan->command->path;

    for (uint32_t i = 0; i < path->num_segments; i++) {
        const struct path_segment *segment =
            &plan->batch->segments[path->first_segment + i];

        if (draw_segment(stroke, plan->batch->points + segment->first_point, segment))
            return;
    }
    draw_points(stroke);
}

/* Lengths are bytes to the clients.  0, or -1: nothing but lengths of 0. */
static int
dashes_init(struct dashes *dashes, const struct draw_plan *plan)
{
    const struct draw_path *path = &plan->command->path;
    const int32_t *style = plan->batch->styles + path->first_style;
    uint32_t shift = path->line_flags & SPICE_LINE_FLAGS_START_WITH_GAP ? 1 : 0;

    dashes->count = path->num_styles;
    dashes->total = 0;
    if (dashes->count == 0 || dashes->count > sizeof(dashes->lengths))
        return -1;
    for (uint32_t i = 0; i < dashes->count; i++) {
        dashes->lengths[i] = (uint8_t)whole(style[(i + shift) % dashes->count]);
        dashes->total += dashes->lengths[i];
    }
    /* The gap stands at the end; a line begins there when the first dash is skipped. */
    dashes->offset = shift ? dashes->lengths[0] : 0;
    return dashes->total > 0 ? 0 : -1;
}

/* Whether painting a pixel twice is not the same as painting it once. */
static int
rop_adds_up(uint32_t rop)
{
    for (uint8_t src = 0; src < 2; src++) {
        uint8_t once = 0x0f, twice, brush = src ? 0xff : 0;

        rop_apply(&once, &brush, 1, rop);
        twice = once;
        rop_apply(&twice, &brush, 1, rop);
        if (once != twice)
            return 1;
    }
    return 0;
}

void
paint_stroke(struct painter *painter)
{
    const struct draw_plan *plan = painter->plan;
    int is_dashed = (plan->command->path.line_flags & SPICE_LINE_FLAGS_STYLED) != 0;
    struct stroke stroke = {.output = {.painter = painter}};
    struct dashes dashes;

    if (is_dashed) {
        if (dashes_init(&dashes, plan))
            return;
        stroke.dashes = &dashes;
    }
    if (is_dashed && rop_adds_up(painter->rop)) {
        stroke.output.drawn_by =
            calloc((size_t)box_width(plan->extents) * box_height(plan->extents),
                   sizeof(*stroke.output.drawn_by));
        if (!stroke.output.drawn_by)
            return;
    }
    draw_path(&stroke, plan);
    free(stroke.output.drawn_by);
    free(stroke.points);
}
