/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static void
attach(struct ring *ring, uint8_t *memory, uint32_t num_items, uint32_t item_size)
{
    uint64_t size = RING_HEADER_SIZE + (uint64_t)num_items * item_size;
    CHECK(ring_attach(ring, memory, size, num_items, item_size) == 0);
}

void
guest_init(struct guest *guest)
{
    memset(guest, 0, sizeof(*guest));
    guest->ram = calloc(1, GUEST_RAM_SIZE);
    guest->vram = calloc(1, GUEST_VRAM_SIZE);
    CHECK(guest->ram != NULL && guest->vram != NULL);
    guest->used = (sizeof(QXLRam) + 7) & ~7u;
    guest->next_id = 1;
    CHECK(memslot_init(&guest->slots, 8, 8) == 0);
    CHECK(memslot_add(&guest->slots, 1, 0, guest->ram, GUEST_RAM_SIZE) == 0);
    CHECK(memslot_add(&guest->slots, 2, GUEST_VRAM_GENERATION, guest->vram,
                      GUEST_VRAM_SIZE) == 0);
    attach(&guest->commands, guest->ram + offsetof(QXLRam, cmd_ring),
           QXL_COMMAND_RING_SIZE, sizeof(QXLCommand));
    attach(&guest->cursors, guest->ram + offsetof(QXLRam, cursor_ring),
           QXL_CURSOR_RING_SIZE, sizeof(QXLCommand));
    attach(&guest->releases, guest->ram + offsetof(QXLRam, release_ring),
           QXL_RELEASE_RING_SIZE, sizeof(uint64_t));
    ring_reset(&guest->commands);
    ring_reset(&guest->cursors);
    ring_reset(&guest->releases);
    release_queue_attach(&guest->queue, &guest->releases);
}

void
guest_destroy(struct guest *guest)
{
    free(guest->ram);
    free(guest->vram);
}

void
guest_load(struct guest *guest, const uint8_t *bytes, uint64_t size)
{
    uint64_t ram = size < GUEST_RAM_SIZE ? size : GUEST_RAM_SIZE;
    uint64_t vram = size - ram < GUEST_VRAM_SIZE ? size - ram : GUEST_VRAM_SIZE;
    memcpy(guest->ram, bytes, ram);
    memcpy(guest->vram, bytes + ram, vram);
    release_queue_attach(&guest->queue, &guest->releases);
}

void
guest_save(const struct guest *guest, uint8_t *bytes)
{
    memcpy(bytes, guest->ram, GUEST_RAM_SIZE);
    memcpy(bytes + GUEST_RAM_SIZE, guest->vram, GUEST_VRAM_SIZE);
}

QXLRam *
guest_header(const struct guest *guest)
{
    return (QXLRam *)(void *)guest->ram;
}

void *
guest_alloc(struct guest *guest, uint32_t size, uint64_t *address)
{
    uint32_t offset = guest->used;
    CHECK(size <= GUEST_RAM_SIZE - offset);
    guest->used = (offset + size + 7) & ~7u;
    *address = UINT64_C(1) << 56 | offset;
    return guest->ram + offset;
}

uint64_t
guest_vram(uint32_t offset)
{
    return UINT64_C(2) << 56 | (uint64_t)GUEST_VRAM_GENERATION << 48 | offset;
}

void
guest_push(struct guest *guest, const struct ring *ring, uint32_t type,
           uint64_t address)
{
    const QXLCommand command = {.data = address, .type = type};
    int32_t notify;
    (void)guest;
    CHECK(ring_push(ring, (const uint8_t *)&command, 1, &notify) == 1);
}

void
guest_fill_chunks(struct guest *guest, QXLDataChunk *first, uint32_t size,
                  uint32_t chunk_size)
{
    QXLDataChunk *chunk = first;
    uint32_t value = 0;
    for (;;) {
        chunk->data_size = size < chunk_size ? size : chunk_size;
        for (uint32_t i = 0; i < chunk->data_size; i++) {
            chunk->data[i] = (uint8_t)(value++ * 7);
        }
        size -= chunk->data_size;
        if (size == 0) {
            return;
        }
        uint32_t next = size < chunk_size ? size : chunk_size;
        uint64_t address;
        QXLDataChunk *following =
            guest_alloc(guest, (uint32_t)sizeof(QXLDataChunk) + next, &address);
        chunk->next_chunk = address;
        chunk = following;
    }
}

