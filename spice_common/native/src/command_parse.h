/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * command_parse.h: what the parsers of commands share.
 */
#ifndef COMMAND_PARSE_H
#define COMMAND_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include <spice/qxl_dev.h>

#include "command.h"
#include "command_batch.h"
#include "memslot.h"

enum {
    /* Ids below this; QXLRom.n_surfaces says so to the guest, as QEMU's does. */
    MAX_SURFACES = 1024,

    /* A coordinate's distance from 0.  Surfaces are smaller than 2^15; what lies 32
     * of them away cannot be meant, and sums of a few stay inside int32_t. */
    MAX_COORDINATE = 1 << 20,

    /* Bytes of an image or a surface: 8192 x 8192 pixels of 32 bits. */
    MAX_IMAGE_DATA = 256 << 20,

    /* Rectangles of one clip: a screen of 1080 rows, each broken 30 times. */
    MAX_CLIP_RECTS = 32768,

    /* Chunks of one chain: MAX_IMAGE_DATA in pages of 4 KiB, the smallest piece that
     * drivers cut images into. */
    MAX_CHAIN = 65536,

    /* ... but a chain of n bytes has at most MIN_CHAIN + n / MIN_CHUNK of them, so
     * that a short one cannot be a long walk. */
    MIN_CHAIN = 64,
    MIN_CHUNK = 1024,

    /* After so many chunks and rectangles a batch takes no further command.  With the
     * bounds of one command this bounds its arrays and the time of a call. */
    MAX_BATCH_WORK = 65536,
};

struct parser {
    const struct memslot_table *slots;
    struct command_batch *batch;
};

/* memslot_status as a command_error. */
enum command_error command_address_error(enum memslot_status status);

/* Fetch size bytes at a guest address, once. */
enum command_error command_fetch(const struct memslot_table *slots, uint64_t address,
                                 void *to, uint64_t size);

/*
 * A walk over a chain of QXLDataChunk that looks for `need` bytes.  data/size is the
 * current piece after a step that returned COMMAND_OK, size 0 at the end.
 */
struct chunk_walk {
    const struct memslot_table *slots;
    uint64_t next; /* QXLPHYSICAL of the next header */
    uint64_t need; /* bytes still to be found */
    uint32_t limit, steps;
    uint8_t *data;
    uint32_t size;
};

void chunk_walk_start(struct chunk_walk *walk, const struct memslot_table *slots,
                      uint64_t first, uint64_t need);
enum command_error chunk_walk_step(struct chunk_walk *walk);

/*
 * Make room for `more` items behind the first `used` of an array that has room for
 * *capacity; false: out of memory, nothing changed.
 */
bool reserve(void **array, uint32_t *capacity, uint32_t used, uint32_t more,
             size_t item_size);

/* Copy a rectangle; false: empty, reversed or too far away. */
bool parse_rect(struct draw_rect *to, const QXLRect *from);
bool coordinate_ok(int32_t coordinate);

/* Parse the QXLImage at address and append it to the batch. */
enum command_error parse_image(struct parser *parser, uint64_t address,
                               uint32_t *index);

/* Parse a clip; its rectangles are appended to the batch. */
enum command_error parse_clip(struct parser *parser, const QXLClip *from,
                              struct draw_command *to);

/* Parse a fetched QXLSurfaceCmd. */
enum command_error parse_surface(struct parser *parser, const QXLSurfaceCmd *from,
                                 struct surface_command *to);

/* Parse a fetched QXLDrawable.  Type QXL_DRAW_NOP never comes here. */
enum command_error parse_drawable(struct parser *parser, const QXLDrawable *from,
                                  struct draw_command *to);

#endif /* COMMAND_PARSE_H */
