/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What each draw message says behind its base. */
#include "message_body.h"

/* A pointer to an image that is drawn. */
static enum command_error
read_picture(struct message *message, uint32_t *index)
{
    uint32_t offset = read_u32(&message->reader);
    if (message->reader.failed) {
        return COMMAND_MESSAGE_SHORT;
    }
    enum command_error error =
        read_image(&message->reader, message->batch, offset, index);
    if (error == COMMAND_OK && !image_has_colors(&message->batch->images[*index])) {
        error = COMMAND_BAD_PALETTE;
    }
    return error;
}

static enum command_error
read_src_area(struct message *message)
{
    struct draw_command *to = message->command;
    to->src_area = read_rect(&message->reader);
    if (message->reader.failed) {
        return COMMAND_MESSAGE_SHORT;
    }
    if (!rect_ok(&to->src_area)) {
        return COMMAND_BAD_RECT;
    }
    return source_area_ok(&message->batch->images[to->image], &to->src_area)
               ? COMMAND_OK
               : COMMAND_BAD_IMAGE;
}

/* src_bitmap and src_area, which follow each other in every message that has them. */
static enum command_error
read_source(struct message *message)
{
    enum command_error error = read_picture(message, &message->command->image);
    return error == COMMAND_OK ? read_src_area(message) : error;
}

static enum command_error
read_brush(struct message *message, struct draw_brush *to)
{
    struct message_reader *reader = &message->reader;
    to->type = read_u8(reader);
    switch (to->type) {
    case SPICE_BRUSH_TYPE_NONE:
        return so_far(message);
    case SPICE_BRUSH_TYPE_SOLID:
        to->color = read_u32(reader);
        return so_far(message);
    case SPICE_BRUSH_TYPE_PATTERN:
        break;
    default:
        return COMMAND_BAD_BRUSH;
    }
    enum command_error error = read_picture(message, &to->image);
    to->pos_x = read_i32(reader);
    to->pos_y = read_i32(reader);
    if (error == COMMAND_OK && !point_ok(to->pos_x, to->pos_y)) {
        error = COMMAND_BAD_BRUSH;
    }
    return error == COMMAND_OK ? so_far(message) : error;
}

static enum command_error
read_mask(struct message *message)
{
    struct message_reader *reader = &message->reader;
    struct draw_mask *to = &message->command->mask;
    uint8_t flags = read_u8(reader);
    int32_t x = read_i32(reader), y = read_i32(reader);
    uint32_t offset = read_u32(reader);

    if (reader->failed || offset == 0) {
        return so_far(message); /* no mask */
    }
    to->flags = flags & SPICE_MASK_FLAGS_MASK;
    to->pos_x = x;
    to->pos_y = y;
    if (!point_ok(x, y)) {
        return COMMAND_BAD_MASK;
    }
    enum command_error error = read_image(reader, message->batch, offset, &to->image);
    if (error != COMMAND_OK) {
        return error;
    }
    const struct guest_image *image = &message->batch->images[to->image];
    return image_is_mask(image) || image_is_cached(image) ? COMMAND_OK
                                                          : COMMAND_BAD_MASK;
}

static enum command_error
read_operation(struct message *message, bool scaled)
{
    struct draw_command *to = message->command;
    to->rop_descriptor = read_u16(&message->reader);
    to->scale_mode = scaled ? read_u8(&message->reader) : 0;
    return operation_ok(to->rop_descriptor, to->scale_mode) ? so_far(message)
                                                            : COMMAND_BAD_DRAWABLE;
}

static enum command_error
read_fill(struct message *message)
{
    enum command_error error = read_brush(message, &message->command->brush);
    if (error == COMMAND_OK) {
        error = read_operation(message, false);
    }
    return error == COMMAND_OK ? read_mask(message) : error;
}

static enum command_error
read_opaque(struct message *message)
{
    enum command_error error = read_source(message);
    if (error == COMMAND_OK) {
        error = read_brush(message, &message->command->brush);
    }
    if (error == COMMAND_OK) {
        error = read_operation(message, true);
    }
    return error == COMMAND_OK ? read_mask(message) : error;
}

