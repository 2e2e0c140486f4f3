/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "canvas_paint.h"

#include <spice/enums.h>
#include <spice/qxl_dev.h>
#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "canvas_compose.h"
#include "canvas_rop.h"

uint8_t *
target_at(const struct painter *painter, int32_t x, int32_t y)
{
    const struct surface *target = &painter->target;

    return target->line_0 + (ptrdiff_t)y * target->stride +
           (ptrdiff_t)x * (ptrdiff_t)target->pixel_size;
}

pixman_box32_t
first_band(pixman_box32_t box)
{
    int32_t rows = (int32_t)(BAND_PIXELS / box_width(box));

    if (box.y2 - box.y1 > rows)
        box.y2 = box.y1 + rows;
    return box;
}

/* ---- sources */

/*
 * The clients scale to the format of the surface if that is all they do, otherwise to
 * that of the source: they differ in what becomes of a byte that is alpha in one of
 * them.
 */
static pixman_format_code_t
scaled_format(const struct painter *painter)
{
    const struct draw_command *command = painter->command;
    int is_copy =
        command->type == QXL_DRAW_OPAQUE ||
        ((command->type == QXL_DRAW_COPY || command->type == QXL_DRAW_BLEND) &&
         rop_is_put(painter->rop));

    if (is_copy || !same_pixels(painter->source.layout, painter->target.format))
        return surface_pixman_format(painter->target.format);
    return painter->source.format;
}

/* Rows of a scaled source, as pixman scales it. */
static const uint8_t *
scaled_rows(struct painter *painter, pixman_box32_t band, ptrdiff_t *stride)
{
    struct composition composition = {.op = PIXMAN_OP_SRC,
                                      .source = &painter->sampling};
    uint8_t *rows = painter->canvas->bands[BAND_SOURCE];
    pixman_image_t *image;

    *stride = ((ptrdiff_t)box_width(band) * painter->target.pixel_size + 3) / 4 * 4;
    memset(rows, 0, (size_t)*stride * box_height(band));
    image =
        pixman_image_create_bits(scaled_format(painter), (int)box_width(band),
                                 (int)box_height(band), (uint32_t *)rows, (int)*stride);
    if (image) {
        compose(&composition, image, band, band);
        pixman_image_unref(image);
    }
    return rows;
}

const uint8_t *
source_rows(struct painter *painter, pixman_box32_t band, ptrdiff_t *stride)
{
    const struct picture *source = &painter->source;
    uint8_t *rows = painter->canvas->bands[BAND_SOURCE];
    uint32_t x = (uint32_t)(band.x1 + painter->sampling.x);
    uint32_t y = (uint32_t)(band.y1 + painter->sampling.y);

    if (painter->is_scaled)
        return scaled_rows(painter, band, stride);
    if (source->kind != PICTURE_BITMAP &&
        same_pixels(source->layout, painter->target.format)) {
        *stride = source->stride;
        return source->line_0 + (ptrdiff_t)y * source->stride +
               (size_t)x * source->pixel_size;
    }
    *stride = (ptrdiff_t)box_width(band) * painter->target.pixel_size;
    for (uint32_t i = 0; i < box_height(band); i++)
        picture_read_row(source, painter->canvas, x, y + i, box_width(band),
                         painter->target.format, rows + (ptrdiff_t)i * *stride);
    return rows;
}

/* ---- one command */

/* Draw on a copy of what is visible, since a picture lies on the same surface. */
static int
take_double(struct painter *painter)
{
    const struct draw_plan *plan = painter->plan;
    pixman_box32_t box = plan->extents;
    size_t row = (size_t)box_width(box) * plan->surface->pixel_size;

    painter->double_pixels = malloc(row * box_height(box));
    if (!painter->double_pixels)
        return -1;
    for (uint32_t i = 0; i < box_height(box); i++)
        memcpy(painter->double_pixels + i * row,
               target_at(painter, box.x1, box.y1 + (int32_t)i), row);
    painter->target.stride = (ptrdiff_t)row;
    painter->target.line_0 = painter->double_pixels -
                             (ptrdiff_t)box.y1 * (ptrdiff_t)row -
                             (ptrdiff_t)box.x1 * (ptrdiff_t)plan->surface->pixel_size;
    return 0;
}

static void
put_double(struct painter *painter)
{
    const struct draw_plan *plan = painter->plan;
    const struct surface *surface = plan->surface;

    for (uint32_t i = 0; i < plan->num_rects; i++) {
        pixman_box32_t rect = plan->rects[i];

        for (int32_t y = rect.y1; y < rect.y2; y++)
            memcpy(surface->line_0 + (ptrdiff_t)y * surface->stride +
                       (size_t)rect.x1 * surface->pixel_size,
                   target_at(painter, rect.x1, y),
                   (size_t)box_width(rect) * surface->pixel_size);
    }
}