void
guest_store_chunks(const struct guest *guest, QXLDataChunk *first, const uint8_t *bytes)
{
    QXLDataChunk *chunk = first;
    for (;;) {
        memcpy(chunk->data, bytes, chunk->data_size);
        bytes += chunk->data_size;
        if (chunk->next_chunk == 0) {
            return;
        }
        chunk = (QXLDataChunk *)(void *)(guest->ram + (chunk->next_chunk & 0xffffff));
    }
}

static uint64_t
new_chunks(struct guest *guest, uint32_t size, uint32_t chunk_size)
{
    uint64_t address;
    uint32_t first = size < chunk_size ? size : chunk_size;
    QXLDataChunk *chunk =
        guest_alloc(guest, (uint32_t)sizeof(QXLDataChunk) + first, &address);
    guest_fill_chunks(guest, chunk, size, chunk_size);
    return address;
}

static QXLImage *
new_image(struct guest *guest, uint8_t type, uint32_t width, uint32_t height,
          uint32_t size, uint64_t *address)
{
    QXLImage *image = guest_alloc(guest, size, address);
    image->descriptor.type = type;
    image->descriptor.id = guest->next_id++ << 32 | QXL_IMAGE_GROUP_DRIVER;
    image->descriptor.width = width;
    image->descriptor.height = height;
    return image;
}

uint64_t
guest_bitmap(struct guest *guest, uint32_t width, uint32_t height, uint32_t chunk_size)
{
    uint64_t address;
    QXLImage *image = new_image(guest, SPICE_IMAGE_TYPE_BITMAP, width, height,
                                sizeof(QXLImage), &address);
    image->bitmap.format = SPICE_BITMAP_FMT_32BIT;
    image->bitmap.flags = QXL_BITMAP_TOP_DOWN;
    image->bitmap.x = width;
    image->bitmap.y = height;
    image->bitmap.stride = width * 4;
    image->bitmap.data = new_chunks(guest, width * 4 * height, chunk_size);
    return address;
}

uint64_t
guest_palette_bitmap(struct guest *guest, uint8_t format, uint32_t width,
                     uint32_t height, uint16_t num_colors)
{
    uint64_t address, palette_address;
    QXLImage *image = new_image(guest, SPICE_IMAGE_TYPE_BITMAP, width, height,
                                sizeof(QXLImage), &address);
    image->bitmap.format = format;
    image->bitmap.x = width;
    image->bitmap.y = height;
    image->bitmap.stride = width;
    if (num_colors != 0) {
        QXLPalette *palette = guest_alloc(
            guest, (uint32_t)sizeof(QXLPalette) + num_colors * 4u, &palette_address);
        palette->unique = guest->next_id++;
        palette->num_ents = num_colors;
        for (uint16_t i = 0; i < num_colors; i++) {
            palette->ents[i] = i * 0x010203u;
        }
        image->bitmap.palette = palette_address;
    }
    image->bitmap.flags = QXL_BITMAP_DIRECT;
    memset(guest_alloc(guest, width * height, &palette_address), 1, width * height);
    image->bitmap.data = palette_address;
    return address;
}

uint64_t
guest_surface_image(struct guest *guest, uint32_t surface_id)
{
    uint64_t address;
    QXLImage *image =
        new_image(guest, SPICE_IMAGE_TYPE_SURFACE, 0, 0, sizeof(QXLImage), &address);
    image->surface_image.surface_id = surface_id;
    return address;
}

uint64_t
guest_quic_image(struct guest *guest)
{
    enum { QUIC_SIZE = 24 };
    uint64_t address;
    QXLImage *image = new_image(
        guest, SPICE_IMAGE_TYPE_QUIC, 8, 8,
        sizeof(QXLImageDescriptor) + 4 + sizeof(QXLDataChunk) + QUIC_SIZE, &address);
    image->quic.data_size = QUIC_SIZE;
    guest_fill_chunks(guest, (QXLDataChunk *)(void *)image->quic.data, QUIC_SIZE,
                      QUIC_SIZE);
    return address;
}

QXLDrawable *
guest_drawable(struct guest *guest, uint8_t type, uint64_t *address)
{
    QXLDrawable *drawable = guest_alloc(guest, sizeof(QXLDrawable), address);
    drawable->release_info.id = guest->next_id++;
    drawable->type = type;
    drawable->effect = QXL_EFFECT_OPAQUE;
    drawable->bbox.bottom = 8;
    drawable->bbox.right = 8;
    for (int i = 0; i < 3; i++) {
        drawable->surfaces_dest[i] = -1;
    }
    return drawable;
}

