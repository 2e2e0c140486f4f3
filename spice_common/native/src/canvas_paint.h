/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas_paint.h: drawing that takes more than one row of pixels put into place.
 *
 * A painter has all that a command speaks of: the pictures, the brush, the mask.  Each
 * kind of command is a function that paints one box; the painter calls it for each box
 * of the clip, or for its bands on a copy of which the mask lets some pixels through.
 * Such a function works in bands, as many rows as fit into BAND_SIZE bytes, in private
 * memory.
 */
#ifndef CANVAS_PAINT_H
#define CANVAS_PAINT_H

#include "canvas_picture.h"
#include "canvas_sample.h"

enum {
    BAND_SIZE = 1 << 18,
    BAND_PIXELS = BAND_SIZE / 4, /* two rows of the widest surface */
};

/* canvas->bands[]. */
enum band_use { BAND_SOURCE, BAND_BRUSH, BAND_RESULT, BAND_MASK, BAND_MASKED };

struct brush {
    int is_pattern;
    uint32_t color;
    int32_t x, y; /* where a pattern's picture begins */
    struct picture pattern;
    int64_t row_y;          /* of the pattern: the row that BAND_BRUSH holds, or -1 */
    pixman_box32_t columns; /* ... and for which columns of what is drawn */
};

/* A mask's picture is a bitmap of one bit. */
struct mask {
    int is_there;
    uint8_t inverts;
    int32_t dx, dy; /* place in the mask = place in the surface + (dx, dy) */
    struct picture bits;
};

struct painter {
    struct canvas *canvas;
    const struct draw_plan *plan;
    const struct draw_command *command;
    enum picture_reading reading;
    struct surface target; /* what is drawn on: the surface, or its double */
    uint8_t *double_pixels;
    pixman_box32_t double_box;
    struct picture source;
    int is_scaled;
    struct sampling sampling; /* of the source */
    struct brush brush;
    struct mask mask;
    uint32_t rop;
    void (*paint)(struct painter *painter, pixman_box32_t box);
};

/* Find the pictures of painter->plan; painter_close() in any case. */
enum picture_status painter_open(struct painter *painter);
void painter_close(struct painter *painter);

/* Set up and draw plan, which is DRAW_OTHER. */
void paint_plan(const struct draw_plan *plan, struct canvas *canvas);

/* Call painter->paint for all that is visible. */
void paint_visible(struct painter *painter);

/* One row of pixels of a box, as they are in the surface's format. */
uint8_t *target_at(const struct painter *painter, int32_t x, int32_t y);

/* The rows of box that one band holds, from its top. */
pixman_box32_t first_band(pixman_box32_t box);

/* Rows of the source for band, in the surface's format; the first and the step. */
const uint8_t *source_rows(struct painter *painter, pixman_box32_t band,
                           ptrdiff_t *stride);

/* A row of the brush; valid until the next call. */
const uint8_t *brush_row(struct painter *painter, pixman_box32_t box, int32_t y);

/* Brushes and masks of commands. */
enum picture_status brush_init(struct brush *brush, struct canvas *canvas,
                               const struct draw_plan *plan,
                               const struct draw_brush *from,
                               enum picture_reading reading);
enum picture_status mask_init(struct mask *mask, struct canvas *canvas,
                              const struct draw_plan *plan);

/* Whether a command of this type has an image; and how that is scaled, if it is. */
int has_source(const struct draw_command *command);
void scale_source(struct painter *painter);

/* The paint functions of raster operations. */
void paint_brush(struct painter *painter, pixman_box32_t box);
void paint_copy(struct painter *painter, pixman_box32_t box);
void paint_opaque(struct painter *painter, pixman_box32_t box);
void paint_rop3(struct painter *painter, pixman_box32_t box);
void paint_transparent(struct painter *painter, pixman_box32_t box);

/* Those of pixman's operators. */
void paint_blend(struct painter *painter);
void paint_composite(struct painter *painter);
void paint_text(struct painter *painter);
void paint_stroke(struct painter *painter);

#endif /* CANVAS_PAINT_H */
