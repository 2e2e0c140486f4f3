/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands that were clipped, or that read their own surface, as messages. */
#include <stdbool.h>
#include <string.h>

#include "check.h"
#include "command.h"
#include "display_message_writer.h"
#include "draw_message.h"
#include "guest.h"
#include "message_command.h"

enum { HEADER = 6 };

static struct guest guest;
static struct command_batch *batch, *again;
static struct display_messages *messages;
static uint32_t pixels[8][8];
static struct surface surface = {
    .line_0 = (uint8_t *)pixels,
    .stride = sizeof(pixels[0]),
    .width = 8,
    .height = 8,
    .format = SPICE_SURFACE_FMT_32_xRGB,
    .pixel_size = 4,
};

static void
restart(void)
{
    guest_destroy(&guest);
    guest_init(&guest);
    command_batch_clear(batch);
    display_messages_clear(messages);
}

/* The one command that lies at address. */
static const struct draw_command *
parse(uint64_t address)
{
    int32_t notify;
    guest_push(&guest, &guest.commands, QXL_CMD_DRAW, address);
    CHECK(command_batch_drain(batch, &guest.commands, &guest.slots, 0, 0, &notify) ==
          1);
    CHECK(batch->num_draws == 1);
    return &batch->draws[0];
}

static int
write_clipped(const struct draw_command *command, const pixman_box32_t *rects,
              uint32_t num_rects)
{
    struct draw_plan plan = {
        .batch = batch,
        .command = command,
        .surface = &surface,
        .rects = rects,
        .num_rects = num_rects,
        .extents = rects[0],
    };
    for (uint32_t i = 1; i < num_rects; i++) {
        plan.extents.x2 = rects[i].x2 > plan.extents.x2 ? rects[i].x2 : plan.extents.x2;
        plan.extents.y2 = rects[i].y2 > plan.extents.y2 ? rects[i].y2 : plan.extents.y2;
    }
    return write_draw_command(messages, batch, &plan, write_plain_image, NULL);
}

/* The command that the client is told. */
static const struct draw_command *
told(void)
{
    CHECK(messages->num_messages == 1 && messages->size > HEADER);
    uint32_t type = messages->data[0] | (uint32_t)messages->data[1] << 8;
    command_batch_clear(again);
    CHECK(message_to_command(messages->data + HEADER, messages->size - HEADER, type,
                             again) == COMMAND_OK);
    return &again->draws[0];
}

static bool
same_rect(struct draw_rect rect, int32_t top, int32_t left, int32_t bottom,
          int32_t right)
{
    return rect.top == top && rect.left == left && rect.bottom == bottom &&
           rect.right == right;
}

static QXLDrawable *
copy_of(uint64_t image, QXLRect area, uint64_t *address)
{
    QXLDrawable *drawable = guest_drawable(&guest, QXL_DRAW_COPY, address);
    drawable->u.copy.src_bitmap = image;
    drawable->u.copy.src_area = area;
    drawable->u.copy.rop_descriptor = SPICE_ROPD_OP_PUT;
    return drawable;
}

static void
test_cut_to_one_rectangle(void)
{
    const pixman_box32_t part = {2, 1, 7, 5};
    const QXLRect area = {.top = 3, .left = 4, .bottom = 11, .right = 12};
    uint64_t mask = guest_palette_bitmap(&guest, SPICE_BITMAP_FMT_1BIT_BE, 8, 8, 2);
    uint64_t address;
    QXLDrawable *drawable = copy_of(guest_bitmap(&guest, 16, 16, 4096), area, &address);
    drawable->u.copy.mask.bitmap = mask;
    drawable->u.copy.mask.pos.x = 1;
    CHECK(write_clipped(parse(address), &part, 1) == 0);
    const struct draw_command *found = told();
    CHECK(same_rect(found->bbox, 1, 2, 5, 7));
    CHECK(found->clip_type == SPICE_CLIP_TYPE_NONE);
    CHECK(same_rect(found->src_area, 4, 6, 8, 11));
    CHECK(found->mask.pos_x == 3 && found->mask.pos_y == 1);
    CHECK(again->images[found->mask.image].num_colors == 2);
    restart();
}

