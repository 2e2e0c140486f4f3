/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * command_parse.h: what the parsers of commands share.
 */
#ifndef COMMAND_PARSE_H
#define COMMAND_PARSE_H

#include <stdbool.h>
#include <stddef.h>
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

    /* Bytes of a path or a string: 131,072 points; a line of text across a screen of
     * 8192 pixels, 128 high, in A8. */
    MAX_PATH_SIZE = 1 << 20,
    MAX_STRING_SIZE = 1 << 20,

    /* The box around all glyphs of a string: 8192 x 8192. */
    MAX_STRING_PIXELS = 1 << 26,

    /* After so many chunks, rectangles and pieces of a path or string a batch takes no
     * further command.  With the bounds of one command this bounds its arrays and the
     * time of a call. */
    MAX_BATCH_WORK = 65536,
    BYTES_PER_WORK = 64,
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
 * Fetch a chain to its end, at most max bytes, to the memory behind glyph_bytes, where
 * the next more_glyph_bytes() finds it; COMMAND_TOO_BIG: there is more.
 */
enum command_error fetch_chain(struct parser *parser, uint64_t first, uint32_t max,
                               uint32_t *size);

/* The lengths of a batch's arrays, to go back to when a command turns out to be bad. */
struct batch_mark {
    uint32_t num_images, num_chunks, num_clips, num_colors;
    uint32_t num_segments, num_points, num_styles;
    uint32_t num_glyphs, num_glyph_bytes;
};

struct batch_mark batch_mark(const struct command_batch *batch);
void batch_rewind(struct command_batch *batch, const struct batch_mark *mark);
void add_entry(struct command_batch *batch, enum batch_kind kind, uint32_t index);

/* Make room for `more` items behind those in use and return where they go; NULL: out of
 * memory, nothing changed. */
struct guest_image *more_images(struct command_batch *batch, uint32_t more);
struct image_chunk *more_chunks(struct command_batch *batch, uint32_t more);
struct draw_rect *more_clips(struct command_batch *batch, uint32_t more);
uint32_t *more_colors(struct command_batch *batch, uint32_t more);
struct path_segment *more_segments(struct command_batch *batch, uint32_t more);
struct fixed_point *more_points(struct command_batch *batch, uint32_t more);
int32_t *more_styles(struct command_batch *batch, uint32_t more);
struct draw_glyph *more_glyphs(struct command_batch *batch, uint32_t more);
uint8_t *more_glyph_bytes(struct command_batch *batch, uint32_t more);

/* Make room for `more` items behind the first `used` of an array that has room for
 * *capacity and return the array, moved or not; NULL: out of memory, nothing changed.
 */
void *reserve(void *array, uint32_t *capacity, uint32_t used, uint32_t more,
              size_t item_size);

/* Append a piece of image data; false: out of memory. */
bool append_chunk(struct command_batch *batch, const uint8_t *data, uint32_t size);

/* What must hold of a part wherever it came from. */
bool coordinate_ok(int32_t coordinate);
bool point_ok(int32_t x, int32_t y);
bool rect_ok(const struct draw_rect *rect);
bool operation_ok(uint32_t rop_descriptor, uint32_t scale_mode);
bool path_ok(const struct command_batch *batch, const struct draw_path *path);
bool line_style_ok(const struct command_batch *batch, const struct draw_path *path);
bool string_ok(const struct command_batch *batch, const struct draw_string *string);
bool composite_flags_ok(uint32_t flags);
bool image_is_mask(const struct guest_image *image);
bool image_is_cached(const struct guest_image *image);

/* Whether area lies in the image; one whose size only its user knows has at most
 * MAX_IMAGE_SIDE rows and columns. */
bool source_area_ok(const struct guest_image *image, const struct draw_rect *area);

/* Whether an image that needs a palette has one; what clients cannot do without. */
bool image_has_colors(const struct guest_image *image);

/* Bits of a pixel of a string's glyphs; 0: there is not exactly one RASTER flag. */
uint32_t glyph_bits(uint32_t string_flags);

/* A command of a type without any of its parts. */
void init_draw_command(struct draw_command *command, uint8_t type);

/* Copy a rectangle; false: empty, reversed or too far away. */
bool parse_rect(struct draw_rect *to, const QXLRect *from);

/* Parse the QXLImage at address and append it to the batch. */
enum command_error parse_image(struct parser *parser, uint64_t address,
                               uint32_t *index);

/* The same for one that is drawn: without a mask's licence to have no palette. */
enum command_error parse_picture(struct parser *parser, uint64_t address,
                                 uint32_t *index);

/* Parse a clip; its rectangles are appended to the batch. */
enum command_error parse_clip(struct parser *parser, const QXLClip *from,
                              struct draw_command *to);

/* Parse a fetched QXLSurfaceCmd. */
enum command_error parse_surface(struct parser *parser, const QXLSurfaceCmd *from,
                                 struct surface_command *to);

/* Parts of drawables. */
enum command_error parse_brush(struct parser *parser, const QXLBrush *from,
                               struct draw_brush *to);
enum command_error parse_stroke(struct parser *parser, const QXLDrawable *from,
                                struct draw_command *to);
enum command_error parse_text(struct parser *parser, const QXLDrawable *from,
                              struct draw_command *to);
enum command_error parse_composite(struct parser *parser, const QXLDrawable *from,
                                   struct draw_command *to);

/* A drawable of the first QXL in the layout of today; surface 0 was all there was. */
void convert_compat_drawable(const QXLCompatDrawable *from, QXLDrawable *to);

/* Parse a fetched QXLDrawable.  Type QXL_DRAW_NOP never comes here. */
enum command_error parse_drawable(struct parser *parser, const QXLDrawable *from,
                                  struct draw_command *to);

#endif /* COMMAND_PARSE_H */
