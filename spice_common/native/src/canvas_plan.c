/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas_plan.c: which draw commands can be drawn, where and from what.
 */
#include <spice/enums.h>
#include <spice/qxl_dev.h>
#include <stdlib.h>

#include "canvas_draw.h"

enum verdict { DRAWABLE, CLIPPED, UNSUPPORTED, REJECTED };

enum {
    MAX_CLIP_RECTS = 65536, /* 1 MiB of them; no driver comes near */
    /*
     * Overlapping rectangles can become a quarter of their number's square when they are
     * made disjoint.  Drivers send lists in bands, which stay as they are.
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

/* Remember that the plan reads what lies at box of surface. */
static void
add_read(struct draw_plan *plan, const struct surface *surface, pixman_box32_t box)
{
    struct draw_rect rect = {box.y1, box.x1, box.y2, box.x2};
    pixman_box32_t whole = {0, 0, (int32_t)surface->width, (int32_t)surface->height};
    pixman_box32_t inside = clip_to_box(rect, whole);

    if (box_empty(inside) || plan->num_reads == MAX_PLAN_READS)
        return;
    plan->reads[plan->num_reads].surface = surface;
    plan->reads[plan->num_reads++].box = inside;
}

/* The area from which an unscaled copy to the extents takes its pixels. */
static pixman_box32_t
source_box(const struct draw_plan *plan)
{
    pixman_box32_t box = {plan->extents.x1 + plan->dx, plan->extents.y1 + plan->dy,
                          plan->extents.x2 + plan->dx, plan->extents.y2 + plan->dy};

    return box;
}

/* Whether a rop's result does not depend on what was there before. */
static int
rop_is_opaque(uint32_t rop)
{
    uint32_t reading = SPICE_ROPD_OP_OR | SPICE_ROPD_OP_AND | SPICE_ROPD_OP_XOR;

    if (rop & SPICE_ROPD_OP_PUT)
        return 1;
    if (rop & reading)
        return 0;
    if (rop & (SPICE_ROPD_OP_BLACKNESS | SPICE_ROPD_OP_WHITENESS))
        return 1;
    return (rop & SPICE_ROPD_OP_INVERS) == 0; /* none at all: a copy */
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

static enum verdict
plan_source(struct draw_plan *plan, struct canvas *canvas,
            const struct command_batch *batch, const struct guest_image *image)
{
    const struct draw_rect *area = &plan->command->src_area;
    uint32_t width = image->width, height = image->height;

    if (image->kind == SPICE_IMAGE_TYPE_SURFACE) {
        plan->kind = DRAW_SURFACE;
        plan->source = canvas_find(canvas, image->surface_id);
        if (!plan->source)
            return REJECTED;
        if (plan->source == plan->surface)
            return UNSUPPORTED;
        width = plan->source->width;
        height = plan->source->height;
    } else {
        plan->kind = DRAW_BITMAP;
        if (image->kind != SPICE_IMAGE_TYPE_BITMAP)
            return UNSUPPORTED;
        if (bitmap_source_init(&plan->bitmap, &canvas->scratch, batch, image))
            return REJECTED;
    }
    if (area->left < 0 || area->top < 0 || area->right > (int32_t)width ||
        area->bottom > (int32_t)height)
        return REJECTED;
    return DRAWABLE;
}

static enum verdict
plan_copy(struct draw_plan *plan, struct canvas *canvas,
          const struct command_batch *batch)
{
    const struct draw_command *command = plan->command;
    const struct draw_rect *area = &command->src_area, *box = &command->bbox;

    if (command->mask.image != NO_IMAGE)
        return UNSUPPORTED;
    if (command->image == NO_IMAGE)
        return command->self_bitmap ? UNSUPPORTED : REJECTED;
    if (area->left >= area->right || area->top >= area->bottom)
        return REJECTED;
    if ((int64_t)area->right - area->left != (int64_t)box->right - box->left ||
        (int64_t)area->bottom - area->top != (int64_t)box->bottom - box->top)
        return UNSUPPORTED; /* scaled */
    plan->rop = command->rop_descriptor;
    plan->dx = (int32_t)((int64_t)area->left - box->left);
    plan->dy = (int32_t)((int64_t)area->top - box->top);
    return plan_source(plan, canvas, batch, &batch->images[command->image]);
}

static enum verdict
plan_solid(struct draw_plan *plan, uint32_t color, uint32_t rop)
{
    plan->kind = DRAW_SOLID;
    plan->color = color;
    plan->rop = rop;
    return plan->command->mask.image == NO_IMAGE ? DRAWABLE : UNSUPPORTED;
}

/* A fill whose color does not matter. */
static enum verdict
plan_constant(struct draw_plan *plan, uint32_t rop)
{
    plan->wire_rop = rop;
    return plan_solid(plan, 0, rop);
}

static enum verdict
plan_fill(struct draw_plan *plan)
{
    const struct draw_command *command = plan->command;
    uint32_t rop = command->rop_descriptor;

    /* A fill's source is its brush: one inversion bit then says the same for both. */
    if (rop & SPICE_ROPD_INVERS_BRUSH)
        rop |= SPICE_ROPD_INVERS_SRC;
    else
        rop &= ~(uint32_t)SPICE_ROPD_INVERS_SRC;
    if (command->brush.type == SPICE_BRUSH_TYPE_NONE)
        return CLIPPED;
    if (command->brush.type != SPICE_BRUSH_TYPE_SOLID)
        return UNSUPPORTED;
    plan->wire_rop = command->rop_descriptor;
    return plan_solid(plan, command->brush.color, rop);
}

static enum verdict
plan_by_type(struct draw_plan *plan, struct canvas *canvas,
             const struct command_batch *batch)
{
    switch (plan->command->type) {
    case QXL_DRAW_NOP:
        return CLIPPED;
    case QXL_DRAW_FILL:
        return plan_fill(plan);
    case QXL_DRAW_COPY:
    case QXL_DRAW_BLEND: /* a copy by another name: effect is all that differs */
        return plan_copy(plan, canvas, batch);
    case QXL_COPY_BITS:
        return plan_copy_bits(plan, canvas);
    case QXL_DRAW_BLACKNESS:
        return plan_constant(plan, SPICE_ROPD_OP_BLACKNESS);
    case QXL_DRAW_WHITENESS:
        return plan_constant(plan, SPICE_ROPD_OP_WHITENESS);
    case QXL_DRAW_INVERS:
        return plan_constant(plan, SPICE_ROPD_OP_INVERS);
    default:
        return UNSUPPORTED;
    }
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
        verdict = plan_by_type(plan, canvas, batch);
    if (verdict != DRAWABLE)
        return verdict;
    plan->rects = pixman_region32_rectangles(&canvas->clip, &count);
    plan->num_rects = (uint32_t)count;
    plan->extents = *pixman_region32_extents(&canvas->clip);
    if (count > MAX_CLIP_RECTS)
        return REJECTED;
    if (count == 0)
        return CLIPPED;
    plan->opaque = (uint8_t)rop_is_opaque(plan->rop);
    if (plan->kind == DRAW_COPY_BITS)
        add_read(plan, plan->surface, source_box(plan));
    if (plan->kind == DRAW_SURFACE)
        add_read(plan, plan->source, source_box(plan));
    return DRAWABLE;
}

void
draw_plan_init(struct draw_plan *plan, struct canvas *canvas,
               const struct command_batch *batch, const struct draw_command *command)
{
    struct canvas_counters *counters = &canvas->counters;

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
