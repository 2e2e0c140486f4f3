/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "command.h"
#include "command_batch.h"
#include "guest.h"

static struct guest guest;
static struct command_batch *batch;

static int32_t
drain(uint32_t flags)
{
    int32_t notify;
    batch->bookkeeping->num_releases = 0;
    return command_batch_drain(batch, &guest.commands, &guest.slots, 0, flags, &notify);
}

static void
restart(void)
{
    guest_destroy(&guest);
    guest_init(&guest);
    command_batch_clear(batch);
}

/* One command was pushed: it has the error, no entry, and is released all the same. */
static void
expect_flags(enum command_error error, uint32_t flags)
{
    struct command_bookkeeping *book = batch->bookkeeping;
    CHECK(drain(flags) == 1);
    CHECK(batch->num_entries == (error == COMMAND_OK));
    CHECK(book->errors[error] == (error != COMMAND_OK));
    book->errors[error] = 0;
    for (uint32_t i = 0; i < NUM_COMMAND_ERRORS; i++) {
        CHECK(book->errors[i] == 0);
    }
    CHECK(book->num_releases == 1 && book->releases[0].id != 0);
    if (error != COMMAND_OK) {
        CHECK(batch->num_images == 0 && batch->num_chunks == 0);
        CHECK(batch->num_clips == 0 && batch->num_colors == 0);
        CHECK(batch->num_segments == 0 && batch->num_points == 0);
        CHECK(batch->num_styles == 0 && batch->num_glyphs == 0);
        CHECK(batch->num_glyph_bytes == 0);
    }
    restart();
}

static void
expect(enum command_error error)
{
    expect_flags(error, 0);
}

static void
submit(uint32_t type, uint64_t address)
{
    guest_push(&guest, &guest.commands, type, address);
}

static void
test_scenes(void)
{
    const uint32_t entries[GUEST_NUM_SCENES] = {6, 8, 6, 0, 7, 4};
    for (uint32_t scene = 0; scene < GUEST_NUM_SCENES; scene++) {
        guest_push_scene(&guest, scene);
        int32_t taken = drain(scene == GUEST_COMPAT_SCENE ? COMMAND_COMPAT : 0);
        CHECK(batch->num_entries == entries[scene]);
        CHECK((uint32_t)taken == batch->bookkeeping->num_releases);
        for (uint32_t i = 1; i < batch->bookkeeping->num_releases; i++) {
            CHECK(batch->bookkeeping->releases[i].id >
                  batch->bookkeeping->releases[i - 1].id);
        }
        CHECK(drain(0) == 0);
        restart();
    }
    memset(batch->bookkeeping->errors, 0, sizeof(batch->bookkeeping->errors));
}

static void
test_copy_fields(void)
{
    uint64_t address;
    QXLDrawable *drawable = guest_drawable(&guest, QXL_DRAW_COPY, &address);
    drawable->u.copy.src_bitmap = guest_bitmap(&guest, 8, 8, 100);
    drawable->u.copy.src_area = (QXLRect){1, 2, 5, 8};
    drawable->u.copy.rop_descriptor = SPICE_ROPD_OP_PUT;
    submit(QXL_CMD_DRAW, address);
    CHECK(drain(0) == 1 && batch->num_draws == 1);
    const struct draw_command *draw = &batch->draws[0];
    CHECK(draw->type == QXL_DRAW_COPY && draw->effect == QXL_EFFECT_OPAQUE);
    CHECK(draw->bbox.bottom == 8 && draw->bbox.right == 8);
    CHECK(draw->src_area.top == 1 && draw->src_area.left == 2);
    CHECK(draw->src_area.bottom == 5 && draw->src_area.right == 8);
    CHECK(draw->mask.image == NO_IMAGE && draw->brush.image == NO_IMAGE);
    const struct guest_image *image = &batch->images[draw->image];
    CHECK(image->width == 8 && image->stride == 32 && image->data_size == 256);
    CHECK(image->num_chunks == 3);
    uint64_t size = 0;
    for (uint32_t i = 0; i < image->num_chunks; i++) {
        size += batch->chunks[image->first_chunk + i].size;
    }
    CHECK(size == 256 &&
          batch->chunks[image->first_chunk + 1].data[0] == (uint8_t)(100 * 7));
    restart();
}