static void
test_cut_to_several_rectangles(void)
{
    const pixman_box32_t parts[] = {{1, 1, 3, 3}, {4, 1, 6, 3}, {0, 5, 2, 7}};
    uint64_t address;
    QXLDrawable *drawable = guest_drawable(&guest, QXL_COPY_BITS, &address);
    drawable->u.copy_bits.src_pos = (QXLPoint){10, 20};
    struct draw_plan plan = {
        .command = parse(address),
        .surface = &surface,
        .rects = parts,
        .num_rects = 3,
        .extents = {0, 1, 6, 7},
    };
    CHECK(write_draw_command(messages, batch, &plan, write_plain_image, NULL) == 0);
    const struct draw_command *found = told();
    CHECK(same_rect(found->bbox, 1, 0, 7, 6) && found->num_clips == 3);
    CHECK(same_rect(again->clips[1], 1, 4, 3, 6));
    CHECK(found->src_x == 10 && found->src_y == 21);
    restart();
}

/* What is scaled depends on the whole box. */
static void
test_scaled_is_not_cut(void)
{
    const pixman_box32_t part = {2, 1, 7, 5}, whole = {0, 0, 8, 8};
    const QXLRect area = {.top = 0, .left = 0, .bottom = 4, .right = 4};
    uint64_t address;
    copy_of(guest_bitmap(&guest, 4, 4, 4096), area, &address);
    const struct draw_command *command = parse(address);
    CHECK(write_clipped(command, &part, 1) == 0);
    const struct draw_command *found = told();
    CHECK(same_rect(found->bbox, 0, 0, 8, 8) && found->num_clips == 1);
    CHECK(same_rect(again->clips[0], 1, 2, 5, 7));
    CHECK(same_rect(found->src_area, 0, 0, 4, 4));
    display_messages_clear(messages);
    CHECK(write_clipped(command, &whole, 1) == 0);
    CHECK(told()->clip_type == SPICE_CLIP_TYPE_NONE);
    restart();
}

static void
test_composite_origins(void)
{
    const pixman_box32_t part = {2, 1, 7, 5};
    uint64_t address;
    QXLDrawable *drawable = guest_composite(&guest, 0, &address);
    CHECK(write_clipped(parse(address), &part, 1) == 0);
    const struct draw_composite *found = &told()->composite;
    CHECK(found->src_origin_x == 3 && found->src_origin_y == 1);
    CHECK(found->mask_origin_x == 2 && found->mask_origin_y == -1);
    CHECK(found->has_src_transform && found->mask == NO_IMAGE);
    display_messages_clear(messages);
    command_batch_clear(batch);
    /* No further than 16 bits reach. */
    drawable->u.composite.mask_origin.x = INT16_MAX - 1;
    CHECK(write_clipped(parse(address), &part, 1) == 0);
    CHECK(same_rect(told()->bbox, 0, 0, 8, 8) && told()->num_clips == 1);
    CHECK(told()->composite.mask_origin_x == INT16_MAX - 1);
    restart();
}

/* The first pixel and the first row's bytes of an image that the client is told. */
static const uint8_t *
image_bytes(uint32_t index)
{
    return again->chunks[again->images[index].first_chunk].data;
}

static void
test_self_bitmap(void)
{
    const pixman_box32_t whole = {0, 0, 8, 8};
    const QXLRect area = {.top = 0, .left = 0, .bottom = 8, .right = 8};
    uint32_t words[8];
    uint64_t address;
    QXLDrawable *drawable = copy_of(0, area, &address);
    drawable->self_bitmap = 1;
    drawable->self_bitmap_area = (QXLRect){-2, 3, 6, 11};
    for (uint32_t y = 0; y < 8; y++) {
        for (uint32_t x = 0; x < 8; x++) {
            pixels[y][x] = 0x010100 * y + x;
        }
    }
    const struct draw_command *command = parse(address);
    CHECK(write_clipped(command, &whole, 1) == 0);
    const struct guest_image *image = &again->images[told()->image];
    CHECK(image->kind == SPICE_IMAGE_TYPE_BITMAP && image->width == 8);
    CHECK(image->stride == 32 && image->bitmap_flags == QXL_BITMAP_TOP_DOWN);
    memcpy(words, image_bytes(0) + 32, sizeof(words));
    CHECK(words[0] == 0 && words[7] == 0); /* above the surface */
    memcpy(words, image_bytes(0) + 3 * 32, sizeof(words));
    CHECK((words[0] & 0xffffff) == 0x010103 && (words[4] & 0xffffff) == 0x010107);
    CHECK(words[5] == 0); /* beside it */
    /* As it stands, it needs its surface. */
    display_messages_clear(messages);
    CHECK(command_to_message(messages, batch, 0) == -1 && messages->size == 0);
    restart();
}

