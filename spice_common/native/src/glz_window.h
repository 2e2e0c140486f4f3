/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* glz_window.h: where the decoder keeps images. */
#ifndef GLZ_WINDOW_H
#define GLZ_WINDOW_H

#include "glz_format.h"

struct kept_image {
    uint64_t id;
    uint32_t *pixels; /* NULL: it has not come yet, or is gone */
    uint32_t count;
    uint32_t type;
    uint32_t head_distance;
};

struct glz_window {
    uint64_t max_pixels, pixels;
    struct kept_image *images; /* by the lower bits of the id */
    uint64_t mask;
    uint64_t oldest; /* what is older is not kept */
    uint64_t gap;    /* the first from oldest on that has not come */
    int begun;       /* an image has come: the two above are known */
};

/* The image with that id, NULL if it is not here. */
const struct kept_image *glz_window_find(const struct glz_window *window, uint64_t id);

/* Can an image with this header come in?  0 or an enum glz_error. */
int glz_window_check(const struct glz_window *window, const struct glz_header *header);

/* Take over pixels, for which glz_window_check() has been 0, and forget old ones. */
int glz_window_add(struct glz_window *window, const struct glz_header *header,
                   uint32_t *pixels);

#endif /* GLZ_WINDOW_H */
