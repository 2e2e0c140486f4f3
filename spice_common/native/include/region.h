/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * region.h: sets of pixels as bands of rectangles, kept by pixman.
 *
 * A rectangle is left, top, right, bottom; right and bottom are excluded.  Functions
 * that may run out of memory return -1 then, and 0 otherwise; the region is then
 * empty or unchanged, never broken.
 */
#ifndef REGION_H
#define REGION_H

#include <stdint.h>

struct region;

/* An empty region, or NULL. */
struct region *region_new(void);
void region_free(struct region *region);

void region_clear(struct region *region);
int region_add_rect(struct region *region, int32_t left, int32_t top, int32_t right,
                    int32_t bottom);
int region_subtract_rect(struct region *region, int32_t left, int32_t top,
                         int32_t right, int32_t bottom);
int region_intersect_rect(struct region *region, int32_t left, int32_t top,
                          int32_t right, int32_t bottom);
int region_add(struct region *region, const struct region *other);
int region_subtract(struct region *region, const struct region *other);
int region_intersect(struct region *region, const struct region *other);

int region_equal(const struct region *region, const struct region *other);
int region_contains_point(const struct region *region, int32_t x, int32_t y);

uint32_t region_num_rects(const struct region *region);
/* Copy at most max_rects rectangles, 4 numbers each, to rects; how many. */
uint32_t region_rects(const struct region *region, int32_t *rects, uint32_t max_rects);
/* The smallest rectangle around the region, 4 numbers; all 0 when it is empty. */
void region_extents(const struct region *region, int32_t *extents);
uint64_t region_area(const struct region *region);

#endif /* REGION_H */
