/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "canvas_sample.h"

#include <stdlib.h>
#include <string.h>

enum {
    /* Around a sample pixman looks one pixel further for a mean, and it may round. */
    MARGIN = 2,
    /* Pixels that are read for each one that is drawn, and for each call. */
    READ_PER_PIXEL = 16,
    READ_PER_CALL = 4096,
    /* Of a picture that repeats itself all is read: a screen of 8192 x 4096. */
    MAX_WHOLE_PIXELS = 1 << 25,
    /* Farther than any sum of a picture's and a surface's sides. */
    FAR_AWAY = 1 << 28,
};

void
sampling_init(struct sampling *sampling, const struct picture *picture)
{
    memset(sampling, 0, sizeof(*sampling));
    sampling->picture = picture;
    sampling->format = picture->format;
    sampling->filter = PIXMAN_FILTER_NEAREST;
    sampling->repeat = PIXMAN_REPEAT_NONE;
}

void
sampling_fini(struct sampling *sampling)
{
    free(sampling->whole);
    sampling->whole = NULL;
}

void
sampling_scale(struct sampling *sampling, pixman_fixed_t x_factor,
               pixman_fixed_t y_factor, int32_t x, int32_t y, int nearest)
{
    pixman_transform_init_scale(&sampling->matrix, x_factor, y_factor);
    sampling->matrix.matrix[0][2] = pixman_int_to_fixed(x);
    sampling->matrix.matrix[1][2] = pixman_int_to_fixed(y);
    sampling->has_matrix = 1;
    sampling->filter = nearest ? PIXMAN_FILTER_NEAREST : PIXMAN_FILTER_GOOD;
}

static int32_t
limited(int64_t number)
{
    if (number < -FAR_AWAY)
        return -FAR_AWAY;
    return number > FAR_AWAY ? FAR_AWAY : (int32_t)number;
}

/* From where to where one coordinate of the picture goes; row is of the matrix. */
static void
sampled_range(const pixman_fixed_t *row, pixman_box32_t box, int32_t *first,
              int32_t *end)
{
    int64_t low = 0, high = 0;

    for (int corner = 0; corner < 4; corner++) {
        int64_t x = corner & 1 ? box.x2 : box.x1, y = corner & 2 ? box.y2 : box.y1;
        int64_t at = (row[0] * x + row[1] * y + row[2]) >> 16;

        low = corner == 0 || at < low ? at : low;
        high = corner == 0 || at > high ? at : high;
    }
    *first = limited(low - MARGIN);
    *end = limited(high + 1 + MARGIN);
}

int
sampling_is_possible(const struct sampling *sampling, pixman_box32_t box)
{
    /* A pixel more on each side, less than one for a mean, and some steps. */
    int64_t margin = 65536 + 8, half = 32768;

    for (int corner = 0; sampling->has_matrix && corner < 4; corner++) {
        int64_t x = (int64_t)sampling->x +
                    (corner & 1 ? (int64_t)box.x2 + 1 : (int64_t)box.x1 - 1);
        int64_t y = (int64_t)sampling->y +
                    (corner & 2 ? (int64_t)box.y2 + 1 : (int64_t)box.y1 - 1);

        x = x * 65536 + (corner & 1 ? -half : half);
        y = y * 65536 + (corner & 2 ? -half : half);
        for (int i = 0; i < 2; i++) {
            const pixman_fixed_t *row = sampling->matrix.matrix[i];
            __int128 sum =
                (__int128)row[0] * x + (__int128)row[1] * y + (__int128)row[2] * 65536;
            __int128 at = sum >> 16;

            if (at < INT32_MIN + margin || at > INT32_MAX - margin)
                return 0;
        }
    }
    return 1;
}

pixman_box32_t
sampling_area(const struct sampling *sampling, pixman_box32_t box)
{
    pixman_box32_t area = {box.x1 + sampling->x, box.y1 + sampling->y,
                           box.x2 + sampling->x, box.y2 + sampling->y};

    if (!sampling->has_matrix)
        return area;
    sampled_range(sampling->matrix.matrix[0], area, &box.x1, &box.x2);
    sampled_range(sampling->matrix.matrix[1], area, &box.y1, &box.y2);
    return box;
}

static int
is_inside(const struct picture *picture, pixman_box32_t area)
{
    return area.x1 >= 0 && area.y1 >= 0 && area.x2 <= (int32_t)picture->width &&
           area.y2 <= (int32_t)picture->height;
}

/*
 * One side of an area, cut to the picture's.  At least two pixels are left if there are
 * so many: pixman takes one that is repeated for a color, which it widens otherwise.
 */
static void
cut_side(int32_t *first, int32_t *end, int32_t size)
{
    int32_t least = size < 2 ? size : 2;

    *first = *first < 0 ? 0 : *first;
    *end = *end > size ? size : *end;
    if (*first > size - least)
        *first = size - least;
    if (*end < *first + least)
        *end = *first + least;
}

