/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scroll.c: lines that changed vote for the distance at which they stood before; the
 * best distances are tried, and the rectangle is taken that gains most.
 *
 * A line votes strip by strip, so that a list scrolls although the bar beside it moves
 * otherwise.  Lines of one color, and such as stand in many places, do not vote.
 */
#include "scroll.h"

#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "scroll_lines.h"

enum {
    /* Pixels that a move must save: a message and its drawing cost about as much. */
    MIN_SAVED = 1024,
    MIN_LINES = 8, /* along the move */
    MIN_VOTES = 8,
    MIN_SHARE = 16,     /* of the lines that voted, one in so many */
    MIN_TILES = 48,     /* changed; fewer are encoded sooner than searched */
    MAX_SPARSENESS = 8, /* one tile in so many has to have changed */
    MARGIN = 64,        /* pixels around what changed that are searched, too */
    NUM_WITNESSES = 4,  /* strips that vote: those with most change in them */
    MAX_PLACES = 4,     /* a line that stood in more is no witness */
    NUM_CANDIDATES = 3, /* distances that are tried */
};

#define NO_LINE UINT32_MAX

void
scroll_finder_fini(struct scroll_finder *finder)
{
    free(finder->words);
    memset(finder, 0, sizeof(*finder));
}

/* One search; the arrays lie in the finder's memory. */
struct search {
    const struct pixels *then, *now;
    struct line_grid grid;
    uint32_t *then_hash, *now_hash; /* strips x count */
    uint32_t *heads;                /* of the lines with a hash; num_heads */
    uint32_t num_heads;             /* a power of 2 */
    uint32_t *next;                 /* line with the same head; count */
    uint32_t *votes;                /* for count + distance; 2 * count */
    int32_t *gains, *sums;          /* strips x count, count */
    int32_t *across;                /* for each row or column of a box */
    uint32_t witnesses[NUM_WITNESSES], num_witnesses;
    uint32_t voters; /* lines that changed and are not blank */
};

static int
search_init(struct search *search, struct scroll_finder *finder)
{
    uint64_t count = search->grid.count, lines = count * search->grid.strips, words;
    pixman_box32_t box = search->grid.box;
    uint32_t *at;

    search->num_heads = 1;
    while (search->num_heads < 2 * count)
        search->num_heads *= 2;
    words = 3 * lines + search->num_heads + 4 * count + (uint64_t)(box.x2 - box.x1) +
            (uint64_t)(box.y2 - box.y1);
    if (finder->cap_words < words) {
        at = realloc(finder->words, words * sizeof(*at));
        if (!at)
            return -1;
        finder->words = at;
        finder->cap_words = words;
    }
    at = finder->words;
    search->then_hash = at;
    search->now_hash = at + lines;
    search->gains = (int32_t *)(at + 2 * lines);
    search->heads = at + 3 * lines;
    search->next = search->heads + search->num_heads;
    search->votes = search->next + count;
    search->sums = (int32_t *)(search->votes + 2 * count);
    search->across = search->sums + count;
    memset(search->votes, 0, 2 * count * sizeof(*search->votes));
    return 0;
}

/* Make the lines of a strip, as they were, findable by what stands in them. */
static void
index_strip(struct search *search, const uint32_t *then)
{
    uint32_t mask = search->num_heads - 1;

    memset(search->heads, 0xff, search->num_heads * sizeof(*search->heads));
    for (uint32_t i = search->grid.count; i-- > 0;) {
        uint32_t *head = &search->heads[then[i] >> 1 & mask];

        if (is_blank(then[i]))
            continue;
        search->next[i] = *head;
        *head = i;
    }
}

static void
vote_of_line(struct search *search, const uint32_t *then, uint32_t hash, uint32_t line)
{
    uint32_t places[MAX_PLACES], count = 0;
    uint32_t at = search->heads[hash >> 1 & (search->num_heads - 1)];

    for (; at != NO_LINE; at = search->next[at]) {
        if (then[at] != hash)
            continue;
        if (count == MAX_PLACES)
            return;
        places[count++] = at;
    }
    for (uint32_t i = 0; i < count; i++)
        search->votes[search->grid.count + line - places[i]]++;
}

static uint32_t *
then_of(const struct search *search, uint32_t strip)
{
    return search->then_hash + (size_t)strip * search->grid.count;
}

