/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Random batches on random surfaces, each byte of which a sanitizer watches: drawn in
 * steps with messages, in one go without, and pixel by pixel here; all three agree.
 */
#include <spice/enums.h>
#include <spice/qxl_dev.h>
#include <stdlib.h>
#include <string.h>

#include "canvas.h"
#include "check.h"
#include "pending.h"

enum { SIDE = 40, ROUNDS = 5000, MAX_CLIPS = 6, IMAGE_SIDE = 64 };

static uint32_t state = 7;

static int32_t
draw_number(int32_t from, int32_t to)
{
    state = state * 1664525 + 1013904223;
    return from + (int32_t)((state >> 8) % (uint32_t)(to - from + 1));
}

static struct draw_rect
draw_rect(int32_t max_side)
{
    int32_t left = draw_number(-8, SIDE), top = draw_number(-8, SIDE);
    struct draw_rect rect = {top, left, top + draw_number(1, max_side),
                             left + draw_number(1, max_side)};

    return rect;
}

struct scene {
    struct command_batch *batch;
    uint8_t pixels[IMAGE_SIDE * IMAGE_SIDE * 4];
    struct image_chunk chunk;
    struct guest_image image;
    struct draw_rect clips[MAX_BATCH_COMMANDS * MAX_CLIPS];
};

static void
make_command(struct scene *scene, struct draw_command *command)
{
    static const uint16_t rops[] = {
        SPICE_ROPD_OP_PUT, SPICE_ROPD_OP_XOR, SPICE_ROPD_OP_OR | SPICE_ROPD_INVERS_DEST,
        SPICE_ROPD_OP_AND | SPICE_ROPD_INVERS_SRC, SPICE_ROPD_OP_INVERS};
    static const uint8_t types[] = {QXL_DRAW_FILL, QXL_DRAW_COPY, QXL_COPY_BITS,
                                    QXL_DRAW_INVERS, QXL_DRAW_TEXT};
    struct command_batch *batch = scene->batch;
    int32_t x = draw_number(0, IMAGE_SIDE / 2), y = draw_number(0, IMAGE_SIDE / 2);

    memset(command, 0, sizeof(*command));
    command->type = types[draw_number(0, 4)];
    command->bbox = draw_rect(30);
    command->rop_descriptor = rops[draw_number(0, 4)];
    command->mask.image = command->brush.image = NO_IMAGE;
    command->brush.type = SPICE_BRUSH_TYPE_SOLID;
    command->brush.color = (uint32_t)draw_number(0, 0xffffff);
    command->image = command->type == QXL_DRAW_COPY ? 0 : NO_IMAGE;
    command->src_area.left = x;
    command->src_area.top = y;
    command->src_area.right = x + command->bbox.right - command->bbox.left;
    command->src_area.bottom = y + command->bbox.bottom - command->bbox.top;
    command->src_x = draw_number(-4, SIDE);
    command->src_y = draw_number(-4, SIDE);
    command->clip_type = SPICE_CLIP_TYPE_NONE;
    if (draw_number(0, 2) == 0) {
        command->clip_type = SPICE_CLIP_TYPE_RECTS;
        command->first_clip = batch->num_clips;
        command->num_clips = (uint32_t)draw_number(0, MAX_CLIPS);
        for (uint32_t i = 0; i < command->num_clips; i++)
            batch->clips[batch->num_clips++] = draw_rect(12);
    }
}

static void
make_scene(struct scene *scene)
{
    struct command_batch *batch = scene->batch;

    memset(batch, 0, sizeof(*batch));
    for (uint32_t i = 0; i < sizeof(scene->pixels); i++)
        scene->pixels[i] = (uint8_t)draw_number(0, 255);
    scene->chunk = (struct image_chunk){scene->pixels, sizeof(scene->pixels)};
    scene->image = (struct guest_image){
        .width = IMAGE_SIDE, .height = IMAGE_SIDE, .stride = IMAGE_SIDE * 4,
        .data_size = sizeof(scene->pixels), .num_chunks = 1,
        .format = SPICE_BITMAP_FMT_RGBA, .bitmap_flags = SPICE_BITMAP_FLAGS_TOP_DOWN};
    batch->chunks = &scene->chunk;
    batch->images = &scene->image;
    batch->clips = scene->clips;
    batch->num_draws = batch->num_entries = (uint32_t)draw_number(1, 12);
    for (uint32_t i = 0; i < batch->num_draws; i++) {
        batch->entries[i] = (struct batch_entry){BATCH_DRAW, i};
        make_command(scene, &batch->draws[i]);
    }
}

/* ---- the plainest way to draw */

static int
visible(const struct scene *scene, const struct draw_command *command, int32_t x,
        int32_t y)
{
    const struct draw_rect *box = &command->bbox;

    if (x < box->left || x >= box->right || y < box->top || y >= box->bottom)
        return 0;
    if (command->clip_type == SPICE_CLIP_TYPE_NONE)
        return 1;
    for (uint32_t i = 0; i < command->num_clips; i++) {
        const struct draw_rect *clip = &scene->clips[command->first_clip + i];

        if (x >= clip->left && x < clip->right && y >= clip->top && y < clip->bottom)
            return 1;
    }
    return 0;
}

static uint32_t
combined(uint32_t rop, uint32_t src, uint32_t dst)
{
    switch (rop) {
    case SPICE_ROPD_OP_PUT:
        return src;
    case SPICE_ROPD_OP_XOR:
        return src ^ dst;
    case SPICE_ROPD_OP_OR | SPICE_ROPD_INVERS_DEST:
        return src | ~dst;
    case SPICE_ROPD_OP_AND | SPICE_ROPD_INVERS_SRC:
        return ~src & dst;
    case SPICE_ROPD_OP_AND:
        return src & dst;
    default:
        return ~dst;
    }
}

