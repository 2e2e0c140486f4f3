/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* QXLDrawable: what all draw types share, and each type's own part. */
#include "command_parse.h"

#include <stddef.h>
#include <string.h>

enum command_error
parse_brush(struct parser *parser, const QXLBrush *from, struct draw_brush *to)
{
    to->type = from->type;
    switch (from->type) {
    case SPICE_BRUSH_TYPE_NONE:
        return COMMAND_OK;
    case SPICE_BRUSH_TYPE_SOLID:
        to->color = from->u.color;
        return COMMAND_OK;
    case SPICE_BRUSH_TYPE_PATTERN:
        to->pos_x = from->u.pattern.pos.x;
        to->pos_y = from->u.pattern.pos.y;
        if (!point_ok(to->pos_x, to->pos_y)) {
            return COMMAND_BAD_BRUSH;
        }
        return parse_picture(parser, from->u.pattern.pat, &to->image);
    default:
        return COMMAND_BAD_BRUSH;
    }
}

static enum command_error
parse_mask(struct parser *parser, const QXLQMask *from, struct draw_mask *to)
{
    if (from->bitmap == 0) {
        return COMMAND_OK; /* image is NO_IMAGE already */
    }
    to->flags = from->flags & SPICE_MASK_FLAGS_MASK;
    to->pos_x = from->pos.x;
    to->pos_y = from->pos.y;
    if (!point_ok(to->pos_x, to->pos_y)) {
        return COMMAND_BAD_MASK;
    }
    enum command_error error = parse_image(parser, from->bitmap, &to->image);
    if (error != COMMAND_OK) {
        return error;
    }
    return image_is_mask(&parser->batch->images[to->image]) ? COMMAND_OK
                                                            : COMMAND_BAD_MASK;
}

static bool
in_self_bitmap(const struct draw_command *command)
{
    const struct draw_rect *area = &command->src_area,
                           *all = &command->self_bitmap_area;
    return area->left >= 0 && area->top >= 0 && area->right <= all->right - all->left &&
           area->bottom <= all->bottom - all->top;
}

/* The picture of a copy and its part: an image, or with self_bitmap no image, which
 * means the surface's own pixels in self_bitmap_area. */
static enum command_error
parse_source(struct parser *parser, uint64_t address, const QXLRect *area,
             struct draw_command *to)
{
    bool own = address == 0 && to->self_bitmap;
    enum command_error error =
        own ? COMMAND_OK : parse_picture(parser, address, &to->image);
    if (error != COMMAND_OK) {
        return error;
    }
    if (!parse_rect(&to->src_area, area)) {
        return COMMAND_BAD_RECT;
    }
    bool inside =
        own ? in_self_bitmap(to)
            : source_area_ok(&parser->batch->images[to->image], &to->src_area);
    return inside ? COMMAND_OK : COMMAND_BAD_IMAGE;
}

static enum command_error
parse_operation(uint16_t rop_descriptor, uint8_t scale_mode, struct draw_command *to)
{
    to->rop_descriptor = rop_descriptor;
    to->scale_mode = scale_mode;
    return operation_ok(rop_descriptor, scale_mode) ? COMMAND_OK : COMMAND_BAD_DRAWABLE;
}

typedef enum command_error (*draw_parser)(struct parser *parser,
                                          const QXLDrawable *from,
                                          struct draw_command *to);

static enum command_error
parse_fill(struct parser *parser, const QXLDrawable *from, struct draw_command *to)
{
    const QXLFill *fill = &from->u.fill;
    enum command_error error = parse_operation(fill->rop_descriptor, 0, to);
    if (error == COMMAND_OK) {
        error = parse_brush(parser, &fill->brush, &to->brush);
    }
    return error == COMMAND_OK ? parse_mask(parser, &fill->mask, &to->mask) : error;
}

static enum command_error
parse_opaque(struct parser *parser, const QXLDrawable *from, struct draw_command *to)
{
    const QXLOpaque *opaque = &from->u.opaque;
    enum command_error error =
        parse_operation(opaque->rop_descriptor, opaque->scale_mode, to);
    if (error == COMMAND_OK) {
        error = parse_source(parser, opaque->src_bitmap, &opaque->src_area, to);
    }
    if (error == COMMAND_OK) {
        error = parse_brush(parser, &opaque->brush, &to->brush);
    }
    return error == COMMAND_OK ? parse_mask(parser, &opaque->mask, &to->mask) : error;
}

/* QXL_DRAW_COPY and, with the same fields, QXL_DRAW_BLEND. */
static enum command_error
parse_copy(struct parser *parser, const QXLDrawable *from, struct draw_command *to)
{
    const QXLCopy *copy = &from->u.copy;
    enum command_error error =
        parse_operation(copy->rop_descriptor, copy->scale_mode, to);
    if (error == COMMAND_OK) {
        error = parse_source(parser, copy->src_bitmap, &copy->src_area, to);
    }
    return error == COMMAND_OK ? parse_mask(parser, &copy->mask, &to->mask) : error;
}

static enum command_error
parse_copy_bits(struct parser *parser, const QXLDrawable *from, struct draw_command *to)
{
    (void)parser;
    to->src_x = from->u.copy_bits.src_pos.x;
    to->src_y = from->u.copy_bits.src_pos.y;
    return point_ok(to->src_x, to->src_y) ? COMMAND_OK : COMMAND_BAD_RECT;
}

