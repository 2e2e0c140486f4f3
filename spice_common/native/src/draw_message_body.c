/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What each draw message says behind its base. */
#include <spice/enums.h>
#include <spice/qxl_dev.h>

#include "draw_message_parts.h"

static uint8_t *
put_pointer(struct draw_message *message, uint8_t *at, struct pointer pointer)
{
    pointer.at = (uint64_t)(at - message->messages->data);
    message->pointers[message->num_pointers++] = pointer;
    return put_u32(at, 0);
}

/* A pointer to an image, null for NO_IMAGE. */
static uint8_t *
put_image(struct draw_message *message, uint8_t *at, uint32_t image, enum image_use use)
{
    struct pointer pointer = {.kind = TO_IMAGE, .use = use, .image = image};

    return image == NO_IMAGE ? put_u32(at, 0) : put_pointer(message, at, pointer);
}

/* The picture of a copy: an image, or what the surface holds. */
static uint8_t *
put_source(struct draw_message *message, uint8_t *at)
{
    struct pointer self = {.kind = TO_SELF};

    if (message->command->image == NO_IMAGE)
        return put_pointer(message, at, self);
    return put_image(message, at, message->command->image, IMAGE_SOURCE);
}

uint8_t *
put_draw_rect(uint8_t *at, const struct draw_rect *rect)
{
    pixman_box32_t box = {rect->left, rect->top, rect->right, rect->bottom};

    return put_rect(at, box);
}

uint8_t *
put_point(uint8_t *at, int32_t x, int32_t y)
{
    return put_u32(put_u32(at, (uint32_t)x), (uint32_t)y);
}

/* src_area, of which the message's box may be a part. */
static uint8_t *
put_src_area(const struct draw_message *message, uint8_t *at)
{
    const struct draw_rect *area = &message->command->src_area;
    const struct draw_rect *bbox = &message->command->bbox;
    const pixman_box32_t *box = &message->base.box;
    pixman_box32_t part = {area->left + message->shift_x, area->top + message->shift_y,
                           area->right - (bbox->right - box->x2),
                           area->bottom - (bbox->bottom - box->y2)};

    return put_rect(at, part);
}

static uint8_t *
put_brush(struct draw_message *message, uint8_t *at, const struct draw_brush *brush,
          enum image_use use)
{
    at = put_u8(at, brush->type);
    switch (brush->type) {
    case SPICE_BRUSH_TYPE_SOLID:
        return put_u32(at, brush->color);
    case SPICE_BRUSH_TYPE_PATTERN:
        at = put_image(message, at, brush->image, use);
        return put_point(at, brush->pos_x, brush->pos_y);
    default:
        return at;
    }
}

static uint8_t *
put_mask(struct draw_message *message, uint8_t *at)
{
    const struct draw_mask *mask = &message->command->mask;
    int masked = mask->image != NO_IMAGE;

    at = put_u8(at, masked ? mask->flags : 0u);
    at = masked ? put_point(at, mask->pos_x + message->shift_x,
                            mask->pos_y + message->shift_y)
                : put_point(at, 0, 0);
    return put_image(message, at, mask->image, IMAGE_MASK);
}

static uint8_t *
put_fill(struct draw_message *message, uint8_t *at)
{
    at = put_brush(message, at, &message->command->brush, IMAGE_BRUSH);
    at = put_u16(at, message->command->rop_descriptor);
    return put_mask(message, at);
}

static uint8_t *
put_opaque(struct draw_message *message, uint8_t *at)
{
    at = put_source(message, at);
    at = put_src_area(message, at);
    at = put_brush(message, at, &message->command->brush, IMAGE_BRUSH);
    at = put_u16(at, message->command->rop_descriptor);
    at = put_u8(at, message->command->scale_mode);
    return put_mask(message, at);
}

/* DRAW_COPY and DRAW_BLEND. */
static uint8_t *
put_copy(struct draw_message *message, uint8_t *at)
{
    at = put_source(message, at);
    at = put_src_area(message, at);
    at = put_u16(at, message->command->rop_descriptor);
    at = put_u8(at, message->command->scale_mode);
    return put_mask(message, at);
}

static uint8_t *
put_copy_bits(struct draw_message *message, uint8_t *at)
{
    return put_point(at, message->command->src_x + message->shift_x,
                     message->command->src_y + message->shift_y);
}

static uint8_t *
put_rop3(struct draw_message *message, uint8_t *at)
{
    at = put_source(message, at);
    at = put_src_area(message, at);
    at = put_brush(message, at, &message->command->brush, IMAGE_BRUSH);
    at = put_u8(at, message->command->rop3);
    at = put_u8(at, message->command->scale_mode);
    return put_mask(message, at);
}

