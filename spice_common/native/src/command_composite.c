/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* QXL_DRAW_COMPOSITE: Render's operation on an image, a mask and the surface. */
#include "command_parse.h"

#include <string.h>

/* Which parts there are is said by addresses in guest memory and by flags elsewhere. */
static const uint32_t part_flags = SPICE_COMPOSITE_HAS_MASK |
                                   SPICE_COMPOSITE_HAS_SRC_TRANSFORM |
                                   SPICE_COMPOSITE_HAS_MASK_TRANSFORM;

static enum command_error
parse_transform(struct parser *parser, uint64_t address, int32_t *to, uint8_t *has)
{
    _Static_assert(sizeof(QXLTransform) == 6 * sizeof(*to), "same layout");
    *has = address != 0;
    memset(to, 0, sizeof(QXLTransform));
    return *has ? command_fetch(parser->slots, address, to, sizeof(QXLTransform))
                : COMMAND_OK;
}

static enum command_error
parse_composite_mask(struct parser *parser, const QXLComposite *from,
                     struct draw_composite *to)
{
    to->mask = NO_IMAGE;
    if (from->mask == 0) {
        return parse_transform(parser, 0, to->mask_transform, &to->has_mask_transform);
    }
    enum command_error error = parse_picture(parser, from->mask, &to->mask);
    return error == COMMAND_OK
               ? parse_transform(parser, from->mask_transform, to->mask_transform,
                                 &to->has_mask_transform)
               : error;
}

enum command_error
parse_composite(struct parser *parser, const QXLDrawable *from, struct draw_command *to)
{
    const QXLComposite *composite = &from->u.composite;
    struct draw_composite *target = &to->composite;
    if (!composite_flags_ok(composite->flags)) {
        return COMMAND_BAD_DRAWABLE;
    }
    enum command_error error = parse_picture(parser, composite->src, &to->image);
    if (error == COMMAND_OK) {
        error = parse_transform(parser, composite->src_transform, target->src_transform,
                                &target->has_src_transform);
    }
    if (error == COMMAND_OK) {
        error = parse_composite_mask(parser, composite, target);
    }
    target->flags = composite->flags & SPICE_COMPOSITE_FLAGS_MASK & ~part_flags;
    target->flags |= target->mask != NO_IMAGE ? SPICE_COMPOSITE_HAS_MASK : 0u;
    target->flags |= target->has_src_transform ? SPICE_COMPOSITE_HAS_SRC_TRANSFORM : 0u;
    target->flags |=
        target->has_mask_transform ? SPICE_COMPOSITE_HAS_MASK_TRANSFORM : 0u;
    target->src_origin_x = composite->src_origin.x;
    target->src_origin_y = composite->src_origin.y;
    target->mask_origin_x = composite->mask_origin.x;
    target->mask_origin_y = composite->mask_origin.y;
    return error;
}