static void
test_addresses(void)
{
    const uint64_t worst[] = {0,
                              1,
                              UINT64_MAX,
                              UINT64_C(1) << 56 | (16384 - 8),
                              UINT64_C(1) << 56 | 16384,
                              UINT64_C(1) << 48,
                              (UINT64_C(2) << 56) - 1};
    for (unsigned i = 0; i < sizeof(worst) / sizeof(worst[0]); i++) {
        for (uint32_t type = QXL_CMD_DRAW; type <= QXL_CMD_SURFACE + 1; type++) {
            submit(type, worst[i]);
        }
        CHECK(drain(0) == QXL_CMD_SURFACE + 1);
        CHECK(batch->num_entries <= 1); /* a message may start anywhere */
    }
    memset(batch->bookkeeping->errors, 0, sizeof(batch->bookkeeping->errors));
    restart();
    /* Cut short by the end of the slot, but with a release info. */
    uint64_t near_end = UINT64_C(1) << 56 | (GUEST_RAM_SIZE - 8);
    guest.ram[GUEST_RAM_SIZE - 8] = 77;
    submit(QXL_CMD_DRAW, near_end);
    expect(COMMAND_OUT_OF_RANGE);
}

static void
test_common(void)
{
    uint64_t address;
    guest_drawable(&guest, QXL_DRAW_COMPOSITE + 1, &address);
    submit(QXL_CMD_DRAW, address);
    expect(COMMAND_BAD_DRAWABLE);
    guest_drawable(&guest, QXL_DRAW_INVERS, &address)->effect = 8;
    submit(QXL_CMD_DRAW, address);
    expect(COMMAND_BAD_DRAWABLE);
    guest_drawable(&guest, QXL_DRAW_INVERS, &address)->surface_id = 1024;
    submit(QXL_CMD_DRAW, address);
    expect(COMMAND_BAD_SURFACE_ID);
    guest_drawable(&guest, QXL_DRAW_INVERS, &address)->surfaces_dest[1] = -2;
    submit(QXL_CMD_DRAW, address);
    expect(COMMAND_BAD_SURFACE_ID);
    guest_drawable(&guest, QXL_DRAW_INVERS, &address)->bbox.right = 0;
    submit(QXL_CMD_DRAW, address);
    expect(COMMAND_BAD_RECT);
    guest_drawable(&guest, QXL_DRAW_INVERS, &address)->bbox.left = INT32_MIN;
    submit(QXL_CMD_DRAW, address);
    expect(COMMAND_BAD_RECT);
    guest_drawable(&guest, QXL_DRAW_INVERS, &address)->self_bitmap = 1;
    submit(QXL_CMD_DRAW, address);
    expect(COMMAND_BAD_RECT);
    guest_drawable(&guest, QXL_DRAW_INVERS, &address);
    submit(QXL_CMD_CURSOR, address);
    expect(COMMAND_BAD_TYPE);
    /* A NOP command has nothing, a NOP drawable only its release. */
    submit(QXL_CMD_NOP, 0);
    CHECK(drain(0) == 1 && batch->bookkeeping->num_releases == 0);
    guest_drawable(&guest, QXL_DRAW_NOP, &address);
    submit(QXL_CMD_DRAW, address);
    CHECK(drain(0) == 1 && batch->bookkeeping->num_releases == 1);
    CHECK(batch->num_entries == 0);
    restart();
}

static void
test_clip(void)
{
    uint64_t address, clip_address;
    QXLDrawable *drawable = guest_drawable(&guest, QXL_DRAW_INVERS, &address);
    drawable->clip.type = 2;
    submit(QXL_CMD_DRAW, address);
    expect(COMMAND_BAD_CLIP);

    /* Rectangles in two chunks that cut one apart; an empty one is left out. */
    const QXLRect rects[3] = {{0, 0, 4, 4}, {9, 9, 9, 9}, {4, 2, 8, 6}};
    drawable = guest_drawable(&guest, QXL_DRAW_INVERS, &address);
    QXLClipRects *clip = guest_alloc(&guest, sizeof(QXLClipRects) + 20, &clip_address);
    drawable->clip.type = SPICE_CLIP_TYPE_RECTS;
    drawable->clip.data = clip_address;
    QXLDataChunk *rest = guest_alloc(&guest, sizeof(QXLDataChunk) + 28, &clip_address);
    clip->num_rects = 3;
    clip->chunk.data_size = 20;
    clip->chunk.next_chunk = clip_address;
    rest->data_size = 28;
    memcpy(clip->chunk.data, rects, 20);
    memcpy(rest->data, (const uint8_t *)rects + 20, 28);
    submit(QXL_CMD_DRAW, address);
    CHECK(drain(0) == 1 && batch->num_draws == 1 && batch->num_clips == 2);
    CHECK(batch->draws[0].num_clips == 2 && batch->clips[1].left == 2);

    submit(QXL_CMD_DRAW, address);
    rest->data_size = 27;
    expect(COMMAND_CHUNKS_SHORT);

    drawable = guest_drawable(&guest, QXL_DRAW_INVERS, &address);
    clip = guest_alloc(&guest, sizeof(QXLClipRects), &clip_address);
    drawable->clip.type = SPICE_CLIP_TYPE_RECTS;
    drawable->clip.data = clip_address;
    clip->num_rects = UINT32_MAX;
    submit(QXL_CMD_DRAW, address);
    expect(COMMAND_TOO_BIG);
}

