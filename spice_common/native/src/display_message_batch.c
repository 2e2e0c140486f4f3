/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * display_message_batch.c: commands in ring order become pixels and messages.
 */
#include <spice/enums.h>
#include <spice/qxl_dev.h>
#include <stdlib.h>

#include "bitmap.h"
#include "display_message_writer.h"

enum {
    CLIP_OVERHEAD = 64,  /* time to sort a clip rectangle, in bytes copied meanwhile */
    CHUNK_OVERHEAD = 16, /* the same for a chunk of an image */
};

/* One call's work. */
struct drawing {
    struct canvas *canvas;
    const struct command_batch *batch;
    struct display_messages *messages; /* may be NULL */
    struct batch_position *position;
    uint64_t room; /* bytes until it is time to return */
};

/* Draw the pixels of rects, which lie in box, through one message. */
static void
copy_through_message(struct drawing *drawing, const struct draw_plan *plan,
                     const struct message_base *base, const pixman_box32_t *rects,
                     uint32_t num_rects)
{
    struct canvas *canvas = drawing->canvas;
    uint32_t format = message_format(plan->surface->format);
    uint8_t *pixels = NULL;
    size_t stride = 0;

    if (drawing->messages)
        pixels = write_draw_copy_bitmap(drawing->messages, base, plan->rop,
                                        plan->surface->format, &stride);
    if (pixels) {
        struct bitmap_part part = {(uint32_t)(base->box.x1 + plan->dx),
                                   (uint32_t)(base->box.y1 + plan->dy),
                                   box_width(base->box), box_height(base->box)};

        bitmap_source_read(&plan->bitmap, &canvas->scratch, part, format, pixels,
                           (ptrdiff_t)stride);
    }
    for (uint32_t i = 0; i < num_rects; i++) {
        size_t x = (size_t)(rects[i].x1 - base->box.x1);
        size_t y = (size_t)(rects[i].y1 - base->box.y1);

        if (pixels)
            draw_pixels(plan, canvas, rects[i],
                        pixels + y * stride + x * surface_pixel_size(format), stride,
                        format);
        else
            draw_bitmap_rect(plan, canvas, rects[i]);
    }
}

/* Draw what of the clip lies in band. */
static void
copy_clipped_band(struct drawing *drawing, const struct draw_plan *plan,
                  pixman_box32_t band)
{
    struct message_base base = {.surface_id = plan->surface->id};
    pixman_region32_t visible;
    pixman_box32_t *rects;
    int count;

    pixman_region32_init(&visible);
    if (pixman_region32_intersect_rect(&visible, &drawing->canvas->clip, band.x1,
                                       band.y1, box_width(band), box_height(band))) {
        rects = pixman_region32_rectangles(&visible, &count);
        base.box = *pixman_region32_extents(&visible);
        base.clips = rects;
        base.num_clips = count > 1 ? (uint32_t)count : 0;
        if (count > 0)
            copy_through_message(drawing, plan, &base, rects, (uint32_t)count);
    }
    pixman_region32_fini(&visible);
}

/* Whether one message with clip rectangles is smaller than one for each of them. */
static int
copy_in_one_piece(const struct draw_plan *plan)
{
    uint64_t apart = 0;

    for (uint32_t i = 0; i < plan->num_rects; i++)
        apart += pixels_cost(plan->surface, plan->rects[i]);
    return pixels_cost(plan->surface, plan->extents) +
               sizeof(struct draw_rect) * plan->num_rects <=
           apart;
}

/* 1 when the command is done, 0 when the room was used up before. */
static int
copy_bitmap(struct drawing *drawing, const struct draw_plan *plan)
{
    struct batch_position *position = drawing->position;
    int whole = copy_in_one_piece(plan);
    uint32_t pieces = whole ? 1 : plan->num_rects;
    int moved = 0; /* each call gets on, or a dear plan would be made for ever */

    while (position->piece < pieces) {
        pixman_box32_t piece = whole ? plan->extents : plan->rects[position->piece];

        while (position->row < box_height(piece)) {
            pixman_box32_t band = next_band(plan->surface, piece, position->row,
                                            MAX_DRAW_MESSAGE_SIZE);
            struct message_base base = {plan->surface->id, band, NULL, 0};

            if (drawing->room == 0 && moved)
                return 0;
            moved = 1;
            if (whole && plan->num_rects > 1)
                copy_clipped_band(drawing, plan, band);
            else
                copy_through_message(drawing, plan, &base, &band, 1);
            spend(&drawing->room, pixels_cost(plan->surface, band));
            position->row += box_height(band);
        }
        position->row = 0;
        position->piece++;
    }
    return 1;
}

static void
write_plan(struct display_messages *messages, const struct draw_plan *plan)
{
    struct message_base base = {plan->surface->id, plan->extents, plan->rects,
                                plan->num_rects > 1 ? plan->num_rects : 0};

    switch (plan->kind) {
    case DRAW_SURFACE:
        write_draw_copy_surface(messages, &base, plan->rop, plan->source, plan->dx,
                                plan->dy);
        break;
    case DRAW_SOLID:
        write_draw_fill(messages, &base, plan->color, plan->wire_rop);
        break;
    case DRAW_COPY_BITS:
        write_copy_bits(messages, &base, plan->dx, plan->dy);
        break;
    default:
        break;
    }
}