static uint32_t *
now_of(const struct search *search, uint32_t strip)
{
    return search->now_hash + (size_t)strip * search->grid.count;
}

static void
hash_both(struct search *search, uint32_t strip)
{
    hash_strip(&search->grid, search->then, strip, then_of(search, strip));
    hash_strip(&search->grid, search->now, strip, now_of(search, strip));
}

static int
is_witness(const struct search *search, uint32_t strip)
{
    for (uint32_t i = 0; i < search->num_witnesses; i++)
        if (search->witnesses[i] == strip)
            return 1;
    return 0;
}

/* Tiles of a strip that changed. */
static uint32_t
changed_tiles(const struct line_grid *grid, uint32_t strip,
              const struct tile_map *changed)
{
    int32_t from = (int32_t)(strip * grid->strip_size), count = 0;
    int32_t to = from + (int32_t)strip_width(grid, strip);
    pixman_box32_t box = grid->box;

    if (grid->vertical) {
        box.x1 = grid->box.x1 + from;
        box.x2 = grid->box.x1 + to;
    } else {
        box.y1 = grid->box.y1 + from;
        box.y2 = grid->box.y1 + to;
    }
    for (int32_t y = box.y1 / TILE_SIZE; y * TILE_SIZE < box.y2; y++)
        for (int32_t x = box.x1 / TILE_SIZE; x * TILE_SIZE < box.x2; x++)
            count += tile_map_has(changed, (uint32_t)x, (uint32_t)y);
    return (uint32_t)count;
}

/* The strips with most change vote for all. */
static void
choose_witnesses(struct search *search, const struct tile_map *changed)
{
    uint32_t tiles[MAX_STRIPS];

    for (uint32_t s = 0; s < search->grid.strips; s++)
        tiles[s] = changed_tiles(&search->grid, s, changed);
    for (uint32_t i = 0; i < NUM_WITNESSES && i < search->grid.strips; i++) {
        uint32_t best = 0;

        for (uint32_t s = 1; s < search->grid.strips; s++)
            if (tiles[s] > tiles[best])
                best = s;
        if (tiles[best] == 0)
            return;
        tiles[best] = 0;
        search->witnesses[search->num_witnesses++] = best;
    }
}

static void
collect_votes(struct search *search)
{
    for (uint32_t i = 0; i < search->num_witnesses; i++) {
        const uint32_t *then = then_of(search, search->witnesses[i]);
        const uint32_t *now = now_of(search, search->witnesses[i]);

        hash_both(search, search->witnesses[i]);
        index_strip(search, then);
        for (uint32_t line = 0; line < search->grid.count; line++) {
            if (then[line] == now[line] || is_blank(now[line]))
                continue;
            search->voters++;
            vote_of_line(search, then, now[line], line);
        }
    }
}

/* Take the distance with most votes out of the count; 0: there is none. */
static int32_t
next_candidate(struct search *search)
{
    uint32_t least = search->voters / MIN_SHARE, best = 0, best_votes;

    best_votes = (least > MIN_VOTES ? least : MIN_VOTES) - 1;
    for (uint32_t i = 0; i < 2 * search->grid.count; i++) {
        if (search->votes[i] > best_votes && i != search->grid.count) {
            best_votes = search->votes[i];
            best = i;
        }
    }
    if (best == 0)
        return 0;
    search->votes[best] = 0;
    return (int32_t)best - (int32_t)search->grid.count;
}

/* What a move gains in each line of each strip, in pixels, as far as hashes tell. */
static void
estimate_gains(struct search *search, int32_t distance)
{
    int32_t count = (int32_t)search->grid.count;
    int32_t first = distance > 0 ? distance : 0;
    int32_t last = distance > 0 ? count : count + distance;

    memset(search->gains, 0,
           (size_t)search->grid.strips * search->grid.count * sizeof(*search->gains));
    for (uint32_t s = 0; s < search->grid.strips; s++) {
        const uint32_t *then = then_of(search, s), *now = now_of(search, s);
        int32_t *gains = search->gains + (size_t)s * search->grid.count;
        int32_t width = (int32_t)strip_width(&search->grid, s);

        for (int32_t i = first; i < last; i++)
            gains[i] = ((then[i - distance] == now[i]) - (then[i] == now[i])) * width;
    }
}

/* A rectangle of lines and strips, both ends exclusive. */
struct area {
    uint32_t line1, line2, strip1, strip2;
    int64_t gain;
};

