/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "canvas.h"

#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "canvas_draw.h"
#include "canvas_paint.h"

static int
make_scratch(struct canvas *canvas)
{
    int failed = bitmap_scratch_init(&canvas->scratch);

    for (int i = 0; i < 2; i++)
        failed |= bitmap_scratch_init(&canvas->more_scratch[i]);
    for (int i = 0; i < NUM_BANDS; i++) {
        canvas->bands[i] = malloc(BAND_SIZE);
        failed |= !canvas->bands[i];
    }
    return failed;
}

struct canvas *
canvas_new(uint32_t num_surfaces)
{
    struct canvas *canvas = calloc(1, sizeof(*canvas));

    if (!canvas)
        return NULL;
    pixman_region32_init(&canvas->clip);
    canvas->num_surfaces = num_surfaces;
    canvas->surfaces = calloc(num_surfaces ? num_surfaces : 1, sizeof(struct surface));
    canvas->row = malloc((size_t)MAX_IMAGE_SIDE * 4);
    if (!canvas->surfaces || !canvas->row || make_scratch(canvas)) {
        canvas_free(canvas);
        return NULL;
    }
    return canvas;
}

void
canvas_free(struct canvas *canvas)
{
    if (!canvas)
        return;
    pixman_region32_fini(&canvas->clip);
    bitmap_scratch_fini(&canvas->scratch);
    for (int i = 0; i < 2; i++)
        bitmap_scratch_fini(&canvas->more_scratch[i]);
    for (int i = 0; i < NUM_BANDS; i++)
        free(canvas->bands[i]);
    free(canvas->surfaces);
    free(canvas->row);
    free(canvas);
}

struct surface *
canvas_find(const struct canvas *canvas, uint32_t surface_id)
{
    if (surface_id >= canvas->num_surfaces || !canvas->surfaces[surface_id].line_0)
        return NULL;
    return &canvas->surfaces[surface_id];
}

static enum canvas_error
check_surface(uint32_t format, uint32_t width, uint32_t height, uint64_t step,
              uint64_t size)
{
    uint64_t row = (uint64_t)width * surface_pixel_size(format);

    if (surface_pixel_size(format) == 0)
        return CANVAS_BAD_FORMAT;
    if (width == 0 || width > MAX_IMAGE_SIDE || height == 0 || height > MAX_IMAGE_SIDE)
        return CANVAS_BAD_SIZE;
    if (step < row || step * height > size)
        return CANVAS_BAD_SIZE;
    return CANVAS_OK;
}

enum canvas_error
canvas_create_surface(struct canvas *canvas, uint32_t surface_id, uint32_t format,
                      uint32_t width, uint32_t height, int32_t stride, uint8_t *data,
                      uint64_t size, int clear)
{
    uint64_t step = (uint64_t)(stride < 0 ? -(int64_t)stride : stride);
    enum canvas_error error = check_surface(format, width, height, step, size);
    struct surface *surface;

    if (error)
        return error;
    if (surface_id >= canvas->num_surfaces || canvas->surfaces[surface_id].line_0)
        return CANVAS_BAD_ID;
    surface = &canvas->surfaces[surface_id];
    surface->line_0 = stride < 0 ? data + step * (height - 1) : data;
    surface->stride = stride;
    surface->id = surface_id;
    surface->width = width;
    surface->height = height;
    surface->format = format;
    surface->pixel_size = surface_pixel_size(format);
    surface->serial = ++canvas->last_serial;
    if (clear)
        memset(data, 0, (size_t)(step * height));
    return CANVAS_OK;
}

enum canvas_error
canvas_destroy_surface(struct canvas *canvas, uint32_t surface_id)
{
    struct surface *surface = canvas_find(canvas, surface_id);

    if (!surface)
        return CANVAS_BAD_ID;
    memset(surface, 0, sizeof(*surface));
    return CANVAS_OK;
}

enum canvas_error
canvas_surface_info(const struct canvas *canvas, uint32_t surface_id,
                    struct canvas_surface_info *info)
{
    const struct surface *surface = canvas_find(canvas, surface_id);

    if (!surface)
        return CANVAS_BAD_ID;
    info->width = surface->width;
    info->height = surface->height;
    info->format = surface->format;
    info->stride = (int32_t)surface->stride;
    info->serial = surface->serial;
    return CANVAS_OK;
}

uint32_t
canvas_surface_ids(const struct canvas *canvas, uint32_t *ids, uint32_t max_ids)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < canvas->num_surfaces; i++) {
        if (!canvas->surfaces[i].line_0)
            continue;
        if (count < max_ids)
            ids[count] = i;
        count++;
    }
    return count;
}

enum canvas_error
canvas_read_surface(struct canvas *canvas, uint32_t surface_id, uint8_t *dst,
                    uint64_t dst_size)
{
    const struct surface *surface = canvas_find(canvas, surface_id);

    if (!surface)
        return CANVAS_BAD_ID;
    if ((uint64_t)surface->width * surface->height * 4 > dst_size)
        return CANVAS_BAD_SIZE;
    for (uint32_t y = 0; y < surface->height; y++) {
        memcpy(canvas->row, surface->line_0 + (ptrdiff_t)y * surface->stride,
               (size_t)surface->width * surface->pixel_size);
        pixels_decode(canvas->row, surface->width, surface->format,
                      canvas->scratch.words);
        memcpy(dst + (size_t)y * surface->width * 4, canvas->scratch.words,
               (size_t)surface->width * 4);
    }
    return CANVAS_OK;
}

const struct canvas_counters *
canvas_counters(const struct canvas *canvas)
{
    return &canvas->counters;
}
