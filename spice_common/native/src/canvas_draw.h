/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas_draw.h: what display_message.c needs of the canvas to draw a batch.
 */
#ifndef CANVAS_DRAW_H
#define CANVAS_DRAW_H

#include <pixman.h>

#include "bitmap_source.h"
#include "canvas.h"
#include "command_batch.h"

struct surface {
    uint8_t *line_0;  /* the top row; NULL: there is no such surface */
    ptrdiff_t stride; /* from one row to the one below it */
    uint32_t id;
    uint32_t width, height;
    uint32_t format;
    uint32_t pixel_size; /* bytes */
    uint32_t serial;
};

enum { NUM_BANDS = 5 };

struct canvas {
    struct surface *surfaces;
    uint32_t num_surfaces;
    uint32_t last_serial;
    pixman_region32_t clip; /* of the command being drawn */
    struct bitmap_scratch scratch;
    struct bitmap_scratch more_scratch[2]; /* of a brush's or a mask's picture */
    uint8_t *row;                          /* one row of any surface */
    uint8_t *bands[NUM_BANDS]; /* BAND_SIZE bytes each: see canvas_paint.h */
    struct canvas_counters counters;
};

enum draw_kind {
    DRAW_BITMAP,     /* pixels of a guest bitmap */
    DRAW_SURFACE,    /* pixels of another surface */
    DRAW_SOLID,      /* color */
    DRAW_COPY_BITS,  /* pixels of the same surface */
    DRAW_OTHER,      /* whatever command->type says */
    DRAW_NOT_AT_ALL, /* nothing visible, rejected or unsupported; already counted */
};

/* Pixels that a plan reads elsewhere than where it writes. */
struct plan_read {
    const struct surface *surface;
    pixman_box32_t box; /* inside the surface */
};

enum { MAX_PLAN_READS = 3 }; /* source, pattern and mask */

/* A draw command, checked against the surfaces and clipped; canvas->clip is its area.
 */
struct draw_plan {
    enum draw_kind kind;
    const struct command_batch *batch;
    const struct draw_command *command;
    struct surface *surface;
    const pixman_box32_t *rects; /* disjoint, in bands; owned by canvas->clip */
    uint32_t num_rects;
    pixman_box32_t extents;
    uint32_t rop;      /* SPICE_ROPD_*, the brush being the source of a fill */
    uint32_t wire_rop; /* the same as the guest put it */
    uint32_t color;
    int32_t dx, dy; /* source = destination + (dx, dy) */
    struct bitmap_source bitmap;
    struct surface *source;
    uint8_t opaque;   /* each pixel of rects is replaced whatever it was before */
    uint8_t portable; /* spice-gtk paints the same pixels from the command itself */
    struct plan_read reads[MAX_PLAN_READS];
    uint32_t num_reads;
};

/* Check and clip a command, count it if it cannot be drawn. */
void draw_plan_init(struct draw_plan *plan, struct canvas *canvas,
                    const struct command_batch *batch,
                    const struct draw_command *command);

/* Draw a plan, unless it is DRAW_NOT_AT_ALL: the whole command in one call. */
void draw_plan_execute(const struct draw_plan *plan, struct canvas *canvas);

/* Draw the part rect, inside the surface, of a DRAW_BITMAP plan from guest memory. */
void draw_bitmap_rect(const struct draw_plan *plan, struct canvas *canvas,
                      pixman_box32_t rect);

/* The same from a copy in format whose pixel (left, top) is at pixels. */
void draw_pixels(const struct draw_plan *plan, struct canvas *canvas,
                 pixman_box32_t rect, const uint8_t *pixels, size_t pixels_stride,
                 uint32_t format);

/* Copy rect of a surface to dst as format, reading each byte once. */
void surface_read(struct canvas *canvas, const struct surface *surface,
                  pixman_box32_t rect, uint32_t format, uint8_t *dst,
                  size_t dst_stride);

struct surface *canvas_find(const struct canvas *canvas, uint32_t surface_id);

static inline uint32_t
box_width(pixman_box32_t box)
{
    return (uint32_t)(box.x2 - box.x1);
}

static inline uint32_t
box_height(pixman_box32_t box)
{
    return (uint32_t)(box.y2 - box.y1);
}

#endif /* CANVAS_DRAW_H */
