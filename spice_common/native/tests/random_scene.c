/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "random_scene.h"

#include <spice/enums.h>
#include <spice/qxl_dev.h>
#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "check.h"

static uint32_t state = 11;

int32_t
choose(int32_t from, int32_t to)
{
    state = state * 1664525 + 1013904223;
    return from +
           (int32_t)((uint64_t)(state >> 4) * (uint64_t)((int64_t)to - from + 1) >> 28);
}

int
chance(int32_t of)
{
    return choose(1, of) == 1;
}

/* Mostly near, sometimes as far away as the parser allows. */
static int32_t
coordinate(void)
{
    return chance(20) ? choose(-(1 << 20), 1 << 20) : choose(-SIDE / 3, SIDE / 2);
}

struct draw_rect
random_rect(int32_t largest)
{
    int32_t left = coordinate(), top = coordinate();
    int32_t width = chance(15) ? choose(1, 70000) : choose(1, largest);
    int32_t height = chance(15) ? choose(1, 70000) : choose(1, largest);
    struct draw_rect rect = {top, left, top + height, left + width};

    return rect;
}

void
fill_random(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)choose(0, 255);
}

uint8_t *
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
    image->surface_id = (uint32_t)choose(0, (int32_t)surfaces);
    if (chance(4))
        return;
    image->kind = SPICE_IMAGE_TYPE_BITMAP;
    image->width = (uint32_t)choose(1, chance(9) ? 300 : 60);
    image->height = (uint32_t)choose(1, chance(9) ? 300 : 60);
    image->format = (uint8_t)(index == 3 ? choose(1, 2) : choose(1, 10));
    image->bitmap_flags = chance(2) ? SPICE_BITMAP_FLAGS_TOP_DOWN : 0;
    image->descriptor_flags = chance(4) ? QXL_IMAGE_HIGH_BITS_SET : 0;
    image->stride =
        (uint32_t)bitmap_row_size(image->format, image->width) + (uint32_t)choose(0, 5);
    image->data_size = (uint64_t)image->stride * image->height;
    image->first_chunk = batch->num_chunks;
    image->num_chunks = 2;
    first = (uint32_t)choose(0, (int32_t)image->data_size);
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
    struct draw_brush brush = {.type = (uint32_t)choose(0, 2),
                               .color = (uint32_t)choose(0, INT32_MAX),
                               .image = NO_IMAGE,
                               .pos_x = coordinate(),
                               .pos_y = coordinate()};

    if (brush.type == SPICE_BRUSH_TYPE_PATTERN)
        brush.image = (uint32_t)choose(1, 2);
    return brush;
}

static void
add_path(struct scene *scene, struct draw_path *path)
{
    path->num_segments = (uint32_t)choose(0, 3);
    for (uint32_t i = 0; i < path->num_segments; i++) {
        scene->segments[i].first_point = i * MAX_PARTS;
        scene->segments[i].num_points = (uint32_t)choose(1, MAX_PARTS);
        scene->segments[i].flags = (uint8_t)choose(0, 31);
    }
    for (uint32_t i = 0; i < 3 * MAX_PARTS; i++) {
        scene->points[i].x = chance(9) ? choose(INT32_MIN / 2, INT32_MAX / 2)
                                       : 16 * coordinate() + choose(0, 15);
        scene->points[i].y = 16 * coordinate() + choose(0, 15);
    }
    path->line_flags = (uint8_t)(chance(2) ? SPICE_LINE_FLAGS_STYLED : 0);
    path->line_flags |= (uint8_t)(chance(2) ? SPICE_LINE_FLAGS_START_WITH_GAP : 0);
    path->num_styles = (uint32_t)choose(0, MAX_PARTS);
    for (uint32_t i = 0; i < path->num_styles; i++)
        scene->styles[i] = 16 * choose(0, 12);
}

static void
add_string(struct scene *scene, struct draw_string *string)
{
    string->num_glyphs = (uint32_t)choose(1, MAX_PARTS);
    string->flags = (uint8_t)(1 << choose(0, 2) | (chance(2) ? 8 : 0));
    for (uint32_t i = 0; i < string->num_glyphs; i++) {
        struct draw_glyph *glyph = &scene->glyphs[i];

        glyph->render_x = coordinate();
        glyph->render_y = coordinate();
        glyph->origin_x = choose(-20, 20);
        glyph->origin_y = choose(-20, 20);
        glyph->width = (uint32_t)choose(0, GLYPH_SIDE);
        glyph->height = (uint32_t)choose(0, GLYPH_SIDE);
        glyph->first_byte = i * GLYPH_SIDE * GLYPH_SIDE;
        glyph->num_bytes = GLYPH_SIDE * GLYPH_SIDE;
    }
    fill_random(scene->glyph_bytes, sizeof(scene->glyph_bytes));
}

