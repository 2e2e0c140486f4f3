/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas_judge.c: which commands can be drawn, and by whom.
 *
 * The rules on portable come from spice-common's canvas, which every client has: where
 * it would end the client, read memory that it has not filled, or draw what depends on
 * commands before, clients get the pixels instead of the command.
 */
#include "canvas_judge.h"

#include <spice/enums.h>
#include <spice/qxl_dev.h>

#include "canvas_judge_parts.h"
#include "canvas_paint.h"
#include "canvas_rop.h"

static int
is_inside(const struct draw_plan *plan, pixman_box32_t box)
{
    return box.x1 >= 0 && box.y1 >= 0 && box.x2 <= (int32_t)plan->surface->width &&
           box.y2 <= (int32_t)plan->surface->height;
}

/* Remember that the plan reads what lies at box of surface. */
static void
add_read(struct draw_plan *plan, const struct surface *surface, pixman_box32_t box)
{
    box.x1 = box.x1 < 0 ? 0 : box.x1;
    box.y1 = box.y1 < 0 ? 0 : box.y1;
    box.x2 = box.x2 > (int32_t)surface->width ? (int32_t)surface->width : box.x2;
    box.y2 = box.y2 > (int32_t)surface->height ? (int32_t)surface->height : box.y2;
    if (box.x1 >= box.x2 || box.y1 >= box.y2 || plan->num_reads == MAX_PLAN_READS)
        return;
    plan->reads[plan->num_reads].surface = surface;
    plan->reads[plan->num_reads++].box = box;
}

/* The area from which an unscaled copy to the extents takes its pixels. */
static pixman_box32_t
source_box(const struct draw_plan *plan)
{
    pixman_box32_t box = {plan->extents.x1 + plan->dx, plan->extents.y1 + plan->dy,
                          plan->extents.x2 + plan->dx, plan->extents.y2 + plan->dy};

    return box;
}

/* Whether a source area of a picture of this size can be drawn. */
static int
area_fits(const struct draw_rect *area, uint32_t width, uint32_t height)
{
    return area->left >= 0 && area->top >= 0 && area->left < area->right &&
           area->top < area->bottom && area->right <= (int32_t)width &&
           area->bottom <= (int32_t)height;
}

/* ---- copies without a painter */

static enum verdict
judge_copy(struct draw_plan *plan)
{
    const struct draw_rect *area = &plan->command->src_area;

    plan->opaque = (uint8_t)rop_is_opaque(plan->rop);
    if (plan->kind == DRAW_BITMAP) {
        const struct guest_image *image = &plan->batch->images[plan->command->image];

        plan->portable = (uint8_t)bitmap_is_portable(image, plan->surface->format);
        if (bitmap_is_indexed(image->format) && image->num_colors == 0)
            return REJECTED;
        return area_fits(area, plan->bitmap.width, plan->bitmap.height) ? DRAWABLE
                                                                        : REJECTED;
    }
    if (!plan->source || !area_fits(area, plan->source->width, plan->source->height))
        return REJECTED;
    plan->portable = (uint8_t)same_pixels(plan->source->format, plan->surface->format);
    add_read(plan, plan->source, source_box(plan));
    return DRAWABLE;
}

/* ---- what is drawn by a painter */

static void
read_picture(struct draw_plan *plan, const struct picture *picture, pixman_box32_t box)
{
    if (!picture->surface)
        return;
    box.x1 += picture->box.x1;
    box.y1 += picture->box.y1;
    box.x2 += picture->box.x1;
    box.y2 += picture->box.y1;
    add_read(plan, picture->surface, box);
}

void
judge_read_all(struct draw_plan *plan, const struct picture *picture)
{
    if (picture->surface)
        add_read(plan, picture->surface, picture->box);
}

static enum verdict
judge_source(struct painter *painter, struct draw_plan *plan)
{
    const struct draw_command *command = plan->command;

    plan->portable &= painter->source.portable;
    if (!area_fits(&command->src_area, painter->source.width, painter->source.height) ||
        command->scale_mode >= SPICE_IMAGE_SCALE_MODE_ENUM_END)
        return REJECTED;
    read_picture(plan, &painter->source,
                 sampling_area(&painter->sampling, plan->extents));
    return DRAWABLE;
}

/* The alpha of a surface that has none is what happens to lie there. */
static void
judge_blend(struct painter *painter, struct draw_plan *plan)
{
    uint32_t flags = plan->command->alpha_flags;

    if ((flags & SPICE_ALPHA_FLAGS_DEST_HAS_ALPHA &&
         plan->surface->format == SPICE_SURFACE_FMT_32_xRGB) ||
        (flags & SPICE_ALPHA_FLAGS_SRC_SURFACE_HAS_ALPHA && painter->source.surface &&
         painter->source.format == PIXMAN_x8r8g8b8))
        plan->portable = 0;
}

/* Clients know no code that leaves out one of the three, and no pixel of a byte. */
static void
judge_rop3(struct painter *painter, struct draw_plan *plan)
{
    const struct draw_command *command = plan->command;
    pixman_box32_t box = {command->bbox.left, command->bbox.top, command->bbox.right,
                          command->bbox.bottom};

    plan->opaque = (uint8_t)rop3_is_opaque(command->rop3);
    if (!rop3_is_ternary(command->rop3) || plan->surface->pixel_size == 1 ||
        !is_inside(plan, box))
        plan->portable = 0;
    /* ... and no pattern that begins to the right of what is drawn. */
    if (painter->brush.is_pattern &&
        (painter->brush.x > box.x1 || painter->brush.y > box.y1))
        plan->portable = 0;
}