QXLSurfaceCmd *
guest_surface(struct guest *guest, uint32_t surface_id, uint8_t type, uint64_t *address)
{
    QXLSurfaceCmd *surface = guest_alloc(guest, sizeof(QXLSurfaceCmd), address);
    surface->release_info.id = guest->next_id++;
    surface->surface_id = surface_id;
    surface->type = type;
    if (type == QXL_SURFACE_CMD_CREATE) {
        surface->u.surface_create.format = SPICE_SURFACE_FMT_32_xRGB;
        surface->u.surface_create.width = 16;
        surface->u.surface_create.height = 16;
        surface->u.surface_create.stride = 64;
        surface->u.surface_create.data = guest_vram(4096);
    }
    return surface;
}

static void
push_copy(struct guest *guest, uint8_t type, uint64_t image)
{
    uint64_t address;
    QXLDrawable *drawable = guest_drawable(guest, type, &address);
    drawable->u.copy.src_bitmap = image;
    drawable->u.copy.src_area.bottom = 8;
    drawable->u.copy.src_area.right = 8;
    drawable->u.copy.rop_descriptor = SPICE_ROPD_OP_PUT;
    guest_push(guest, &guest->commands, QXL_CMD_DRAW, address);
}

static void
push_fill(struct guest *guest, uint64_t pattern, uint64_t mask)
{
    uint64_t address, clip_address;
    QXLDrawable *drawable = guest_drawable(guest, QXL_DRAW_FILL, &address);
    QXLFill *fill = &drawable->u.fill;
    fill->rop_descriptor = SPICE_ROPD_OP_PUT;
    fill->mask.bitmap = mask;
    if (pattern != 0) {
        fill->brush.type = SPICE_BRUSH_TYPE_PATTERN;
        fill->brush.u.pattern.pat = pattern;
    } else {
        fill->brush.type = SPICE_BRUSH_TYPE_SOLID;
        fill->brush.u.color = 0x102030;
    }
    QXLClipRects *clip =
        guest_alloc(guest, sizeof(QXLClipRects) + 2 * sizeof(QXLRect), &clip_address);
    clip->num_rects = 2;
    clip->chunk.data_size = 2 * sizeof(QXLRect);
    const QXLRect rects[2] = {{0, 0, 4, 4}, {4, 2, 8, 6}};
    memcpy(clip->chunk.data, rects, sizeof(rects));
    drawable->clip.type = SPICE_CLIP_TYPE_RECTS;
    drawable->clip.data = clip_address;
    guest_push(guest, &guest->commands, QXL_CMD_DRAW, address);
}

static void
push_copies(struct guest *guest)
{
    uint64_t address;
    push_copy(guest, QXL_DRAW_COPY, guest_bitmap(guest, 8, 8, 100));
    push_copy(guest, QXL_DRAW_BLEND, guest_bitmap(guest, 8, 8, 4096));
    push_copy(guest, QXL_DRAW_COPY,
              guest_palette_bitmap(guest, SPICE_BITMAP_FMT_8BIT, 8, 8, 16));
    push_copy(guest, QXL_DRAW_COPY,
              guest_palette_bitmap(guest, SPICE_BITMAP_FMT_4BIT_BE, 8, 8, 16));
    push_copy(guest, QXL_DRAW_COPY, guest_quic_image(guest));
    QXLDrawable *drawable = guest_drawable(guest, QXL_COPY_BITS, &address);
    drawable->u.copy_bits.src_pos.x = 4;
    drawable->u.copy_bits.src_pos.y = 2;
    guest_push(guest, &guest->commands, QXL_CMD_DRAW, address);
}

