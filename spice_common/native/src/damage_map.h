/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DAMAGE_MAP_H
#define DAMAGE_MAP_H

#include <pixman.h>

#include "damage.h"

struct damaged_surface {
    uint32_t surface_id;
    pixman_region32_t region; /* never empty */
};

struct damage_map {
    struct damaged_surface *surfaces;
    uint32_t num_surfaces, cap_surfaces;
};

/* Remove the first surface's first count rectangles, and the surface with the last. */
void damage_map_drop_rects(struct damage_map *map, uint32_t count);

/* Replace the first surface's first rectangle by what is left of it from row top on. */
void damage_map_cut_rect(struct damage_map *map, int32_t top);

#endif /* DAMAGE_MAP_H */