/* DRAW_COPY and DRAW_BLEND. */
static enum command_error
read_copy(struct message *message)
{
    enum command_error error = read_source(message);
    if (error == COMMAND_OK) {
        error = read_operation(message, true);
    }
    return error == COMMAND_OK ? read_mask(message) : error;
}

static enum command_error
read_copy_bits(struct message *message)
{
    struct draw_command *to = message->command;
    to->src_x = read_i32(&message->reader);
    to->src_y = read_i32(&message->reader);
    return point_ok(to->src_x, to->src_y) ? so_far(message) : COMMAND_BAD_RECT;
}

static enum command_error
read_rop3(struct message *message)
{
    struct draw_command *to = message->command;
    enum command_error error = read_source(message);
    if (error == COMMAND_OK) {
        error = read_brush(message, &to->brush);
    }
    to->rop3 = read_u8(&message->reader);
    to->scale_mode = read_u8(&message->reader);
    if (error == COMMAND_OK && !operation_ok(0, to->scale_mode)) {
        error = COMMAND_BAD_DRAWABLE;
    }
    return error == COMMAND_OK ? read_mask(message) : error;
}

/* How a foreground and a background are combined with the surface. */
static enum command_error
read_modes(struct message *message)
{
    struct draw_command *to = message->command;
    to->fore_mode = read_u16(&message->reader);
    to->back_mode = read_u16(&message->reader);
    return operation_ok(to->fore_mode, 0) && operation_ok(to->back_mode, 0)
               ? so_far(message)
               : COMMAND_BAD_DRAWABLE;
}

/* SpiceLineAttr. */
static enum command_error
read_line_attributes(struct message *message, struct draw_path *to)
{
    struct command_batch *batch = message->batch;
    to->line_flags = read_u8(&message->reader) & SPICE_LINE_FLAGS_MASK;
    to->first_style = batch->num_styles;
    to->num_styles = 0;
    if (!(to->line_flags & SPICE_LINE_FLAGS_STYLED)) {
        return so_far(message);
    }
    to->num_styles = read_u8(&message->reader);
    uint32_t offset = read_u32(&message->reader);
    struct message_reader at = reader_at(&message->reader, offset);
    int32_t *styles = more_styles(batch, to->num_styles);
    if (styles == NULL) {
        return COMMAND_NO_MEMORY;
    }
    for (uint32_t i = 0; i < to->num_styles; i++) {
        styles[i] = read_i32(&at);
    }
    batch->num_styles += to->num_styles;
    if (at.failed || message->reader.failed) {
        return COMMAND_MESSAGE_SHORT;
    }
    return line_style_ok(batch, to) ? COMMAND_OK : COMMAND_BAD_PATH;
}

static enum command_error
read_stroke(struct message *message)
{
    struct draw_command *to = message->command;
    uint32_t path = read_u32(&message->reader);
    enum command_error error =
        read_path(&message->reader, message->batch, path, &to->path);
    if (error == COMMAND_OK) {
        error = read_line_attributes(message, &to->path);
    }
    if (error == COMMAND_OK) {
        error = read_brush(message, &to->brush);
    }
    return error == COMMAND_OK ? read_modes(message) : error;
}

static enum command_error
read_text(struct message *message)
{
    struct draw_command *to = message->command;
    uint32_t string = read_u32(&message->reader);
    enum command_error error =
        read_string(&message->reader, message->batch, string, &to->string);

    to->back_area = read_rect(&message->reader);
    if (to->back_area.left >= to->back_area.right ||
        to->back_area.top >= to->back_area.bottom) {
        to->back_area = (struct draw_rect){0, 0, 0, 0}; /* none */
    } else if (error == COMMAND_OK && !rect_ok(&to->back_area)) {
        error = COMMAND_BAD_RECT;
    }
    to->back_brush = (struct draw_brush){.image = NO_IMAGE};
    if (error == COMMAND_OK) {
        error = read_brush(message, &to->brush);
    }
    if (error == COMMAND_OK) {
        error = read_brush(message, &to->back_brush);
    }
    return error == COMMAND_OK ? read_modes(message) : error;
}

static enum command_error
read_transparent(struct message *message)
{
    enum command_error error = read_source(message);
    message->command->src_color = read_u32(&message->reader);
    message->command->true_color = read_u32(&message->reader);
    return error == COMMAND_OK ? so_far(message) : error;
}

