/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pending.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "image_encode.h"
#include "pending_state.h"

static void
free_surface(struct pending_surface *surface)
{
    if (!surface)
        return;
    tile_map_fini(&surface->damage);
    tile_map_fini(&surface->unknown);
    tile_map_fini(&surface->lossy);
    shadow_fini(&surface->shadow);
    free(surface);
}

static struct pending_surface *
new_surface(const struct surface *from)
{
    struct pending_surface *surface = calloc(1, sizeof(*surface));

    if (!surface)
        return NULL;
    surface->id = from->id;
    surface->serial = from->serial;
    surface->width = from->width;
    surface->height = from->height;
    surface->format = from->format;
    if (tile_map_init(&surface->damage, from->width, from->height) ||
        tile_map_init(&surface->unknown, from->width, from->height) ||
        tile_map_init(&surface->lossy, from->width, from->height)) {
        free_surface(surface);
        return NULL;
    }
    return surface;
}

struct pending_surface *
pending_find(const struct pending *pending, uint32_t surface_id)
{
    return surface_id < NUM_SURFACES ? pending->surfaces[surface_id] : NULL;
}

int
pending_reserve(void **array, uint32_t *capacity, uint32_t used, uint32_t more,
                size_t item_size)
{
    uint64_t wanted = (uint64_t)used + more, room = *capacity ? *capacity : 64;
    void *larger;

    if (wanted <= *capacity)
        return 0;
    while (room < wanted)
        room *= 2;
    if (room > UINT32_MAX || !(larger = realloc(*array, (size_t)room * item_size)))
        return -1;
    *array = larger;
    *capacity = (uint32_t)room;
    return 0;
}

static void
forget_natives(struct pending *pending)
{
    pending->num_natives = 0;
    pending->num_rects = 0;
    pending->num_bytes = 0;
    pending->num_pixels = 0;
}

/* What the client has to be told of which surfaces there are. */
static void
reconcile(struct pending *pending)
{
    for (uint32_t id = 0; id < NUM_SURFACES; id++) {
        const struct surface *surface = canvas_find(pending->canvas, id);
        struct pending_surface gone = {.id = id, .serial = pending->shown[id]};
        uint32_t serial = surface ? surface->serial : 0;

        if (pending->shown[id] == serial)
            continue;
        if (pending->shown[id])
            pending_append(pending, NATIVE_DESTROY, &gone, NULL, 0);
        if (surface)
            pending_surface_created(pending, id, 0);
    }
}

void
pending_collapse(struct pending *pending)
{
    pending->counters.collapses++;
    for (uint32_t i = 0; i < pending->num_natives; i++) {
        const struct native *native = &pending->natives[i];
        struct pending_surface *surface = pending_find(pending, native->surface_id);

        if (surface && surface->serial == native->serial)
            tile_map_add(&surface->damage, native->extents);
    }
    forget_natives(pending);
    reconcile(pending);
}

struct pending *
pending_new(struct canvas *canvas)
{
    struct pending *pending = calloc(1, sizeof(*pending));

    if (!pending)
        return NULL;
    pending->canvas = canvas;
    pending->encoder = image_encoder_new();
    if (!pending->encoder) {
        pending_free(pending);
        return NULL;
    }
    reconcile(pending);
    return pending;
}

void
pending_free(struct pending *pending)
{
    if (!pending)
        return;
    for (uint32_t id = 0; id < NUM_SURFACES; id++)
        free_surface(pending->surfaces[id]);
    pending_covers_free(pending);
    pending_photos_free(pending);
    image_encoder_free(pending->encoder);
    free(pending->natives);
    free(pending->rects);
    free(pending->bytes);
    free(pending->pixels);
    damage_split_fini(&pending->split);
    scroll_finder_fini(&pending->finder);
    free(pending->scratch);
    free(pending);
    malloc_trim(0); /* a client's memory is megabytes, and clients come and go */
}

void
pending_set(struct pending *pending, const struct pending_settings *settings)
{
    pending->settings = *settings;
    if (settings->compare)
        return;
    for (uint32_t id = 0; id < NUM_SURFACES; id++) {
        if (pending->surfaces[id])
            shadow_fini(&pending->surfaces[id]->shadow);
    }
}

void
pending_set_dictionary(struct pending *pending, struct glz_dictionary *dictionary)
{
    pending->dictionary = dictionary;
}

void
pending_set_cache(struct pending *pending, struct pixmap_cache *cache)
{
    pending->cache = cache;
}

void
pending_set_share(struct pending *pending, struct image_share *share)
{
    pending->share = share;
}

void
pending_surface_created(struct pending *pending, uint32_t surface_id, int black)
{
    const struct surface *from = canvas_find(pending->canvas, surface_id);
    struct pending_surface *surface;

    if (!from || surface_id >= NUM_SURFACES)
        return;
    free_surface(pending->surfaces[surface_id]);
    pending->surfaces[surface_id] = surface = new_surface(from);
    if (!surface) {
        pending->broken = 1;
        return;
    }
    if (!black)
        tile_map_fill(&surface->damage);
    pending_append(pending, NATIVE_CREATE, surface, NULL, 0);
}

void
pending_surface_destroyed(struct pending *pending, uint32_t surface_id)
{
    struct pending_surface *surface = pending_find(pending, surface_id);

    if (!surface)
        return;
    pending->surfaces[surface_id] = NULL;
    pending_append(pending, NATIVE_DESTROY, surface, NULL, 0);
    free_surface(surface);
}

void
pending_damage_all(struct pending *pending)
{
    for (uint32_t id = 0; id < NUM_SURFACES; id++) {
        struct pending_surface *surface = pending->surfaces[id];

        if (!surface)
            continue;
        tile_map_fill(&surface->damage);
        tile_map_fill(&surface->unknown);
    }
    pending_collapse(pending);
}

uint32_t
pending_damage_lossy(struct pending *pending)
{
    uint32_t count = 0;

    for (uint32_t id = 0; id < NUM_SURFACES; id++) {
        struct pending_surface *surface = pending->surfaces[id];

        if (!surface || tile_map_empty(&surface->lossy))
            continue;
        count += tile_map_count(&surface->lossy);
        tile_map_merge(&surface->damage, &surface->lossy);
        tile_map_merge(&surface->unknown, &surface->lossy);
        tile_map_clear(&surface->lossy);
    }
    return count;
}

int
pending_empty(const struct pending *pending)
{
    const struct pending_surface *primary = pending->surfaces[0];

    return pending->num_natives == 0 && !pending->broken &&
           (!primary || tile_map_empty(&primary->damage));
}

const struct pending_counters *
pending_counters(const struct pending *pending)
{
    return &pending->counters;
}
