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

enum {
    SIDE = 48,
    ROUNDS = 6000,
    MAX_IMAGES = 4,
    MAX_CLIPS = 5,
    MAX_PARTS = 8, /* points, glyphs, dashes */
    GLYPH_SIDE = 12,
};

static uint32_t state = 11;

static int32_t
number(int32_t from, int32_t to)
{
    state = state * 1664525 + 1013904223;
    return from +
           (int32_t)((uint64_t)(state >> 4) * (uint64_t)((int64_t)to - from + 1) >> 28);
}

static int
chance(int32_t of)
{
    return number(1, of) == 1;
}

/* Mostly near, sometimes as far away as the parser allows. */
static int32_t
coordinate(void)
{
    return chance(20) ? number(-(1 << 20), 1 << 20) : number(-SIDE / 3, SIDE / 2);
}

static struct draw_rect
random_rect(int32_t largest)
{
    int32_t left = coordinate(), top = coordinate();
    int32_t width = chance(15) ? number(1, 70000) : number(1, largest);
    int32_t height = chance(15) ? number(1, 70000) : number(1, largest);
    struct draw_rect rect = {top, left, top + height, left + width};

    return rect;
}

struct scene {
    struct command_batch *batch;
    struct guest_image images[MAX_IMAGES];
    struct image_chunk chunks[2 * MAX_IMAGES];
    uint32_t colors[MAX_IMAGES * 256];
    struct draw_rect clips[MAX_CLIPS];
    struct path_segment segments[3];
    struct fixed_point points[3 * MAX_PARTS];
    int32_t styles[MAX_PARTS];
    struct draw_glyph glyphs[MAX_PARTS];
    uint8_t glyph_bytes[MAX_PARTS * GLYPH_SIDE * GLYPH_SIDE];
};

static void
fill_random(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)number(0, 255);
}

static uint8_t *
random_bytes(size_t size)
{
    uint8_t *bytes = malloc(size);

    CHECK(bytes);
    fill_random(bytes, size);
    return bytes;
}

static void
add_image(struct scene *scene, uint32_t index, uint32_t surfaces)
{
    struct command_batch *batch = scene->batch;
    struct guest_image *image = &scene->images[index];
    uint32_t first;

    memset(image, 0, sizeof(*image));
    image->kind = SPICE_IMAGE_TYPE_SURFACE;
    image->surface_id = (uint32_t)number(0, (int32_t)surfaces);
    if (chance(4))
        return;
    image->kind = SPICE_IMAGE_TYPE_BITMAP;
    image->width = (uint32_t)number(1, chance(9) ? 300 : 60);
    image->height = (uint32_t)number(1, chance(9) ? 300 : 60);
    image->format = (uint8_t)(index == 3 ? number(1, 2) : number(1, 10));
    image->bitmap_flags = chance(2) ? SPICE_BITMAP_FLAGS_TOP_DOWN : 0;
    image->descriptor_flags = chance(4) ? QXL_IMAGE_HIGH_BITS_SET : 0;
    image->stride =
        (uint32_t)bitmap_row_size(image->format, image->width) + (uint32_t)number(0, 5);
    image->data_size = (uint64_t)image->stride * image->height;
    image->first_chunk = batch->num_chunks;
    image->num_chunks = 2;
    first = (uint32_t)number(0, (int32_t)image->data_size);
    scene->chunks[batch->num_chunks++] =
        (struct image_chunk){random_bytes(first + 1), first};
    scene->chunks[batch->num_chunks++] = (struct image_chunk){
        random_bytes(image->data_size - first + 1), (uint32_t)image->data_size - first};
    image->first_color = index * 256;
    image->num_colors = chance(9) ? 0 : 1u << (image->format < 5 ? 4 : 8);
}

static struct draw_brush
random_brush(void)
{
    struct draw_brush brush = {.type = (uint32_t)number(0, 2),
                               .color = (uint32_t)number(0, INT32_MAX),
                               .image = NO_IMAGE,
                               .pos_x = coordinate(),
                               .pos_y = coordinate()};

    if (brush.type == SPICE_BRUSH_TYPE_PATTERN)
        brush.image = (uint32_t)number(1, 2);
    return brush;
}

static void
add_path(struct scene *scene, struct draw_path *path)
{
    path->num_segments = (uint32_t)number(0, 3);
    for (uint32_t i = 0; i < path->num_segments; i++) {
        scene->segments[i].first_point = i * MAX_PARTS;
        scene->segments[i].num_points = (uint32_t)number(1, MAX_PARTS);
        scene->segments[i].flags = (uint8_t)number(0, 31);
    }
    for (uint32_t i = 0; i < 3 * MAX_PARTS; i++) {
        scene->points[i].x = chance(9) ? number(INT32_MIN / 2, INT32_MAX / 2)
                                       : 16 * coordinate() + number(0, 15);
        scene->points[i].y = 16 * coordinate() + number(0, 15);
    }
    path->line_flags = (uint8_t)(chance(2) ? SPICE_LINE_FLAGS_STYLED : 0);
    path->line_flags |= (uint8_t)(chance(2) ? SPICE_LINE_FLAGS_START_WITH_GAP : 0);
    path->num_styles = (uint32_t)number(0, MAX_PARTS);
    for (uint32_t i = 0; i < path->num_styles; i++)
        scene->styles[i] = 16 * number(0, 12);
}