static QXLImage *
copy_of_bitmap(uint64_t *address)
{
    uint64_t image = guest_bitmap(&guest, 8, 8, 4096);
    QXLDrawable *drawable = guest_drawable(&guest, QXL_DRAW_COPY, address);
    drawable->u.copy.src_bitmap = image;
    drawable->u.copy.src_area = (QXLRect){0, 0, 8, 8};
    drawable->u.copy.rop_descriptor = SPICE_ROPD_OP_PUT;
    submit(QXL_CMD_DRAW, *address);
    return (QXLImage *)(void *)(guest.ram + (image & 0xffffffff));
}

static void
test_images(void)
{
    uint64_t address;
    copy_of_bitmap(&address)->descriptor.type = SPICE_IMAGE_TYPE_LZ_RGB;
    expect(COMMAND_BAD_IMAGE);
    copy_of_bitmap(&address)->descriptor.width = 0;
    expect(COMMAND_BAD_IMAGE);
    copy_of_bitmap(&address)->descriptor.height = 32768;
    expect(COMMAND_BAD_IMAGE);
    copy_of_bitmap(&address)->bitmap.x = 9;
    expect(COMMAND_BAD_IMAGE);
    copy_of_bitmap(&address)->bitmap.format = SPICE_BITMAP_FMT_ENUM_END;
    expect(COMMAND_BAD_IMAGE);
    copy_of_bitmap(&address)->bitmap.stride = 31;
    expect(COMMAND_BAD_IMAGE);
    copy_of_bitmap(&address)->bitmap.stride = 33;
    expect(COMMAND_CHUNKS_SHORT);
    copy_of_bitmap(&address)->bitmap.stride = UINT32_MAX;
    expect(COMMAND_TOO_BIG);
    copy_of_bitmap(&address)->bitmap.data = 0;
    expect(COMMAND_CHUNKS_SHORT);
    copy_of_bitmap(&address)->bitmap.data = UINT64_C(1) << 50;
    expect(COMMAND_BAD_SLOT);
    copy_of_bitmap(&address)->bitmap.data = guest_vram(0) ^ UINT64_C(1) << 48;
    expect(COMMAND_BAD_GENERATION);
    QXLImage *image = copy_of_bitmap(&address);
    image->bitmap.flags = QXL_BITMAP_DIRECT;
    image->bitmap.data = guest_vram(GUEST_VRAM_SIZE - 255);
    expect(COMMAND_OUT_OF_RANGE);
    image = copy_of_bitmap(&address);
    image->bitmap.flags = QXL_BITMAP_DIRECT;
    image->bitmap.data = guest_vram(GUEST_VRAM_SIZE - 256);
    expect(COMMAND_OK);
    image = copy_of_bitmap(&address);
    image->bitmap.format = SPICE_BITMAP_FMT_8BIT;
    expect(COMMAND_BAD_PALETTE);
    image = copy_of_bitmap(&address);
    image->descriptor.type = SPICE_IMAGE_TYPE_SURFACE;
    image->surface_image.surface_id = 1024;
    expect(COMMAND_BAD_SURFACE_ID);
    copy_of_bitmap(&address);
    ((QXLDrawable *)(void *)(guest.ram + (address & 0xffffffff)))
        ->u.copy.src_area.right = 9;
    expect(COMMAND_BAD_IMAGE);
    copy_of_bitmap(&address);
    ((QXLDrawable *)(void *)(guest.ram + (address & 0xffffffff)))->u.copy.src_bitmap =
        0;
    expect(COMMAND_BAD_SLOT);
}

