/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * display_message.h: a run of messages under construction.
 *
 * Messages carry mini headers (SpiceMiniDataHeader) and follow each other without gaps.
 */
#ifndef DISPLAY_MESSAGE_H
#define DISPLAY_MESSAGE_H

#include <stdint.h>

struct display_messages {
    uint8_t *data;
    uint64_t size, capacity; /* bytes */
    uint32_t *starts;        /* offset of each message's header */
    uint32_t num_messages, cap_messages;
    uint32_t out_of_memory; /* some message is missing */
    uint32_t last_image_id;
};

struct display_messages *display_messages_new(void);
void display_messages_free(struct display_messages *messages);

/* Forget the run; its memory is kept for the next one. */
void display_messages_clear(struct display_messages *messages);

/* The run's bytes, to be freed by display_messages_free_data; NULL: none or no memory. */
uint8_t *display_messages_take_data(struct display_messages *messages);
void display_messages_free_data(uint8_t *data);

#endif /* DISPLAY_MESSAGE_H */
