/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scroll.c: anchors that were somewhere else before vote for a distance; the best
 * distances are tried.
 *
 * What stands in many places is no witness, and a flat area has no anchors at all, so
 * that background and repeated letters do not outvote the one distance by which
 * everything moved.
 */
#include "scroll.h"

#include <stdlib.h>
#include <string.h>

#include "scroll_anchors.h"
#include "scroll_area.h"
#include "scroll_votes.h"

enum {
    MIN_TILES = 32,     /* changed; fewer are encoded sooner than searched */
    MAX_SPARSENESS = 8, /* one tile in so many has to have changed */
    MIN_SAVED = 1024,   /* pixels: a message and its drawing cost about as much */
    MARGIN = 64,        /* pixels around what changed: it may have come from there */
    ANCHORS_WANTED = 1024,
    MAX_RARITY = 13, /* bits of the hash that rolls */
    SAMPLE_ROWS = 16,
    NUM_CANDIDATES = 3, /* distances that are tried */
    SAMPLE_TILES = 64,  /* that say whether to try one at all */
    MIN_PROMISE = 12,   /* one in so many of them has to gain */
};

struct scroll_memory {
    struct anchor then[MAX_ANCHORS], now[MAX_ANCHORS];
    struct scroll_votes votes;
    uint32_t num_then, num_now;
    struct anchor_rows rows;
    int32_t *gains;
    uint64_t cap_gains;
};

void
scroll_finder_fini(struct scroll_finder *finder)
{
    if (finder->memory)
        free(finder->memory->gains);
    free(finder->memory);
    finder->memory = NULL;
}

/* Have memory for a grid of tiles; 0 or -1. */
static int
reserve(struct scroll_finder *finder, uint64_t tiles)
{
    struct scroll_memory *memory = finder->memory;

    if (!memory)
        memory = finder->memory = calloc(1, sizeof(*memory));
    if (!memory)
        return -1;
    if (memory->cap_gains < tiles) {
        free(memory->gains);
        memory->gains = malloc(tiles * sizeof(*memory->gains));
        memory->cap_gains = memory->gains ? tiles : 0;
    }
    return memory->gains ? 0 : -1;
}

/* What is searched. */
struct search {
    struct scroll_memory *memory;
    const struct pixels *then, *now;
    const struct tile_map *changed;
    pixman_box32_t box; /* around what changed */
    uint32_t num_tiles; /* that changed */
    uint32_t rarity;
};

/* So rare that about ANCHORS_WANTED are found, by what some rows have. */
static uint32_t
rarity_for(const struct search *search)
{
    int32_t height = search->box.y2 - search->box.y1, step = 1 + height / SAMPLE_ROWS;
    uint64_t places = 0;
    uint32_t rarity = 0;

    for (int32_t y = search->box.y1; y < search->box.y2; y += step)
        places += count_places(&search->memory->rows, search->then, y, search->box.x1,
                               search->box.x2);
    while (rarity < MAX_RARITY && places * (uint32_t)step >> rarity > ANCHORS_WANTED)
        rarity++;
    return rarity;
}

static void
collect_then(struct search *search)
{
    struct scroll_memory *memory = search->memory;
    int32_t width = (int32_t)search->then->width,
            height = (int32_t)search->then->height;
    pixman_box32_t box = search->box;
    uint32_t count = 0;

    box.x1 = box.x1 > MARGIN ? box.x1 - MARGIN : 0;
    box.y1 = box.y1 > MARGIN ? box.y1 - MARGIN : 0;
    box.x2 = box.x2 + MARGIN < width ? box.x2 + MARGIN : width;
    box.y2 = box.y2 + MARGIN < height ? box.y2 + MARGIN : height;
    for (int32_t y = box.y1; y < box.y2 && count < MAX_ANCHORS; y++)
        count +=
            find_anchors(&memory->rows, search->then, y, box.x1, box.x2, search->rarity,
                         memory->then + count, MAX_ANCHORS - count);
    memory->num_then = count;
}

