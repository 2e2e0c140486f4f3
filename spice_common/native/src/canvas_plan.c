/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas_plan.c: which draw commands can be drawn, where and from what.
 */
#include <spice/enums.h>
#include <spice/qxl_dev.h>
#include <stdlib.h>

#include "canvas_judge.h"
#include "canvas_rop.h"

enum {
    MAX_CLIP_RECTS = 65536, /* 1 MiB of them; no driver comes near */
    /*
     * Overlapping rectangles can become a quarter of their number's square when they
     * are made disjoint.  Drivers send lists in bands, which stay as they are.
     */
    MAX_LOOSE_CLIP_RECTS = 1024,
};

static int32_t
minimum(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static int32_t
maximum(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static pixman_box32_t
clip_to_box(struct draw_rect rect, pixman_box32_t box)
{
    pixman_box32_t result = {maximum(rect.left, box.x1), maximum(rect.top, box.y1),
                             minimum(rect.right, box.x2), minimum(rect.bottom, box.y2)};

    return result;
}

static int
box_empty(pixman_box32_t box)
{
    return box.x1 >= box.x2 || box.y1 >= box.y2;
}

/* Whether the rectangles are disjoint and sorted down and to the right. */
static int
in_bands(const pixman_box32_t *boxes, int count)
{
    for (int i = 1; i < count; i++) {
        const pixman_box32_t *above = &boxes[i - 1], *box = &boxes[i];

        if (box->y1 >= above->y2)
            continue;
        if (box->y1 != above->y1 || box->y2 != above->y2 || box->x1 < above->x2)
            return 0;
    }
    return 1;
}

/* Make region the clip rectangles inside box; 0 or -1. */
static int
clip_to_rects(pixman_region32_t *region, const struct draw_rect *clips, uint32_t count,
              pixman_box32_t box)
{
    pixman_box32_t *boxes = malloc((size_t)count * sizeof(*boxes) + 1);
    pixman_bool_t done = 0;
    int used = 0;

    if (!boxes)
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        boxes[used] = clip_to_box(clips[i], box);
        used += !box_empty(boxes[used]);
    }
    if (used <= MAX_LOOSE_CLIP_RECTS || in_bands(boxes, used)) {
        pixman_region32_fini(region);
        done = pixman_region32_init_rects(region, boxes, used);
    }
    free(boxes);
    return done ? 0 : -1;
}

/* canvas->clip = surface AND bbox AND clip rectangles. */
static enum verdict
set_clip(struct draw_plan *plan, struct canvas *canvas,
         const struct command_batch *batch)
{
    const struct draw_command *command = plan->command;
    pixman_box32_t whole = {0, 0, (int32_t)plan->surface->width,
                            (int32_t)plan->surface->height};
    pixman_box32_t box = clip_to_box(command->bbox, whole);

    if (box_empty(box))
        return CLIPPED;
    if (command->clip_type == SPICE_CLIP_TYPE_RECTS) {
        if (command->num_clips > MAX_CLIP_RECTS ||
            clip_to_rects(&canvas->clip, batch->clips + command->first_clip,
                          command->num_clips, box))
            return REJECTED;
        return DRAWABLE;
    }
    pixman_region32_fini(&canvas->clip);
    pixman_region32_init_with_extents(&canvas->clip, &box);
    return DRAWABLE;
}

static enum verdict
plan_copy_bits(struct draw_plan *plan, struct canvas *canvas)
{
    const struct draw_command *command = plan->command;
    int64_t dx = (int64_t)command->src_x - command->bbox.left;
    int64_t dy = (int64_t)command->src_y - command->bbox.top;

    plan->kind = DRAW_COPY_BITS;
    if (dx < -MAX_IMAGE_SIDE || dx > MAX_IMAGE_SIDE || dy < -MAX_IMAGE_SIDE ||
        dy > MAX_IMAGE_SIDE)
        return CLIPPED; /* all of the source lies outside */
    plan->dx = (int32_t)dx;
    plan->dy = (int32_t)dy;
    /* As the clients do: what would be read from outside the surface is not drawn. */
    if (!pixman_region32_intersect_rect(&canvas->clip, &canvas->clip, -plan->dx,
                                        -plan->dy, plan->surface->width,
                                        plan->surface->height))
        return REJECTED;
    return plan->dx == 0 && plan->dy == 0 ? CLIPPED : DRAWABLE;
}

/* A copy that is a move of pixels is drawn without a painter. */
static enum verdict
plan_plain_copy(struct draw_plan *plan, struct canvas *canvas)
{
    const struct draw_command *command = plan->command;
    const struct guest_image *image = &plan->batch->images[command->image];
    struct surface *source = canvas_find(canvas, image->surface_id);

    plan->dx = command->src_area.left - command->bbox.left;
    plan->dy = command->src_area.top - command->bbox.top;
    if (image->kind == SPICE_IMAGE_TYPE_BITMAP) {
        plan->kind = DRAW_BITMAP;
        return bitmap_source_init(&plan->bitmap, &canvas->scratch, plan->batch, image)
                   ? REJECTED
                   : DRAWABLE;
    }
    plan->kind = DRAW_SURFACE;
    plan->source = source;
    return DRAWABLE;
}

static int
is_plain_copy(const struct draw_plan *plan)
{
    const struct draw_command *command = plan->command;
    const struct draw_rect *area = &command->src_area, *box = &command->bbox;
    const struct guest_image *image;

    if (command->mask.image != NO_IMAGE || command->image == NO_IMAGE ||
        area->right - area->left != box->right - box->left ||
        area->bottom - area->top != box->bottom - box->top)
        return 0;
    image = &plan->batch->images[command->image];
    return image->kind == SPICE_IMAGE_TYPE_BITMAP ||
           (image->kind == SPICE_IMAGE_TYPE_SURFACE &&
            image->surface_id != plan->surface->id);
}

static enum verdict
plan_copy(struct draw_plan *plan, struct canvas *canvas)
{
    plan->rop = plan->wire_rop = plan->command->rop_descriptor;
    if (is_plain_copy(plan))
        return plan_plain_copy(plan, canvas);
    plan->kind = DRAW_OTHER;
    return DRAWABLE;
}

/* A fill whose color does not matter. */
static enum verdict
plan_constant(struct draw_plan *plan, uint32_t rop)
{
    plan->wire_rop = plan->rop = rop;
    plan->kind = plan->command->mask.image == NO_IMAGE ? DRAW_SOLID : DRAW_OTHER;
    return DRAWABLE;
}

/* Without a brush the color is 0: the operation may need none. */
static enum verdict
plan_fill(struct draw_plan *plan)
{
    const struct draw_command *command = plan->command;
    const struct draw_brush *brush = &command->brush;

    plan->wire_rop = command->rop_descriptor;
    plan->rop = rop_of_brush(plan->wire_rop);
    plan->color = brush->type == SPICE_BRUSH_TYPE_SOLID ? brush->color : 0;
    plan->kind =
        brush->type == SPICE_BRUSH_TYPE_PATTERN || command->mask.image != NO_IMAGE
            ? DRAW_OTHER
            : DRAW_SOLID;
    return DRAWABLE;
}

static enum verdict
plan_by_type(struct draw_plan *plan, struct canvas *canvas)
{
    const struct draw_command *command = plan->command;

    switch (command->type) {
    case QXL_DRAW_NOP:
        return CLIPPED;
    case QXL_DRAW_FILL:
        return plan_fill(plan);
    case QXL_DRAW_COPY:
    case QXL_DRAW_BLEND: /* a copy by another name: effect is all that differs */
        return plan_copy(plan, canvas);
    case QXL_COPY_BITS:
        return plan_copy_bits(plan, canvas);
    case QXL_DRAW_BLACKNESS:
        return plan_constant(plan, SPICE_ROPD_OP_BLACKNESS);
    case QXL_DRAW_WHITENESS:
        return plan_constant(plan, SPICE_ROPD_OP_WHITENESS);
    case QXL_DRAW_INVERS:
        return plan_constant(plan, SPICE_ROPD_OP_INVERS);
    case QXL_DRAW_OPAQUE:
        plan->rop = rop_of_opaque(command->rop_descriptor);
        break;
    case QXL_DRAW_STROKE:
        plan->rop = rop_of_brush(command->fore_mode);
        break;
    default:
        break;
    }
    plan->kind = DRAW_OTHER;
    return DRAWABLE;
}

static enum verdict
make_plan(struct draw_plan *plan, struct canvas *canvas,
          const struct command_batch *batch)
{
    enum verdict verdict;
    int count;

    plan->surface = canvas_find(canvas, plan->command->surface_id);
    if (!plan->surface || plan->command->type >= NUM_DRAW_TYPES)
        return REJECTED;
    verdict = set_clip(plan, canvas, batch);
    if (verdict == DRAWABLE)
        verdict = plan_by_type(plan, canvas);
    if (verdict != DRAWABLE)
        return verdict;
    plan->rects = pixman_region32_rectangles(&canvas->clip, &count);
    plan->num_rects = (uint32_t)count;
    plan->extents = *pixman_region32_extents(&canvas->clip);
    if (count > MAX_CLIP_RECTS)
        return REJECTED;
    if (count == 0)
        return CLIPPED;
    return judge_plan(plan, canvas);
}

void
draw_plan_init(struct draw_plan *plan, struct canvas *canvas,
               const struct command_batch *batch, const struct draw_command *command)
{
    struct canvas_counters *counters = &canvas->counters;

    plan->batch = batch;
    plan->command = command;
    plan->source = NULL;
    plan->rop = SPICE_ROPD_OP_PUT;
    plan->color = 0;
    plan->dx = plan->dy = 0;
    plan->num_reads = 0;
    plan->opaque = 0;
    plan->portable = 1;
    switch (make_plan(plan, canvas, batch)) {
    case DRAWABLE:
        return;
    case CLIPPED:
        counters->clipped++;
        break;
    case UNSUPPORTED:
        counters->unsupported[command->type]++;
        counters->not_drawn++;
        break;
    case REJECTED:
        counters->rejected++;
        counters->not_drawn++;
        break;
    }
    plan->kind = DRAW_NOT_AT_ALL;
}