/* A composite has no brush: its mask lies in the pattern's place. */
static enum picture_status
open_composite_mask(struct painter *painter)
{
    const struct draw_composite *composite = &painter->command->composite;
    struct draw_brush none = {.type = SPICE_BRUSH_TYPE_NONE};

    brush_init(&painter->brush, painter->canvas, painter->plan, &none,
               painter->reading);
    if (composite->mask == NO_IMAGE)
        return PICTURE_OK;
    painter->brush.is_pattern = 1;
    return picture_init(&painter->brush.pattern, painter->canvas,
                        &painter->canvas->more_scratch[0], painter->plan,
                        composite->mask, PICTURE_AS_SURFACE, painter->reading);
}

enum picture_status
painter_open(struct painter *painter)
{
    const struct draw_command *command = painter->command;
    struct canvas *canvas = painter->canvas;
    enum picture_use use = command->type == QXL_DRAW_ALPHA_BLEND ? PICTURE_AS_ORIGINAL
                                                                 : PICTURE_AS_SURFACE;
    enum picture_status status = mask_init(&painter->mask, canvas, painter->plan);

    if (status == PICTURE_OK)
        status = command->type == QXL_DRAW_COMPOSITE
                     ? open_composite_mask(painter)
                     : brush_init(&painter->brush, canvas, painter->plan,
                                  &command->brush, painter->reading);
    if (status != PICTURE_OK || !has_source(command))
        return status;
    status = picture_init(&painter->source, canvas, &canvas->scratch, painter->plan,
                          command->image, use, painter->reading);
    if (status == PICTURE_OK) {
        sampling_init(&painter->sampling, &painter->source);
        scale_source(painter);
    }
    return status;
}

void
painter_close(struct painter *painter)
{
    free(painter->double_pixels);
    sampling_fini(&painter->sampling);
    picture_fini(&painter->source);
    picture_fini(&painter->brush.pattern);
}

/* Whether an image is the surface that is drawn on. */
static int
is_own(const struct draw_plan *plan, uint32_t image)
{
    const struct guest_image *guest;

    if (image == NO_IMAGE)
        return plan->command->self_bitmap;
    guest = &plan->batch->images[image];
    return guest->kind == SPICE_IMAGE_TYPE_SURFACE &&
           guest->surface_id == plan->surface->id;
}

static int
brush_is_own(const struct draw_plan *plan, const struct draw_brush *brush)
{
    return brush->type == SPICE_BRUSH_TYPE_PATTERN && is_own(plan, brush->image);
}

static int
reads_own_surface(const struct draw_plan *plan)
{
    const struct draw_command *command = plan->command;

    if (command->type == QXL_DRAW_COMPOSITE && command->composite.mask != NO_IMAGE &&
        is_own(plan, command->composite.mask))
        return 1;
    return (has_source(command) && is_own(plan, command->image)) ||
           brush_is_own(plan, &command->brush) ||
           (command->type == QXL_DRAW_TEXT && brush_is_own(plan, &command->back_brush));
}

static void
draw_opened(struct painter *painter)
{
    switch (painter->command->type) {
    case QXL_DRAW_FILL:
    case QXL_DRAW_BLACKNESS:
    case QXL_DRAW_WHITENESS:
    case QXL_DRAW_INVERS:
        painter->paint = paint_brush;
        break;
    case QXL_DRAW_COPY:
    case QXL_DRAW_BLEND:
        painter->paint = paint_copy;
        break;
    case QXL_DRAW_OPAQUE:
        painter->paint = paint_opaque;
        break;
    case QXL_DRAW_ROP3:
        painter->paint = paint_rop3;
        break;
    case QXL_DRAW_TRANSPARENT:
        painter->paint = paint_transparent;
        break;
    case QXL_DRAW_ALPHA_BLEND:
        paint_blend(painter);
        return;
    case QXL_DRAW_COMPOSITE:
        paint_composite(painter);
        return;
    case QXL_DRAW_TEXT:
        paint_text(painter);
        return;
    default:
        paint_stroke(painter);
        return;
    }
    paint_visible(painter);
}

void
paint_plan(const struct draw_plan *plan, struct canvas *canvas)
{
    struct painter painter = {.canvas = canvas,
                              .plan = plan,
                              .command = plan->command,
                              .target = *plan->surface,
                              .reading = PICTURE_TO_READ,
                              .rop = plan->rop};
    int ready = painter_open(&painter) == PICTURE_OK;

    if (ready && reads_own_surface(plan))
        ready = take_double(&painter) == 0;
    if (ready)
        draw_opened(&painter);
    if (ready && painter.double_pixels)
        put_double(&painter);
    painter_close(&painter);
    for (uint32_t i = 0; i < plan->num_rects; i++)
        canvas->counters.pixel_bytes += (uint64_t)box_width(plan->rects[i]) *
                                        box_height(plan->rects[i]) *
                                        plan->surface->pixel_size;
}
