/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pending_draw.c: a batch is drawn on the canvas, and each client's pending notes it.
 */
#include <spice/enums.h>
#include <spice/qxl_dev.h>
#include <stdlib.h>

#include "display_message_writer.h"
#include "pending_state.h"

enum {
    CLIP_OVERHEAD = 64,  /* time to sort a clip rectangle, in bytes copied meanwhile */
    CHUNK_OVERHEAD = 16, /* the same for a chunk of an image */
};

/* One call's work. */
struct drawing {
    struct canvas *canvas;
    const struct command_batch *batch;
    struct pending **clients;
    uint32_t num_clients;
    struct display_messages *message; /* of the command being drawn */
    uint64_t room;                    /* bytes until it is time to return */
};

static uint64_t
plan_cost(const struct drawing *drawing, const struct draw_plan *plan)
{
    const struct draw_command *command = plan->command;
    uint64_t cost = DRAW_OVERHEAD + (uint64_t)CLIP_OVERHEAD * command->num_clips;

    if (command->image != NO_IMAGE)
        cost += (uint64_t)CHUNK_OVERHEAD *
                drawing->batch->images[command->image].num_chunks;
    if (plan->kind != DRAW_NOT_AT_ALL)
        cost += pixels_cost(plan->surface, plan->extents);
    return cost;
}

static void
draw(struct drawing *drawing, const struct draw_command *command)
{
    struct draw_plan plan;

    draw_plan_init(&plan, drawing->canvas, drawing->batch, command);
    spend(&drawing->room, plan_cost(drawing, &plan));
    if (plan.kind == DRAW_NOT_AT_ALL)
        return;
    for (uint32_t i = 0; plan.num_reads && i < drawing->num_clients; i++)
        pending_before_draw(drawing->clients[i], &plan);
    draw_plan_execute(&plan, drawing->canvas);
    if (drawing->num_clients)
        display_messages_clear(drawing->message);
    for (uint32_t i = 0; i < drawing->num_clients; i++)
        pending_after_draw(drawing->clients[i], drawing->batch, &plan,
                           drawing->message);
    drawing->canvas->counters.drawn[command->type]++;
}

static void
reject(struct canvas *canvas)
{
    canvas->counters.rejected++;
    canvas->counters.not_drawn++;
}

static void
create_surface(struct drawing *drawing, const struct surface_command *command)
{
    int keep = (command->flags & QXL_SURF_FLAG_KEEP_DATA) != 0;
    uint64_t step = (uint64_t)llabs((long long)command->stride);

    if (canvas_create_surface(drawing->canvas, command->surface_id, command->format,
                              command->width, command->height, command->stride,
                              command->data, step * command->height, !keep)) {
        reject(drawing->canvas);
        return;
    }
    spend(&drawing->room, step * command->height);
    for (uint32_t i = 0; i < drawing->num_clients; i++)
        pending_surface_created(drawing->clients[i], command->surface_id, !keep);
}

static void
destroy_surface(struct drawing *drawing, const struct surface_command *command)
{
    for (uint32_t i = 0; i < drawing->num_clients; i++)
        pending_surface_destroyed(drawing->clients[i], command->surface_id);
    if (canvas_destroy_surface(drawing->canvas, command->surface_id))
        reject(drawing->canvas);
}

static void
handle_entry(struct drawing *drawing, const struct batch_entry *entry)
{
    const struct command_batch *batch = drawing->batch;
    const struct surface_command *surface;

    switch (entry->kind) {
    case BATCH_DRAW:
        draw(drawing, &batch->draws[entry->index]);
        break;
    case BATCH_SURFACE:
        surface = &batch->surface_commands[entry->index];
        if (surface->surface_id == 0) /* comes and goes through I/O ports only */
            reject(drawing->canvas);
        else if (surface->type == QXL_SURFACE_CMD_CREATE)
            create_surface(drawing, surface);
        else
            destroy_surface(drawing, surface);
        break;
    default: /* everything is drawn at once: an update finds nothing left to do */
        break;
    }
}

int
pending_draw_batch(struct canvas *canvas, const struct command_batch *batch,
                   struct batch_position *position, struct pending **clients,
                   uint32_t num_clients, struct display_messages *scratch,
                   uint64_t max_bytes)
{
    struct drawing drawing = {canvas,      batch,   clients,
                              num_clients, scratch, max_bytes ? max_bytes : 1};

    while (drawing.room && position->entry < batch->num_entries) {
        handle_entry(&drawing, &batch->entries[position->entry]);
        position->entry++;
    }
    if (num_clients)
        display_messages_clear(scratch);
    return position->entry < batch->num_entries;
}