/* Chains that never end, or only after very many pieces. */
static void
test_chains(void)
{
    uint64_t address;
    QXLImage *image = copy_of_bitmap(&address);
    QXLDataChunk *chunk =
        (QXLDataChunk *)(void *)(guest.ram + (image->bitmap.data & 0xffffffff));
    chunk->data_size = 0;
    chunk->next_chunk = image->bitmap.data;
    expect(COMMAND_CHUNKS_LONG);

    image = copy_of_bitmap(&address);
    chunk = (QXLDataChunk *)(void *)(guest.ram + (image->bitmap.data & 0xffffffff));
    chunk->data_size = 1;
    chunk->next_chunk = image->bitmap.data;
    expect(COMMAND_CHUNKS_LONG);

    image = copy_of_bitmap(&address);
    chunk = (QXLDataChunk *)(void *)(guest.ram + (image->bitmap.data & 0xffffffff));
    chunk->data_size = UINT32_MAX;
    expect(COMMAND_OUT_OF_RANGE);

    /* Long walks end a batch early, and the rest stays in the ring. */
    image = copy_of_bitmap(&address);
    chunk = (QXLDataChunk *)(void *)(guest.ram + (image->bitmap.data & 0xffffffff));
    image->descriptor.width = image->bitmap.x = 8192;
    image->descriptor.height = image->bitmap.y = 8192;
    image->bitmap.stride = 32768;
    chunk->data_size = 1;
    chunk->next_chunk = image->bitmap.data;
    for (int i = 0; i < 7; i++) {
        submit(QXL_CMD_DRAW, address);
    }
    CHECK(drain(0) == 1 && batch->bookkeeping->errors[COMMAND_CHUNKS_LONG] == 1);
    CHECK(ring_length(&guest.commands) == 7);
    batch->bookkeeping->errors[COMMAND_CHUNKS_LONG] = 0;
    restart();
}

static void
test_brush_and_mask(void)
{
    uint64_t address;
    QXLDrawable *drawable = guest_drawable(&guest, QXL_DRAW_FILL, &address);
    drawable->u.fill.brush.type = 3;
    submit(QXL_CMD_DRAW, address);
    expect(COMMAND_BAD_BRUSH);
    drawable = guest_drawable(&guest, QXL_DRAW_FILL, &address);
    drawable->u.fill.rop_descriptor = 0x800;
    submit(QXL_CMD_DRAW, address);
    expect(COMMAND_BAD_DRAWABLE);
    drawable = guest_drawable(&guest, QXL_DRAW_WHITENESS, &address);
    drawable->u.whiteness.mask.bitmap = guest_bitmap(&guest, 8, 8, 4096);
    submit(QXL_CMD_DRAW, address);
    expect(COMMAND_BAD_MASK);
    drawable = guest_drawable(&guest, QXL_COPY_BITS, &address);
    drawable->u.copy_bits.src_pos.x = INT32_MIN;
    submit(QXL_CMD_DRAW, address);
    expect(COMMAND_BAD_RECT);
    drawable = guest_drawable(&guest, QXL_DRAW_COPY, &address);
    drawable->u.copy.src_bitmap =
        guest_palette_bitmap(&guest, SPICE_BITMAP_FMT_4BIT_LE, 8, 8, 17);
    submit(QXL_CMD_DRAW, address);
    expect(COMMAND_BAD_PALETTE);
}

