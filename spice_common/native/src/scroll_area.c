/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scroll_area.c: each tile's gain is counted, pixel by pixel; the rectangle of tiles
 * with the greatest sum is taken, and then a part of the tiles around it.
 */
#include "scroll_area.h"

#include <spice/enums.h>
#include <string.h>

#include "bitmap.h"

enum {
    SIDE = TILE_SIZE,
    LANES = 4, /* pixels in a vector */
};

typedef uint32_t pixel_vector __attribute__((vector_size(16)));

/* A move of one picture towards another one. */
struct move {
    const struct pixels *then, *now;
    int32_t dx, dy;
    uint32_t pixel_size, mask;
};

static const uint8_t *
pixel_at(const struct pixels *pixels, uint32_t pixel_size, int32_t x, int32_t y)
{
    return pixels->data + (int64_t)y * pixels->stride + (int64_t)x * pixel_size;
}

static uint32_t
load_pixel(const uint8_t *from, uint32_t pixel_size)
{
    uint32_t pixel = from[0];

    if (pixel_size == 2)
        pixel |= (uint32_t)from[1] << 8;
    else if (pixel_size == 4)
        memcpy(&pixel, from, 4);
    return pixel;
}

static int32_t
row_gain(const struct move *move, const uint8_t *before, const uint8_t *after,
         const uint8_t *wanted, uint32_t count)
{
    uint32_t size = move->pixel_size;
    int32_t gain = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t pixel = load_pixel(wanted + (size_t)i * size, size);

        gain +=
            ((load_pixel(after + (size_t)i * size, size) ^ pixel) & move->mask) == 0;
        gain -=
            ((load_pixel(before + (size_t)i * size, size) ^ pixel) & move->mask) == 0;
    }
    return gain;
}

/* The same for a whole tile's row of words. */
static inline void
row_gain_16(pixel_vector *gain, pixel_vector mask, const uint8_t *before,
            const uint8_t *after, const uint8_t *wanted)
{
    for (uint32_t i = 0; i < SIDE * 4; i += LANES * 4) {
        pixel_vector a, b, w;

        memcpy(&b, before + i, sizeof(b));
        memcpy(&a, after + i, sizeof(a));
        memcpy(&w, wanted + i, sizeof(w));
        /* A comparison that holds is all ones: -1. */
        *gain -= (pixel_vector)(((a ^ w) & mask) == 0);
        *gain += (pixel_vector)(((b ^ w) & mask) == 0);
    }
}

/* Pixels of box that are right afterwards, less those that were before. */
static int32_t
box_gain(const struct move *move, pixman_box32_t box)
{
    uint32_t size = move->pixel_size, width = (uint32_t)(box.x2 - box.x1);
    const uint8_t *before = pixel_at(move->then, size, box.x1, box.y1);
    const uint8_t *after =
        pixel_at(move->then, size, box.x1 - move->dx, box.y1 - move->dy);
    const uint8_t *wanted = pixel_at(move->now, size, box.x1, box.y1);
    pixel_vector sum = {0}, mask = {move->mask, move->mask, move->mask, move->mask};
    int32_t gain = 0;

    for (int32_t y = box.y1; y < box.y2; y++) {
        if (size == 4 && width == SIDE)
            row_gain_16(&sum, mask, before, after, wanted);
        else
            gain += row_gain(move, before, after, wanted, width);
        before += move->then->stride;
        after += move->then->stride;
        wanted += move->now->stride;
    }
    return gain + (int32_t)(sum[0] + sum[1] + sum[2] + sum[3]);
}

static int32_t
larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static int32_t
smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static pixman_box32_t
intersect(pixman_box32_t a, pixman_box32_t b)
{
    pixman_box32_t both = {larger(a.x1, b.x1), larger(a.y1, b.y1), smaller(a.x2, b.x2),
                           smaller(a.y2, b.y2)};

    return both;
}

/* Where the move's pixels come from inside the surface. */
static pixman_box32_t
reach_of(const struct move *move)
{
    pixman_box32_t all = {0, 0, (int32_t)move->now->width, (int32_t)move->now->height};
    pixman_box32_t moved = {move->dx, move->dy, all.x2 + move->dx, all.y2 + move->dy};

    return intersect(all, moved);
}

/* A grid of gains; a rectangle of it, the ends exclusive. */
struct grid {
    uint32_t columns, rows;
    int32_t *gains; /* row by row; then one more row for sums */
};

struct area {
    uint32_t column1, column2, row1, row2;
    int64_t gain;
};

static void
count_gains(const struct move *move, pixman_box32_t box, pixman_box32_t reach,
            struct grid *grid)
{
    for (uint32_t row = 0; row < grid->rows; row++) {
        for (uint32_t column = 0; column < grid->columns; column++) {
            int32_t x = box.x1 + (int32_t)column * SIDE;
            int32_t y = box.y1 + (int32_t)row * SIDE;
            pixman_box32_t tile = intersect((pixman_box32_t){x, y, x + SIDE, y + SIDE},
                                            intersect(box, reach));
            int32_t *gain = &grid->gains[row * grid->columns + column];

            *gain = tile.x1 < tile.x2 && tile.y1 < tile.y2 ? box_gain(move, tile) : 0;
        }
    }
}