static void
add_composite(struct draw_composite *composite)
{
    composite->flags = (uint32_t)(choose(0, 0x3f) | choose(0, 0x1ffff) << 8);
    if (!chance(4)) /* one of the filters that there are */
        composite->flags &= ~(4u << 8 | 4u << 11);
    composite->mask = chance(2) ? (uint32_t)choose(1, 2) : NO_IMAGE;
    composite->has_src_transform = (uint8_t)chance(2);
    composite->has_mask_transform = (uint8_t)chance(3);
    for (int i = 0; i < 6; i++) {
        composite->src_transform[i] = chance(9) ? choose(INT32_MIN / 2, INT32_MAX / 2)
                                                : choose(-(3 << 16), 3 << 16);
        composite->mask_transform[i] = choose(-(3 << 16), 3 << 16);
    }
    composite->src_origin_x = (int16_t)choose(-40, 40);
    composite->src_origin_y = (int16_t)choose(-40, 40);
    composite->mask_origin_x = (int16_t)choose(-32768, 32767);
    composite->mask_origin_y = (int16_t)choose(-40, 40);
}

/* The area of an image that is drawn; not inside it, once in a while. */
static struct draw_rect
random_area(const struct guest_image *image)
{
    int32_t width = image->width ? (int32_t)image->width : SIDE;
    int32_t height = image->height ? (int32_t)image->height : SIDE;
    int32_t left = choose(0, width - 1), top = choose(0, height - 1);
    struct draw_rect area = {top, left, choose(top + 1, height + chance(20)),
                             choose(left + 1, width)};

    return area;
}

static void
make_command(struct scene *scene, struct draw_command *command, uint32_t surfaces)
{
    memset(command, 0, sizeof(*command));
    command->type = (uint8_t)choose(QXL_DRAW_NOP, QXL_DRAW_COMPOSITE);
    command->surface_id = (uint32_t)choose(0, (int32_t)surfaces - 1);
    command->bbox = random_rect(SIDE);
    command->brush = random_brush();
    command->back_brush = random_brush();
    if (chance(2))
        command->back_area = random_rect(SIDE);
    command->mask.image = chance(4) ? 3 : NO_IMAGE;
    command->mask.pos_x = choose(-10, 10);
    command->mask.pos_y = choose(-10, 10);
    command->mask.flags = (uint8_t)choose(0, 1);
    command->self_bitmap = (uint8_t)chance(9);
    command->self_bitmap_area =
        (struct draw_rect){2, 3, choose(3, SIDE), choose(4, SIDE)};
    command->image = command->self_bitmap ? NO_IMAGE : 0;
    command->src_area = random_area(&scene->images[0]);
    if (chance(2)) {
        command->bbox.right =
            command->bbox.left + command->src_area.right - command->src_area.left;
        command->bbox.bottom =
            command->bbox.top + command->src_area.bottom - command->src_area.top;
    }
    command->rop_descriptor = (uint16_t)choose(0, 0x7ff);
    command->fore_mode = chance(2) ? SPICE_ROPD_OP_PUT : (uint16_t)choose(0, 0x7ff);
    command->scale_mode = (uint8_t)choose(0, 1);
    command->src_x = coordinate();
    command->src_y = coordinate();
    command->rop3 = (uint8_t)choose(0, 255);
    command->alpha = (uint8_t)choose(0, 255);
    command->alpha_flags = (uint16_t)choose(0, 3);
    command->true_color = (uint32_t)choose(0, INT32_MAX);
    add_path(scene, &command->path);
    add_string(scene, &command->string);
    add_composite(&command->composite);
}

void
make_scene(struct scene *scene, uint32_t surfaces)
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
        add_image(scene, i, surfaces);
    for (uint32_t i = 0; i < MAX_IMAGES * 256; i++)
        scene->colors[i] = (uint32_t)choose(0, INT32_MAX) * 2;
    make_command(scene, &batch->draws[0], surfaces);
}