/* No bitmap format has these pixels: they are widened. */
static void
test_self_bitmap_of_16_bits(void)
{
    const pixman_box32_t whole = {0, 0, 8, 8};
    const QXLRect area = {.top = 0, .left = 0, .bottom = 8, .right = 8};
    static uint16_t shorts[8][8];
    const struct surface before = surface;
    uint64_t address;
    uint32_t word;
    QXLDrawable *drawable = copy_of(0, area, &address);
    drawable->self_bitmap = 1;
    drawable->self_bitmap_area = area;
    shorts[1][1] = 0xf81f;
    surface.line_0 = (uint8_t *)shorts;
    surface.stride = sizeof(shorts[0]);
    surface.format = SPICE_SURFACE_FMT_16_565;
    surface.pixel_size = 2;
    CHECK(write_clipped(parse(address), &whole, 1) == 0);
    CHECK(again->images[told()->image].format == SPICE_BITMAP_FMT_32BIT);
    memcpy(&word, image_bytes(0) + 32 + 4, sizeof(word));
    CHECK((word & 0xffffff) == 0xff00ff);
    surface = before;
    restart();
}

static int
refuse(void *opaque, struct display_messages *to, const struct command_batch *from,
       const struct guest_image *image, enum image_use use)
{
    uint32_t *calls = opaque;
    (void)from;
    CHECK(image->width == 8 && use == IMAGE_SOURCE);
    CHECK(append_bytes(to, 1000) != NULL);
    ++*calls;
    return -1;
}

static void
test_nothing_is_left_of_what_fails(void)
{
    const pixman_box32_t whole = {0, 0, 8, 8};
    const QXLRect area = {.top = 0, .left = 0, .bottom = 8, .right = 8};
    uint64_t address;
    uint32_t calls = 0;
    copy_of(guest_bitmap(&guest, 8, 8, 4096), area, &address);
    struct draw_plan plan = {
        .command = parse(address),
        .surface = &surface,
        .rects = &whole,
        .num_rects = 1,
        .extents = whole,
    };
    CHECK(write_clipped(plan.command, &whole, 1) == 0);
    uint64_t size = messages->size;
    CHECK(write_draw_command(messages, batch, &plan, refuse, &calls) == -1);
    CHECK(calls == 1 && messages->size == size && messages->num_messages == 1);
    CHECK(same_rect(told()->bbox, 0, 0, 8, 8));
    restart();
}

/* Rows without what pads them, whichever chunks they lie in; a QUIC image as it is. */
static void
test_images(void)
{
    const pixman_box32_t whole = {0, 0, 8, 8};
    const QXLRect area = {.top = 0, .left = 0, .bottom = 8, .right = 8};
    uint64_t address, image = guest_bitmap(&guest, 8, 8, 100);
    QXLImage *header = (QXLImage *)(void *)(guest.ram + (image & 0xffffff));
    copy_of(image, area, &address);
    header->bitmap.format = SPICE_BITMAP_FMT_8BIT_A; /* 8 of 32 bytes a row */
    CHECK(write_clipped(parse(address), &whole, 1) == 0);
    const struct guest_image *found = &again->images[told()->image];
    CHECK(found->stride == 8 && found->data_size == 64);
    for (uint32_t i = 0; i < 64; i++) {
        CHECK(image_bytes(0)[i] == (uint8_t)((i / 8 * 32 + i % 8) * 7));
    }
    restart();
    copy_of(guest_quic_image(&guest), area, &address);
    CHECK(write_clipped(parse(address), &whole, 1) == 0);
    found = &again->images[told()->image];
    CHECK(found->kind == SPICE_IMAGE_TYPE_QUIC && found->data_size == 24);
    CHECK(image_bytes(0)[23] == (uint8_t)(23 * 7));
    restart();
}

int
main(void)
{
    guest_init(&guest);
    batch = command_batch_new();
    again = command_batch_new();
    messages = display_messages_new();
    CHECK(batch != NULL && again != NULL && messages != NULL);
    test_cut_to_one_rectangle();
    test_cut_to_several_rectangles();
    test_scaled_is_not_cut();
    test_composite_origins();
    test_self_bitmap();
    test_self_bitmap_of_16_bits();
    test_nothing_is_left_of_what_fails();
    test_images();
    display_messages_free(messages);
    command_batch_free(again);
    command_batch_free(batch);
    guest_destroy(&guest);
    return 0;
}
