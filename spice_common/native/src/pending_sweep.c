/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pending_sweep.c: one pass over the natives from the newest to the oldest, which knows
 * at each of them what the newer ones overwrite.
 *
 * So no command is compared with another: a native is hidden if all the tiles it
 * touches are covered.  What reads pixels elsewhere than where it draws (a move, a copy
 * from a surface) uncovers what it reads for everything older.
 */
#include <stdlib.h>
#include <string.h>

#include "pending_state.h"

/* Begin with a surface of this size: uncovered, or all of it overwritten. */
static int
cover_start(struct cover *cover, uint32_t width, uint32_t height, int all)
{
    if (cover->full.width != width || cover->full.height != height) {
        struct cover_tile *tiles;

        tile_map_fini(&cover->full);
        free(cover->tiles);
        cover->tiles = NULL;
        if (tile_map_init(&cover->full, width, height))
            return -1;
        tiles =
            calloc((size_t)cover->full.columns * cover->full.rows + 1, sizeof(*tiles));
        if (!tiles) {
            tile_map_fini(&cover->full);
            return -1;
        }
        cover->tiles = tiles;
    } else {
        tile_map_clear(&cover->full);
        memset(cover->tiles, 0,
               (size_t)cover->full.columns * cover->full.rows * sizeof(*cover->tiles));
    }
    if (all)
        tile_map_fill(&cover->full);
    return 0;
}

static pixman_box32_t
box_and(pixman_box32_t a, pixman_box32_t b)
{
    pixman_box32_t both = {a.x1 > b.x1 ? a.x1 : b.x1, a.y1 > b.y1 ? a.y1 : b.y1,
                           a.x2 < b.x2 ? a.x2 : b.x2, a.y2 < b.y2 ? a.y2 : b.y2};

    return both;
}

static pixman_box32_t
surface_box(const struct cover *cover)
{
    pixman_box32_t box = {0, 0, (int32_t)cover->full.width,
                          (int32_t)cover->full.height};

    return box;
}

static pixman_box32_t
tile_box(uint32_t column, uint32_t row)
{
    pixman_box32_t box = {(int32_t)(column * TILE_SIZE), (int32_t)(row * TILE_SIZE),
                          (int32_t)((column + 1) * TILE_SIZE),
                          (int32_t)((row + 1) * TILE_SIZE)};

    return box;
}

static int
contains(pixman_box16_t outer, pixman_box32_t inner)
{
    return outer.x1 <= inner.x1 && outer.y1 <= inner.y1 && outer.x2 >= inner.x2 &&
           outer.y2 >= inner.y2;
}

static int
tile_covers(const struct cover *cover, uint32_t column, uint32_t row,
            pixman_box32_t box)
{
    const struct cover_tile *tile =
        &cover->tiles[(size_t)row * cover->full.columns + column];
    pixman_box32_t part = box_and(box, tile_box(column, row));

    for (uint32_t i = 0; i < tile->count; i++) {
        if (contains(tile->boxes[i], part))
            return 1;
    }
    return 0;
}

static int
cover_hides(const struct cover *cover, pixman_box32_t box)
{
    uint32_t left, right, bottom;

    box = box_and(box, surface_box(cover));
    if (box.x1 >= box.x2 || box.y1 >= box.y2)
        return 1;
    left = (uint32_t)box.x1 / TILE_SIZE;
    right = ((uint32_t)box.x2 - 1) / TILE_SIZE;
    bottom = ((uint32_t)box.y2 - 1) / TILE_SIZE;
    for (uint32_t row = (uint32_t)box.y1 / TILE_SIZE; row <= bottom; row++) {
        for (uint32_t column = left; column <= right; column++) {
            if (!tile_map_has(&cover->full, column, row) &&
                !tile_covers(cover, column, row, box))
                return 0;
        }
    }
    return 1;
}

static void
remember(struct cover *cover, uint32_t column, uint32_t row, pixman_box32_t box)
{
    struct cover_tile *tile = &cover->tiles[(size_t)row * cover->full.columns + column];
    pixman_box32_t part = box_and(box, tile_box(column, row));

    if (tile->count == 2) {
        tile->boxes[0] = tile->boxes[1];
        tile->count = 1;
    }
    tile->boxes[tile->count++] = (pixman_box16_t){(int16_t)part.x1, (int16_t)part.y1,
                                                  (int16_t)part.x2, (int16_t)part.y2};
}

