/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * damage.h: what a client has not seen of each surface.
 */
#ifndef DAMAGE_H
#define DAMAGE_H

#include <stdint.h>

/* A rectangle of a surface that changed; right and bottom are excluded. */
struct damage {
    uint32_t surface_id;
    int32_t left, top, right, bottom;
};

/* A region for each damaged surface. */
struct damage_map;

/* No damage, or NULL. */
struct damage_map *damage_map_new(void);
void damage_map_free(struct damage_map *map);

/*
 * Add rectangles, rounded outwards so that many small ones stay few; 0 or -1 for no
 * memory, when the rectangles were not added.
 */
int damage_map_add(struct damage_map *map, const struct damage *rects, uint32_t count);

/* The surface is gone: nothing of it is damaged any more. */
void damage_map_forget(struct damage_map *map, uint32_t surface_id);
void damage_map_clear(struct damage_map *map);
int damage_map_empty(const struct damage_map *map);

#endif /* DAMAGE_H */