static int
operator_exists(uint32_t op)
{
    return op <= PIXMAN_OP_SATURATE ||
           (op >= PIXMAN_OP_DISJOINT_CLEAR && op <= PIXMAN_OP_DISJOINT_XOR) ||
           (op >= PIXMAN_OP_CONJOINT_CLEAR && op <= PIXMAN_OP_CONJOINT_XOR) ||
           (op >= PIXMAN_OP_MULTIPLY && op <= PIXMAN_OP_HSL_LUMINOSITY);
}

/*
 * A filter that needs parameters gets none.  A transformation stays with a client's
 * surface, and the next command that reads the surface finds it there; a surface that
 * is source and mask gets the repetition of the mask; without its alpha nothing is left
 * of one that is alpha only.
 */
static enum verdict
judge_composite(struct painter *painter, struct draw_plan *plan)
{
    const struct draw_command *command = plan->command;
    const struct draw_composite *composite = &command->composite;
    pixman_box32_t box = {command->bbox.left, command->bbox.top, command->bbox.right,
                          command->bbox.bottom};
    uint32_t flags = composite->flags;

    if (!operator_exists(flags & 0xff) || (flags >> 8 & 7) > PIXMAN_FILTER_BILINEAR ||
        (painter->brush.is_pattern && (flags >> 11 & 7) > PIXMAN_FILTER_BILINEAR))
        return REJECTED;
    /* A transformation may lead to where pixman does not look. */
    plan->opaque = !painter->brush.is_pattern && !composite->has_src_transform &&
                   (flags & 0xff) <= PIXMAN_OP_SRC &&
                   painter->source.width < MAX_IMAGE_SIDE &&
                   painter->source.height < MAX_IMAGE_SIDE;
    plan->portable &= painter->source.portable & painter->brush.pattern.portable;
    if (!is_inside(plan, box) ||
        (composite->has_src_transform && painter->source.surface) ||
        (composite->has_mask_transform && painter->brush.pattern.surface) ||
        (painter->source.surface &&
         painter->source.surface == painter->brush.pattern.surface) ||
        (flags & SPICE_COMPOSITE_SOURCE_OPAQUE && painter->source.format == PIXMAN_a8))
        plan->portable = 0;
    judge_read_all(plan, &painter->source);
    return DRAWABLE;
}

static enum verdict
judge_by_type(struct painter *painter, struct draw_plan *plan)
{
    switch (plan->command->type) {
    case QXL_DRAW_OPAQUE:
        plan->opaque = 1;
        break;
    case QXL_DRAW_ROP3:
        judge_rop3(painter, plan);
        break;
    case QXL_DRAW_TRANSPARENT:
        plan->opaque = 0;
        break;
    case QXL_DRAW_ALPHA_BLEND:
        plan->opaque = 0;
        judge_blend(painter, plan);
        return plan->command->alpha == 0 ? CLIPPED : DRAWABLE;
    case QXL_DRAW_COMPOSITE:
        return judge_composite(painter, plan);
    case QXL_DRAW_TEXT:
        return judge_text(painter, plan);
    case QXL_DRAW_STROKE:
        judge_stroke(painter, plan);
        break;
    default:
        break;
    }
    return DRAWABLE;
}

static enum verdict
judge_opened(struct painter *painter, struct draw_plan *plan)
{
    enum verdict verdict;

    plan->opaque = (uint8_t)rop_is_opaque(plan->rop);
    plan->portable &= painter->brush.pattern.portable;
    if (painter->brush.is_pattern)
        judge_read_all(plan, &painter->brush.pattern);
    if (has_source(plan->command) && plan->command->type != QXL_DRAW_COMPOSITE) {
        verdict = judge_source(painter, plan);
        if (verdict != DRAWABLE)
            return verdict;
    }
    verdict = judge_by_type(painter, plan);
    if (painter->mask.is_there)
        plan->opaque = 0;
    return verdict;
}

static enum verdict
judge_other(struct draw_plan *plan, struct canvas *canvas)
{
    struct painter painter = {.canvas = canvas,
                              .plan = plan,
                              .command = plan->command,
                              .target = *plan->surface,
                              .reading = PICTURE_TO_JUDGE};
    enum picture_status status = painter_open(&painter);
    enum verdict verdict = REJECTED;

    if (status == PICTURE_OK)
        verdict = judge_opened(&painter, plan);
    else if (status == PICTURE_UNKNOWN)
        verdict = UNSUPPORTED;
    painter_close(&painter);
    return verdict;
}

enum verdict
judge_plan(struct draw_plan *plan, struct canvas *canvas)
{
    switch (plan->kind) {
    case DRAW_SOLID:
        plan->opaque = (uint8_t)rop_is_opaque(plan->rop);
        return DRAWABLE;
    case DRAW_COPY_BITS:
        plan->opaque = 1;
        add_read(plan, plan->surface, source_box(plan));
        return DRAWABLE;
    case DRAW_BITMAP:
    case DRAW_SURFACE:
        return judge_copy(plan);
    default:
        return judge_other(plan, canvas);
    }
}