/* QXL_DRAW_BLACKNESS, _WHITENESS and _INVERS: the same structure. */
static enum command_error
parse_mask_only(struct parser *parser, const QXLDrawable *from, struct draw_command *to)
{
    const QXLQMask mask = from->u.blackness.mask;
    return parse_mask(parser, &mask, &to->mask);
}

static enum command_error
parse_rop3(struct parser *parser, const QXLDrawable *from, struct draw_command *to)
{
    const QXLRop3 *rop3 = &from->u.rop3;
    enum command_error error = parse_operation(0, rop3->scale_mode, to);
    to->rop3 = rop3->rop3;
    if (error == COMMAND_OK) {
        error = parse_source(parser, rop3->src_bitmap, &rop3->src_area, to);
    }
    if (error == COMMAND_OK) {
        error = parse_brush(parser, &rop3->brush, &to->brush);
    }
    return error == COMMAND_OK ? parse_mask(parser, &rop3->mask, &to->mask) : error;
}

static enum command_error
parse_transparent(struct parser *parser, const QXLDrawable *from,
                  struct draw_command *to)
{
    const QXLTransparent *transparent = &from->u.transparent;
    to->src_color = transparent->src_color;
    to->true_color = transparent->true_color;
    return parse_source(parser, transparent->src_bitmap, &transparent->src_area, to);
}

static enum command_error
parse_alpha_blend(struct parser *parser, const QXLDrawable *from,
                  struct draw_command *to)
{
    const QXLAlphaBlend *blend = &from->u.alpha_blend;
    to->alpha_flags = blend->alpha_flags & SPICE_ALPHA_FLAGS_MASK;
    to->alpha = blend->alpha;
    return parse_source(parser, blend->src_bitmap, &blend->src_area, to);
}

static const draw_parser draw_parsers[QXL_NUM_DRAW_TYPES] = {
    [QXL_DRAW_FILL] = parse_fill,
    [QXL_DRAW_OPAQUE] = parse_opaque,
    [QXL_DRAW_COPY] = parse_copy,
    [QXL_COPY_BITS] = parse_copy_bits,
    [QXL_DRAW_BLEND] = parse_copy,
    [QXL_DRAW_BLACKNESS] = parse_mask_only,
    [QXL_DRAW_WHITENESS] = parse_mask_only,
    [QXL_DRAW_INVERS] = parse_mask_only,
    [QXL_DRAW_ROP3] = parse_rop3,
    [QXL_DRAW_STROKE] = parse_stroke,
    [QXL_DRAW_TEXT] = parse_text,
    [QXL_DRAW_TRANSPARENT] = parse_transparent,
    [QXL_DRAW_ALPHA_BLEND] = parse_alpha_blend,
    [QXL_DRAW_COMPOSITE] = parse_composite,
};

/* Surfaces that the drawable reads, -1 for none; a hint, so a bad area is no area. */
static enum command_error
parse_dependencies(const QXLDrawable *from, struct draw_command *to)
{
    for (int i = 0; i < 3; i++) {
        const QXLRect rect = from->surfaces_rects[i];
        to->surfaces_dest[i] = from->surfaces_dest[i];
        if (to->surfaces_dest[i] < -1 || to->surfaces_dest[i] >= MAX_SURFACES) {
            return COMMAND_BAD_SURFACE_ID;
        }
        if (!parse_rect(&to->surfaces_rects[i], &rect)) {
            to->surfaces_rects[i] = (struct draw_rect){0, 0, 0, 0};
        }
    }
    return COMMAND_OK;
}

static enum command_error
parse_common(struct parser *parser, const QXLDrawable *from, struct draw_command *to)
{
    const QXLRect bbox = from->bbox;
    const QXLRect self_bitmap_area = from->self_bitmap_area;
    const QXLClip clip = from->clip;

    if (from->surface_id >= MAX_SURFACES) {
        return COMMAND_BAD_SURFACE_ID;
    }
    if (from->effect > QXL_EFFECT_OPAQUE_BRUSH) {
        return COMMAND_BAD_DRAWABLE;
    }
    if (!parse_rect(&to->bbox, &bbox)) {
        return COMMAND_BAD_RECT;
    }
    if (from->self_bitmap && !parse_rect(&to->self_bitmap_area, &self_bitmap_area)) {
        return COMMAND_BAD_RECT;
    }
    to->surface_id = from->surface_id;
    to->effect = from->effect;
    to->self_bitmap = from->self_bitmap != 0;
    to->mm_time = from->mm_time;
    enum command_error error = parse_dependencies(from, to);
    return error == COMMAND_OK ? parse_clip(parser, &clip, to) : error;
}

void
init_draw_command(struct draw_command *command, uint8_t type)
{
    /* Most commands are fills and copies: what only the large ones use, behind
     * fore_mode, is set by these. */
    memset(command, 0, offsetof(struct draw_command, fore_mode));
    command->type = type;
    command->image = NO_IMAGE;
    command->brush.image = NO_IMAGE;
    command->mask.image = NO_IMAGE;
}

enum command_error
parse_drawable(struct parser *parser, const QXLDrawable *from, struct draw_command *to)
{
    if (from->type == QXL_DRAW_NOP || from->type >= QXL_NUM_DRAW_TYPES) {
        return COMMAND_BAD_DRAWABLE;
    }
    init_draw_command(to, from->type);
    enum command_error error = parse_common(parser, from, to);
    return error == COMMAND_OK ? draw_parsers[from->type](parser, from, to) : error;
}