static void
test_surfaces(void)
{
    uint64_t address;
    const struct {
        uint32_t format, width, height;
        int32_t stride;
        uint64_t data;
        enum command_error error;
    } cases[] = {
        {32, 16, 16, 64, guest_vram(0), COMMAND_OK},
        {32, 16, 16, -64, guest_vram(0), COMMAND_OK},
        {32, 16, 16, 60, guest_vram(0), COMMAND_BAD_SURFACE},
        {32, 16, 16, 66, guest_vram(0), COMMAND_BAD_SURFACE},
        {32, 16, 16, 64, guest_vram(2), COMMAND_BAD_SURFACE},
        {32, 16, 16, INT32_MIN, guest_vram(0), COMMAND_TOO_BIG},
        {32, 16, 16, INT32_MAX, guest_vram(0), COMMAND_TOO_BIG},
        {32, 16, 0, 64, guest_vram(0), COMMAND_BAD_SURFACE},
        {32, 32768, 1, 131072, guest_vram(0), COMMAND_BAD_SURFACE},
        {33, 16, 16, 64, guest_vram(0), COMMAND_BAD_SURFACE},
        {32, 16, 16, 64, guest_vram(GUEST_VRAM_SIZE - 1023), COMMAND_OUT_OF_RANGE},
        {32, 16, 16, 64, guest_vram(GUEST_VRAM_SIZE - 1024), COMMAND_OK},
        {80, 16, 16, 32, guest_vram(0), COMMAND_OK},
        {8, 16, 16, 16, guest_vram(0), COMMAND_OK},
        {1, 16, 16, 4, guest_vram(0), COMMAND_OK},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        QXLSurfaceCmd *surface =
            guest_surface(&guest, 3, QXL_SURFACE_CMD_CREATE, &address);
        surface->u.surface_create.format = cases[i].format;
        surface->u.surface_create.width = cases[i].width;
        surface->u.surface_create.height = cases[i].height;
        surface->u.surface_create.stride = cases[i].stride;
        surface->u.surface_create.data = cases[i].data;
        submit(QXL_CMD_SURFACE, address);
        expect(cases[i].error);
    }
    const uint32_t ids[] = {0, 1024, UINT32_MAX};
    for (unsigned i = 0; i < 3; i++) {
        guest_surface(&guest, ids[i], QXL_SURFACE_CMD_DESTROY, &address);
        submit(QXL_CMD_SURFACE, address);
        expect(COMMAND_BAD_SURFACE_ID);
    }
    guest_surface(&guest, 3, 2, &address);
    submit(QXL_CMD_SURFACE, address);
    expect(COMMAND_BAD_TYPE);
}

static void
test_messages(void)
{
    uint64_t address;
    char *text = (char *)guest_alloc(&guest, 64, &address) + 8;
    text[-8] = 1;
    memcpy(text, "a\x1b[31mb\n\tc\xff  \n", 15);
    submit(QXL_CMD_MESSAGE, address);
    CHECK(drain(0) == 1 && batch->num_entries == 1);
    CHECK(strcmp(batch->bookkeeping->messages[0], "a?[31mb  c?") == 0);
    /* No NUL before the end of the slot, and longer than what is kept. */
    memset(guest.ram + 4096, 'x', GUEST_RAM_SIZE - 4096);
    guest_push(&guest, &guest.commands, QXL_CMD_MESSAGE,
               UINT64_C(1) << 56 | (GUEST_RAM_SIZE - 12));
    guest_push(&guest, &guest.commands, QXL_CMD_MESSAGE,
               UINT64_C(1) << 56 | (GUEST_RAM_SIZE - 8));
    guest_push(&guest, &guest.commands, QXL_CMD_MESSAGE, UINT64_C(1) << 56 | 8192);
    CHECK(drain(0) == 3 && batch->num_entries == 3);
    CHECK(strcmp(batch->bookkeeping->messages[0], "xxxx") == 0);
    CHECK(strcmp(batch->bookkeeping->messages[1], "") == 0);
    CHECK(strlen(batch->bookkeeping->messages[2]) == MAX_MESSAGE_SIZE - 1);
    restart();
}

static void
test_protocol(void)
{
    uint64_t address;
    int32_t notify;
    CHECK(command_batch_drain(batch, &guest.releases, &guest.slots, 0, 0, &notify) ==
          RING_BAD_LAYOUT);
    guest_drawable(&guest, QXL_DRAW_INVERS, &address);
    submit(QXL_CMD_DRAW, address);
    submit(QXL_CMD_DRAW, address);
    CHECK(command_batch_drain(batch, &guest.commands, &guest.slots, 1, 0, &notify) ==
          1);
    CHECK(command_batch_drain(batch, &guest.commands, &guest.slots, 1, 0, &notify) ==
          BATCH_NOT_RELEASED);
    CHECK(drain(0) == 1 && drain(0) == 0);
    guest_header(&guest)->cmd_ring.prod += 40;
    CHECK(drain(0) == RING_BROKEN && batch->num_entries == 0);
    restart();
    for (uint32_t error = 0; error < NUM_COMMAND_ERRORS; error++) {
        CHECK(command_error_name(error) != NULL);
    }
    CHECK(command_error_name(NUM_COMMAND_ERRORS) == NULL);
}

int
main(void)
{
    guest_init(&guest);
    batch = command_batch_new();
    CHECK(batch != NULL);
    test_scenes();
    test_copy_fields();
    test_addresses();
    test_common();
    test_clip();
    test_images();
    test_chains();
    test_brush_and_mask();
    test_surfaces();
    test_messages();
    test_protocol();
    command_batch_free(batch);
    guest_destroy(&guest);
    return 0;
}