static void
push_fills(struct guest *guest)
{
    uint64_t address;
    push_fill(guest, 0, 0);
    push_fill(guest, guest_bitmap(guest, 4, 4, 4096),
              guest_palette_bitmap(guest, SPICE_BITMAP_FMT_1BIT_BE, 8, 8, 2));
    for (uint8_t type = QXL_DRAW_BLACKNESS; type <= QXL_DRAW_INVERS; type++) {
        guest_drawable(guest, type, &address);
        guest_push(guest, &guest->commands, QXL_CMD_DRAW, address);
    }
    uint64_t image = guest_bitmap(guest, 8, 8, 4096);
    QXLDrawable *drawable = guest_drawable(guest, QXL_DRAW_ROP3, &address);
    drawable->u.rop3.src_bitmap = image;
    drawable->u.rop3.src_area.bottom = 8;
    drawable->u.rop3.src_area.right = 8;
    drawable->u.rop3.brush.type = SPICE_BRUSH_TYPE_SOLID;
    drawable->u.rop3.rop3 = 0xcc;
    guest_push(guest, &guest->commands, QXL_CMD_DRAW, address);
    drawable = guest_drawable(guest, QXL_DRAW_ALPHA_BLEND, &address);
    drawable->u.alpha_blend.alpha = 128;
    drawable->u.alpha_blend.src_bitmap = image;
    drawable->u.alpha_blend.src_area.bottom = 8;
    drawable->u.alpha_blend.src_area.right = 8;
    guest_push(guest, &guest->commands, QXL_CMD_DRAW, address);
    drawable = guest_drawable(guest, QXL_DRAW_TRANSPARENT, &address);
    drawable->u.transparent.src_bitmap = image;
    drawable->u.transparent.src_area.bottom = 8;
    drawable->u.transparent.src_area.right = 8;
    guest_push(guest, &guest->commands, QXL_CMD_DRAW, address);
}

static void
push_surfaces(struct guest *guest)
{
    uint64_t address;
    guest_surface(guest, 7, QXL_SURFACE_CMD_CREATE, &address);
    guest_push(guest, &guest->commands, QXL_CMD_SURFACE, address);
    QXLDrawable *drawable = guest_drawable(guest, QXL_DRAW_WHITENESS, &address);
    drawable->surface_id = 7;
    guest_push(guest, &guest->commands, QXL_CMD_DRAW, address);
    push_copy(guest, QXL_DRAW_COPY, guest_surface_image(guest, 7));
    QXLUpdateCmd *update = guest_alloc(guest, sizeof(QXLUpdateCmd), &address);
    update->release_info.id = guest->next_id++;
    update->area.bottom = 8;
    update->area.right = 8;
    update->surface_id = 7;
    guest_push(guest, &guest->commands, QXL_CMD_UPDATE, address);
    guest_surface(guest, 7, QXL_SURFACE_CMD_DESTROY, &address);
    guest_push(guest, &guest->commands, QXL_CMD_SURFACE, address);
    QXLMessage *message = guest_alloc(guest, sizeof(QXLMessage) + 16, &address);
    message->release_info.id = guest->next_id++;
    memcpy(message->data, "guest says hi\n", 15);
    guest_push(guest, &guest->commands, QXL_CMD_MESSAGE, address);
}

static void
push_cursors(struct guest *guest)
{
    for (uint8_t type = QXL_CURSOR_SET; type <= QXL_CURSOR_TRAIL; type++) {
        uint64_t address, shape_address;
        QXLCursorCmd *command = guest_alloc(guest, sizeof(QXLCursorCmd), &address);
        command->release_info.id = guest->next_id++;
        command->type = type;
        command->u.position.x = 3;
        command->u.position.y = 4;
        if (type == QXL_CURSOR_SET) {
            QXLCursor *cursor = guest_alloc(
                guest, (uint32_t)sizeof(QXLCursor) + 8 * 8 * 4, &shape_address);
            cursor->header.type = SPICE_CURSOR_TYPE_ALPHA;
            cursor->header.unique = 99;
            cursor->header.width = 8;
            cursor->header.height = 8;
            cursor->header.hot_spot_x = 1;
            cursor->data_size = 8 * 8 * 4;
            cursor->chunk.data_size = 8 * 8 * 4;
            memset(cursor->chunk.data, 0x55, 8 * 8 * 4);
            command->u.set.visible = 1;
            command->u.set.shape = shape_address;
        }
        guest_push(guest, &guest->cursors, QXL_CMD_CURSOR, address);
    }
}

void
guest_push_scene(struct guest *guest, uint32_t scene)
{
    static void (*const scenes[GUEST_NUM_SCENES])(struct guest *) = {
        push_copies,  push_fills,        push_surfaces,
        push_cursors, guest_push_shapes, guest_push_compat};
    CHECK(scene < GUEST_NUM_SCENES);
    scenes[scene](guest);
}
