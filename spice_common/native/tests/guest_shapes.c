/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands of a guest that have variable parts: paths, strings; and the old ones.
 */
#include <string.h>

#include "guest.h"

uint64_t
guest_path(struct guest *guest, uint32_t chunk_size)
{
    enum {
        POINTS = 3 + 3,
        SIZE = 2 * sizeof(QXLPathSeg) + POINTS * sizeof(QXLPointFix)
    };
    const QXLPathSeg line = {.flags = QXL_PATH_BEGIN, .count = 3};
    const QXLPathSeg curve = {.flags = QXL_PATH_BEZIER | QXL_PATH_END, .count = 3};
    const QXLPointFix points[POINTS] = {{16, 16}, {100, 20},  {64, 120},
                                        {0, 64},  {128, 100}, {20, 30}};
    uint8_t bytes[SIZE];
    uint64_t address;
    memcpy(bytes, &line, sizeof(line));
    memcpy(bytes + sizeof(line), points, 3 * sizeof(*points));
    memcpy(bytes + sizeof(line) + 3 * sizeof(*points), &curve, sizeof(curve));
    memcpy(bytes + 2 * sizeof(line) + 3 * sizeof(*points), points + 3,
           3 * sizeof(*points));
    QXLPath *path = guest_alloc(guest, sizeof(QXLPath) + SIZE, &address);
    path->data_size = SIZE;
    guest_fill_chunks(guest, &path->chunk, SIZE, chunk_size);
    guest_store_chunks(guest, &path->chunk, bytes);
    return address;
}

uint64_t
guest_string(struct guest *guest, uint16_t flags, uint32_t chunk_size)
{
    enum { GLYPHS = 3, WIDTH = 5, HEIGHT = 7, MAX = sizeof(QXLRasterGlyph) + 35 };
    const uint32_t bits = flags & SPICE_STRING_FLAGS_RASTER_A1   ? 1
                          : flags & SPICE_STRING_FLAGS_RASTER_A4 ? 4
                                                                 : 8;
    const uint32_t size = (WIDTH * bits + 7) / 8 * HEIGHT;
    const uint32_t total = GLYPHS * ((uint32_t)sizeof(QXLRasterGlyph) + size);
    uint8_t bytes[GLYPHS * MAX];
    uint64_t address;
    for (int32_t i = 0; i < GLYPHS; i++) {
        const QXLRasterGlyph glyph = {
            .render_pos = {1 + 6 * i, 9},
            .glyph_origin = {i, -HEIGHT},
            .width = WIDTH,
            .height = HEIGHT,
        };
        uint8_t *at = bytes + (uint32_t)i * (sizeof(glyph) + size);
        memcpy(at, &glyph, sizeof(glyph));
        memset(at + sizeof(glyph), 0xb5 + i, size);
    }
    QXLString *string =
        guest_alloc(guest, (uint32_t)sizeof(QXLString) + total, &address);
    string->data_size = total;
    string->length = GLYPHS;
    string->flags = flags;
    guest_fill_chunks(guest, &string->chunk, total, chunk_size);
    guest_store_chunks(guest, &string->chunk, bytes);
    return address;
}

uint64_t
guest_transform(struct guest *guest)
{
    const QXLTransform transform = {0x8000, 0, 0x10000, 0, 0x8000, 0};
    uint64_t address;
    memcpy(guest_alloc(guest, sizeof(transform), &address), &transform,
           sizeof(transform));
    return address;
}

QXLDrawable *
guest_stroke(struct guest *guest, uint64_t *address)
{
    uint64_t style;
    int32_t *dashes = guest_alloc(guest, 2 * sizeof(*dashes), &style);
    dashes[0] = 3 << 4;
    dashes[1] = 2 << 4;
    const uint64_t path = guest_path(guest, 4096);
    QXLDrawable *drawable = guest_drawable(guest, QXL_DRAW_STROKE, address);
    QXLStroke *stroke = &drawable->u.stroke;
    stroke->path = path;
    stroke->attr.flags = SPICE_LINE_FLAGS_STYLED;
    stroke->attr.style_nseg = 2;
    stroke->attr.style = style;
    stroke->brush.type = SPICE_BRUSH_TYPE_SOLID;
    stroke->brush.u.color = 0x00ff00;
    stroke->fore_mode = SPICE_ROPD_OP_PUT;
    stroke->back_mode = SPICE_ROPD_OP_XOR;
    return drawable;
}