/* A part of the rows is enough: the other picture has all of them. */
static void
collect_now(struct search *search)
{
    struct scroll_memory *memory = search->memory;
    int32_t height = search->box.y2 - search->box.y1, step = 1 + height / 192;
    struct tile_run run = {0, 0, 0};
    uint32_t count = 0;

    while (tile_map_next(search->changed, &run) && count < MAX_ANCHORS) {
        pixman_box32_t box = tile_run_box(search->changed, &run);

        for (int32_t y = box.y1; y < box.y2 && count < MAX_ANCHORS; y += step)
            count +=
                find_anchors(&memory->rows, search->now, y, box.x1, box.x2,
                             search->rarity, memory->now + count, MAX_ANCHORS - count);
    }
    memory->num_now = count;
}

static uint64_t
area_of(pixman_box32_t box)
{
    return (uint64_t)(box.x2 - box.x1) * (uint64_t)(box.y2 - box.y1);
}

/* The smallest box with all tiles of the map; how many they are. */
static uint32_t
extents_of(const struct tile_map *map, pixman_box32_t *extents)
{
    struct tile_run run = {0, 0, 0};
    uint32_t count = 0;

    while (tile_map_next(map, &run)) {
        pixman_box32_t box = tile_run_box(map, &run);

        if (count == 0)
            *extents = box;
        if (box.x1 < extents->x1)
            extents->x1 = box.x1;
        if (box.x2 > extents->x2)
            extents->x2 = box.x2;
        extents->y2 = box.y2;
        count += run.count;
    }
    return count;
}

/* Does the move set some tiles right, of a sample of those that changed? */
static int
is_promising(const struct search *search, const struct scroll *scroll)
{
    struct tile_run run = {0, 0, 0};
    uint32_t tiles = 0, sampled = 0, good = 0;
    uint32_t step = 1 + search->num_tiles / SAMPLE_TILES;

    while (tile_map_next(search->changed, &run)) {
        for (uint32_t i = 0; i < run.count; i++, tiles++) {
            struct tile_run tile = {run.row, run.column + i, 1};

            if (tiles % step != 0)
                continue;
            sampled++;
            good += scroll_gain(search->then, search->now,
                                tile_run_box(search->changed, &tile), scroll) > 0;
        }
    }
    return good * MIN_PROMISE >= sampled;
}

static int
try_candidates(struct search *search, uint64_t changed_pixels, struct scroll *found)
{
    struct scroll scroll;

    for (int i = 0; i < NUM_CANDIDATES; i++) {
        if (!scroll_votes_next(&search->memory->votes, &scroll))
            break;
        if (is_promising(search, &scroll) &&
            find_scroll_area(search->then, search->now, search->box,
                             search->memory->gains, &scroll) &&
            scroll.saved >= MIN_SAVED && scroll.saved > found->saved)
            *found = scroll;
        if (found->saved > 0 && 2 * area_of(found->to) > changed_pixels)
            break;
    }
    return found->saved > 0;
}

int
scroll_find(struct scroll_finder *finder, const struct pixels *then,
            const struct pixels *now, const struct tile_map *changed,
            struct scroll *found)
{
    struct search search = {.then = then, .now = now, .changed = changed};
    uint64_t pixels, tiles;

    search.num_tiles = extents_of(changed, &search.box);
    pixels = (uint64_t)search.num_tiles * TILE_SIZE * TILE_SIZE;
    tiles =
        (area_of(search.box) / TILE_SIZE + now->width + now->height) / TILE_SIZE + 2;
    found->saved = 0;
    if (pixels < MIN_TILES * TILE_SIZE * TILE_SIZE ||
        pixels * MAX_SPARSENESS < area_of(search.box) || tiles > MAX_SCROLL_TILES ||
        reserve(finder, 2 * tiles))
        return 0;
    search.memory = finder->memory;
    search.rarity = rarity_for(&search);
    collect_then(&search);
    collect_now(&search);
    scroll_votes_collect(&search.memory->votes, search.memory->then,
                         search.memory->num_then, search.memory->now,
                         search.memory->num_now);
    return try_candidates(&search, pixels, found);
}
