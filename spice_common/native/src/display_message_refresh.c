/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * display_message_refresh.c: pixels of surfaces, as they are now, for a client.
 */
#include <spice/enums.h>

#include "damage_map.h"
#include "display_message_writer.h"

uint64_t
pixels_cost(const struct surface *surface, pixman_box32_t box)
{
    return DRAW_OVERHEAD +
           (uint64_t)message_row_size(surface->format, box_width(box)) * box_height(box);
}

pixman_box32_t
next_band(const struct surface *surface, pixman_box32_t piece, uint32_t row,
          uint32_t max_message)
{
    size_t row_size = message_row_size(surface->format, box_width(piece));
    uint32_t rows = (uint32_t)(max_message / row_size);
    uint32_t left = box_height(piece) - row;
    pixman_box32_t band = piece;

    if (rows == 0)
        rows = 1;
    band.y1 = piece.y1 + (int32_t)row;
    band.y2 = band.y1 + (int32_t)(rows < left ? rows : left);
    return band;
}

void
write_surface_band(struct canvas *canvas, struct display_messages *messages,
                   const struct surface *surface, pixman_box32_t band)
{
    struct message_base base = {surface->id, band, NULL, 0};
    size_t stride = 0;
    uint8_t *pixels = write_draw_copy_bitmap(messages, &base, SPICE_ROPD_OP_PUT,
                                             surface->format, &stride);

    if (pixels)
        surface_read(canvas, surface, band, message_format(surface->format), pixels,
                     stride);
}

/* The rectangle inside the surface; the map rounds outwards. */
static pixman_box32_t
inside(const struct surface *surface, pixman_box32_t rect)
{
    if (rect.x2 > (int32_t)surface->width)
        rect.x2 = (int32_t)surface->width;
    if (rect.y2 > (int32_t)surface->height)
        rect.y2 = (int32_t)surface->height;
    return rect;
}

struct refresh {
    struct canvas *canvas;
    struct display_messages *messages;
    uint32_t max_message;
    uint64_t room; /* bytes until it is time to return */
};

/* The row at which the room ended; the rectangle's last if it did not. */
static int32_t
refresh_rect(struct refresh *refresh, const struct surface *surface,
             pixman_box32_t rect)
{
    uint32_t row = 0;

    rect = inside(surface, rect);
    if (rect.x1 >= rect.x2 || rect.y1 >= rect.y2)
        return rect.y2;
    while (row < box_height(rect) && refresh->room > 0) {
        pixman_box32_t band = next_band(surface, rect, row, refresh->max_message);

        write_surface_band(refresh->canvas, refresh->messages, surface, band);
        spend(&refresh->room, pixels_cost(surface, band));
        row += box_height(band);
    }
    /* A client that is not sent the run after all is damaged there again. */
    rect.y2 = rect.y1 + (int32_t)row;
    add_damage(refresh->messages, surface->id, rect);
    return rect.y2;
}

/* Refresh what is damaged of the map's first surface; 0 when the room ended first. */
static int
refresh_surface(struct refresh *refresh, struct damage_map *map)
{
    struct damaged_surface *damaged = &map->surfaces[0];
    const struct surface *surface = canvas_find(refresh->canvas, damaged->surface_id);
    int count;
    const pixman_box32_t *rects = pixman_region32_rectangles(&damaged->region, &count);

    for (int i = 0; surface && i < count; i++) {
        int32_t end;

        if (refresh->room == 0 || refresh->messages->num_damage == MAX_RUN_EVENTS) {
            damage_map_drop_rects(map, (uint32_t)i);
            return 0;
        }
        end = refresh_rect(refresh, surface, rects[i]);
        if (end < inside(surface, rects[i]).y2) {
            damage_map_drop_rects(map, (uint32_t)i);
            damage_map_cut_rect(map, end);
            return 0;
        }
    }
    damage_map_drop_rects(map, (uint32_t)count);
    return 1;
}

int
display_refresh(struct canvas *canvas, struct damage_map *map,
                struct display_messages *messages, uint32_t max_message,
                uint64_t max_bytes)
{
    struct refresh refresh = {canvas, messages, max_message, max_bytes ? max_bytes : 1};

    while (map->num_surfaces > 0) {
        if (!refresh_surface(&refresh, map))
            return 1;
    }
    return 0;
}