QXLDrawable *
guest_text(struct guest *guest, uint16_t flags, uint64_t *address)
{
    const uint64_t string = guest_string(guest, flags, 4096);
    QXLDrawable *drawable = guest_drawable(guest, QXL_DRAW_TEXT, address);
    QXLText *text = &drawable->u.text;
    text->str = string;
    text->back_area = (QXLRect){.top = 1, .left = 1, .bottom = 8, .right = 8};
    text->fore_brush.type = SPICE_BRUSH_TYPE_SOLID;
    text->fore_brush.u.color = 0xff0000;
    text->back_brush.type = SPICE_BRUSH_TYPE_SOLID;
    text->back_brush.u.color = 0x0000ff;
    text->fore_mode = SPICE_ROPD_OP_PUT;
    text->back_mode = SPICE_ROPD_OP_PUT;
    return drawable;
}

QXLDrawable *
guest_composite(struct guest *guest, uint64_t mask, uint64_t *address)
{
    const uint64_t image = guest_bitmap(guest, 8, 8, 4096);
    const uint64_t transform = guest_transform(guest);
    QXLDrawable *drawable = guest_drawable(guest, QXL_DRAW_COMPOSITE, address);
    QXLComposite *composite = &drawable->u.composite;
    composite->flags = QXL_OP_OVER;
    composite->src = image;
    composite->src_transform = transform;
    composite->mask = mask;
    composite->mask_transform = mask != 0 ? transform : 0;
    composite->src_origin.x = 1;
    composite->mask_origin.y = -2;
    return drawable;
}

void
guest_push_shapes(struct guest *guest)
{
    uint64_t address;
    guest_stroke(guest, &address);
    guest_push(guest, &guest->commands, QXL_CMD_DRAW, address);
    const uint16_t depths[] = {SPICE_STRING_FLAGS_RASTER_A1,
                               SPICE_STRING_FLAGS_RASTER_A4,
                               SPICE_STRING_FLAGS_RASTER_A8};
    for (int i = 0; i < 3; i++) {
        guest_text(guest, depths[i], &address);
        guest_push(guest, &guest->commands, QXL_CMD_DRAW, address);
    }
    guest_composite(guest, 0, &address);
    guest_push(guest, &guest->commands, QXL_CMD_DRAW, address);
    guest_composite(
        guest, guest_palette_bitmap(guest, SPICE_BITMAP_FMT_8BIT_A, 8, 8, 0), &address);
    guest_push(guest, &guest->commands, QXL_CMD_DRAW, address);
    QXLDrawable *drawable = guest_drawable(guest, QXL_DRAW_OPAQUE, &address);
    drawable->self_bitmap = 1;
    drawable->self_bitmap_area = drawable->bbox;
    drawable->u.opaque.src_area = drawable->bbox;
    drawable->u.opaque.rop_descriptor = SPICE_ROPD_OP_PUT;
    drawable->u.opaque.brush.type = SPICE_BRUSH_TYPE_SOLID;
    guest_push(guest, &guest->commands, QXL_CMD_DRAW, address);
}

QXLCompatDrawable *
guest_compat_drawable(struct guest *guest, uint8_t type, uint64_t *address)
{
    QXLCompatDrawable *drawable =
        guest_alloc(guest, sizeof(QXLCompatDrawable), address);
    drawable->release_info.id = guest->next_id++;
    drawable->type = type;
    drawable->effect = QXL_EFFECT_OPAQUE;
    drawable->bbox.bottom = 8;
    drawable->bbox.right = 8;
    return drawable;
}

void
guest_push_compat(struct guest *guest)
{
    uint64_t address;
    const uint64_t image = guest_bitmap(guest, 8, 8, 4096);
    QXLCompatDrawable *drawable = guest_compat_drawable(guest, QXL_DRAW_FILL, &address);
    drawable->u.fill.brush.type = SPICE_BRUSH_TYPE_SOLID;
    drawable->u.fill.rop_descriptor = SPICE_ROPD_OP_PUT;
    guest_push(guest, &guest->commands, QXL_CMD_DRAW, address);
    drawable = guest_compat_drawable(guest, QXL_DRAW_ALPHA_BLEND, &address);
    drawable->u.alpha_blend.alpha = 77;
    drawable->u.alpha_blend.src_bitmap = image;
    drawable->u.alpha_blend.src_area = drawable->bbox;
    guest_push(guest, &guest->commands, QXL_CMD_DRAW, address);
    drawable = guest_compat_drawable(guest, QXL_DRAW_COPY, &address);
    drawable->bitmap_offset = 1;
    drawable->bitmap_area = drawable->bbox;
    drawable->u.copy.src_area = drawable->bbox;
    drawable->u.copy.rop_descriptor = SPICE_ROPD_OP_PUT;
    guest_push(guest, &guest->commands, QXL_CMD_DRAW, address);
    QXLCompatUpdateCmd *update =
        guest_alloc(guest, sizeof(QXLCompatUpdateCmd), &address);
    update->release_info.id = guest->next_id++;
    update->area.bottom = 8;
    update->area.right = 8;
    update->update_id = 3;
    guest_push(guest, &guest->commands, QXL_CMD_UPDATE, address);
}
