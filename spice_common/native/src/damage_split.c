/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * damage_split.c: fills first, then runs of tiles joined while that makes them cheaper.
 *
 * Each piece is priced: what its tiles take in the better of both families of codecs,
 * and what a message takes.  Two pieces become one if the price falls; so text next to
 * a photo stays apart, and the gaps between words do not.
 */
#include "damage_split.h"

#include <stdlib.h>
#include <string.h>

#include "display_message_writer.h"
#include "pixel_kind.h"

enum {
    /* What a message costs besides its pixels: its bytes, and the client's time. */
    MESSAGE_PRICE = 140,
    FILL_PRICE = 70, /* a message, too, but without an image */
    /* Tiles of one color that are worth a fill of their own. */
    MIN_FILL_TILES = 24,
    MIN_FILL_WIDTH = 4,
    /* A tile that has not changed, in between: mostly background. */
    CLEAN_LZ_COST = 30,
    CLEAN_QUIC_COST = 60,
    /* How far back a run looks for a piece to join. */
    MAX_LOOK_BACK = 64,
};

/* Values of tile_kind.kind beside enum pixel_kind. */
enum {
    TILE_CLEAN = 0xfe, /* not changed, or in a fill already */
};

/* A piece in tiles while it grows. */
struct tile_rect {
    uint32_t x1, y1, x2, y2;
    uint64_t lz_cost, quic_cost;
    uint32_t is_flat, color; /* nothing but tiles of this color */
    uint32_t kind;           /* of most of it: KIND_TEXT or KIND_PHOTO */
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
    struct tile_rect *rects;
    uint32_t num_rects, cap_rects;
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
grow(void **memory, uint32_t *capacity, size_t item_size)
{
    uint32_t wanted = *capacity ? 2 * *capacity : 64;
    void *larger = realloc(*memory, wanted * item_size);

    if (!larger)
        return -1;
    *memory = larger;
    *capacity = wanted;
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
    if (split->num_pieces == split->cap_pieces &&
        grow((void **)&split->pieces, &split->cap_pieces, sizeof(*split->pieces)))
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

static uint64_t
price(const struct tile_rect *rect)
{
    if (rect->is_flat)
        return FILL_PRICE;
    return MESSAGE_PRICE +
           (rect->lz_cost < rect->quic_cost ? rect->lz_cost : rect->quic_cost);
}

static struct tile_rect
join(const struct tile_rect *a, const struct tile_rect *b)
{
    struct tile_rect both = *a;
    uint64_t area, covered;

    if (b->x1 < both.x1)
        both.x1 = b->x1;
    if (b->y1 < both.y1)
        both.y1 = b->y1;
    if (b->x2 > both.x2)
        both.x2 = b->x2;
    if (b->y2 > both.y2)
        both.y2 = b->y2;
    area = (uint64_t)(both.x2 - both.x1) * (both.y2 - both.y1);
    covered = (uint64_t)(a->x2 - a->x1) * (a->y2 - a->y1) +
              (uint64_t)(b->x2 - b->x1) * (b->y2 - b->y1);
    both.is_flat = a->is_flat && b->is_flat && a->color == b->color && area == covered;
    both.kind = a->kind == b->kind ? a->kind : KIND_TEXT;
    both.lz_cost = a->lz_cost + b->lz_cost;
    both.quic_cost = a->quic_cost + b->quic_cost;
    if (area > covered) {
        both.lz_cost += (area - covered) * CLEAN_LZ_COST;
        both.quic_cost += (area - covered) * CLEAN_QUIC_COST;
    }
    return both;
}

/* The earlier piece that the one at index saves most with, or index itself. */
static uint32_t
best_partner(const struct splitter *splitter, uint32_t index, int mixed)
{
    const struct tile_rect *rect = &splitter->rects[index];
    uint32_t first = index > MAX_LOOK_BACK ? index - MAX_LOOK_BACK : 0, best = index;
    uint64_t best_saving = 0;

    for (uint32_t i = first; i < index; i++) {
        const struct tile_rect *other = &splitter->rects[i];
        struct tile_rect both = join(other, rect);
        uint64_t apart = price(other) + price(rect), together = price(&both);

        if (!mixed && other->kind != rect->kind)
            continue;
        if (together < apart && apart - together > best_saving) {
            best_saving = apart - together;
            best = i;
        }
    }
    return best;
}

/* Join the last piece with earlier ones, of its kind or mixed, while that saves. */
static void
settle_last(struct splitter *splitter, int mixed)
{
    for (;;) {
        uint32_t last = splitter->num_rects - 1;
        uint32_t partner = best_partner(splitter, last, mixed);

        if (partner == last)
            return;
        splitter->rects[last] = join(&splitter->rects[partner], &splitter->rects[last]);
        memmove(&splitter->rects[partner], &splitter->rects[partner + 1],
                (last - partner) * sizeof(*splitter->rects));
        splitter->num_rects--;
    }
}

static int
add_run(struct splitter *splitter, const struct tile_rect *run)
{
    if (splitter->num_rects == splitter->cap_rects &&
        grow((void **)&splitter->rects, &splitter->cap_rects, sizeof(*splitter->rects)))
        return -1;
    splitter->rects[splitter->num_rects++] = *run;
    settle_last(splitter, 0);
    return 0;
}

/* What did not find its like is joined with its neighbours if that is cheaper. */
static void
mix_pieces(struct splitter *splitter)
{
    uint32_t count = splitter->num_rects;

    splitter->num_rects = 0;
    for (uint32_t i = 0; i < count; i++) {
        splitter->rects[splitter->num_rects++] = splitter->rects[i];
        settle_last(splitter, 1);
    }
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
        if (add_run(splitter, &run))
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
    mix_pieces(splitter);
    for (uint32_t i = 0; i < splitter->num_rects; i++)
        if (emit(splitter, &splitter->rects[i]))
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
    free(splitter.rects);
    return result;
}
