/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas_sample.h: pictures as pixman samples them: moved, scaled, turned, repeated.
 *
 * pixman gets the part of a picture that it looks at and no more, so that what a
 * command costs depends on what is visible of it.
 */
#ifndef CANVAS_SAMPLE_H
#define CANVAS_SAMPLE_H

#include "canvas_picture.h"

struct sampling {
    const struct picture *picture;
    pixman_format_code_t format; /* the picture's, or one like it without alpha */
    pixman_transform_t matrix;   /* from where it is drawn to the picture */
    uint8_t has_matrix;
    uint8_t component_alpha;
    pixman_filter_t filter;
    pixman_repeat_t repeat;
    int32_t x, y;   /* added to a place before the matrix */
    uint8_t *whole; /* all of the picture, read when a repetition needs it */
    ptrdiff_t whole_stride;
};

/* Sampling without any of that; sampling_fini() in any case. */
void sampling_init(struct sampling *sampling, const struct picture *picture);
void sampling_fini(struct sampling *sampling);

/* Scale by these FIXED16.16 factors from (x, y) of the picture on. */
void sampling_scale(struct sampling *sampling, pixman_fixed_t x_factor,
                    pixman_fixed_t y_factor, int32_t x, int32_t y, int nearest);

/*
 * Whether pixman samples box at all: it does not if any of it lies so far away that the
 * numbers of FIXED16.16 end.  A part of the box might still be sampled.
 */
int sampling_is_possible(const struct sampling *sampling, pixman_box32_t box);

/* What the sampling of box looks at, before it is cut to the picture. */
pixman_box32_t sampling_area(const struct sampling *sampling, pixman_box32_t box);

/*
 * Whether sampling box costs no more than some pixels read for each one drawn; if not,
 * its halves may, and a single pixel does.
 */
int sampling_is_cheap(const struct sampling *sampling, pixman_box32_t box);

/*
 * A pixman image of what sampling box looks at; with box's top left moved by (*x, *y)
 * it is the source of a composition.  NULL: memory is short or nothing can be seen. The
 * pixels may be in memory of their own, to be freed after the image.
 */
pixman_image_t *sampling_image(struct sampling *sampling, pixman_box32_t box,
                               int32_t *x, int32_t *y, uint8_t **pixels);

#endif /* CANVAS_SAMPLE_H */
