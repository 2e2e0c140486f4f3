/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * replay_parts.h: a replay's state, and what its parts do for each other.
 *
 * replay_buffer.c   bytes of the file that were fed
 * replay_event.c, replay_drawable.c, replay_image.c   from text to a driver's
 * structures replay_command.c  where they go replay_port.c     device messages
 * replay_device.c   rings and memory
 */
#ifndef REPLAY_PARTS_H
#define REPLAY_PARTS_H

#include "command_parse.h"
#include "replay.h"
#include "replay_event.h"
#include "replay_memory.h"
#include "ring.h"

/* Bytes of one event: a drawable with three images.  More would never be played. */
#define MAX_EVENT (4ull * MAX_TEXT_BINARY)

#define NO_PORT UINT32_MAX

struct live_surface {
    uint64_t extent;
    bool live;
};

struct replay {
    struct replay_state state;
    struct replay_memory memory;
    struct ring commands, cursors, releases;
    struct block_queue blocks;
    struct extent_list extents;
    struct live_surface surfaces[MAX_SURFACES]; /* [0]: the primary */
    struct live_surface next_primary;           /* data there, not created yet */
    QXLSurfaceCreate create;                    /* of it */
    uint32_t port;                              /* to be written, or NO_PORT */
    bool port_given;                            /* and the caller is at it */
    bool has_header, has_time, complete, bad;
    uint64_t last_ns, max_gap_ns;
    uint8_t *buffer;
    uint64_t begin, end, capacity; /* of what is in the buffer */
    uint64_t needed;       /* so many bytes from begin on are known to be too few */
    uint64_t small_events; /* since the last that takes a quarter of the buffer */
};

/* Besides enum replay_status: something was done, and more may follow at once. */
enum { PLAYED = 100 };

/* The "event" line. */
struct event_line {
    uint32_t counter, what, type;
    uint64_t ns;
};

/* ---- replay_buffer.c */

/* Nothing more will be played, because of what stands at offset; REPLAY_BAD. */
int32_t replay_fail(struct replay *replay, uint64_t offset, const char *what,
                    const char *detail);

/* What becomes of a text that is not good: enum replay_status. */
int32_t replay_not_good(struct replay *replay, const struct replay_text *text);

/* Go on behind text. */
void replay_consume(struct replay *replay, const struct replay_text *text);

/* ---- replay_device.c */

uint8_t *replay_ram_header(const struct replay *replay); /* QXLRam */
QXLPHYSICAL replay_slot_address(const struct replay *replay, uint32_t slot,
                                uint64_t offset);
uint64_t replay_in_flight(const struct replay *replay);

/* Push what was written to a block; 0 or REPLAY_BROKEN.  freed: VRAM that goes with it,
 * or NO_EXTENT.  recorded: it is the file's, not of our own making. */
int32_t replay_push(struct replay *replay, const struct block_writer *written,
                    uint32_t type, QXLPHYSICAL address, uint64_t freed, bool recorded);

/* ---- replay_command.c */

/* Find a place for the command behind line, and play it: 0, or enum replay_status. */
int32_t replay_command(struct replay *replay, struct replay_text *text,
                       const struct event_line *line);

/* ---- replay_port.c */

/* Note the port that a device message asks for.  *again: of something else, first. */
void replay_device_message(struct replay *replay, struct replay_text *text,
                           uint32_t type, bool *again);

/* Hand the next port over once all before it is done; PLAYED if there is none. */
int32_t replay_next_port(struct replay *replay);

#endif /* REPLAY_PARTS_H */
