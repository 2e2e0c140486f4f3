/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tile_rects.c: each piece is priced by what its tiles take in the better of both
 * families of codecs, and what a message takes.  Two pieces become one if the price
 * falls; so text next to a photo stays apart, and the gaps between words do not.
 */
#include "tile_rects.h"

#include <stdlib.h>
#include <string.h>

#include "pixel_kind.h"

enum {
    /* What a message costs besides its pixels: its bytes, and the client's time. */
    MESSAGE_PRICE = 140,
    FILL_PRICE = 70, /* a message, too, but without an image */
    /* How far back a run looks for a piece to join. */
    MAX_LOOK_BACK = 64,
};

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
best_partner(const struct tile_rects *list, uint32_t index, int mixed)
{
    const struct tile_rect *rect = &list->rects[index];
    uint32_t first = index > MAX_LOOK_BACK ? index - MAX_LOOK_BACK : 0, best = index;
    uint64_t best_saving = 0;

    for (uint32_t i = first; i < index; i++) {
        const struct tile_rect *other = &list->rects[i];
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
settle_last(struct tile_rects *list, int mixed)
{
    for (;;) {
        uint32_t last = list->count - 1;
        uint32_t partner = best_partner(list, last, mixed);

        if (partner == last)
            return;
        list->rects[last] = join(&list->rects[partner], &list->rects[last]);
        memmove(&list->rects[partner], &list->rects[partner + 1],
                (last - partner) * sizeof(*list->rects));
        list->count--;
    }
}

int
tile_rects_add(struct tile_rects *list, const struct tile_rect *run)
{
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity ? 2 * list->capacity : 64;
        struct tile_rect *rects = realloc(list->rects, capacity * sizeof(*rects));

        if (!rects)
            return -1;
        list->rects = rects;
        list->capacity = capacity;
    }
    list->rects[list->count++] = *run;
    settle_last(list, 0);
    return 0;
}

void
tile_rects_mix(struct tile_rects *list)
{
    uint32_t count = list->count;

    list->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        list->rects[list->count++] = list->rects[i];
        settle_last(list, 1);
    }
}
