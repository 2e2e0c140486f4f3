/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pending_flush.c: what is pending becomes messages: natives first, in order, then the
 * pixels of damage.
 */
#include <spice/enums.h>
#include <string.h>

#include "display_message_writer.h"
#include "pending_state.h"

/* Append a message that is made already. */
static void
append_message(struct display_messages *messages, const uint8_t *message, uint32_t size)
{
    uint8_t *at = begin_message(messages, (uint32_t)(message[0] | message[1] << 8),
                                size - MINI_HEADER_SIZE);

    if (at)
        memcpy(at, message + MINI_HEADER_SIZE, size - MINI_HEADER_SIZE);
}

/* The copy of what the client shows follows a native, or is known to be wrong. */
static void
change_shadow(struct pending *pending, struct pending_surface *surface,
              const struct native *native)
{
    const pixman_box32_t *rects = pending->rects + native->first_rect;

    if (!surface->shadow.data)
        return;
    switch (native->change) {
    case SHADOW_MOVE:
        for (uint32_t i = 0; i < native->num_rects; i++) {
            pixman_box32_t from = rects[i];

            from.x1 += native->dx;
            from.x2 += native->dx;
            from.y1 += native->dy;
            from.y2 += native->dy;
            if (tile_map_touches(&surface->unknown, from))
                tile_map_add(&surface->unknown, rects[i]);
        }
        shadow_move(&surface->shadow, rects, native->num_rects, native->dx, native->dy);
        break;
    case SHADOW_FILL:
        for (uint32_t i = 0; i < native->num_rects; i++)
            shadow_fill(&surface->shadow, rects[i], native->color);
        break;
    default:
        tile_map_add(&surface->unknown, native->extents);
        break;
    }
}

static void
send_kept_picture(struct pending *pending, struct pending_surface *surface,
                  const struct native *native, struct display_messages *messages)
{
    struct picture picture = {.box = native->extents,
                              .pixels = pending->pixels + native->first_byte,
                              .kind = KIND_TEXT};
    int lossy;

    picture.stride = native->num_bytes / box_height(picture.box);
    lossy = pending_send_picture(pending, surface, &picture, messages);
    if (pending->surfaces[surface->id] != surface)
        return;
    if (lossy)
        tile_map_add(&surface->lossy, picture.box);
    if (surface->shadow.data)
        tile_map_add(&surface->unknown, picture.box);
}

/* Who draws nothing from surfaces needs to know of none but the one that is shown. */
static int
knows_surface(const struct pending *pending, uint32_t surface_id)
{
    return surface_id == 0 || !pending->settings.pictures;
}

static void
send_black(const struct pending_surface *surface, struct display_messages *messages)
{
    struct message_base base = {
        surface->id, {0, 0, (int32_t)surface->width, (int32_t)surface->height}, NULL, 0};

    write_draw_fill(messages, &base, 0, SPICE_ROPD_OP_PUT);
}

static void
send_create(struct pending *pending, struct pending_surface *surface,
            const struct native *native, struct display_messages *messages)
{
    const struct surface now = {.id = surface->id,
                                .width = surface->width,
                                .height = surface->height,
                                .format = surface->format};

    pending->shown[surface->id] = native->serial;
    if (!knows_surface(pending, surface->id))
        return;
    write_surface_create(messages, &now);
    if (pending->settings.pictures)
        send_black(surface, messages);
    if (pending->surfaces[surface->id] != surface)
        return;
    tile_map_clear(&surface->unknown);
    if (surface->id == 0 && pending->settings.compare)
        shadow_init(&surface->shadow, surface->width, surface->height,
                    surface_pixel_size(surface->format));
}

static void
send_native(struct pending *pending, const struct native *native,
            struct display_messages *messages)
{
    struct pending_surface *surface = pending_find(pending, native->surface_id);
    /* It went since, but other natives read it before: all but its damage counts. */
    struct pending_surface gone = {.id = native->surface_id,
                                   .serial = native->serial,
                                   .width = (uint32_t)native->extents.x2,
                                   .height = (uint32_t)native->extents.y2,
                                   .format = native->format};
    int lasts = surface && surface->serial == native->serial;

    if (!lasts)
        surface = &gone;
    switch (native->kind) {
    case NATIVE_DRAW:
        append_message(messages, pending->bytes + native->first_byte,
                       native->num_bytes);
        if (lasts)
            change_shadow(pending, surface, native);
        break;
    case NATIVE_PICTURE:
        send_kept_picture(pending, surface, native, messages);
        break;
    case NATIVE_CREATE:
        send_create(pending, surface, native, messages);
        break;
    default:
        if (knows_surface(pending, native->surface_id))
            write_surface_destroy(messages, native->surface_id);
        pending->shown[native->surface_id] = 0;
        break;
    }
}

int
pending_flush(struct pending *pending, struct display_messages *messages,
              uint64_t max_bytes, int whole, int exact)
{
    struct pending_surface *primary;

    pending->exact = exact != 0;
    if (pending->broken) {
        pending->broken = 0;
        pending_damage_all(pending);
    }
    pending_sweep(pending);
    for (uint32_t i = 0; i < pending->num_natives; i++) {
        if (!pending->natives[i].hidden)
            send_native(pending, &pending->natives[i], messages);
    }
    pending->num_natives = 0;
    pending->num_rects = 0;
    pending->num_bytes = 0;
    pending->num_pixels = 0;
    primary = pending->surfaces[0];
    return primary &&
           pending_send_damage(pending, primary, messages, &max_bytes, whole);
}
