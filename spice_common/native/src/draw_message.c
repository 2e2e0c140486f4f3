/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "draw_message.h"

#include <spice/enums.h>
#include <spice/qxl_dev.h>
#include <string.h>

#include "display_message_writer.h"
#include "message_command.h"

enum {
    MAX_BODY_SIZE = 96, /* what follows the base, without what pointers lead to */
    MAX_POINTERS = 4,   /* of one message: ROP3 has image, pattern and mask */
};

enum pointer_kind { TO_IMAGE, TO_SELF, TO_PATH, TO_STYLE, TO_STRING };

/* Four bytes of the message that wait for an offset. */
struct pointer {
    uint64_t at; /* offset in messages->data */
    enum pointer_kind kind;
    enum image_use use;
    uint32_t image;
};

/* One message under construction. */
struct draw_message {
    struct display_messages *messages;
    const struct command_batch *batch;
    const struct draw_command *command;
    const struct surface *surface; /* NULL: there is no self_bitmap */
    struct message_base base;
    int own_clip;             /* the command's clip, not base's rectangles */
    int32_t shift_x, shift_y; /* from the command's bbox to the message's box */
    image_writer *write_image;
    void *opaque;
    struct pointer pointers[MAX_POINTERS];
    uint32_t num_pointers;
};

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

static uint8_t *
put_draw_rect(uint8_t *at, const struct draw_rect *rect)
{
    pixman_box32_t box = {rect->left, rect->top, rect->right, rect->bottom};

    return put_rect(at, box);
}

static uint8_t *
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