static void
add_string(struct scene *scene, struct draw_string *string)
{
    string->num_glyphs = (uint32_t)number(1, MAX_PARTS);
    string->flags = (uint8_t)(1 << number(0, 2) | (chance(2) ? 8 : 0));
    for (uint32_t i = 0; i < string->num_glyphs; i++) {
        struct draw_glyph *glyph = &scene->glyphs[i];

        glyph->render_x = coordinate();
        glyph->render_y = coordinate();
        glyph->origin_x = number(-20, 20);
        glyph->origin_y = number(-20, 20);
        glyph->width = (uint32_t)number(0, GLYPH_SIDE);
        glyph->height = (uint32_t)number(0, GLYPH_SIDE);
        glyph->first_byte = i * GLYPH_SIDE * GLYPH_SIDE;
        glyph->num_bytes = GLYPH_SIDE * GLYPH_SIDE;
    }
    fill_random(scene->glyph_bytes, sizeof(scene->glyph_bytes));
}

static void
add_composite(struct draw_composite *composite)
{
    composite->flags = (uint32_t)(number(0, 0x3f) | number(0, 0x1ffff) << 8);
    if (!chance(4)) /* one of the filters that there are */
        composite->flags &= ~(4u << 8 | 4u << 11);
    composite->mask = chance(2) ? (uint32_t)number(1, 2) : NO_IMAGE;
    composite->has_src_transform = (uint8_t)chance(2);
    composite->has_mask_transform = (uint8_t)chance(3);
    for (int i = 0; i < 6; i++) {
        composite->src_transform[i] = chance(9) ? number(INT32_MIN / 2, INT32_MAX / 2)
                                                : number(-(3 << 16), 3 << 16);
        composite->mask_transform[i] = number(-(3 << 16), 3 << 16);
    }
    composite->src_origin_x = (int16_t)number(-40, 40);
    composite->src_origin_y = (int16_t)number(-40, 40);
    composite->mask_origin_x = (int16_t)number(-32768, 32767);
    composite->mask_origin_y = (int16_t)number(-40, 40);
}

/* The area of an image that is drawn; not inside it, once in a while. */
static struct draw_rect
random_area(const struct guest_image *image)
{
    int32_t width = image->width ? (int32_t)image->width : SIDE;
    int32_t height = image->height ? (int32_t)image->height : SIDE;
    int32_t left = number(0, width - 1), top = number(0, height - 1);
    struct draw_rect area = {top, left, number(top + 1, height + chance(20)),
                             number(left + 1, width)};

    return area;
}

static void
make_command(struct scene *scene, struct draw_command *command, uint32_t surfaces)
{
    memset(command, 0, sizeof(*command));
    command->type = (uint8_t)number(QXL_DRAW_NOP, QXL_DRAW_COMPOSITE);
    command->surface_id = (uint32_t)number(0, (int32_t)surfaces - 1);
    command->bbox = random_rect(SIDE);
    command->brush = random_brush();
    command->back_brush = random_brush();
    if (chance(2))
        command->back_area = random_rect(SIDE);
    command->mask.image = chance(4) ? 3 : NO_IMAGE;
    command->mask.pos_x = number(-10, 10);
    command->mask.pos_y = number(-10, 10);
    command->mask.flags = (uint8_t)number(0, 1);
    command->self_bitmap = (uint8_t)chance(9);
    command->self_bitmap_area =
        (struct draw_rect){2, 3, number(3, SIDE), number(4, SIDE)};
    command->image = command->self_bitmap ? NO_IMAGE : 0;
    command->src_area = random_area(&scene->images[0]);
    if (chance(2)) {
        command->bbox.right =
            command->bbox.left + command->src_area.right - command->src_area.left;
        command->bbox.bottom =
            command->bbox.top + command->src_area.bottom - command->src_area.top;
    }
    command->rop_descriptor = (uint16_t)number(0, 0x7ff);
    command->fore_mode = chance(2) ? SPICE_ROPD_OP_PUT : (uint16_t)number(0, 0x7ff);
    command->scale_mode = (uint8_t)number(0, 1);
    command->src_x = coordinate();
    command->src_y = coordinate();
    command->rop3 = (uint8_t)number(0, 255);
    command->alpha = (uint8_t)number(0, 255);
    command->alpha_flags = (uint16_t)number(0, 3);
    command->true_color = (uint32_t)number(0, INT32_MAX);
    add_path(scene, &command->path);
    add_string(scene, &command->string);
    add_composite(&command->composite);
}

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
        uint32_t format = formats[number(0, 4)];
        int32_t width = number(SIDE / 2, SIDE), height = number(SIDE / 2, SIDE);
        int32_t stride = width * (int32_t)surface_pixel_size(format) + number(0, 5);

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

static void
make_scene(struct scene *scene)
{
    struct command_batch *batch = scene->batch;

    batch->num_chunks = 0;
    batch->images = scene->images;
    batch->chunks = scene->chunks;
    batch->colors = scene->colors;
    batch->clips = scene->clips;
    batch->segments = scene->segments;
    batch->points = scene->points;
    batch->styles = scene->styles;
    batch->glyphs = scene->glyphs;
    batch->glyph_bytes = scene->glyph_bytes;
    batch->num_draws = 1;
    for (uint32_t i = 0; i < MAX_IMAGES; i++)
        add_image(scene, i, NUM_SURFACES);
    for (uint32_t i = 0; i < MAX_IMAGES * 256; i++)
        scene->colors[i] = (uint32_t)number(0, INT32_MAX) * 2;
    make_command(scene, &batch->draws[0], NUM_SURFACES);
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
    make_scene(scene);
    id = command->surface_id;
    before = malloc(all.size[id]);
    CHECK(before);
    memcpy(before, all.bytes[id], all.size[id]);
    drawn = draw(all.canvas, scene, &plan);
    if (drawn)
        check_plan(scene, &all, &spoilt, &plan);
    command->clip_type = SPICE_CLIP_TYPE_RECTS;
    command->num_clips = (uint32_t)number(0, MAX_CLIPS);
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