/* The tiles that box fills, and those at its edges. */
static void
cover_add(struct cover *cover, pixman_box32_t box)
{
    uint32_t left, right, top, bottom;

    box = box_and(box, surface_box(cover));
    if (box.x1 >= box.x2 || box.y1 >= box.y2)
        return;
    tile_map_add_inside(&cover->full, box);
    left = (uint32_t)box.x1 / TILE_SIZE;
    right = ((uint32_t)box.x2 - 1) / TILE_SIZE;
    top = (uint32_t)box.y1 / TILE_SIZE;
    bottom = ((uint32_t)box.y2 - 1) / TILE_SIZE;
    for (uint32_t row = top; row <= bottom; row++) {
        uint32_t step = row == top || row == bottom || right == left ? 1 : right - left;

        for (uint32_t column = left; column <= right; column += step) {
            if (!tile_map_has(&cover->full, column, row))
                remember(cover, column, row, box);
        }
    }
}

static void
cover_remove(struct cover *cover, pixman_box32_t box)
{
    uint32_t left, right, bottom;

    box = box_and(box, surface_box(cover));
    if (box.x1 >= box.x2 || box.y1 >= box.y2)
        return;
    tile_map_remove_touched(&cover->full, box);
    left = (uint32_t)box.x1 / TILE_SIZE;
    right = ((uint32_t)box.x2 - 1) / TILE_SIZE;
    bottom = ((uint32_t)box.y2 - 1) / TILE_SIZE;
    for (uint32_t row = (uint32_t)box.y1 / TILE_SIZE; row <= bottom; row++) {
        for (uint32_t column = left; column <= right; column++)
            cover->tiles[(size_t)row * cover->full.columns + column].count = 0;
    }
}

/* The cover of a surface at this point of the sweep; NULL: no memory. */
static struct cover *
cover_of(struct pending *pending, uint32_t surface_id)
{
    struct cover **slot = &pending->covers[surface_id];
    const struct pending_surface *surface = pending->surfaces[surface_id];
    struct cover *cover;

    if (!*slot && !(*slot = calloc(1, sizeof(**slot))))
        return NULL;
    cover = *slot;
    if (cover->seen == pending->sweep)
        return cover;
    cover->destroy = 0;
    cover->in_use = 1;
    if (!surface || cover_start(cover, surface->width, surface->height, 0))
        return NULL;
    tile_map_merge(&cover->full, &surface->damage);
    cover->seen = pending->sweep;
    return cover;
}

/* Nobody will see what was drawn on a surface before it went. */
static void
pass_destroy(struct pending *pending, const struct native *native, uint32_t index)
{
    struct cover **slot = &pending->covers[native->surface_id];

    if (!*slot && !(*slot = calloc(1, sizeof(**slot))))
        return;
    (*slot)->seen = pending->sweep - 1;
    if (cover_start(*slot, (uint32_t)native->extents.x2, (uint32_t)native->extents.y2,
                    1))
        return;
    (*slot)->seen = pending->sweep;
    (*slot)->destroy = index + 1;
    (*slot)->in_use = 0;
}

/* A surface that came and went without being needed need not have been. */
static void
pass_create(struct pending *pending, struct native *native)
{
    struct cover *cover = pending->covers[native->surface_id];

    if (!cover || cover->seen != pending->sweep || !cover->destroy || cover->in_use)
        return;
    native->hidden = 1;
    pending->natives[cover->destroy - 1].hidden = 1;
}

static int
all_hidden(const struct pending *pending, const struct cover *cover,
           const struct native *native)
{
    if (native->num_rects == 0)
        return cover_hides(cover, native->extents);
    for (uint32_t i = 0; i < native->num_rects; i++) {
        if (!cover_hides(cover, pending->rects[native->first_rect + i]))
            return 0;
    }
    return 1;
}

static void
pass_draw(struct pending *pending, struct native *native)
{
    struct cover *cover = cover_of(pending, native->surface_id);

    if (!cover)
        return;
    if (all_hidden(pending, cover, native)) {
        native->hidden = 1;
        pending->counters.hidden++;
        return;
    }
    cover->in_use = 1;
    for (uint32_t i = 0; native->opaque && i < native->num_rects; i++)
        cover_add(cover, pending->rects[native->first_rect + i]);
    for (uint32_t i = 0; i < native->num_reads; i++) {
        struct cover *source = cover_of(pending, native->reads[i].surface_id);

        if (!source)
            continue;
        source->in_use = 1;
        cover_remove(source, native->reads[i].box);
    }
}

void
pending_sweep(struct pending *pending)
{
    pending->sweep++;
    for (uint32_t i = pending->num_natives; i-- > 0;) {
        struct native *native = &pending->natives[i];

        if (native->kind == NATIVE_DESTROY)
            pass_destroy(pending, native, i);
        else if (native->kind == NATIVE_CREATE)
            pass_create(pending, native);
        else
            pass_draw(pending, native);
    }
}

void
pending_covers_free(struct pending *pending)
{
    for (uint32_t id = 0; id < NUM_SURFACES; id++) {
        if (!pending->covers[id])
            continue;
        tile_map_fini(&pending->covers[id]->full);
        free(pending->covers[id]->tiles);
        free(pending->covers[id]);
    }
}
