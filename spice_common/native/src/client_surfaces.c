/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * client_surfaces.c: a client's surfaces and the memory they lie in.
 */
#include <spice/enums.h>
#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "client_canvas_impl.h"

static void
release_surface(struct client_canvas *canvas, uint32_t id)
{
    canvas_destroy_surface(canvas->surfaces, id);
    free(canvas->pixels[id]);
    canvas->pixels[id] = NULL;
    canvas->total_size -= canvas->sizes[id];
    canvas->sizes[id] = 0;
    if (id == canvas->primary) {
        canvas->primary = CLIENT_SURFACES;
        canvas->marked = 0;
    }
}

void
client_free_surfaces(struct client_canvas *canvas)
{
    for (uint32_t id = 0; id < CLIENT_SURFACES && canvas->total_size; id++) {
        if (canvas->pixels[id])
            release_surface(canvas, id);
    }
}

static void
become_primary(struct client_canvas *canvas, uint32_t id)
{
    canvas->primary = id;
    canvas->marked = 0;
    pixman_region32_clear(&canvas->drawn);
    canvas->count_drawn = 1;
}

static enum client_error
create(struct client_canvas *canvas, uint32_t id, uint32_t width, uint32_t height,
       uint32_t format)
{
    /* Rows of whole words: pixman wants them. */
    uint64_t stride = ((uint64_t)width * surface_pixel_size(format) + 3) & ~UINT64_C(3);
    uint64_t size = stride * height;

    if (id >= CLIENT_SURFACES)
        return client_fail(canvas, CLIENT_BAD_SURFACE, id);
    if (canvas->pixels[id])
        return client_fail(canvas, CLIENT_SURFACE_EXISTS, id);
    if (!width || !height || width > MAX_IMAGE_SIDE || height > MAX_IMAGE_SIDE ||
        !stride || size > MAX_SURFACE_BYTES)
        return client_fail(canvas, CLIENT_BAD_SURFACE, id);
    if (canvas->total_size + size > MAX_TOTAL_BYTES)
        return client_fail(canvas, CLIENT_LIMIT_SURFACES, id);
    canvas->pixels[id] = calloc(1, size);
    if (!canvas->pixels[id])
        return client_fail(canvas, CLIENT_NO_MEMORY, size);
    canvas->sizes[id] = size;
    canvas->total_size += size;
    if (canvas_create_surface(canvas->surfaces, id, format, width, height,
                              (int32_t)stride, canvas->pixels[id], size, 0)) {
        release_surface(canvas, id);
        return client_fail(canvas, CLIENT_BAD_SURFACE, id);
    }
    return CLIENT_OK;
}

/* SpiceMsgDisplaySurfaceCreate: surface_id, width, height, format, flags. */
enum client_error
client_create_surface(struct client_canvas *canvas, const uint8_t *body, uint32_t size)
{
    enum client_error error;
    uint32_t id;

    if (size < 20)
        return CLIENT_BAD_MESSAGE;
    id = wire_u32(body);
    error =
        create(canvas, id, wire_u32(body + 4), wire_u32(body + 8), wire_u32(body + 12));
    if (!error && wire_u32(body + 16) & SPICE_SURFACE_FLAGS_PRIMARY)
        become_primary(canvas, id);
    return error;
}

enum client_error
client_destroy_surface(struct client_canvas *canvas, const uint8_t *body, uint32_t size)
{
    uint32_t id;

    if (size < 4)
        return CLIENT_BAD_MESSAGE;
    id = wire_u32(body);
    if (id >= CLIENT_SURFACES || !canvas->pixels[id])
        return client_fail(canvas, CLIENT_NO_SURFACE, id);
    release_surface(canvas, id);
    return CLIENT_OK;
}

/* SpiceMsgDisplayMode, of servers older than surfaces: surface 0 is the screen. */
enum client_error
client_set_mode(struct client_canvas *canvas, const uint8_t *body, uint32_t size)
{
    enum client_error error;
    uint32_t format;

    if (size < 12)
        return CLIENT_BAD_MESSAGE;
    switch (wire_u32(body + 8)) {
    case 16:
        format = SPICE_SURFACE_FMT_16_555;
        break;
    case 24:
    case 32:
        format = SPICE_SURFACE_FMT_32_xRGB;
        break;
    default:
        return client_fail(canvas, CLIENT_BAD_SURFACE, 0);
    }
    if (canvas->pixels[0])
        release_surface(canvas, 0);
    error = create(canvas, 0, wire_u32(body), wire_u32(body + 4), format);
    if (!error)
        become_primary(canvas, 0);
    return error;
}

/* As other clients do: the screen stays and is black, all else is forgotten. */
enum client_error
client_reset(struct client_canvas *canvas)
{
    for (uint32_t id = 0; id < CLIENT_SURFACES; id++) {
        if (canvas->pixels[id] && id != canvas->primary)
            release_surface(canvas, id);
    }
    if (canvas->primary < CLIENT_SURFACES)
        memset(canvas->pixels[canvas->primary], 0, canvas->sizes[canvas->primary]);
    palette_cache_clear(&canvas->palettes);
    return CLIENT_OK;
}
