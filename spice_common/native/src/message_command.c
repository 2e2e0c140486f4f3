/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "message_command.h"

#include "message_body.h"

static enum command_error
read_clip(struct message *message)
{
    struct command_batch *batch = message->batch;
    struct draw_command *to = message->command;
    struct message_reader *reader = &message->reader;

    to->clip_type = read_u8(reader);
    to->first_clip = batch->num_clips;
    if (to->clip_type != SPICE_CLIP_TYPE_RECTS) {
        return to->clip_type == SPICE_CLIP_TYPE_NONE ? so_far(message)
                                                     : COMMAND_BAD_CLIP;
    }
    uint32_t num_rects = read_u32(reader);
    if (num_rects > MAX_CLIP_RECTS) {
        return COMMAND_TOO_BIG;
    }
    if (more_clips(batch, num_rects) == NULL) {
        return COMMAND_NO_MEMORY;
    }
    /* As with a guest's: what is empty clips everything away. */
    for (uint32_t i = 0; i < num_rects && !reader->failed; i++) {
        const struct draw_rect rect = read_rect(reader);
        if (rect_ok(&rect)) {
            batch->clips[batch->num_clips++] = rect;
        }
    }
    to->num_clips = batch->num_clips - to->first_clip;
    return so_far(message);
}

/* SpiceMsgDisplayBase. */
static enum command_error
read_base(struct message *message)
{
    struct draw_command *to = message->command;
    to->surface_id = read_u32(&message->reader);
    to->bbox = read_rect(&message->reader);
    for (int i = 0; i < 3; i++) {
        to->surfaces_dest[i] = -1;
    }
    if (message->reader.failed) {
        return COMMAND_MESSAGE_SHORT;
    }
    return rect_ok(&to->bbox) ? read_clip(message) : COMMAND_BAD_RECT;
}

int32_t
message_to_command(const uint8_t *body, uint64_t size, uint32_t message_type,
                   struct command_batch *batch)
{
    uint8_t draw_type = message_draw_type(message_type);
    if (draw_type == QXL_DRAW_NOP) {
        return COMMAND_BAD_TYPE;
    }
    if (batch->num_draws == MAX_BATCH_COMMANDS ||
        batch->num_entries == MAX_BATCH_COMMANDS || size > UINT32_MAX) {
        return COMMAND_TOO_BIG;
    }
    struct message message = {
        .reader = {.body = body, .size = size},
        .batch = batch,
        .command = &batch->draws[batch->num_draws],
    };
    const struct batch_mark mark = batch_mark(batch);
    init_draw_command(message.command, draw_type);
    enum command_error error = read_base(&message);
    if (error == COMMAND_OK) {
        error = read_body(&message, message_type);
    }
    if (error == COMMAND_OK) {
        add_entry(batch, BATCH_DRAW, batch->num_draws++);
    } else {
        batch_rewind(batch, &mark);
    }
    return (int32_t)error;
}
