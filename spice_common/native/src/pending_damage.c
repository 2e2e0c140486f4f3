/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pending_damage.c: damaged tiles of a surface become pictures.
 *
 * What to send is decided by looking at the canvas; then each picture is copied from it
 * once, into the copy of what the client shows, and encoded from there.  So what is
 * sent is what is remembered, whatever the guest writes meanwhile.
 */
#include <spice/enums.h>
#include <stdlib.h>
#include <string.h>

#include "damage_split.h"
#include "display_message_writer.h"
#include "pending_state.h"
#include "tile_diff.h"

enum {
    MAX_PICTURE = 1 << 20,  /* bytes of pixels in one message */
    MIN_SCROLL_TILES = 64,  /* changed; moving less is not worth the search */
    MAX_SCROLLS = 2,        /* searches in one surface at a time */
    MAX_VAIN_SEARCHES = 15, /* half as many flushes go without one then */
};

static struct pixels
canvas_pixels(const struct surface *surface)
{
    struct pixels pixels = {surface->line_0, surface->width, surface->height,
                            surface->stride, surface->format};

    return pixels;
}

static struct pixels
shadow_pixels(const struct pending_surface *surface)
{
    struct pixels pixels = {surface->shadow.data, surface->width, surface->height,
                            (int64_t)surface->shadow.stride, surface->format};

    return pixels;
}

/* Damage that shows the right pixels already is none. */
static void
drop_same(struct pending *pending, struct pending_surface *surface,
          const struct surface *now)
{
    struct pixels shown = shadow_pixels(surface), canvas = canvas_pixels(now);
    struct tile_map known;
    uint32_t before;

    if (tile_map_init(&known, surface->width, surface->height))
        return;
    tile_map_merge(&known, &surface->damage);
    tile_map_subtract(&known, &surface->unknown);
    tile_map_subtract(&surface->damage, &known);
    before = tile_map_count(&known);
    pending->counters.same_tiles +=
        before - tile_map_keep_changed(&known, &shown, &canvas);
    tile_map_merge(&surface->damage, &known);
    tile_map_fini(&known);
}

/* Tiles that a native changed show what the canvas has, unless they are damaged. */
static void
learn_unknown(struct pending_surface *surface, const struct surface *now)
{
    struct tile_map learnt;
    struct tile_run run = {0, 0, 0};

    if (tile_map_empty(&surface->unknown) ||
        tile_map_init(&learnt, surface->width, surface->height))
        return;
    tile_map_merge(&learnt, &surface->unknown);
    tile_map_subtract(&learnt, &surface->damage);
    while (tile_map_next(&learnt, &run))
        shadow_copy(&surface->shadow, now, tile_run_box(&learnt, &run));
    tile_map_subtract(&surface->unknown, &learnt);
    tile_map_fini(&learnt);
}

/* Move about max_bytes of damage, from the top, to part. */
static void
take_part(struct pending_surface *surface, struct tile_map *part, uint64_t *max_bytes)
{
    uint64_t tile_bytes =
        (uint64_t)TILE_SIZE * TILE_SIZE * surface_pixel_size(surface->format);
    struct tile_run run = {0, 0, 0};

    while (*max_bytes > 0 && tile_map_next(&surface->damage, &run)) {
        tile_map_add(part, tile_run_box(part, &run));
        spend(max_bytes, run.count * tile_bytes);
    }
    tile_map_subtract(&surface->damage, part);
}

