/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* message_body.h: one draw message that is being read into a command. */
#ifndef MESSAGE_BODY_H
#define MESSAGE_BODY_H

#include "message_reader.h"

/* A message being read into a command. */
struct message {
    struct message_reader reader;
    struct command_batch *batch;
    struct draw_command *command;
};

/* What was read so far is worth a look. */
static inline enum command_error
so_far(const struct message *message)
{
    return message->reader.failed ? COMMAND_MESSAGE_SHORT : COMMAND_OK;
}

static inline struct draw_rect
read_rect(struct message_reader *reader)
{
    struct draw_rect rect;
    rect.top = read_i32(reader);
    rect.left = read_i32(reader);
    rect.bottom = read_i32(reader);
    rect.right = read_i32(reader);
    return rect;
}

/* Read what follows the base of a message_type; COMMAND_BAD_TYPE: nothing is drawn. */
enum command_error read_body(struct message *message, uint32_t message_type);

/* The QXL_DRAW_* of a message_type, QXL_DRAW_NOP: nothing is drawn. */
uint8_t message_draw_type(uint32_t message_type);

#endif /* MESSAGE_BODY_H */
