/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Commands of every type with numbers of every kind, on surfaces of every format, all
 * of it in memory that a sanitizer watches.  What is drawn inside a clip is what would
 * be drawn there without it, and nothing changes outside: how a command is cut into
 * bands and crops makes no difference.
 */
#include <pixman.h>
#include <spice/enums.h>
#include <spice/qxl_dev.h>
#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "canvas_draw.h"
#include "check.h"
#include "random_scene.h"

enum { ROUNDS = 6000 };

/* ---- surfaces */

static const uint32_t formats[] = {SPICE_SURFACE_FMT_8_A, SPICE_SURFACE_FMT_16_555,
                                   SPICE_SURFACE_FMT_16_565, SPICE_SURFACE_FMT_32_xRGB,
                                   SPICE_SURFACE_FMT_32_ARGB};

enum { NUM_SURFACES = 6 };

struct memory {
    uint8_t *bytes[NUM_SURFACES];
    size_t size[NUM_SURFACES];
    struct canvas *canvas;
};

static void
make_surfaces(struct memory *first, struct memory *second, struct memory *third)
{
    for (uint32_t i = 0; i < NUM_SURFACES; i++) {
        uint32_t format = formats[choose(0, 4)];
        int32_t width = choose(SIDE / 2, SIDE), height = choose(SIDE / 2, SIDE);
        int32_t stride = width * (int32_t)surface_pixel_size(format) + choose(0, 5);

        first->size[i] = second->size[i] = (size_t)(stride * height);
        first->bytes[i] = random_bytes(first->size[i]);
        second->bytes[i] = malloc(first->size[i]);
        CHECK(second->bytes[i]);
        memcpy(second->bytes[i], first->bytes[i], first->size[i]);
        third->bytes[i] = malloc(first->size[i]);
        CHECK(third->bytes[i]);
        memcpy(third->bytes[i], first->bytes[i], first->size[i]);
        stride = chance(2) ? stride : -stride;
        CHECK(!canvas_create_surface(third->canvas, i, format, (uint32_t)width,
                                     (uint32_t)height, stride, third->bytes[i],
                                     first->size[i], 0));
        CHECK(!canvas_create_surface(first->canvas, i, format, (uint32_t)width,
                                     (uint32_t)height, stride, first->bytes[i],
                                     first->size[i], 0));
        CHECK(!canvas_create_surface(second->canvas, i, format, (uint32_t)width,
                                     (uint32_t)height, stride, second->bytes[i],
                                     first->size[i], 0));
    }
}

static void
free_surfaces(struct memory *memory)
{
    for (uint32_t i = 0; i < NUM_SURFACES; i++) {
        CHECK(canvas_destroy_surface(memory->canvas, i) == CANVAS_OK);
        free(memory->bytes[i]);
    }
}

/* ---- what must hold */

static int
draw(struct canvas *canvas, const struct scene *scene, struct draw_plan *plan)
{
    draw_plan_init(plan, canvas, scene->batch, &scene->batch->draws[0]);
    if (plan->kind == DRAW_NOT_AT_ALL)
        return 0;
    for (uint32_t i = 0; i < plan->num_reads; i++) {
        const struct plan_read *read = &plan->reads[i];

        CHECK(read->box.x1 >= 0 && read->box.x1 < read->box.x2);
        CHECK(read->box.y1 >= 0 && read->box.y1 < read->box.y2);
        CHECK(read->box.x2 <= (int32_t)read->surface->width);
        CHECK(read->box.y2 <= (int32_t)read->surface->height);
    }
    draw_plan_execute(plan, canvas);
    return 1;
}

static int
is_clipped(const struct scene *scene, const struct draw_command *command, int32_t x,
           int32_t y)
{
    for (uint32_t i = 0; i < command->num_clips; i++) {
        const struct draw_rect *clip = &scene->clips[i];

        if (x >= clip->left && x < clip->right && y >= clip->top && y < clip->bottom)
            return 0;
    }
    return 1;
}

/* The bits of a pixel that mean something. */
static uint32_t
pixel_at(const struct surface *surface, int32_t x, int32_t y)
{
    uint32_t pixel = 0;

    memcpy(&pixel,
           surface->line_0 + y * surface->stride +
               (ptrdiff_t)x * (ptrdiff_t)surface->pixel_size,
           surface->pixel_size);
    if (surface->format == SPICE_SURFACE_FMT_16_555)
        pixel &= 0x7fff;
    return surface->format == SPICE_SURFACE_FMT_32_xRGB ? pixel & 0xffffff : pixel;
}

