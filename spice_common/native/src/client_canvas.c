/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client_canvas.h"

#include <spice/enums.h>
#include <stdlib.h>
#include <string.h>

#include "client_canvas_impl.h"
#include "command.h"

struct client_canvas *
client_canvas_new(struct client_cache *cache, uint32_t paint, uint32_t max_message)
{
    struct client_canvas *canvas = calloc(1, sizeof(*canvas));

    if (!canvas)
        return NULL;
    pixman_region32_init(&canvas->drawn);
    canvas->cache = cache;
    canvas->paint = paint != 0;
    canvas->max_message = max_message;
    canvas->primary = CLIENT_SURFACES;
    canvas->surfaces = canvas_new(CLIENT_SURFACES);
    canvas->batch = command_batch_new();
    canvas->decoder = image_decoder_new();
    if (!canvas->surfaces || !canvas->batch || !canvas->decoder) {
        client_canvas_free(canvas);
        return NULL;
    }
    return canvas;
}

void
client_canvas_free(struct client_canvas *canvas)
{
    if (!canvas)
        return;
    if (canvas->surfaces)
        client_free_surfaces(canvas);
    canvas_free(canvas->surfaces);
    command_batch_free(canvas->batch);
    image_decoder_free(canvas->decoder);
    for (uint32_t i = 0; i < MAX_MESSAGE_IMAGES; i++)
        pixel_buffer_free(&canvas->images[i].buffer);
    palette_cache_clear(&canvas->palettes);
    pixman_region32_fini(&canvas->drawn);
    free(canvas);
}

struct canvas *
client_canvas_surfaces(struct client_canvas *canvas)
{
    return canvas->surfaces;
}

uint32_t
client_canvas_primary(const struct client_canvas *canvas)
{
    return canvas->primary;
}

uint32_t
client_canvas_marked(const struct client_canvas *canvas)
{
    return canvas->marked;
}

uint32_t
client_canvas_complete(const struct client_canvas *canvas)
{
    const struct surface *surface = canvas_find(canvas->surfaces, canvas->primary);
    pixman_box32_t all;

    if (!surface || !canvas->count_drawn)
        return 0;
    all = (pixman_box32_t){0, 0, (int32_t)surface->width, (int32_t)surface->height};
    /* pixman takes it by a pointer that is not const. */
    return pixman_region32_contains_rectangle(
               (pixman_region32_t *)(uintptr_t)&canvas->drawn, &all) ==
           PIXMAN_REGION_IN;
}

void
client_canvas_forget_palettes(struct client_canvas *canvas)
{
    palette_cache_clear(&canvas->palettes);
}

const struct client_counts *
client_canvas_counts(const struct client_canvas *canvas)
{
    return &canvas->counts;
}

int
client_canvas_read(struct client_canvas *canvas, uint32_t surface_id, uint8_t *dst,
                   uint64_t size)
{
    const struct surface *surface = canvas_find(canvas->surfaces, surface_id);
    uint64_t row;

    if (!surface)
        return -1;
    row = (uint64_t)surface->width * surface->pixel_size;
    if (size != row * surface->height)
        return -1;
    for (uint32_t y = 0; y < surface->height; y++)
        memcpy(dst + y * row, surface->line_0 + (ptrdiff_t)y * surface->stride, row);
    return 0;
}