static uint8_t *
put_stroke(struct draw_message *message, uint8_t *at)
{
    const struct draw_path *path = &message->command->path;
    struct pointer to_path = {.kind = TO_PATH}, to_style = {.kind = TO_STYLE};

    at = put_pointer(message, at, to_path);
    at = put_u8(at, path->line_flags);
    if (path->line_flags & SPICE_LINE_FLAGS_STYLED) {
        at = put_u8(at, path->num_styles);
        at = put_pointer(message, at, to_style);
    }
    at = put_brush(message, at, &message->command->brush, IMAGE_BRUSH);
    at = put_u16(at, message->command->fore_mode);
    return put_u16(at, message->command->back_mode);
}

static uint8_t *
put_text(struct draw_message *message, uint8_t *at)
{
    const struct draw_command *command = message->command;
    struct pointer to_string = {.kind = TO_STRING};

    at = put_pointer(message, at, to_string);
    at = put_draw_rect(at, &command->back_area);
    at = put_brush(message, at, &command->brush, IMAGE_BRUSH);
    at = put_brush(message, at, &command->back_brush, IMAGE_BACK_BRUSH);
    at = put_u16(at, command->fore_mode);
    return put_u16(at, command->back_mode);
}

static uint8_t *
put_transparent(struct draw_message *message, uint8_t *at)
{
    at = put_source(message, at);
    at = put_src_area(message, at);
    at = put_u32(at, message->command->src_color);
    return put_u32(at, message->command->true_color);
}

static uint8_t *
put_alpha_blend(struct draw_message *message, uint8_t *at)
{
    at = put_u8(at, message->command->alpha_flags);
    at = put_u8(at, message->command->alpha);
    at = put_source(message, at);
    return put_src_area(message, at);
}

static uint8_t *
put_transform(uint8_t *at, const int32_t *transform)
{
    for (int i = 0; i < 6; i++)
        at = put_u32(at, (uint32_t)transform[i]);
    return at;
}

static uint8_t *
put_composite(struct draw_message *message, uint8_t *at)
{
    const struct draw_composite *composite = &message->command->composite;

    at = put_u32(at, composite->flags);
    at = put_source(message, at);
    if (composite->mask != NO_IMAGE)
        at = put_image(message, at, composite->mask, IMAGE_COMPOSITE_MASK);
    if (composite->has_src_transform)
        at = put_transform(at, composite->src_transform);
    if (composite->has_mask_transform)
        at = put_transform(at, composite->mask_transform);
    at = put_u16(at, (uint32_t)(composite->src_origin_x + message->shift_x));
    at = put_u16(at, (uint32_t)(composite->src_origin_y + message->shift_y));
    at = put_u16(at, (uint32_t)(composite->mask_origin_x + message->shift_x));
    return put_u16(at, (uint32_t)(composite->mask_origin_y + message->shift_y));
}

const struct draw_body draw_bodies[NUM_DRAW_TYPES] = {
    [QXL_DRAW_FILL] = {SPICE_MSG_DISPLAY_DRAW_FILL, put_fill},
    [QXL_DRAW_OPAQUE] = {SPICE_MSG_DISPLAY_DRAW_OPAQUE, put_opaque},
    [QXL_DRAW_COPY] = {SPICE_MSG_DISPLAY_DRAW_COPY, put_copy},
    [QXL_COPY_BITS] = {SPICE_MSG_DISPLAY_COPY_BITS, put_copy_bits},
    [QXL_DRAW_BLEND] = {SPICE_MSG_DISPLAY_DRAW_BLEND, put_copy},
    [QXL_DRAW_BLACKNESS] = {SPICE_MSG_DISPLAY_DRAW_BLACKNESS, put_mask},
    [QXL_DRAW_WHITENESS] = {SPICE_MSG_DISPLAY_DRAW_WHITENESS, put_mask},
    [QXL_DRAW_INVERS] = {SPICE_MSG_DISPLAY_DRAW_INVERS, put_mask},
    [QXL_DRAW_ROP3] = {SPICE_MSG_DISPLAY_DRAW_ROP3, put_rop3},
    [QXL_DRAW_STROKE] = {SPICE_MSG_DISPLAY_DRAW_STROKE, put_stroke},
    [QXL_DRAW_TEXT] = {SPICE_MSG_DISPLAY_DRAW_TEXT, put_text},
    [QXL_DRAW_TRANSPARENT] = {SPICE_MSG_DISPLAY_DRAW_TRANSPARENT, put_transparent},
    [QXL_DRAW_ALPHA_BLEND] = {SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND, put_alpha_blend},
    [QXL_DRAW_COMPOSITE] = {SPICE_MSG_DISPLAY_DRAW_COMPOSITE, put_composite},
};
