/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * replay_event.h: from the text of one event to a driver's structures in RAM.
 */
#ifndef REPLAY_EVENT_H
#define REPLAY_EVENT_H

#include <spice/qxl_dev.h>

#include "replay_text.h"

enum { ALIGNMENT = 16 }; /* of blocks, and of the data in them */

/* The block of RAM that a command is written to. */
struct block_writer {
    uint8_t *base;
    uint64_t address; /* QXLPHYSICAL of base */
    uint64_t used, size;
};

struct event_reader {
    struct replay_text text;
    struct block_writer block;
};

/* size bytes whose part from prefix on is aligned; NULL after a failure.  *address is
 * where the device finds them. */
uint8_t *event_place(struct event_reader *reader, uint64_t prefix, uint64_t size,
                     QXLPHYSICAL *address);

/* The same, aligned and zeroed. */
void *event_take(struct event_reader *reader, uint64_t size, QXLPHYSICAL *address);

/*
 * "data_chunks n total" and its n + 1 blocks as a chain of QXLDataChunk, the first one
 * behind header_size bytes at *header.  The address of the header; 0 after a failure.
 */
QXLPHYSICAL event_chunks(struct event_reader *reader, const char *name,
                         uint64_t header_size, void **header, uint64_t *total);

/* "rect name ..." and points. */
void event_rect(struct event_reader *reader, const char *name, QXLRect *rect);
void event_point(struct event_reader *reader, QXLPoint *point);
void event_point16(struct event_reader *reader, const char *name, QXLPoint16 *point);

/* A line of 0 or 1. */
bool event_flag(struct event_reader *reader, const char *name);

/* "image 0" is 0. */
QXLPHYSICAL event_image(struct event_reader *reader);

/* Behind the "event" line, by QXL_CMD_*: the address of the structure in RAM. */
QXLPHYSICAL event_drawable(struct event_reader *reader);
QXLPHYSICAL event_update(struct event_reader *reader);
QXLPHYSICAL event_cursor(struct event_reader *reader);
QXLPHYSICAL event_message(struct event_reader *reader);

/* QXL_CMD_SURFACE: data is KEEP_DATA's, or NULL; its place is the caller's to find. */
QXLPHYSICAL event_surface(struct event_reader *reader, QXLSurfaceCmd **command,
                          const uint8_t **data);

/* CREATE_PRIMARY: what follows its line; mem is left 0. */
void event_primary(struct event_reader *reader, QXLSurfaceCreate *create,
                   const uint8_t **data, uint32_t *size);

#endif /* REPLAY_EVENT_H */
