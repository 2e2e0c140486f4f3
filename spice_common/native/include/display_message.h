/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * display_message.h: drawing a batch and telling the clients about it, in one pass.
 *
 * The pixels of a guest's bitmap are copied out of guest memory once, into the message,
 * and drawn from there: clients and surface agree even if the guest writes meanwhile.
 * Messages carry mini headers (SpiceMiniDataHeader) and follow each other without gaps.
 */
#ifndef DISPLAY_MESSAGE_H
#define DISPLAY_MESSAGE_H

#include <stdint.h>

#include "canvas.h"
#include "command_batch.h"
#include "damage.h"

enum {
    /*
     * Bytes of pixels in a message; a larger picture is sent in bands.  A client
     * acknowledges messages, so its window is worth at most 40 of these.
     */
    MAX_DRAW_MESSAGE_SIZE = 1 << 20,
    /* Each step of a batch yields at most two of each per command. */
    MAX_RUN_EVENTS = 2 * MAX_BATCH_COMMANDS,
};

/* A surface came (its serial) or went (0). */
struct surface_event {
    uint32_t surface_id;
    uint32_t serial;
};

/* A run of messages under construction, and what clients that do not get it miss. */
struct display_messages {
    uint8_t *data;
    uint64_t size, capacity; /* bytes */
    uint32_t *starts;        /* offset of each message's header */
    uint32_t num_messages, cap_messages;
    struct damage damage[MAX_RUN_EVENTS];
    uint32_t num_damage;
    struct surface_event events[MAX_RUN_EVENTS];
    uint32_t num_events;
    uint32_t damage_only;   /* set by the caller: write no messages */
    uint32_t out_of_memory; /* some message is missing; damage and events are not */
    uint32_t last_image_id;
};

/* How far a batch was drawn; all zero: not begun. */
struct batch_position {
    uint32_t entry;
    uint32_t piece; /* of the entry: a rectangle */
    uint32_t row;   /* of the piece */
};

struct display_messages *display_messages_new(void);
void display_messages_free(struct display_messages *messages);

/* Forget the run; its memory is kept for the next one. */
void display_messages_clear(struct display_messages *messages);

/* The run's bytes, to be freed by display_messages_free_data; NULL: none or no memory. */
uint8_t *display_messages_take_data(struct display_messages *messages);
void display_messages_free_data(uint8_t *data);

/*
 * Draw batch from position on until about max_bytes of pixels and messages were written.
 * messages, to which is appended, may be NULL: nobody listens.  1: there is more to do,
 * position says where; 0: done.
 */
int display_draw_batch(struct canvas *canvas, const struct command_batch *batch,
                       struct batch_position *position,
                       struct display_messages *messages, uint64_t max_bytes);

/*
 * Append the damaged pixels as DRAW_COPY messages of at most max_message bytes of pixels
 * (but a whole row) and take them out of the map, until about max_bytes were written or
 * the run holds MAX_RUN_EVENTS pieces of damage: what it repairs, for whom it does not
 * reach.  1: there is more.
 */
int display_refresh(struct canvas *canvas, struct damage_map *map,
                    struct display_messages *messages, uint32_t max_message,
                    uint64_t max_bytes);

/* Append SURFACE_CREATE or SURFACE_DESTROY; 0 or -1 for no memory or no surface. */
int display_surface_create_message(struct display_messages *messages,
                                   const struct canvas *canvas, uint32_t surface_id);
int display_surface_destroy_message(struct display_messages *messages,
                                    uint32_t surface_id);

#endif /* DISPLAY_MESSAGE_H */
