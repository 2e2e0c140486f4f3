/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas_brush.c: colors and patterns, row by row.
 */
#include <spice/enums.h>
#include <string.h>

#include "canvas_paint.h"
#include "canvas_rop.h"

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
        uint32_t count = pattern->width < width - done ? pattern->width : width - done;

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
