/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* glz_source.h: a caller's pixels on their way into the ring, some rows at a time. */
#ifndef GLZ_SOURCE_H
#define GLZ_SOURCE_H

#include <stdint.h>

#include "lz_format.h"

struct glz_source {
    struct lz_rows rows;
    uint32_t type; /* LZ_IMAGE_TYPE_* */
    uint32_t width, height;
    uint32_t y;      /* of the next row */
    uint32_t *units; /* where that goes */
};

/*
 * Load rows until there are so many units more, or all; returns how many there are.
 * Each byte is read once, so that both ends see the same even if pixels change.
 */
uint32_t glz_source_load(struct glz_source *source, uint32_t units);

#endif /* GLZ_SOURCE_H */
