/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* draw_message_parts.h: one draw message under construction. */
#ifndef DRAW_MESSAGE_PARTS_H
#define DRAW_MESSAGE_PARTS_H

#include "display_message_writer.h"
#include "draw_message.h"

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

/* What follows the base of a message. */
struct draw_body {
    uint32_t message_type; /* 0: there is none */
    uint8_t *(*put)(struct draw_message *message, uint8_t *at);
};

/* By QXL_DRAW_*, below NUM_DRAW_TYPES. */
extern const struct draw_body draw_bodies[];

uint8_t *put_draw_rect(uint8_t *at, const struct draw_rect *rect);
uint8_t *put_point(uint8_t *at, int32_t x, int32_t y);

/* Append what the command has behind pointers; 0 or -1: no memory. */
int write_path(const struct draw_message *message);
int write_style(const struct draw_message *message);
int write_string(const struct draw_message *message);

#endif /* DRAW_MESSAGE_PARTS_H */
