/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas_judge_shapes.c: the rules for text and strokes.
 */
#include <spice/enums.h>

#include "canvas_judge_parts.h"

/* Clients take the rows of A8 from one row further on. */
enum verdict
judge_text(struct painter *painter, struct draw_plan *plan)
{
    const struct draw_command *command = plan->command;
    const struct draw_rect *area = &command->back_area;
    int has_back = area->left < area->right && area->top < area->bottom;
    struct brush back;
    enum picture_status status;

    plan->opaque = 0;
    if (!(command->string.flags &
          (SPICE_STRING_FLAGS_RASTER_A1 | SPICE_STRING_FLAGS_RASTER_A4)) ||
        painter->brush.pattern.surface)
        plan->portable = 0;
    if (!has_back)
        return DRAWABLE;
    if (command->fore_mode != SPICE_ROPD_OP_PUT)
        return CLIPPED; /* nothing else is thought of together with a background */
    judge_read_all(plan, &painter->brush.pattern);
    picture_fini(&painter->brush.pattern); /* the pictures share their scratch */
    status = brush_init(&back, painter->canvas, plan, &command->back_brush,
                        PICTURE_TO_JUDGE);
    plan->portable &= back.pattern.portable;
    if (status == PICTURE_OK && back.is_pattern)
        judge_read_all(plan, &back.pattern);
    picture_fini(&back.pattern);
    return status == PICTURE_OK ? DRAWABLE : REJECTED;
}

/* Whether two rectangles lie side by side. */
static int
has_wide_bands(const struct draw_plan *plan)
{
    for (uint32_t i = 1; i < plan->num_rects; i++)
        if (plan->rects[i].y1 == plan->rects[i - 1].y1)
            return 1;
    return 0;
}

/* Clients hang at dashes of no length, and take a curve of one point for endless. */
static int
path_is_portable(const struct draw_plan *plan)
{
    const struct draw_path *path = &plan->command->path;
    int64_t total = 0;

    for (uint32_t i = 0; i < path->num_styles; i++)
        total += (uint8_t)(plan->batch->styles[path->first_style + i] >> 4);
    if (path->line_flags & SPICE_LINE_FLAGS_STYLED && total == 0)
        return 0;
    for (uint32_t i = 0; i < path->num_segments; i++)
        if (plan->batch->segments[path->first_segment + i].flags & SPICE_PATH_BEZIER)
            return 0;
    return 1;
}

/* Clients lose spans that rectangles cut into more spans than there were. */
void
judge_stroke(struct painter *painter, struct draw_plan *plan)
{
    plan->opaque = 0;
    if (painter->brush.pattern.surface || has_wide_bands(plan) ||
        !path_is_portable(plan))
        plan->portable = 0;
}