/* Copy box from the canvas to where nobody else writes; NULL: no memory. */
static const uint8_t *
take_pixels(struct pending *pending, struct pending_surface *surface,
            const struct surface *now, pixman_box32_t box, size_t *stride)
{
    size_t row = (size_t)box_width(box) * now->pixel_size;
    size_t size = row * box_height(box);

    if (surface->shadow.data) {
        shadow_copy(&surface->shadow, now, box);
        *stride = surface->shadow.stride;
        return shadow_at(&surface->shadow, box.x1, box.y1);
    }
    if (size > pending->cap_scratch) {
        free(pending->scratch);
        pending->scratch = malloc(size);
        pending->cap_scratch = pending->scratch ? size : 0;
    }
    if (!pending->scratch)
        return NULL;
    for (int32_t y = box.y1; y < box.y2; y++)
        memcpy(pending->scratch + (size_t)(y - box.y1) * row,
               now->line_0 + (ptrdiff_t)y * now->stride +
                   (size_t)box.x1 * now->pixel_size,
               row);
    *stride = row;
    return pending->scratch;
}

/* Photos are sent first and together, if the pixels stay where they are. */
static int
is_photo(const struct pending *pending, const struct pending_surface *surface,
         const struct damage_piece *piece)
{
    struct picture picture = {.box = piece->box, .kind = (uint8_t)piece->kind};

    return piece->kind != KIND_FLAT && surface->shadow.data &&
           pending_is_photo(pending, &picture);
}

static void
send_photos(struct pending *pending, struct pending_surface *surface,
            const struct surface *now, struct display_messages *messages)
{
    for (uint32_t i = 0; i < pending->split.num_pieces; i++) {
        const struct damage_piece *piece = &pending->split.pieces[i];
        struct picture picture = {.box = piece->box, .kind = (uint8_t)piece->kind};

        if (!is_photo(pending, surface, piece))
            continue;
        picture.pixels =
            take_pixels(pending, surface, now, piece->box, &picture.stride);
        pending_add_photo(pending, surface, &picture, messages);
    }
    pending_send_photos(pending, surface, messages);
}

static void
send_piece(struct pending *pending, struct pending_surface *surface,
           const struct surface *now, const struct damage_piece *piece,
           struct display_messages *messages)
{
    struct picture picture = {.box = piece->box, .kind = (uint8_t)piece->kind};

    if (piece->kind == KIND_FLAT) {
        struct message_base base = {surface->id, piece->box, NULL, 0};

        write_draw_fill(messages, &base, piece->color, SPICE_ROPD_OP_PUT);
        pending->counters.flat++;
        if (surface->shadow.data)
            shadow_fill(&surface->shadow, piece->box, piece->color);
        tile_map_remove_inside(&surface->lossy, piece->box);
        return;
    }
    picture.pixels = take_pixels(pending, surface, now, piece->box, &picture.stride);
    if (!picture.pixels) {
        pending->broken = 1;
        return;
    }
    if (pending_send_picture(pending, surface, &picture, messages))
        tile_map_add(&surface->lossy, piece->box);
    else
        tile_map_remove_inside(&surface->lossy, piece->box);
}

static void
send_part(struct pending *pending, struct pending_surface *surface,
          const struct surface *now, const struct tile_map *part, int compare,
          struct display_messages *messages)
{
    struct pixels canvas = canvas_pixels(now), shown = shadow_pixels(surface);

    if (tile_map_empty(part))
        return;
    if (damage_split(&pending->split, part, &canvas, compare ? &shown : NULL,
                     MAX_PICTURE)) {
        pending->broken = 1;
        return;
    }
    send_photos(pending, surface, now, messages);
    for (uint32_t i = 0; i < pending->split.num_pieces; i++) {
        const struct damage_piece *piece = &pending->split.pieces[i];

        if (!is_photo(pending, surface, piece))
            send_piece(pending, surface, now, piece, messages);
    }
}

