/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pending_settle.c: damage that something is about to read becomes pictures, as it is
 * now, among the natives.
 */
#include <string.h>

#include "pending_state.h"

/* Keep the pixels of box as they are; 0, or -1: there is no room. */
static int
keep_piece(struct pending *pending, struct pending_surface *surface,
           const struct surface *now, pixman_box32_t box)
{
    size_t row = (size_t)box_width(box) * now->pixel_size;
    uint64_t size = (uint64_t)row * box_height(box);
    struct native *native;

    if (pending->num_pixels + size > MAX_NATIVE_PIXELS ||
        pending->num_natives + 1 >= MAX_NATIVES ||
        pending_reserve((void **)&pending->pixels, &pending->cap_pixels,
                        pending->num_pixels, (uint32_t)size, 1) ||
        !(native = pending_append(pending, NATIVE_PICTURE, surface, &box, 1)))
        return -1;
    native->opaque = 1;
    native->first_byte = pending->num_pixels;
    native->num_bytes = (uint32_t)size;
    for (int32_t y = box.y1; y < box.y2; y++) {
        memcpy(pending->pixels + pending->num_pixels,
               now->line_0 + (ptrdiff_t)y * now->stride +
                   (size_t)box.x1 * now->pixel_size,
               row);
        pending->num_pixels += (uint32_t)row;
    }
    tile_map_remove_touched(&surface->damage, box);
    return 0;
}

/* Rows of tiles of the same columns, one below the other, make one box. */
static void
keep_pieces(struct pending *pending, struct pending_surface *surface,
            const struct surface *now, const struct tile_map *part)
{
    struct tile_run run = {0, 0, 0};
    pixman_box32_t open = {0, 0, 0, 0};

    while (tile_map_next(part, &run)) {
        pixman_box32_t row = tile_run_box(part, &run);

        if (open.x1 == row.x1 && open.x2 == row.x2 && open.y2 == row.y1) {
            open.y2 = row.y2;
            continue;
        }
        if (open.x1 < open.x2 && keep_piece(pending, surface, now, open))
            return;
        open = row;
    }
    if (open.x1 < open.x2)
        keep_piece(pending, surface, now, open);
}

void
pending_settle(struct pending *pending, struct pending_surface *surface,
               pixman_box32_t box)
{
    const struct surface *now = canvas_find(pending->canvas, surface->id);
    struct tile_map part;

    if (!now || now->serial != surface->serial ||
        tile_map_init(&part, surface->width, surface->height))
        return;
    tile_map_add(&part, box);
    tile_map_intersect(&part, &surface->damage);
    keep_pieces(pending, surface, now, &part);
    tile_map_fini(&part);
}
