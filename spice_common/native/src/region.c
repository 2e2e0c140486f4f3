/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "region.h"

#include <pixman.h>
#include <stdlib.h>

struct region {
    pixman_region32_t pixels;
};

/* pixman takes no const and x, y, width, height; an empty rectangle has no pixels. */
static pixman_region32_t *
pixels(const struct region *region)
{
    return (pixman_region32_t *)&region->pixels;
}

static int
checked(struct region *region, pixman_bool_t done)
{
    if (done)
        return 0;
    /* pixman leaves a region that it could not allocate "broken": start anew. */
    pixman_region32_fini(&region->pixels);
    pixman_region32_init(&region->pixels);
    return -1;
}

static void
init_rect(pixman_region32_t *region, int32_t left, int32_t top, int32_t right,
          int32_t bottom)
{
    pixman_box32_t box = {left, top, right, bottom};

    if (left < right && top < bottom)
        pixman_region32_init_with_extents(region, &box);
    else
        pixman_region32_init(region);
}

struct region *
region_new(void)
{
    struct region *region = malloc(sizeof(*region));

    if (region)
        pixman_region32_init(&region->pixels);
    return region;
}

void
region_free(struct region *region)
{
    if (!region)
        return;
    pixman_region32_fini(&region->pixels);
    free(region);
}

void
region_clear(struct region *region)
{
    pixman_region32_clear(&region->pixels);
}

int
region_add_rect(struct region *region, int32_t left, int32_t top, int32_t right,
                int32_t bottom)
{
    pixman_region32_t rect;

    init_rect(&rect, left, top, right, bottom);
    return checked(region, pixman_region32_union(&region->pixels, pixels(region), &rect));
}

int
region_subtract_rect(struct region *region, int32_t left, int32_t top, int32_t right,
                     int32_t bottom)
{
    pixman_region32_t rect;

    init_rect(&rect, left, top, right, bottom);
    return checked(region,
                   pixman_region32_subtract(&region->pixels, pixels(region), &rect));
}

int
region_intersect_rect(struct region *region, int32_t left, int32_t top, int32_t right,
                      int32_t bottom)
{
    pixman_region32_t rect;

    init_rect(&rect, left, top, right, bottom);
    return checked(region,
                   pixman_region32_intersect(&region->pixels, pixels(region), &rect));
}

int
region_add(struct region *region, const struct region *other)
{
    return checked(region, pixman_region32_union(&region->pixels, pixels(region),
                                                 pixels(other)));
}

int
region_subtract(struct region *region, const struct region *other)
{
    return checked(region, pixman_region32_subtract(&region->pixels, pixels(region),
                                                    pixels(other)));
}

int
region_intersect(struct region *region, const struct region *other)
{
    return checked(region, pixman_region32_intersect(&region->pixels, pixels(region),
                                                     pixels(other)));
}

int
region_equal(const struct region *region, const struct region *other)
{
    return pixman_region32_equal(pixels(region), pixels(other)) != 0;
}

int
region_contains_point(const struct region *region, int32_t x, int32_t y)
{
    return pixman_region32_contains_point(pixels(region), x, y, NULL) != 0;
}

uint32_t
region_num_rects(const struct region *region)
{
    return (uint32_t)pixman_region32_n_rects(pixels(region));
}

uint32_t
region_rects(const struct region *region, int32_t *rects, uint32_t max_rects)
{
    int count;
    const pixman_box32_t *boxes = pixman_region32_rectangles(pixels(region), &count);
    uint32_t num = (uint32_t)count < max_rects ? (uint32_t)count : max_rects;

    for (uint32_t i = 0; i < num; i++) {
        rects[4 * i] = boxes[i].x1;
        rects[4 * i + 1] = boxes[i].y1;
        rects[4 * i + 2] = boxes[i].x2;
        rects[4 * i + 3] = boxes[i].y2;
    }
    return num;
}

void
region_extents(const struct region *region, int32_t *extents)
{
    const pixman_box32_t *box = pixman_region32_extents(pixels(region));
    int empty = !pixman_region32_not_empty(pixels(region));

    extents[0] = empty ? 0 : box->x1;
    extents[1] = empty ? 0 : box->y1;
    extents[2] = empty ? 0 : box->x2;
    extents[3] = empty ? 0 : box->y2;
}

uint64_t
region_area(const struct region *region)
{
    int count;
    const pixman_box32_t *boxes = pixman_region32_rectangles(pixels(region), &count);
    uint64_t area = 0;

    for (int i = 0; i < count; i++)
        area += (uint64_t)(boxes[i].x2 - boxes[i].x1) *
                (uint64_t)(boxes[i].y2 - boxes[i].y1);
    return area;
}