static uint32_t
plain_pixel(const struct scene *scene, const struct draw_command *command, int32_t x,
            int32_t y, const uint32_t *before, int32_t width, int32_t height)
{
    uint32_t old = before[y * width + x], word;
    uint32_t rop = command->rop_descriptor;
    int32_t dx = x - command->bbox.left, dy = y - command->bbox.top;

    switch (command->type) {
    case QXL_DRAW_FILL:
        return combined(rop, command->brush.color, old);
    case QXL_DRAW_COPY:
        memcpy(&word, scene->pixels + ((command->src_area.top + dy) * IMAGE_SIDE +
                                       command->src_area.left + dx) * 4, 4);
        return combined(rop, word, old);
    case QXL_COPY_BITS:
        dx += command->src_x;
        dy += command->src_y;
        if (dx < 0 || dx >= width || dy < 0 || dy >= height)
            return old;
        return before[dy * width + dx];
    case QXL_DRAW_INVERS:
        return ~old;
    default:
        return old;
    }
}

static void
draw_plainly(const struct scene *scene, uint32_t *pixels, int32_t width, int32_t height)
{
    uint32_t before[SIDE * SIDE];

    for (uint32_t i = 0; i < scene->batch->num_draws; i++) {
        struct draw_command command = scene->batch->draws[i];

        /* A fill's source is its brush, which INVERS_SRC does not invert. */
        if (command.type == QXL_DRAW_FILL)
            command.rop_descriptor &= (uint16_t)~SPICE_ROPD_INVERS_SRC;
        memcpy(before, pixels, (size_t)(width * height) * 4);
        for (int32_t at = 0; at < width * height; at++)
            if (visible(scene, &command, at % width, at / width))
                pixels[at] = plain_pixel(scene, &command, at % width, at / width, before,
                                         width, height);
    }
}

/* ---- the canvas */

static void
check_messages(const struct display_messages *messages)
{
    for (uint32_t i = 0; i < messages->num_messages; i++) {
        uint64_t end = i + 1 < messages->num_messages ? messages->starts[i + 1]
                                                      : messages->size;
        uint32_t size;

        memcpy(&size, messages->data + messages->starts[i] + 2, 4);
        CHECK(messages->starts[i] + 6 + (uint64_t)size == end);
    }
}

static struct canvas *
make_canvas(uint8_t *memory, int32_t width, int32_t height, int32_t stride)
{
    struct canvas *canvas = canvas_new(4);

    CHECK(canvas);
    CHECK(canvas_create_surface(canvas, 0, SPICE_SURFACE_FMT_32_ARGB, (uint32_t)width,
                                (uint32_t)height, stride, memory,
                                (uint64_t)(abs(stride) * height), 1) == CANVAS_OK);
    return canvas;
}

static void
draw_scene(const struct scene *scene, struct canvas *canvas,
           struct display_messages *messages, int has_client, uint64_t max_bytes)
{
    struct pending *pending = has_client ? pending_new(canvas) : NULL;
    struct batch_position position = {0};
    int more;

    CHECK(!has_client || pending);
    do {
        more = pending_draw_batch(canvas, scene->batch, &position, &pending,
                                  pending ? 1 : 0, messages, max_bytes);
        while (pending && pending_flush(pending, messages, max_bytes, 0, 0)) {
            check_messages(messages);
            free(display_messages_take_data(messages));
            display_messages_clear(messages);
        }
    } while (more);
    pending_free(pending);
    CHECK(position.entry == scene->batch->num_entries);
}

static void
one_round(struct scene *scene, struct display_messages *messages)
{
    static const uint64_t steps[] = {1, 100, 1000, 1 << 20};
    int32_t width = draw_number(1, SIDE), height = draw_number(1, SIDE);
    int32_t stride = 4 * width + 4 * draw_number(0, 2);
    size_t size = (size_t)(stride * height);
    uint8_t *memory = malloc(size), *seen = malloc(size);
    uint32_t *plain = calloc((size_t)(width * height), 4);
    uint32_t *got = calloc((size_t)(width * height), 4);
    struct canvas *canvas, *other;

    CHECK(memory && seen && plain && got);
    if (draw_number(0, 1))
        stride = -stride;
    canvas = make_canvas(memory, width, height, stride);
    other = make_canvas(seen, width, height, stride);
    make_scene(scene);
    draw_scene(scene, canvas, messages, 0, 1 << 30);
    draw_scene(scene, other, messages, 1, steps[draw_number(0, 3)]);
    draw_plainly(scene, plain, width, height);
    CHECK(memcmp(memory, seen, size) == 0);
    CHECK(canvas_read_surface(canvas, 0, (uint8_t *)got,
                              (uint64_t)(width * height) * 4) == CANVAS_OK);
    CHECK(memcmp(plain, got, (size_t)(width * height) * 4) == 0);
    canvas_free(canvas);
    canvas_free(other);
    free(memory);
    free(seen);
    free(plain);
    free(got);
}

int
main(void)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    struct display_messages *messages = display_messages_new();

    CHECK(scene && messages);
    scene->batch = calloc(1, sizeof(*scene->batch));
    CHECK(scene->batch);
    for (uint32_t i = 0; i < ROUNDS; i++)
        one_round(scene, messages);
    display_messages_free(messages);
    free(scene->batch);
    free(scene);
    return 0;
}
