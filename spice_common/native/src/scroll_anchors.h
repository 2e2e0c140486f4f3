/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scroll_anchors.h: places in a picture that are found again wherever they move to.
 *
 * An anchor is a run of pixels in a row that its own content makes one: the same run
 * somewhere else is an anchor, too.  So few places have to be remembered and compared,
 * and still the same ones are chosen in both pictures.
 */
#ifndef SCROLL_ANCHORS_H
#define SCROLL_ANCHORS_H

#include <stdint.h>

#include "pixels.h"

enum {
    ANCHOR_RUN = 32, /* pixels: four letters of a console */
};

struct anchor {
    uint64_t hash; /* of the run's pixels */
    int32_t x, y;  /* where it begins */
};

/* Memory for a part of a row; vectors are read and written as a whole. */
struct anchor_rows {
    uint16_t folded[512], rolled[512];
};

/* Places of row y from x1 to x2 that can be anchors. */
uint32_t count_places(struct anchor_rows *rows, const struct pixels *pixels, int32_t y,
                      int32_t x1, int32_t x2);

/*
 * The anchors of row y from x1 to x2, one of about 2^rarity places that can be one:
 * where a pixel differs from the next one.  At most max are written; how many.
 */
uint32_t find_anchors(struct anchor_rows *rows, const struct pixels *pixels, int32_t y,
                      int32_t x1, int32_t x2, uint32_t rarity, struct anchor *anchors,
                      uint32_t max);

#endif /* SCROLL_ANCHORS_H */
