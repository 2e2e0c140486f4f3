/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * damage_split.c: fills first, then runs of tiles joined while that makes them cheaper.
 */
#include "damage_split.h"

#include <stdlib.h>
#include <string.h>

#include "display_message_writer.h"
#include "pixel_kind.h"
#include "tile_rects.h"

enum {
    /* Tiles of one color that are worth a fill of their own. */
    MIN_FILL_TILES = 24,
    MIN_FILL_WIDTH = 4,
};

/* Values of tile_kind.kind beside enum pixel_kind. */
enum {
    TILE_CLEAN = 0xfe, /* not changed, or in a fill already */
};

void
damage_split_init(struct damage_split *split)
{
    memset(split, 0, sizeof(*split));
}

void
damage_split_fini(struct damage_split *split)
{
    free(split->pieces);
    free(split->kinds);
    damage_split_init(split);
}

struct splitter {
    struct damage_split *split;
    const struct tile_map *changed;
    const struct pixels *now, *then;
    struct tile_rects list;
    uint32_t max_size;
};

static struct tile_kind *
kind_at(const struct splitter *splitter, uint32_t x, uint32_t y)
{
    return &splitter->split->kinds[(size_t)y * splitter->changed->columns + x];
}

static pixman_box32_t
pixels_of(const struct splitter *splitter, uint32_t x1, uint32_t y1, uint32_t x2,
          uint32_t y2)
{
    pixman_box32_t box = {(int32_t)(x1 * TILE_SIZE), (int32_t)(y1 * TILE_SIZE),
                          (int32_t)(x2 * TILE_SIZE), (int32_t)(y2 * TILE_SIZE)};

    if (box.x2 > (int32_t)splitter->now->width)
        box.x2 = (int32_t)splitter->now->width;
    if (box.y2 > (int32_t)splitter->now->height)
        box.y2 = (int32_t)splitter->now->height;
    return box;
}

static int
grow_pieces(struct damage_split *split)
{
    uint32_t capacity = split->cap_pieces ? 2 * split->cap_pieces : 64;
    struct damage_piece *pieces = realloc(split->pieces, capacity * sizeof(*pieces));

    if (!pieces)
        return -1;
    split->pieces = pieces;
    split->cap_pieces = capacity;
    return 0;
}

static int
add_piece(struct splitter *splitter, pixman_box32_t box, uint32_t kind, uint32_t color)
{
    struct damage_split *split = splitter->split;

    if (splitter->then)
        box = diff_bounds(splitter->then, splitter->now, box);
    if (box.x1 >= box.x2)
        return 0;
    if (split->num_pieces == split->cap_pieces && grow_pieces(split))
        return -1;
    split->pieces[split->num_pieces++] = (struct damage_piece){box, kind, color};
    return 0;
}

static void
judge_tiles(struct splitter *splitter)
{
    for (uint32_t y = 0; y < splitter->changed->rows; y++) {
        for (uint32_t x = 0; x < splitter->changed->columns; x++) {
            struct tile_kind *kind = kind_at(splitter, x, y);

            if (tile_map_has(splitter->changed, x, y))
                *kind = tile_kind_of(splitter->now,
                                     pixels_of(splitter, x, y, x + 1, y + 1));
            else
                *kind =
                    (struct tile_kind){TILE_CLEAN, CLEAN_LZ_COST, CLEAN_QUIC_COST, 0};
        }
    }
}

/* Tiles from x on of one color; those that did not change are not among them. */
static uint32_t
flat_run(const struct splitter *splitter, uint32_t x, uint32_t y, uint32_t end)
{
    uint32_t color = kind_at(splitter, x, y)->color, at = x;

    while (at < end && kind_at(splitter, at, y)->kind == KIND_FLAT &&
           kind_at(splitter, at, y)->color == color)
        at++;
    return at - x;
}

/* Rows from y on that have the run of the first one, in its color. */
static uint32_t
flat_rows(const struct splitter *splitter, uint32_t x, uint32_t y, uint32_t width)
{
    uint32_t color = kind_at(splitter, x, y)->color, at = y + 1;

    while (at < splitter->changed->rows && kind_at(splitter, x, at)->color == color &&
           flat_run(splitter, x, at, x + width) == width)
        at++;
    return at - y;
}

/* Turn a large area of one color into a fill; its tiles are done then. */
static int
take_fill(struct splitter *splitter, uint32_t x, uint32_t y)
{
    uint32_t width = flat_run(splitter, x, y, splitter->changed->columns), height;
    uint32_t color = kind_at(splitter, x, y)->color;

    if (width < MIN_FILL_WIDTH)
        return 0;
    height = flat_rows(splitter, x, y, width);
    if (width * height < MIN_FILL_TILES)
        return 0;
    for (uint32_t row = y; row < y + height; row++)
        for (uint32_t column = x; column < x + width; column++)
            kind_at(splitter, column, row)->kind = TILE_CLEAN;
    return add_piece(splitter, pixels_of(splitter, x, y, x + width, y + height),
                     KIND_FLAT, color);
}