static void
compare(const struct scene *scene, const struct memory *all,
        const struct memory *clipped, const uint8_t *before)
{
    const struct draw_command *command = &scene->batch->draws[0];
    const struct surface *drawn = canvas_find(all->canvas, command->surface_id);
    const struct surface *cut = canvas_find(clipped->canvas, command->surface_id);
    struct surface old = *cut;

    old.line_0 = (uint8_t *)before + (cut->line_0 - clipped->bytes[cut->id]);
    for (int32_t y = 0; y < (int32_t)drawn->height; y++)
        for (int32_t x = 0; x < (int32_t)drawn->width; x++) {
            const struct surface *wanted =
                is_clipped(scene, command, x, y) ? &old : drawn;

            CHECK(pixel_at(cut, x, y) == pixel_at(wanted, x, y));
        }
}

static int
is_inside(pixman_box32_t box, int32_t x, int32_t y)
{
    return x >= box.x1 && x < box.x2 && y >= box.y1 && y < box.y2;
}

static int
is_read(const struct draw_plan *plan, uint32_t surface_id, int32_t x, int32_t y)
{
    for (uint32_t i = 0; i < plan->num_reads; i++)
        if (plan->reads[i].surface->id == surface_id &&
            is_inside(plan->reads[i].box, x, y))
            return 1;
    return 0;
}

/* Change every pixel that plan does not depend on. */
static void
spoil(struct memory *memory, const struct draw_plan *plan)
{
    for (uint32_t i = 0; i < NUM_SURFACES; i++) {
        const struct surface *surface = canvas_find(memory->canvas, i);

        for (int32_t y = 0; y < (int32_t)surface->height; y++)
            for (int32_t x = 0; x < (int32_t)surface->width; x++) {
                uint8_t *pixel = surface->line_0 + y * surface->stride +
                                 (ptrdiff_t)x * (ptrdiff_t)surface->pixel_size;

                if (is_read(plan, i, x, y) || (i == plan->surface->id && !plan->opaque))
                    continue;
                for (uint32_t at = 0; at < surface->pixel_size; at++)
                    pixel[at] ^= 0x5a;
            }
    }
}

/* Draw the scene where all else is different, as plan says: the outcome is the same. */
static void
check_plan(const struct scene *scene, const struct memory *all, struct memory *spoilt,
           const struct draw_plan *plan)
{
    pixman_box32_t extents = plan->extents;
    uint32_t id = plan->surface->id;
    const struct surface *drawn = canvas_find(all->canvas, id);
    const struct surface *other = canvas_find(spoilt->canvas, id);
    struct draw_plan again;

    spoil(spoilt, plan);
    CHECK(draw(spoilt->canvas, scene, &again));
    for (int32_t y = extents.y1; y < extents.y2; y++)
        for (int32_t x = extents.x1; x < extents.x2; x++)
            CHECK(pixel_at(drawn, x, y) == pixel_at(other, x, y));
}

static int
one_round(struct scene *scene, struct canvas **canvases)
{
    struct memory all = {.canvas = canvases[0]}, clipped = {.canvas = canvases[1]};
    struct memory spoilt = {.canvas = canvases[2]};
    struct draw_command *command = &scene->batch->draws[0];
    struct draw_plan plan;
    uint8_t *before;
    uint32_t id;
    int drawn;

    make_surfaces(&all, &clipped, &spoilt);
    make_scene(scene, NUM_SURFACES);
    id = command->surface_id;
    before = malloc(all.size[id]);
    CHECK(before);
    memcpy(before, all.bytes[id], all.size[id]);
    drawn = draw(all.canvas, scene, &plan);
    if (drawn)
        check_plan(scene, &all, &spoilt, &plan);
    command->clip_type = SPICE_CLIP_TYPE_RECTS;
    command->num_clips = (uint32_t)choose(0, MAX_CLIPS);
    for (uint32_t i = 0; i < command->num_clips; i++)
        scene->clips[i] = random_rect(SIDE / 2);
    draw(clipped.canvas, scene, &plan);
    compare(scene, &all, &clipped, before);
    for (uint32_t i = 0; i < NUM_SURFACES; i++)
        CHECK(i == id || memcmp(all.bytes[i], clipped.bytes[i], all.size[i]) == 0);
    free(before);
    free_surfaces(&all);
    free_surfaces(&clipped);
    free_surfaces(&spoilt);
    for (uint32_t i = 0; i < scene->batch->num_chunks; i++)
        free((void *)scene->chunks[i].data);
    return drawn;
}

int
main(void)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    struct canvas *canvases[3];
    int drawn = 0;

    for (int i = 0; i < 3; i++) {
        canvases[i] = canvas_new(NUM_SURFACES);
        CHECK(canvases[i]);
    }
    CHECK(scene);
    scene->batch = calloc(1, sizeof(*scene->batch));
    CHECK(scene->batch);
    for (uint32_t i = 0; i < ROUNDS; i++)
        drawn += one_round(scene, canvases);
    CHECK(drawn > ROUNDS / 4);
    for (int i = 0; i < 3; i++)
        canvas_free(canvases[i]);
    free(scene->batch);
    free(scene);
    return 0;
}
