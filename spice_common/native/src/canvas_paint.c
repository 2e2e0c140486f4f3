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

/* ---- masks */

enum picture_status
mask_init(struct mask *mask, struct canvas *canvas, const struct draw_plan *plan)
{
    const struct draw_command *command = plan->command;
    const struct guest_image *image;

    mask->is_there = command->mask.image != NO_IMAGE;
    mask->bits.owned = NULL;
    if (!mask->is_there)
        return PICTURE_OK;
    image = &plan->batch->images[command->mask.image];
    if (image->kind != SPICE_IMAGE_TYPE_BITMAP ||
        bitmap_bits_per_pixel(image->format) != 1)
        return PICTURE_BAD; /* the clients take no other bits for a mask's */
    mask->bits.scratch = &canvas->more_scratch[1];
    if (bitmap_source_init(&mask->bits.bitmap, mask->bits.scratch, plan->batch, image))
        return PICTURE_BAD;
    mask->bits.bitmap.palette[0] = 0;
    mask->bits.bitmap.palette[1] = 1;
    mask->bits.kind = PICTURE_BITMAP;
    mask->bits.width = image->width;
    mask->bits.height = image->height;
    mask->bits.layout = SPICE_SURFACE_FMT_32_xRGB;
    mask->bits.pixel_size = 4;
    mask->inverts = (command->mask.flags & SPICE_MASK_FLAGS_INVERS) != 0;
    mask->dx = command->mask.pos_x - command->bbox.left;
    mask->dy = command->mask.pos_y - command->bbox.top;
    return PICTURE_OK;
}

/* Paint what the mask shows of one row. */
static void
paint_runs(struct painter *painter, pixman_box32_t row, const uint32_t *bits)
{
    uint32_t hidden = painter->mask.inverts;
    int32_t x = row.x1;

    while (x < row.x2) {
        pixman_box32_t run = {x, row.y1, x, row.y2};

        while (run.x2 < row.x2 && bits[run.x2 - row.x1] != hidden)
            run.x2++;
        if (run.x2 > run.x1)
            painter->paint(painter, run);
        x = run.x2 + 1;
    }
}

/* Nothing is drawn outside of the mask's bitmap, even if the mask is inverted. */
static void
paint_masked(struct painter *painter, pixman_box32_t box)
{
    const struct mask *mask = &painter->mask;
    uint32_t *bits = (uint32_t *)painter->canvas->bands[BAND_MASK];
    int32_t right = (int32_t)mask->bits.width - mask->dx;
    int32_t bottom = (int32_t)mask->bits.height - mask->dy;

    box.x1 = box.x1 < -mask->dx ? -mask->dx : box.x1;
    box.y1 = box.y1 < -mask->dy ? -mask->dy : box.y1;
    box.x2 = box.x2 > right ? right : box.x2;
    box.y2 = box.y2 > bottom ? bottom : box.y2;
    if (box.x1 >= box.x2)
        return;
    for (int32_t y = box.y1; y < box.y2; y++) {
        pixman_box32_t row = {box.x1, y, box.x2, y + 1};
        struct bitmap_part part = {(uint32_t)(row.x1 + mask->dx),
                                   (uint32_t)(y + mask->dy), box_width(row), 1};

        picture_read(&mask->bits, part, (uint8_t *)bits, 0);
        paint_runs(painter, row, bits);
    }
}

void
paint_visible(struct painter *painter)
{
    const struct draw_plan *plan = painter->plan;

    for (uint32_t i = 0; i < plan->num_rects; i++) {
        if (painter->mask.is_there)
            paint_masked(painter, plan->rects[i]);
        else
            painter->paint(painter, plan->rects[i]);
    }
}

/* ---- sources */

/*
 * The clients scale to the format of the surface if that is all they do, otherwise to
 * that of the source: they differ in what becomes of a byte that is alpha in one of them.
 */
static pixman_format_code_t
scaled_format(const struct painter *painter)
{
    const struct draw_command *command = painter->command;
    int is_copy = command->type == QXL_DRAW_OPAQUE ||
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
    image = pixman_image_create_bits(scaled_format(painter), (int)box_width(band),
                                     (int)box_height(band), (uint32_t *)rows,
                                     (int)*stride);
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

/* ---- brushes */

enum picture_status
brush_init(struct brush *brush, struct canvas *canvas, const struct draw_plan *plan,
           const struct draw_brush *from, enum picture_reading reading)
{
    brush->is_pattern = from->type == SPICE_BRUSH_TYPE_PATTERN;
    brush->color = from->type == SPICE_BRUSH_TYPE_SOLID ? from->color : 0;
    brush->pattern.owned = NULL;
    brush->pattern.surface = NULL;
    brush->pattern.portable = 1;
    brush->row_y = -1;
    brush->columns.x1 = brush->columns.x2 = 0;
    if (!brush->is_pattern)
        return PICTURE_OK;
    brush->x = from->pos_x;
    brush->y = from->pos_y;
    return picture_init(&brush->pattern, canvas, &canvas->more_scratch[0], plan,
                        from->image, PICTURE_AS_SURFACE, reading);
}

static uint32_t
modulo(int64_t number, uint32_t size)
{
    int64_t rest = number % size;

    return (uint32_t)(rest < 0 ? rest + size : rest);
}

/* Width pixels of a row of the pattern, from column x of it on, again and again. */
static void
read_pattern(struct painter *painter, uint32_t x, uint32_t y, uint32_t width,
             uint8_t *row)
{
    const struct picture *pattern = &painter->brush.pattern;
    size_t pixel = painter->target.pixel_size;
    uint32_t done = 0;

    while (done < width && done < pattern->width) {
        uint32_t count = pattern->width - x;

        if (count > width - done)
            count = width - done;
        if (count > pattern->width - done)
            count = pattern->width - done;
        picture_read_row(pattern, painter->canvas, x, y, count, painter->target.format,
                         row + done * pixel);
        done += count;
        x = 0;
    }
    for (; done < width; done += pattern->width) {
        uint32_t count =
            pattern->width < width - done ? pattern->width : width - done;

        memcpy(row + done * pixel, row, count * pixel);
    }
}

const uint8_t *
brush_row(struct painter *painter, pixman_box32_t box, int32_t y)
{
    struct brush *brush = &painter->brush;
    uint8_t *row = painter->canvas->bands[BAND_BRUSH];
    int64_t wanted = 0;
    uint32_t x = 0;

    if (brush->is_pattern) {
        wanted = modulo((int64_t)y - brush->y, brush->pattern.height);
        x = modulo((int64_t)box.x1 - brush->x, brush->pattern.width);
    }
    if (wanted == brush->row_y && box.x1 == brush->columns.x1 &&
        box.x2 <= brush->columns.x2)
        return row;
    if (brush->is_pattern)
        read_pattern(painter, x, (uint32_t)wanted, box_width(box), row);
    else
        rop_fill_row(row, brush->color, box_width(box), painter->target.pixel_size);
    brush->row_y = wanted;
    brush->columns = box;
    return row;
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
    painter->target.line_0 = painter->double_pixels - (ptrdiff_t)box.y1 * (ptrdiff_t)row -
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