/* The lines with the greatest sum. */
static void
best_lines(const int32_t *sums, uint32_t count, struct area *best, uint32_t strip1,
           uint32_t strip2)
{
    int64_t sum = 0;
    uint32_t start = 0;

    for (uint32_t i = 0; i < count; i++) {
        sum += sums[i];
        if (sum <= 0) {
            sum = 0;
            start = i + 1;
        } else if (sum > best->gain) {
            *best = (struct area){start, i + 1, strip1, strip2, sum};
        }
    }
}

static struct area
best_area(struct search *search)
{
    struct area best = {0, 0, 0, 0, 0};
    uint32_t count = search->grid.count;

    for (uint32_t s1 = 0; s1 < search->grid.strips; s1++) {
        memset(search->sums, 0, count * sizeof(*search->sums));
        for (uint32_t s2 = s1; s2 < search->grid.strips; s2++) {
            const int32_t *gains = search->gains + (size_t)s2 * count;

            for (uint32_t i = 0; i < count; i++)
                search->sums[i] += gains[i];
            best_lines(search->sums, count, &best, s1, s2 + 1);
        }
    }
    return best;
}

static int32_t
at_least(int32_t value, int32_t bound)
{
    return value > bound ? value : bound;
}

static int32_t
at_most(int32_t value, int32_t bound)
{
    return value < bound ? value : bound;
}

/* The pixels of an area. */
static pixman_box32_t
area_box(const struct line_grid *grid, const struct area *area)
{
    pixman_box32_t box = grid->box;
    int32_t size = (int32_t)grid->strip_size;

    if (grid->vertical) {
        box.y1 = grid->box.y1 + (int32_t)area->line1;
        box.y2 = grid->box.y1 + (int32_t)area->line2;
        box.x1 = grid->box.x1 + (int32_t)area->strip1 * size;
        box.x2 = at_most(grid->box.x1 + (int32_t)area->strip2 * size, grid->box.x2);
    } else {
        box.x1 = grid->box.x1 + (int32_t)area->line1;
        box.x2 = grid->box.x1 + (int32_t)area->line2;
        box.y1 = grid->box.y1 + (int32_t)area->strip1 * size;
        box.y2 = at_most(grid->box.y1 + (int32_t)area->strip2 * size, grid->box.y2);
    }
    return box;
}

/* How many of count gains, taken in order, sum up to most. */
static int32_t
best_extension(const int32_t *gains, int32_t count, int32_t first, int32_t step)
{
    int64_t sum = 0, best_sum = 0;
    int32_t best = 0;

    for (int32_t i = 0; i < count; i++) {
        sum += gains[first + i * step];
        if (sum > best_sum) {
            best_sum = sum;
            best = i + 1;
        }
    }
    return best;
}

/* The gain of each line of pixels along the move, across which the move's sides lie. */
static void
gain_across(const struct search *search, pixman_box32_t box,
            const struct scroll *scroll)
{
    if (search->grid.vertical)
        gain_by_column(search->then, search->now, box, 0, scroll->dy, search->across);
    else
        gain_by_row(search->then, search->now, box, scroll->dx, 0, search->across);
}

/* Move the sides that lie on borders of strips outwards to where the gain ends. */
static void
widen(const struct search *search, struct scroll *scroll)
{
    pixman_box32_t before = scroll->to, after = scroll->to;
    const struct line_grid *grid = &search->grid;
    int32_t size = (int32_t)grid->strip_size, count;

    if (grid->vertical) {
        before.x2 = before.x1;
        before.x1 = at_least(before.x1 - size, grid->box.x1);
        after.x1 = after.x2;
        after.x2 = at_most(after.x2 + size, grid->box.x2);
        count = before.x2 - before.x1;
        gain_across(search, before, scroll);
        scroll->to.x1 -= best_extension(search->across, count, count - 1, -1);
        gain_across(search, after, scroll);
        scroll->to.x2 += best_extension(search->across, after.x2 - after.x1, 0, 1);
    } else {
        before.y2 = before.y1;
        before.y1 = at_least(before.y1 - size, grid->box.y1);
        after.y1 = after.y2;
        after.y2 = at_most(after.y2 + size, grid->box.y2);
        count = before.y2 - before.y1;
        gain_across(search, before, scroll);
        scroll->to.y1 -= best_extension(search->across, count, count - 1, -1);
        gain_across(search, after, scroll);
        scroll->to.y2 += best_extension(search->across, after.y2 - after.y1, 0, 1);
    }
}