/* The best run of columns, of the sums over some rows. */
static void
best_columns(const int32_t *sums, uint32_t columns, uint32_t row1, uint32_t row2,
             struct area *best)
{
    int64_t sum = 0;
    uint32_t start = 0;

    for (uint32_t column = 0; column < columns; column++) {
        sum += sums[column];
        if (sum <= 0) {
            sum = 0;
            start = column + 1;
        } else if (sum > best->gain) {
            *best = (struct area){start, column + 1, row1, row2, sum};
        }
    }
}

static struct area
best_area(const struct grid *grid)
{
    int32_t *sums = grid->gains + (size_t)grid->columns * grid->rows;
    struct area best = {0, 0, 0, 0, 0};

    for (uint32_t row1 = 0; row1 < grid->rows; row1++) {
        memset(sums, 0, grid->columns * sizeof(*sums));
        for (uint32_t row2 = row1; row2 < grid->rows; row2++) {
            const int32_t *gains = grid->gains + (size_t)row2 * grid->columns;

            for (uint32_t column = 0; column < grid->columns; column++)
                sums[column] += gains[column];
            best_columns(sums, grid->columns, row1, row2 + 1, &best);
        }
    }
    return best;
}

/* A line of pixels along a side, which moves outwards by a step at a time. */
static int64_t
widen_side(const struct move *move, pixman_box32_t line, pixman_box32_t limit,
           int32_t step_x, int32_t step_y, int32_t *steps)
{
    int64_t sum = 0, best = 0;

    *steps = 0;
    for (int32_t i = 1; i < SIDE; i++) {
        pixman_box32_t inside = intersect(line, limit);

        if (inside.x1 >= inside.x2 || inside.y1 >= inside.y2)
            break;
        sum += box_gain(move, inside);
        if (sum > best) {
            best = sum;
            *steps = i;
        }
        line.x1 += step_x;
        line.x2 += step_x;
        line.y1 += step_y;
        line.y2 += step_y;
    }
    return best;
}

/* Move each side out to where the gain ends, less than a tile; what that gains. */
static int64_t
widen(const struct move *move, pixman_box32_t *to, pixman_box32_t limit)
{
    int64_t gain = 0;
    int32_t steps;

    gain += widen_side(move, (pixman_box32_t){to->x1, to->y1 - 1, to->x2, to->y1},
                       limit, 0, -1, &steps);
    to->y1 -= steps;
    gain += widen_side(move, (pixman_box32_t){to->x1, to->y2, to->x2, to->y2 + 1},
                       limit, 0, 1, &steps);
    to->y2 += steps;
    gain += widen_side(move, (pixman_box32_t){to->x1 - 1, to->y1, to->x1, to->y2},
                       limit, -1, 0, &steps);
    to->x1 -= steps;
    gain += widen_side(move, (pixman_box32_t){to->x2, to->y1, to->x2 + 1, to->y2},
                       limit, 1, 0, &steps);
    to->x2 += steps;
    return gain;
}

static struct move
move_of(const struct pixels *then, const struct pixels *now,
        const struct scroll *scroll)
{
    struct move move = {
        then, now, scroll->dx, scroll->dy, surface_pixel_size(now->format), UINT32_MAX};

    if (now->format == SPICE_SURFACE_FMT_32_xRGB)
        move.mask = 0x00ffffff;
    return move;
}

int32_t
scroll_gain(const struct pixels *then, const struct pixels *now, pixman_box32_t box,
            const struct scroll *scroll)
{
    struct move move = move_of(then, now, scroll);

    box = intersect(box, reach_of(&move));
    return box.x1 < box.x2 && box.y1 < box.y2 ? box_gain(&move, box) : 0;
}

int
find_scroll_area(const struct pixels *then, const struct pixels *now,
                 pixman_box32_t box, int32_t *gains, struct scroll *scroll)
{
    struct move move = move_of(then, now, scroll);
    struct grid grid = {(uint32_t)(box.x2 - box.x1 + SIDE - 1) / SIDE,
                        (uint32_t)(box.y2 - box.y1 + SIDE - 1) / SIDE, gains};
    pixman_box32_t reach = reach_of(&move);
    struct area area;

    count_gains(&move, box, reach, &grid);
    area = best_area(&grid);
    if (area.gain <= 0)
        return 0;
    scroll->to = intersect((pixman_box32_t){box.x1 + (int32_t)area.column1 * SIDE,
                                            box.y1 + (int32_t)area.row1 * SIDE,
                                            box.x1 + (int32_t)area.column2 * SIDE,
                                            box.y1 + (int32_t)area.row2 * SIDE},
                           intersect(box, reach));
    scroll->saved = (uint64_t)(area.gain + widen(&move, &scroll->to, reach));
    return 1;
}