/* What follows the base, by QXL_DRAW_*. */
static const struct body {
    uint32_t message_type; /* 0: there is none */
    uint8_t *(*put)(struct draw_message *message, uint8_t *at);
} bodies[NUM_DRAW_TYPES] = {
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

/* SpicePath. */
static int
write_path(const struct draw_message *message)
{
    const struct draw_path *path = &message->command->path;
    const struct command_batch *batch = message->batch;
    const struct path_segment *segments = batch->segments + path->first_segment;
    uint64_t size = 4;
    uint8_t *at;

    for (uint32_t i = 0; i < path->num_segments; i++)
        size += 1 + 4 + 8 * (uint64_t)segments[i].num_points;
    at = append_bytes(message->messages, size);
    if (!at)
        return -1;
    at = put_u32(at, path->num_segments);
    for (uint32_t i = 0; i < path->num_segments; i++) {
        const struct fixed_point *points = batch->points + segments[i].first_point;

        at = put_u8(at, segments[i].flags);
        at = put_u32(at, segments[i].num_points);
        for (uint32_t j = 0; j < segments[i].num_points; j++)
            at = put_point(at, points[j].x, points[j].y);
    }
    return 0;
}

static int
write_style(const struct draw_message *message)
{
    const struct draw_path *path = &message->command->path;
    const int32_t *styles = message->batch->styles + path->first_style;
    uint8_t *at = append_bytes(message->messages, 4 * (uint64_t)path->num_styles);

    if (!at)
        return -1;
    for (uint32_t i = 0; i < path->num_styles; i++)
        at = put_u32(at, (uint32_t)styles[i]);
    return 0;
}

/* SpiceString. */
static int
write_string(const struct draw_message *message)
{
    const struct draw_string *string = &message->command->string;
    const struct command_batch *batch = message->batch;
    const struct draw_glyph *glyphs = batch->glyphs + string->first_glyph;
    uint64_t size = 2 + 1;
    uint8_t *at;

    for (uint32_t i = 0; i < string->num_glyphs; i++)
        size += 8 + 8 + 2 + 2 + (uint64_t)glyphs[i].num_bytes;
    at = append_bytes(message->messages, size);
    if (!at)
        return -1;
    at = put_u16(at, string->num_glyphs);
    at = put_u8(at, string->flags);
    for (uint32_t i = 0; i < string->num_glyphs; i++) {
        at = put_point(at, glyphs[i].render_x, glyphs[i].render_y);
        at = put_point(at, glyphs[i].origin_x, glyphs[i].origin_y);
        at = put_u16(at, glyphs[i].width);
        at = put_u16(at, glyphs[i].height);
        memcpy(at, batch->glyph_bytes + glyphs[i].first_byte, glyphs[i].num_bytes);
        at += glyphs[i].num_bytes;
    }
    return 0;
}

/* Append what a pointer leads to. */
static int
write_target(const struct draw_message *message, const struct pointer *pointer)
{
    switch (pointer->kind) {
    case TO_IMAGE:
        return message->write_image(message->opaque, message->messages, message->batch,
                                    &message->batch->images[pointer->image],
                                    pointer->use);
    case TO_SELF:
        return message->surface
                   ? write_surface_image(message->messages, message->surface,
                                         message->command->self_bitmap_area)
                   : -1;
    case TO_PATH:
        return write_path(message);
    case TO_STYLE:
        return write_style(message);
    case TO_STRING:
    default:
        return write_string(message);
    }
}

static int
write_targets(const struct draw_message *message)
{
    struct display_messages *messages = message->messages;

    for (uint32_t i = 0; i < message->num_pointers; i++) {
        uint64_t offset = messages->size - message_body(messages);

        put_u32(messages->data + message->pointers[i].at, (uint32_t)offset);
        if (write_target(message, &message->pointers[i]))
            return -1;
    }
    /* Sizes and offsets are 32 bits. */
    return messages->size - message_body(messages) > UINT32_MAX ? -1 : 0;
}

/* The base with the clip that the command itself has. */
static uint8_t *
put_own_base(uint8_t *at, const struct draw_message *message)
{
    const struct draw_command *command = message->command;
    const struct draw_rect *clips = message->batch->clips + command->first_clip;

    at = put_u32(at, command->surface_id);
    at = put_draw_rect(at, &command->bbox);
    at = put_u8(at, command->clip_type);
    if (command->clip_type != SPICE_CLIP_TYPE_RECTS)
        return at;
    at = put_u32(at, command->num_clips);
    for (uint32_t i = 0; i < command->num_clips; i++)
        at = put_draw_rect(at, &clips[i]);
    return at;
}

static int
write_message(struct draw_message *message)
{
    struct display_messages *messages = message->messages;
    const struct body *body = &bodies[message->command->type];
    uint8_t *at = body->put ? begin_message(messages, body->message_type,
                                            base_size(&message->base) + MAX_BODY_SIZE)
                            : NULL;

    if (!at)
        return -1;
    at = message->own_clip ? put_own_base(at, message) : put_base(at, &message->base);
    at = body->put(message, at);
    messages->size = (uint64_t)(at - messages->data);
    if (write_targets(message)) {
        drop_message(messages);
        return -1;
    }
    finish_message(messages);
    return 0;
}

static int
has_src_area(uint8_t type)
{
    return type == QXL_DRAW_COPY || type == QXL_DRAW_BLEND || type == QXL_DRAW_OPAQUE ||
           type == QXL_DRAW_ROP3 || type == QXL_DRAW_TRANSPARENT ||
           type == QXL_DRAW_ALPHA_BLEND;
}

static int
origin_fits(int32_t origin, int32_t shift)
{
    return origin + shift >= INT16_MIN && origin + shift <= INT16_MAX;
}

/* Whether a part of the box can be drawn by a message whose box is that part. */
static int
can_cut(const struct draw_command *command, int32_t shift_x, int32_t shift_y)
{
    const struct draw_rect *area = &command->src_area, *box = &command->bbox;
    const struct draw_composite *composite = &command->composite;

    if (command->type == QXL_DRAW_COMPOSITE)
        return origin_fits(composite->src_origin_x, shift_x) &&
               origin_fits(composite->src_origin_y, shift_y) &&
               origin_fits(composite->mask_origin_x, shift_x) &&
               origin_fits(composite->mask_origin_y, shift_y);
    /* What is scaled depends on the whole box. */
    return !has_src_area(command->type) ||
           (area->right - area->left == box->right - box->left &&
            area->bottom - area->top == box->bottom - box->top);
}

/* The part of the box that is drawn, or else all of it, clipped. */
static void
set_base(struct draw_message *message, const struct draw_plan *plan)
{
    const struct draw_rect *bbox = &message->command->bbox;
    struct message_base *base = &message->base;
    int32_t shift_x = plan->extents.x1 - bbox->left;
    int32_t shift_y = plan->extents.y1 - bbox->top;

    base->surface_id = message->command->surface_id;
    base->clips = plan->rects;
    if (can_cut(message->command, shift_x, shift_y)) {
        base->box = plan->extents;
        base->num_clips = plan->num_rects > 1 ? plan->num_rects : 0;
        message->shift_x = shift_x;
        message->shift_y = shift_y;
        return;
    }
    base->box = (pixman_box32_t){bbox->left, bbox->top, bbox->right, bbox->bottom};
    if (plan->num_rects > 1 ||
        memcmp(&base->box, &plan->extents, sizeof(base->box)) != 0)
        base->num_clips = plan->num_rects;
}

int
write_draw_command(struct display_messages *messages, const struct command_batch *batch,
                   const struct draw_plan *plan, image_writer *write_image,
                   void *opaque)
{
    struct draw_message message = {
        .messages = messages,
        .batch = batch,
        .command = plan->command,
        .surface = plan->surface,
        .write_image = write_image,
        .opaque = opaque,
    };

    set_base(&message, plan);
    return write_message(&message);
}

int32_t
command_to_message(struct display_messages *messages, const struct command_batch *batch,
                   uint32_t index)
{
    const struct draw_command *command = &batch->draws[index];
    const struct draw_rect *bbox = &command->bbox;
    struct draw_message message = {
        .messages = messages,
        .batch = batch,
        .command = command,
        .base = {.box = {bbox->left, bbox->top, bbox->right, bbox->bottom},
                 .num_clips = command->num_clips + 1}, /* room for none of RECTS, too */
        .own_clip = 1,
        .write_image = write_plain_image,
    };

    return write_message(&message);
}
