/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas_compose.h: pixman's operators on boxes of any size.
 */
#ifndef CANVAS_COMPOSE_H
#define CANVAS_COMPOSE_H

#include "canvas_paint.h"

/* Source and mask are sampled or, if those are NULL, images without bounds. */
struct composition {
    pixman_op_t op;
    struct sampling *source;
    pixman_image_t *plain_source;
    struct sampling *mask;
    pixman_image_t *plain_mask;
};

/* Compose box onto image, which shows band, of which box is a part. */
void compose(const struct composition *composition, pixman_image_t *image,
             pixman_box32_t band, pixman_box32_t box);

/*
 * Compose box onto the painter's target, seen as a pixman format of its size; clears:
 * the unused byte of 32 bits is zero then, as the clients leave it.
 */
void compose_target(struct painter *painter, const struct composition *composition,
                    pixman_format_code_t format, int clears, pixman_box32_t box);

#endif /* CANVAS_COMPOSE_H */