static enum command_error
read_alpha_blend(struct message *message)
{
    message->command->alpha_flags = read_u8(&message->reader) & SPICE_ALPHA_FLAGS_MASK;
    message->command->alpha = read_u8(&message->reader);
    return read_source(message);
}

static void
read_transform(struct message *message, bool has, int32_t *to)
{
    for (int i = 0; i < 6; i++) {
        to[i] = has ? read_i32(&message->reader) : 0;
    }
}

static enum command_error
read_composite(struct message *message)
{
    struct message_reader *reader = &message->reader;
    struct draw_composite *to = &message->command->composite;
    enum command_error error;

    to->flags = read_u32(reader) & SPICE_COMPOSITE_FLAGS_MASK;
    to->mask = NO_IMAGE;
    to->has_src_transform = (to->flags & SPICE_COMPOSITE_HAS_SRC_TRANSFORM) != 0;
    to->has_mask_transform = (to->flags & SPICE_COMPOSITE_HAS_MASK_TRANSFORM) != 0;
    if (!composite_flags_ok(to->flags)) {
        return COMMAND_BAD_DRAWABLE;
    }
    error = read_picture(message, &message->command->image);
    if (error == COMMAND_OK && to->flags & SPICE_COMPOSITE_HAS_MASK) {
        error = read_picture(message, &to->mask);
    }
    read_transform(message, to->has_src_transform, to->src_transform);
    read_transform(message, to->has_mask_transform, to->mask_transform);
    to->src_origin_x = (int16_t)read_u16(reader);
    to->src_origin_y = (int16_t)read_u16(reader);
    to->mask_origin_x = (int16_t)read_u16(reader);
    to->mask_origin_y = (int16_t)read_u16(reader);
    return error == COMMAND_OK ? so_far(message) : error;
}

/* What follows the base, by the number of the message. */
static const struct body {
    uint8_t type; /* QXL_DRAW_* */
    enum command_error (*read)(struct message *message);
} bodies[] = {
    [SPICE_MSG_DISPLAY_DRAW_FILL] = {QXL_DRAW_FILL, read_fill},
    [SPICE_MSG_DISPLAY_DRAW_OPAQUE] = {QXL_DRAW_OPAQUE, read_opaque},
    [SPICE_MSG_DISPLAY_DRAW_COPY] = {QXL_DRAW_COPY, read_copy},
    [SPICE_MSG_DISPLAY_COPY_BITS] = {QXL_COPY_BITS, read_copy_bits},
    [SPICE_MSG_DISPLAY_DRAW_BLEND] = {QXL_DRAW_BLEND, read_copy},
    [SPICE_MSG_DISPLAY_DRAW_BLACKNESS] = {QXL_DRAW_BLACKNESS, read_mask},
    [SPICE_MSG_DISPLAY_DRAW_WHITENESS] = {QXL_DRAW_WHITENESS, read_mask},
    [SPICE_MSG_DISPLAY_DRAW_INVERS] = {QXL_DRAW_INVERS, read_mask},
    [SPICE_MSG_DISPLAY_DRAW_ROP3] = {QXL_DRAW_ROP3, read_rop3},
    [SPICE_MSG_DISPLAY_DRAW_STROKE] = {QXL_DRAW_STROKE, read_stroke},
    [SPICE_MSG_DISPLAY_DRAW_TEXT] = {QXL_DRAW_TEXT, read_text},
    [SPICE_MSG_DISPLAY_DRAW_TRANSPARENT] = {QXL_DRAW_TRANSPARENT, read_transparent},
    [SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND] = {QXL_DRAW_ALPHA_BLEND, read_alpha_blend},
    [SPICE_MSG_DISPLAY_DRAW_COMPOSITE] = {QXL_DRAW_COMPOSITE, read_composite},
};

uint8_t
message_draw_type(uint32_t message_type)
{
    return message_type < sizeof(bodies) / sizeof(bodies[0]) ? bodies[message_type].type
                                                             : QXL_DRAW_NOP;
}

enum command_error
read_body(struct message *message, uint32_t message_type)
{
    return message_draw_type(message_type) == QXL_DRAW_NOP
               ? COMMAND_BAD_TYPE
               : bodies[message_type].read(message);
}