static int
take_fills(struct splitter *splitter)
{
    for (uint32_t y = 0; y < splitter->changed->rows; y++) {
        for (uint32_t x = 0; x < splitter->changed->columns; x++) {
            if (kind_at(splitter, x, y)->kind == KIND_FLAT &&
                (x == 0 || kind_at(splitter, x - 1, y)->kind != KIND_FLAT ||
                 kind_at(splitter, x - 1, y)->color !=
                     kind_at(splitter, x, y)->color) &&
                take_fill(splitter, x, y))
                return -1;
        }
    }
    return 0;
}

/* Do two tiles belong in one run?  What is flat goes with everything. */
static int
same_run(uint32_t kind, uint32_t next)
{
    return next != TILE_CLEAN &&
           (kind == next || kind == KIND_FLAT || next == KIND_FLAT);
}

static int
add_runs(struct splitter *splitter, uint32_t y)
{
    uint32_t width = splitter->changed->columns;

    for (uint32_t x = 0; x < width;) {
        uint32_t kind = kind_at(splitter, x, y)->kind;
        struct tile_rect run = {.x1 = x, .y1 = y, .y2 = y + 1, .is_flat = 1};

        if (kind == TILE_CLEAN) {
            x++;
            continue;
        }
        while (x < width && same_run(kind, kind_at(splitter, x, y)->kind)) {
            const struct tile_kind *tile = kind_at(splitter, x++, y);

            run.is_flat &= tile->kind == KIND_FLAT &&
                           (x == run.x1 + 1 || tile->color == run.color);
            run.color = tile->color;
            if (kind == KIND_FLAT)
                kind = tile->kind;
            run.lz_cost += tile->lz_cost;
            run.quic_cost += tile->quic_cost;
        }
        run.x2 = x;
        run.kind = kind == KIND_PHOTO ? KIND_PHOTO : KIND_TEXT;
        if (tile_rects_add(&splitter->list, &run))
            return -1;
    }
    return 0;
}

/* Emit a piece in bands that a message has room for. */
static int
emit(struct splitter *splitter, const struct tile_rect *rect)
{
    pixman_box32_t box = pixels_of(splitter, rect->x1, rect->y1, rect->x2, rect->y2);
    uint64_t row_size =
        message_row_size(splitter->now->format, (uint32_t)(box.x2 - box.x1));
    uint32_t kind = rect->quic_cost < rect->lz_cost ? KIND_PHOTO : KIND_TEXT;
    uint64_t rows = splitter->max_size / row_size;

    if (rect->is_flat)
        return add_piece(splitter, box, KIND_FLAT, rect->color);
    if (rows > TILE_SIZE)
        rows -= rows % TILE_SIZE;
    if (rows == 0)
        rows = 1;
    while (box.y1 < box.y2) {
        pixman_box32_t band = box;

        if ((uint64_t)(box.y2 - box.y1) > rows)
            band.y2 = box.y1 + (int32_t)rows;
        if (add_piece(splitter, band, kind, 0))
            return -1;
        box.y1 = band.y2;
    }
    return 0;
}

static int
find_pieces(struct splitter *splitter)
{
    judge_tiles(splitter);
    if (take_fills(splitter))
        return -1;
    for (uint32_t y = 0; y < splitter->changed->rows; y++)
        if (add_runs(splitter, y))
            return -1;
    tile_rects_mix(&splitter->list);
    for (uint32_t i = 0; i < splitter->list.count; i++)
        if (emit(splitter, &splitter->list.rects[i]))
            return -1;
    return 0;
}

int
damage_split(struct damage_split *split, const struct tile_map *changed,
             const struct pixels *now, const struct pixels *then, uint32_t max_size)
{
    struct splitter splitter = {.split = split,
                                .changed = changed,
                                .now = now,
                                .then = then,
                                .max_size = max_size};
    uint32_t tiles = changed->columns * changed->rows;
    int result;

    split->num_pieces = 0;
    if (split->cap_kinds < tiles) {
        struct tile_kind *kinds = realloc(split->kinds, tiles * sizeof(*kinds));

        if (!kinds)
            return -1;
        split->kinds = kinds;
        split->cap_kinds = tiles;
    }
    result = find_pieces(&splitter);
    free(splitter.list.rects);
    return result;
}
