/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas.h: the surfaces of one display and how draw commands change them.
 *
 * A surface's pixels stay in guest memory: the guest's framebuffer is the canvas.  The
 * guest may write there at any time, so nothing read from it is used as anything but a
 * pixel.
 */
#ifndef CANVAS_H
#define CANVAS_H

#include <stdint.h>

struct canvas;

enum canvas_error {
    CANVAS_OK = 0,
    CANVAS_BAD_ID = -1,     /* not below num_surfaces, or taken, or not there */
    CANVAS_BAD_FORMAT = -2, /* not a SPICE_SURFACE_FMT_* that can be drawn on */
    CANVAS_BAD_SIZE = -3,   /* no pixels, too many, or more than the memory holds */
};

enum {
    NUM_DRAW_TYPES = 16, /* QXL_DRAW_* are below this */
};

/* What became of the commands since the canvas was made. */
struct canvas_counters {
    uint64_t drawn[NUM_DRAW_TYPES];       /* by QXL_DRAW_* */
    uint64_t unsupported[NUM_DRAW_TYPES]; /* well-formed, but not drawn yet */
    uint64_t rejected;                    /* the guest's numbers do not fit together */
    uint64_t not_drawn;                   /* rejected and all that is unsupported */
    uint64_t clipped;                     /* nothing of it was visible */
    uint64_t pixel_bytes;                 /* written to surfaces */
};

struct canvas_surface_info {
    uint32_t width, height;
    uint32_t format; /* SPICE_SURFACE_FMT_* */
    int32_t stride;
    uint32_t serial; /* differs for each surface that was ever created */
};

/* No surfaces, or NULL; ids go from 0 to num_surfaces - 1. */
struct canvas *canvas_new(uint32_t num_surfaces);
void canvas_free(struct canvas *canvas);

/*
 * Let surface_id be size bytes at data until it is destroyed.  A negative stride means
 * that the last row comes first in memory.  clear: make it black (all zero).
 */
enum canvas_error canvas_create_surface(struct canvas *canvas, uint32_t surface_id,
                                        uint32_t format, uint32_t width,
                                        uint32_t height, int32_t stride, uint8_t *data,
                                        uint64_t size, int clear);
enum canvas_error canvas_destroy_surface(struct canvas *canvas, uint32_t surface_id);
enum canvas_error canvas_surface_info(const struct canvas *canvas, uint32_t surface_id,
                                      struct canvas_surface_info *info);

/* The ids of at most max_ids surfaces, ascending; how many there are in all. */
uint32_t canvas_surface_ids(const struct canvas *canvas, uint32_t *ids,
                            uint32_t max_ids);

/*
 * Copy the surface to dst as 32 bit ARGB words, top row first, rows width words apart.
 * dst_size is in bytes.
 */
enum canvas_error canvas_read_surface(struct canvas *canvas, uint32_t surface_id,
                                      uint8_t *dst, uint64_t dst_size);

const struct canvas_counters *canvas_counters(const struct canvas *canvas);

#endif /* CANVAS_H */