/* Compare every pixel of the move. */
static int64_t
exact_gain(const struct search *search, const struct scroll *scroll)
{
    int64_t sum = 0;

    gain_by_row(search->then, search->now, scroll->to, scroll->dx, scroll->dy,
                search->across);
    for (int32_t i = 0; i < scroll->to.y2 - scroll->to.y1; i++)
        sum += search->across[i];
    return sum;
}

/* What moving by distance is good for; 0: nothing. */
static int
try_distance(struct search *search, int32_t distance, struct scroll *scroll)
{
    struct area area;
    int64_t saved;

    estimate_gains(search, distance);
    area = best_area(search);
    if (area.gain < MIN_SAVED / 2) /* the sides may still grow */
        return 0;
    scroll->dx = search->grid.vertical ? 0 : distance;
    scroll->dy = search->grid.vertical ? distance : 0;
    scroll->to = area_box(&search->grid, &area);
    widen(search, scroll);
    saved = exact_gain(search, scroll);
    if (saved < MIN_SAVED)
        return 0;
    scroll->saved = (uint64_t)saved;
    return 1;
}

static uint64_t
area_of(pixman_box32_t box)
{
    return (uint64_t)(box.x2 - box.x1) * (uint64_t)(box.y2 - box.y1);
}

/* Pixels in the lines that changed, strip by strip. */
static uint64_t
changed_pixels(const struct search *search)
{
    uint64_t pixels = 0;

    for (uint32_t s = 0; s < search->grid.strips; s++) {
        const uint32_t *then = then_of(search, s), *now = now_of(search, s);
        uint32_t lines = 0;

        for (uint32_t i = 0; i < search->grid.count; i++)
            lines += then[i] != now[i];
        pixels += (uint64_t)lines * strip_width(&search->grid, s);
    }
    return pixels;
}

/* Improve found by a move along grid's lines; 1: it explains most of what changed. */
static int
find_along(struct scroll_finder *finder, const struct pixels *then,
           const struct pixels *now, const struct tile_map *changed,
           struct line_grid grid, struct scroll *found)
{
    struct search search = {.then = then, .now = now, .grid = grid};
    int32_t distance;
    uint64_t change;

    if (grid.count < MIN_LINES || search_init(&search, finder))
        return 0;
    choose_witnesses(&search, changed);
    collect_votes(&search);
    distance = next_candidate(&search);
    if (distance == 0)
        return 0;
    for (uint32_t s = 0; s < grid.strips; s++)
        if (!is_witness(&search, s))
            hash_both(&search, s);
    change = changed_pixels(&search);
    for (int i = 0; i < NUM_CANDIDATES && distance != 0; i++) {
        struct scroll scroll;

        if (try_distance(&search, distance, &scroll) && scroll.saved > found->saved)
            *found = scroll;
        if (found->saved > 0 && 2 * area_of(found->to) > change)
            return 1;
        distance = next_candidate(&search);
    }
    return 0;
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
        extents->x1 = at_most(extents->x1, box.x1);
        extents->x2 = at_least(extents->x2, box.x2);
        extents->y2 = box.y2;
        count += run.count;
    }
    return count;
}

int
scroll_find(struct scroll_finder *finder, const struct pixels *then,
            const struct pixels *now, const struct tile_map *changed,
            struct scroll *found)
{
    pixman_box32_t box, tall, wide;
    uint32_t tiles = extents_of(changed, &box);

    found->saved = 0;
    if (tiles < MIN_TILES ||
        (uint64_t)tiles * TILE_SIZE * TILE_SIZE * MAX_SPARSENESS < area_of(box))
        return 0;
    /* What moved may have come from where nothing was painted since. */
    tall = wide = box;
    tall.y1 = at_least(box.y1 - MARGIN, 0);
    tall.y2 = at_most(box.y2 + MARGIN, (int32_t)now->height);
    wide.x1 = at_least(box.x1 - MARGIN, 0);
    wide.x2 = at_most(box.x2 + MARGIN, (int32_t)now->width);
    if (!find_along(finder, then, now, changed, line_grid_of(tall, 1), found))
        find_along(finder, then, now, changed, line_grid_of(wide, 0), found);
    return found->saved > 0;
}
