/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "draw_message.h"

#include <spice/enums.h>
#include <spice/qxl_dev.h>
#include <string.h>

#include "draw_message_parts.h"
#include "message_command.h"

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
    const struct draw_body *body = &draw_bodies[message->command->type];
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
