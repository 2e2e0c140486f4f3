/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pending_add.c: what a command that was drawn means to one client.
 */
#include <spice/enums.h>
#include <spice/qxl_dev.h>
#include <string.h>

#include "draw_message.h"
#include "pending_state.h"

enum {
    MAX_EXACT_RECTS = 64, /* of a clip; beyond, the rectangle around them counts */
};

static int
reserve_native(struct pending *pending, uint32_t num_rects)
{
    return pending->num_natives >= MAX_NATIVES ||
                   pending_reserve((void **)&pending->natives, &pending->cap_natives,
                                   pending->num_natives, 1, sizeof(struct native)) ||
                   pending_reserve((void **)&pending->rects, &pending->cap_rects,
                                   pending->num_rects, num_rects,
                                   sizeof(pixman_box32_t))
               ? -1
               : 0;
}

struct native *
pending_append(struct pending *pending, enum native_kind kind,
               const struct pending_surface *surface, const pixman_box32_t *rects,
               uint32_t num_rects)
{
    struct native *native;

    if (reserve_native(pending, num_rects)) {
        pending->broken = 1;
        return NULL;
    }
    native = &pending->natives[pending->num_natives++];
    memset(native, 0, sizeof(*native));
    native->kind = (uint8_t)kind;
    native->surface_id = surface->id;
    native->serial = surface->serial;
    native->format = surface->format;
    native->first_rect = pending->num_rects;
    native->num_rects = num_rects;
    native->extents =
        (pixman_box32_t){0, 0, (int32_t)surface->width, (int32_t)surface->height};
    if (num_rects) {
        memcpy(pending->rects + pending->num_rects, rects, num_rects * sizeof(*rects));
        pending->num_rects += num_rects;
        native->extents = rects[0];
    }
    for (uint32_t i = 1; i < num_rects; i++) {
        native->extents.x1 =
            native->extents.x1 < rects[i].x1 ? native->extents.x1 : rects[i].x1;
        native->extents.x2 =
            native->extents.x2 > rects[i].x2 ? native->extents.x2 : rects[i].x2;
        native->extents.y1 =
            native->extents.y1 < rects[i].y1 ? native->extents.y1 : rects[i].y1;
        native->extents.y2 =
            native->extents.y2 > rects[i].y2 ? native->extents.y2 : rects[i].y2;
    }
    return native;
}

/* The client shall see the result of plan, not draw it. */
static void
add_damage_of(struct pending *pending, struct pending_surface *surface,
              const struct draw_plan *plan)
{
    pending->counters.damaged++;
    if (plan->num_rects > MAX_EXACT_RECTS) {
        tile_map_add(&surface->damage, plan->extents);
        return;
    }
    for (uint32_t i = 0; i < plan->num_rects; i++)
        tile_map_add(&surface->damage, plan->rects[i]);
}

static int
is_bitmap(const struct command_batch *batch, uint32_t image)
{
    return image != NO_IMAGE && batch->images[image].kind != SPICE_IMAGE_TYPE_SURFACE;
}

/* Whether the client is to draw the command: it is told without any pixels. */
static int
is_native(const struct pending *pending, const struct command_batch *batch,
          const struct draw_plan *plan)
{
    const struct draw_command *command = plan->command;

    if (pending->settings.pictures || !plan->portable || command->self_bitmap ||
        is_bitmap(batch, command->image) ||
        is_bitmap(batch, command->mask.image))
        return 0;
    switch (command->type) {
    case QXL_DRAW_STROKE:
    case QXL_DRAW_FILL:
    case QXL_DRAW_OPAQUE:
    case QXL_DRAW_ROP3:
        return command->brush.type != SPICE_BRUSH_TYPE_PATTERN;
    case QXL_DRAW_TEXT:
        return command->brush.type != SPICE_BRUSH_TYPE_PATTERN &&
               command->back_brush.type != SPICE_BRUSH_TYPE_PATTERN;
    case QXL_DRAW_COMPOSITE:
        return pending->settings.composite &&
               !is_bitmap(batch, command->composite.mask);
    default:
        return 1;
    }
}

/* The natives read what they read after the canvas did: it must not be damage. */
void
pending_before_draw(struct pending *pending, const struct draw_plan *plan)
{
    for (uint32_t i = 0; i < plan->num_reads && !pending->settings.pictures; i++) {
        const struct plan_read *read = &plan->reads[i];
        struct pending_surface *surface = pending_find(pending, read->surface->id);

        if (!surface || read->surface == plan->surface)
            continue;
        if (tile_map_touches(&surface->damage, read->box))
            pending_settle(pending, surface, read->box);
    }
}

/* Damage that a move takes along. */
static void
move_damage(struct pending_surface *surface, const struct draw_plan *plan,
            struct tile_map *map)
{
    struct tile_map before;
    struct tile_run run = {0, 0, 0};