/* Send what can be compared, and apart from it what cannot. */
static int
send_parts(struct pending *pending, struct pending_surface *surface,
           const struct surface *now, struct display_messages *messages,
           uint64_t *max_bytes)
{
    struct tile_map part, unknown;

    if (tile_map_init(&part, surface->width, surface->height))
        return -1;
    if (tile_map_init(&unknown, surface->width, surface->height)) {
        tile_map_fini(&part);
        return -1;
    }
    take_part(surface, &part, max_bytes);
    tile_map_merge(&unknown, &part);
    if (surface->shadow.data)
        tile_map_intersect(&unknown, &surface->unknown);
    tile_map_subtract(&part, &unknown);
    send_part(pending, surface, now, &part, 1, messages);
    send_part(pending, surface, now, &unknown, 0, messages);
    tile_map_subtract(&surface->unknown, &unknown);
    tile_map_fini(&part);
    tile_map_fini(&unknown);
    return 0;
}

/* One picture of all of the surface, which some clients take for the whole screen. */
static void
send_whole(struct pending *pending, struct pending_surface *surface,
           const struct surface *now, struct display_messages *messages)
{
    struct damage_piece piece = {
        .box = {0, 0, (int32_t)surface->width, (int32_t)surface->height},
        .kind = KIND_TEXT,
    };

    send_piece(pending, surface, now, &piece, messages);
    tile_map_clear(&surface->damage);
    tile_map_clear(&surface->unknown);
}

static void
send_scroll(struct pending_surface *surface, const struct scroll *scroll,
            struct display_messages *messages)
{
    struct message_base base = {surface->id, scroll->to, NULL, 0};
    pixman_box32_t from = {scroll->to.x1 - scroll->dx, scroll->to.y1 - scroll->dy,
                           scroll->to.x2 - scroll->dx, scroll->to.y2 - scroll->dy};

    write_copy_bits(messages, &base, -scroll->dx, -scroll->dy);
    shadow_move(&surface->shadow, &scroll->to, 1, -scroll->dx, -scroll->dy);
    if (tile_map_touches(&surface->lossy, from))
        tile_map_add(&surface->lossy, scroll->to);
    tile_map_add(&surface->damage, scroll->to);
}

/* Damage that is there already, elsewhere on the client's screen, is moved. */
static void
send_scrolls(struct pending *pending, struct pending_surface *surface,
             const struct surface *now, struct display_messages *messages)
{
    struct pixels shown = shadow_pixels(surface), canvas = canvas_pixels(now);
    struct scroll scroll;
    int found = 0;

    if (tile_map_count(&surface->damage) < MIN_SCROLL_TILES)
        return;
    if (pending->scroll_pause > 0) {
        pending->scroll_pause--;
        return;
    }
    for (int i = 0; i < MAX_SCROLLS; i++) {
        if (tile_map_count(&surface->damage) < MIN_SCROLL_TILES ||
            !tile_map_empty(&surface->unknown) ||
            !scroll_find(&pending->finder, &shown, &canvas, &surface->damage,
                         &scroll)) {
            break;
        }
        send_scroll(surface, &scroll, messages);
        pending->counters.scrolls++;
        drop_same(pending, surface, now);
        found = 1;
    }
    /* What moves goes on moving; what does not is not looked at every time. */
    pending->vain_searches = found ? 0 : 2 * pending->vain_searches + 1;
    if (pending->vain_searches > MAX_VAIN_SEARCHES)
        pending->vain_searches = MAX_VAIN_SEARCHES;
    pending->scroll_pause = pending->vain_searches / 2;
}

int
pending_send_damage(struct pending *pending, struct pending_surface *surface,
                    struct display_messages *messages, uint64_t *max_bytes, int whole)
{
    const struct surface *now = canvas_find(pending->canvas, surface->id);

    if (!now || now->serial != surface->serial)
        return 0;
    if (surface->shadow.data)
        learn_unknown(surface, now);
    if (tile_map_empty(&surface->damage))
        return 0;
    if (whole) {
        send_whole(pending, surface, now, messages);
        return 0;
    }
    if (surface->shadow.data) {
        drop_same(pending, surface, now);
        send_scrolls(pending, surface, now, messages);
    }
    if (send_parts(pending, surface, now, messages, max_bytes))
        pending->broken = 1;
    return !tile_map_empty(&surface->damage);
}