/* What of the picture pixman is given; outside of it the repetition takes over. */
static pixman_box32_t
crop_area(const struct sampling *sampling, pixman_box32_t box)
{
    const struct picture *picture = sampling->picture;
    pixman_box32_t area = sampling_area(sampling, box);

    if (!is_inside(picture, area) && (sampling->repeat == PIXMAN_REPEAT_NORMAL ||
                                      sampling->repeat == PIXMAN_REPEAT_REFLECT)) {
        area.x1 = area.y1 = 0;
        area.x2 = (int32_t)picture->width;
        area.y2 = (int32_t)picture->height;
        return area;
    }
    cut_side(&area.x1, &area.x2, (int32_t)picture->width);
    cut_side(&area.y1, &area.y2, (int32_t)picture->height);
    return area;
}

/* pixman wants words and rows of them; it reads such a surface where it is. */
static int
is_readable_in_place(const struct picture *picture)
{
    return picture->kind != PICTURE_BITMAP && (uintptr_t)picture->line_0 % 4 == 0 &&
           picture->stride % 4 == 0;
}

static uint64_t
box_pixels(pixman_box32_t box)
{
    return (uint64_t)box_width(box) * box_height(box);
}

int
sampling_is_cheap(const struct sampling *sampling, pixman_box32_t box)
{
    pixman_box32_t crop = crop_area(sampling, box);

    if (is_readable_in_place(sampling->picture) ||
        box_pixels(crop) <= READ_PER_CALL + READ_PER_PIXEL * box_pixels(box))
        return 1;
    /* All of a picture that repeats itself is read once; halves would need it, too. */
    return !is_inside(sampling->picture, sampling_area(sampling, box)) &&
           (sampling->repeat == PIXMAN_REPEAT_NORMAL ||
            sampling->repeat == PIXMAN_REPEAT_REFLECT);
}

/* Copy a part of the picture; rows are words. */
static uint8_t *
copy_part(const struct picture *picture, pixman_box32_t part, ptrdiff_t *stride)
{
    struct bitmap_part from = {(uint32_t)part.x1, (uint32_t)part.y1, box_width(part),
                               box_height(part)};
    uint8_t *pixels;

    if (box_pixels(part) > MAX_WHOLE_PIXELS)
        return NULL;
    *stride = ((ptrdiff_t)from.width * picture->pixel_size + 3) / 4 * 4;
    pixels = malloc((size_t)*stride * from.height);
    if (pixels)
        picture_read(picture, from, pixels, *stride);
    return pixels;
}

/* Where the pixels of crop are for pixman; *pixels is what is to be freed. */
static const uint8_t *
crop_pixels(struct sampling *sampling, pixman_box32_t crop, ptrdiff_t *stride,
            uint8_t **pixels)
{
    const struct picture *picture = sampling->picture;

    *pixels = NULL;
    if (is_readable_in_place(picture)) {
        *stride = picture->stride;
        return picture->line_0;
    }
    if (box_width(crop) == picture->width && box_height(crop) == picture->height) {
        if (!sampling->whole)
            sampling->whole = copy_part(picture, crop, &sampling->whole_stride);
        *stride = sampling->whole_stride;
        return sampling->whole;
    }
    *pixels = copy_part(picture, crop, stride);
    return *pixels;
}

/* The matrix for a picture whose top left corner was cut off; 0 if there is none. */
static int
moved_matrix(const struct sampling *sampling, pixman_box32_t crop,
             pixman_transform_t *matrix)
{
    int64_t x = sampling->matrix.matrix[0][2] - (int64_t)crop.x1 * 65536;
    int64_t y = sampling->matrix.matrix[1][2] - (int64_t)crop.y1 * 65536;

    *matrix = sampling->matrix;
    matrix->matrix[0][2] = (pixman_fixed_t)x;
    matrix->matrix[1][2] = (pixman_fixed_t)y;
    return x >= INT32_MIN && x <= INT32_MAX && y >= INT32_MIN && y <= INT32_MAX;
}

pixman_image_t *
sampling_image(struct sampling *sampling, pixman_box32_t box, int32_t *x, int32_t *y,
               uint8_t **pixels)
{
    pixman_box32_t crop = crop_area(sampling, box);
    pixman_transform_t matrix;
    ptrdiff_t stride = 0;
    const uint8_t *from;
    pixman_image_t *image = NULL;

    if (is_readable_in_place(sampling->picture)) {
        crop.x1 = crop.y1 = 0;
        crop.x2 = (int32_t)sampling->picture->width;
        crop.y2 = (int32_t)sampling->picture->height;
    }
    *pixels = NULL;
    *x = box.x1 + sampling->x;
    *y = box.y1 + sampling->y;
    if (sampling->has_matrix && !moved_matrix(sampling, crop, &matrix))
        return NULL;
    from = crop_pixels(sampling, crop, &stride, pixels);
    if (from)
        image = pixman_image_create_bits(sampling->format, (int)box_width(crop),
                                         (int)box_height(crop), (uint32_t *)from,
                                         (int)stride);
    if (!image)
        return NULL;
    if (sampling->has_matrix) {
        pixman_image_set_transform(image, &matrix);
    } else {
        *x -= crop.x1;
        *y -= crop.y1;
    }
    pixman_image_set_filter(image, sampling->filter, NULL, 0);
    pixman_image_set_repeat(image, sampling->repeat);
    pixman_image_set_component_alpha(image, sampling->component_alpha);
    return image;
}