    if (tile_map_empty(map))
        return;
    if (tile_map_init(&before, surface->width, surface->height)) {
        tile_map_fill(map);
        return;
    }
    tile_map_merge(&before, map);
    for (uint32_t i = 0; i < plan->num_rects; i++)
        tile_map_remove_inside(map, plan->rects[i]);
    while (tile_map_next(&before, &run)) {
        pixman_box32_t box = tile_run_box(&before, &run);

        box.x1 -= plan->dx;
        box.x2 -= plan->dx;
        box.y1 -= plan->dy;
        box.y2 -= plan->dy;
        if (box.x1 < plan->extents.x1)
            box.x1 = plan->extents.x1;
        if (box.y1 < plan->extents.y1)
            box.y1 = plan->extents.y1;
        if (box.x2 > plan->extents.x2)
            box.x2 = plan->extents.x2;
        if (box.y2 > plan->extents.y2)
            box.y2 = plan->extents.y2;
        tile_map_add(map, box);
    }
    tile_map_fini(&before);
}

/* Whether a command reads what the client does not have as it is. */
static int
reads_damage(const struct pending *pending, const struct draw_plan *plan)
{
    for (uint32_t i = 0; i < plan->num_reads; i++) {
        const struct pending_surface *surface =
            pending_find(pending, plan->reads[i].surface->id);

        if (surface && tile_map_touches(&surface->damage, plan->reads[i].box))
            return 1;
    }
    return 0;
}

static int
keep_message(struct pending *pending, struct native *native,
             const struct display_messages *message)
{
    if (pending->num_bytes + message->size > MAX_NATIVE_BYTES ||
        pending_reserve((void **)&pending->bytes, &pending->cap_bytes,
                        pending->num_bytes, (uint32_t)message->size, 1))
        return -1;
    memcpy(pending->bytes + pending->num_bytes, message->data, (size_t)message->size);
    native->first_byte = pending->num_bytes;
    native->num_bytes = (uint32_t)message->size;
    pending->num_bytes += native->num_bytes;
    return 0;
}

static void
note_reads(struct native *native, const struct draw_plan *plan)
{
    for (uint32_t i = 0; i < plan->num_reads && i < MAX_READS; i++) {
        native->reads[i].surface_id = plan->reads[i].surface->id;
        native->reads[i].box = plan->reads[i].box;
        native->num_reads++;
    }
}

/* 0, or -1: there is no room for one more. */
static int
add_native(struct pending *pending, struct pending_surface *surface,
           const struct draw_plan *plan, const struct display_messages *message)
{
    struct native *native;

    if (pending->num_natives + 1 >= MAX_NATIVES)
        return -1;
    native = pending_append(pending, NATIVE_DRAW, surface, plan->rects,
                            plan->num_rects > MAX_EXACT_RECTS ? 0 : plan->num_rects);
    if (!native)
        return -1;
    if (native->num_rects == 0)
        native->extents = plan->extents;
    native->opaque = plan->opaque && native->num_rects > 0;
    note_reads(native, plan);
    if (plan->kind == DRAW_COPY_BITS && native->num_rects) {
        native->change = SHADOW_MOVE;
        native->dx = plan->dx;
        native->dy = plan->dy;
    } else if (plan->kind == DRAW_SOLID && plan->rop == SPICE_ROPD_OP_PUT &&
               native->num_rects) {
        native->change = SHADOW_FILL;
        native->color = plan->color;
    }
    if (keep_message(pending, native, message)) {
        pending->num_natives--;
        return -1;
    }
    pending->counters.natives++;
    return 0;
}

/* What a native does to the damage; 1 if there is nothing left for it to do. */
static int
change_damage(const struct pending *pending, struct pending_surface *surface,
              const struct draw_plan *plan)
{
    if (plan->kind == DRAW_COPY_BITS) {
        move_damage(surface, plan, &surface->damage);
        move_damage(surface, plan, &surface->lossy);
        return 0;
    }
    if (reads_damage(pending, plan)) {
        tile_map_add(&surface->damage, plan->extents);
        return 1;
    }
    if (plan->opaque && plan->num_rects <= MAX_EXACT_RECTS) {
        for (uint32_t i = 0; i < plan->num_rects; i++)
            tile_map_remove_inside(&surface->damage, plan->rects[i]);
        return 0;
    }
    return tile_map_covers(&surface->damage, plan->extents);
}

void
pending_after_draw(struct pending *pending, const struct command_batch *batch,
                   const struct draw_plan *plan, struct display_messages *message)
{
    struct pending_surface *surface = pending_find(pending, plan->surface->id);

    if (!surface)
        return;
    if (!is_native(pending, batch, plan)) {
        add_damage_of(pending, surface, plan);
        return;
    }
    if (message->size == 0 &&
        write_draw_command(message, batch, plan, write_plain_image, pending->canvas)) {
        add_damage_of(pending, surface, plan);
        return;
    }
    if (change_damage(pending, surface, plan))
        return;
    if (add_native(pending, surface, plan, message)) {
        pending_collapse(pending);
        surface = pending_find(pending, plan->surface->id); /* perhaps a new one */
        if (surface)
            tile_map_add(&surface->damage, plan->extents);
    }
}
