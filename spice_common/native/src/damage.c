/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "damage.h"

#include <stdlib.h>

#include "damage_map.h"

enum {
    /* Rectangles grow to this grid: some pixels too many cost less than a message. */
    DAMAGE_GRID = 16,
    /* A region of more rectangles than this becomes its extents. */
    MAX_DAMAGE_RECTS = 1024,
    MAX_COORDINATE = 1 << 15, /* beyond every surface */
};

struct damage_map *
damage_map_new(void)
{
    return calloc(1, sizeof(struct damage_map));
}

void
damage_map_free(struct damage_map *map)
{
    if (!map)
        return;
    damage_map_clear(map);
    free(map->surfaces);
    free(map);
}

static void
remove_surface(struct damage_map *map, uint32_t index)
{
    pixman_region32_fini(&map->surfaces[index].region);
    map->num_surfaces--;
    /* The order of the others stays, so that no surface waits for ever. */
    for (uint32_t i = index; i < map->num_surfaces; i++)
        map->surfaces[i] = map->surfaces[i + 1];
}

void
damage_map_clear(struct damage_map *map)
{
    while (map->num_surfaces > 0)
        remove_surface(map, map->num_surfaces - 1);
}

void
damage_map_forget(struct damage_map *map, uint32_t surface_id)
{
    for (uint32_t i = 0; i < map->num_surfaces; i++) {
        if (map->surfaces[i].surface_id == surface_id) {
            remove_surface(map, i);
            return;
        }
    }
}

int
damage_map_empty(const struct damage_map *map)
{
    return map->num_surfaces == 0;
}

static struct damaged_surface *
find_or_add(struct damage_map *map, uint32_t surface_id)
{
    struct damaged_surface *surface;

    for (uint32_t i = 0; i < map->num_surfaces; i++) {
        if (map->surfaces[i].surface_id == surface_id)
            return &map->surfaces[i];
    }
    if (map->num_surfaces == map->cap_surfaces) {
        uint32_t capacity = map->cap_surfaces ? 2 * map->cap_surfaces : 4;
        struct damaged_surface *surfaces =
            realloc(map->surfaces, capacity * sizeof(*surfaces));

        if (!surfaces)
            return NULL;
        map->surfaces = surfaces;
        map->cap_surfaces = capacity;
    }
    surface = &map->surfaces[map->num_surfaces++];
    surface->surface_id = surface_id;
    pixman_region32_init(&surface->region);
    return surface;
}

static int32_t
limit(int32_t coordinate)
{
    if (coordinate < 0)
        return 0;
    return coordinate > MAX_COORDINATE ? MAX_COORDINATE : coordinate;
}

static pixman_box32_t
rounded(const struct damage *rect)
{
    int32_t mask = ~(DAMAGE_GRID - 1);
    pixman_box32_t box = {limit(rect->left) & mask, limit(rect->top) & mask,
                          (limit(rect->right) + DAMAGE_GRID - 1) & mask,
                          (limit(rect->bottom) + DAMAGE_GRID - 1) & mask};

    return box;
}

static int
add_rect(struct damage_map *map, const struct damage *rect)
{
    pixman_box32_t box = rounded(rect);
    struct damaged_surface *surface;
    pixman_region32_t *region;

    if (rect->left >= rect->right || rect->top >= rect->bottom || box.x1 >= box.x2 ||
        box.y1 >= box.y2)
        return 0;
    surface = find_or_add(map, rect->surface_id);
    if (!surface)
        return -1;
    region = &surface->region;
    if (!pixman_region32_union_rect(region, region, box.x1, box.y1,
                                    (unsigned)(box.x2 - box.x1),
                                    (unsigned)(box.y2 - box.y1))) {
        /* No memory for the bands: everything is damaged, which needs none. */
        pixman_box32_t all = {0, 0, MAX_COORDINATE, MAX_COORDINATE};

        pixman_region32_fini(region);
        pixman_region32_init_with_extents(region, &all);
    }
    if (pixman_region32_n_rects(region) > MAX_DAMAGE_RECTS) {
        box = *pixman_region32_extents(region);
        pixman_region32_reset(region, &box);
    }
    return 0;
}

int
damage_map_add(struct damage_map *map, const struct damage *rects, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (add_rect(map, &rects[i]))
            return -1;
    }
    return 0;
}

static void
subtract_box(pixman_region32_t *region, pixman_box32_t box)
{
    pixman_region32_t done;

    pixman_region32_init_with_extents(&done, &box);
    if (!pixman_region32_subtract(region, region, &done)) {
        /* Out of memory: sending a little twice is better than losing some. */
        box = *pixman_region32_extents(region);
        pixman_region32_fini(region);
        pixman_region32_init_with_extents(region, &box);
    }
}

void
damage_map_drop_rects(struct damage_map *map, uint32_t count)
{
    pixman_region32_t *region = &map->surfaces[0].region;
    pixman_region32_t rest;
    int total;
    pixman_box32_t *rects = pixman_region32_rectangles(region, &total);

    if (count >= (uint32_t)total) {
        remove_surface(map, 0);
        return;
    }
    if (pixman_region32_init_rects(&rest, rects + count, total - (int)count)) {
        pixman_region32_fini(region);
        *region = rest;
    }
}

void
damage_map_cut_rect(struct damage_map *map, int32_t top)
{
    pixman_region32_t *region = &map->surfaces[0].region;
    pixman_box32_t box = *pixman_region32_rectangles(region, NULL);

    box.y2 = top;
    subtract_box(region, box);
}