/* Clients are told the outcome of what no message of ours can say. */
static void
write_outcome(struct drawing *drawing, const struct draw_plan *plan)
{
    uint32_t row = 0;

    while (row < box_height(plan->extents)) {
        pixman_box32_t band =
            next_band(plan->surface, plan->extents, row, MAX_DRAW_MESSAGE_SIZE);

        write_surface_band(drawing->canvas, drawing->messages, plan->surface, band);
        row += box_height(band);
    }
}

static uint64_t
plan_cost(const struct drawing *drawing, const struct draw_command *command)
{
    uint64_t cost = DRAW_OVERHEAD + (uint64_t)CLIP_OVERHEAD * command->num_clips;

    if (command->image != NO_IMAGE)
        cost += (uint64_t)CHUNK_OVERHEAD *
                drawing->batch->images[command->image].num_chunks;
    return cost;
}

static int
draw(struct drawing *drawing, const struct draw_command *command)
{
    struct canvas *canvas = drawing->canvas;
    struct draw_plan plan;
    int done = 1;

    draw_plan_init(&plan, canvas, drawing->batch, command);
    /* Only once: a dear plan that took all the room of every call would let each draw
     * a single rectangle. */
    if (drawing->position->piece == 0 && drawing->position->row == 0)
        spend(&drawing->room, plan_cost(drawing, command));
    if (plan.kind == DRAW_NOT_AT_ALL)
        return 1;
    if (drawing->messages)
        add_damage(drawing->messages, plan.surface->id, plan.extents);
    if (plan.kind == DRAW_BITMAP) {
        done = copy_bitmap(drawing, &plan);
    } else {
        if (drawing->messages)
            write_plan(drawing->messages, &plan);
        draw_plan_execute(&plan, canvas);
        if (drawing->messages && plan.kind == DRAW_OTHER)
            write_outcome(drawing, &plan);
        spend(&drawing->room, pixels_cost(plan.surface, plan.extents));
    }
    if (done)
        canvas->counters.drawn[command->type]++;
    return done;
}

/* Send the surface's pixels as they are; 1 when done. */
static int
send_surface(struct drawing *drawing, const struct surface *surface)
{
    pixman_box32_t whole = {0, 0, (int32_t)surface->width, (int32_t)surface->height};
    uint32_t first = drawing->position->row;

    add_damage(drawing->messages, surface->id, whole);
    while (drawing->position->row < surface->height) {
        pixman_box32_t band = next_band(surface, whole, drawing->position->row,
                                        MAX_DRAW_MESSAGE_SIZE);

        if (drawing->room == 0 && drawing->position->row > first)
            return 0;
        write_surface_band(drawing->canvas, drawing->messages, surface, band);
        spend(&drawing->room, pixels_cost(surface, band));
        drawing->position->row += box_height(band);
    }
    return 1;
}

static void
reject(struct canvas *canvas)
{
    canvas->counters.rejected++;
    canvas->counters.not_drawn++;
}

static int
create_surface(struct drawing *drawing, const struct surface_command *command)
{
    struct canvas *canvas = drawing->canvas;
    int keep = (command->flags & QXL_SURF_FLAG_KEEP_DATA) != 0;
    uint64_t step = (uint64_t)llabs((long long)command->stride);
    struct surface *surface;

    if (drawing->position->piece == 0) {
        drawing->position->piece = 1;
        if (canvas_create_surface(canvas, command->surface_id, command->format,
                                  command->width, command->height, command->stride,
                                  command->data, step * command->height, !keep)) {
            reject(canvas);
            return 1;
        }
        surface = canvas_find(canvas, command->surface_id);
        spend(&drawing->room, step * command->height);
        if (drawing->messages) {
            add_surface_event(drawing->messages, surface->id, surface->serial);
            write_surface_create(drawing->messages, surface);
        }
    }
    surface = canvas_find(canvas, command->surface_id);
    return surface && keep && drawing->messages ? send_surface(drawing, surface) : 1;
}

static int
handle_surface_command(struct drawing *drawing, const struct surface_command *command)
{
    struct canvas *canvas = drawing->canvas;

    /* Surface 0 comes and goes through I/O ports only. */
    if (command->surface_id == 0) {
        reject(canvas);
        return 1;
    }
    if (command->type == QXL_SURFACE_CMD_CREATE)
        return create_surface(drawing, command);
    if (canvas_destroy_surface(canvas, command->surface_id)) {
        reject(canvas);
    } else if (drawing->messages) {
        add_surface_event(drawing->messages, command->surface_id, 0);
        write_surface_destroy(drawing->messages, command->surface_id);
    }
    return 1;
}

static int
handle_entry(struct drawing *drawing, const struct batch_entry *entry)
{
    const struct command_batch *batch = drawing->batch;

    switch (entry->kind) {
    case BATCH_DRAW:
        return draw(drawing, &batch->draws[entry->index]);
    case BATCH_SURFACE:
        return handle_surface_command(drawing, &batch->surface_commands[entry->index]);
    default: /* everything is drawn at once: an update finds nothing left to do */
        return 1;
    }
}

int
display_draw_batch(struct canvas *canvas, const struct command_batch *batch,
                   struct batch_position *position, struct display_messages *messages,
                   uint64_t max_bytes)
{
    struct drawing drawing = {canvas, batch, messages, position,
                              max_bytes ? max_bytes : 1};

    while (position->entry < batch->num_entries) {
        if (!drawing.room || !handle_entry(&drawing, &batch->entries[position->entry]))
            return 1;
        position->entry++;
        position->piece = 0;
        position->row = 0;
    }
    return 0;
}
