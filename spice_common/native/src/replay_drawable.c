/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* QXL_CMD_DRAW: the drawable, its clip, and each draw type's own part. */
#include "replay_event.h"

#include <stddef.h>
#include <string.h>

static void
read_brush(struct event_reader *reader, QXLBrush *brush)
{
    struct replay_text *text = &reader->text;
    brush->type = text_u32(text, "type");
    switch (brush->type) {
    case SPICE_BRUSH_TYPE_NONE:
        break;
    case SPICE_BRUSH_TYPE_SOLID:
        brush->u.color = text_u32(text, "u.color");
        break;
    case SPICE_BRUSH_TYPE_PATTERN: {
        QXLPoint pos = {0};
        brush->u.pattern.pat = event_image(reader);
        event_point(reader, &pos);
        brush->u.pattern.pos = pos;
        break;
    }
    default:
        text_fail(text, TEXT_BAD, "a brush's type");
        break;
    }
}

static void
read_mask(struct event_reader *reader, QXLQMask *mask)
{
    QXLPoint pos = {0};
    mask->flags = text_u8(&reader->text, "flags");
    event_point(reader, &pos);
    mask->pos = pos;
    mask->bitmap = event_image(reader);
}

static QXLRect
read_rect(struct event_reader *reader, const char *name)
{
    QXLRect rect = {0};
    event_rect(reader, name, &rect);
    return rect;
}

static void
read_fill(struct event_reader *reader, QXLFill *fill)
{
    read_brush(reader, &fill->brush);
    fill->rop_descriptor = text_u16(&reader->text, "rop_descriptor");
    read_mask(reader, &fill->mask);
}

static void
read_opaque(struct event_reader *reader, QXLOpaque *opaque)
{
    opaque->src_bitmap = event_image(reader);
    opaque->src_area = read_rect(reader, "src_area");
    read_brush(reader, &opaque->brush);
    opaque->rop_descriptor = text_u16(&reader->text, "rop_descriptor");
    opaque->scale_mode = text_u8(&reader->text, "scale_mode");
    read_mask(reader, &opaque->mask);
}

/* COPY and BLEND. */
static void
read_copy(struct event_reader *reader, QXLCopy *copy)
{
    copy->src_bitmap = event_image(reader);
    copy->src_area = read_rect(reader, "src_area");
    copy->rop_descriptor = text_u16(&reader->text, "rop_descriptor");
    copy->scale_mode = text_u8(&reader->text, "scale_mode");
    read_mask(reader, &copy->mask);
}

static void
read_copy_bits(struct event_reader *reader, QXLCopyBits *copy)
{
    QXLPoint from = {0};
    event_point(reader, &from);
    copy->src_pos = from;
}

static void
read_rop3(struct event_reader *reader, QXLRop3 *rop3)
{
    rop3->src_bitmap = event_image(reader);
    rop3->src_area = read_rect(reader, "src_area");
    read_brush(reader, &rop3->brush);
    rop3->rop3 = text_u8(&reader->text, "rop3");
    rop3->scale_mode = text_u8(&reader->text, "scale_mode");
    read_mask(reader, &rop3->mask);
}

/* A block without a chunk's header. */
static QXLPHYSICAL
read_plain(struct event_reader *reader, const char *name, uint64_t size)
{
    uint32_t found = 0;
    QXLPHYSICAL address;
    const uint8_t *data = text_binary(&reader->text, name, UINT32_MAX, &found);
    if (found != size) {
        text_fail(&reader->text, TEXT_BAD, name);
    }
    void *to = event_take(reader, size, &address);
    if (to != NULL && data != NULL) {
        memcpy(to, data, size);
    }
    return address;
}

static void
read_stroke(struct event_reader *reader, QXLStroke *stroke)
{
    struct replay_text *text = &reader->text;
    void *header = NULL;
    uint64_t total;
    stroke->path =
        event_chunks(reader, "path", offsetof(QXLPath, chunk), &header, &total);
    if (header != NULL) {
        ((QXLPath *)header)->data_size = (uint32_t)total;
    }
    stroke->attr.flags = text_u8(text, "attr.flags");
    if (stroke->attr.flags & SPICE_LINE_FLAGS_STYLED) {
        stroke->attr.style_nseg = text_u8(text, "attr.style_nseg");
        stroke->attr.style =
            read_plain(reader, "style", stroke->attr.style_nseg * sizeof(QXLFIXED));
    }
    read_brush(reader, &stroke->brush);
    stroke->fore_mode = text_u16(text, "fore_mode");
    stroke->back_mode = text_u16(text, "back_mode");
}

static void
read_text(struct event_reader *reader, QXLText *to)
{
    struct replay_text *text = &reader->text;
    void *header = NULL;
    uint64_t total;
    uint32_t data_size = text_u32(text, "data_size");
    uint16_t length = text_u16(text, "length");
    uint16_t flags = text_u16(text, "flags");
    to->str =
        event_chunks(reader, "string", offsetof(QXLString, chunk), &header, &total);
    if (header != NULL) {
        QXLString *string = header;
        string->data_size = data_size;
        string->length = length;
        string->flags = flags;
    }
    to->back_area = read_rect(reader, "back_area");
    read_brush(reader, &to->fore_brush);
    read_brush(reader, &to->back_brush);
    to->fore_mode = text_u16(text, "fore_mode");
    to->back_mode = text_u16(text, "back_mode");
}

static void
read_transparent(struct event_reader *reader, QXLTransparent *transparent)
{
    transparent->src_bitmap = event_image(reader);
    transparent->src_area = read_rect(reader, "src_area");
    transparent->src_color = text_u32(&reader->text, "src_color");
    transparent->true_color = text_u32(&reader->text, "true_color");
}

static void
read_alpha_blend(struct event_reader *reader, QXLAlphaBlend *blend)
{
    blend->alpha_flags = text_u16(&reader->text, "alpha_flags");
    blend->alpha = text_u8(&reader->text, "alpha");
    blend->src_bitmap = event_image(reader);
    blend->src_area = read_rect(reader, "src_area");
}

static QXLPHYSICAL
read_transform(struct event_reader *reader, const char *name)
{
    return event_flag(reader, name)
               ? read_plain(reader, "transform", sizeof(QXLTransform))
               : 0;
}

static void
read_composite(struct event_reader *reader, QXLComposite *composite)
{
    QXLPoint16 origin = {0};
    composite->flags = text_u32(&reader->text, "flags");
    composite->src = event_image(reader);
    composite->src_transform = read_transform(reader, "src_transform");
    composite->mask = event_flag(reader, "mask") ? event_image(reader) : 0;
    composite->mask_transform = read_transform(reader, "mask_transform");
    event_point16(reader, "src_origin", &origin);
    composite->src_origin = origin;
    event_point16(reader, "mask_origin", &origin);
    composite->mask_origin = origin;
}

static void
read_type(struct event_reader *reader, QXLDrawable *drawable)
{
    switch (drawable->type) {
    case QXL_DRAW_NOP:
        break;
    case QXL_DRAW_FILL:
        read_fill(reader, &drawable->u.fill);
        break;
    case QXL_DRAW_OPAQUE:
        read_opaque(reader, &drawable->u.opaque);
        break;
    case QXL_DRAW_COPY:
    case QXL_DRAW_BLEND:
        read_copy(reader, &drawable->u.copy);
        break;
    case QXL_COPY_BITS:
        read_copy_bits(reader, &drawable->u.copy_bits);
        break;
    case QXL_DRAW_BLACKNESS:
    case QXL_DRAW_WHITENESS:
    case QXL_DRAW_INVERS:
        read_mask(reader, &drawable->u.blackness.mask);
        break;
    case QXL_DRAW_ROP3:
        read_rop3(reader, &drawable->u.rop3);
        break;
    case QXL_DRAW_STROKE:
        read_stroke(reader, &drawable->u.stroke);
        break;
    case QXL_DRAW_TEXT:
        read_text(reader, &drawable->u.text);
        break;
    case QXL_DRAW_TRANSPARENT:
        read_transparent(reader, &drawable->u.transparent);
        break;
    case QXL_DRAW_ALPHA_BLEND:
        read_alpha_blend(reader, &drawable->u.alpha_blend);
        break;
    case QXL_DRAW_COMPOSITE:
        read_composite(reader, &drawable->u.composite);
        break;
    default:
        text_fail(&reader->text, TEXT_BAD, "a draw type");
        break;
    }
}

static void
read_clip(struct event_reader *reader, QXLClip *clip)
{
    clip->type = text_u32(&reader->text, "type");
    if (clip->type == SPICE_CLIP_TYPE_RECTS) {
        void *header = NULL;
        uint64_t total;
        uint32_t num_rects = text_u32(&reader->text, "num_rects");
        clip->data = event_chunks(reader, "clip_rects", offsetof(QXLClipRects, chunk),
                                  &header, &total);
        if (header != NULL) {
            ((QXLClipRects *)header)->num_rects = num_rects;
        }
    }
}

static void
read_common(struct event_reader *reader, QXLDrawable *drawable)
{
    struct replay_text *text = &reader->text;
    drawable->bbox = read_rect(reader, "bbox");
    read_clip(reader, &drawable->clip);
    drawable->effect = text_u8(text, "effect");
    drawable->mm_time = text_u32(text, "mm_time");
    drawable->self_bitmap = text_u8(text, "self_bitmap");
    drawable->self_bitmap_area = read_rect(reader, "self_bitmap_area");
    drawable->surface_id = text_u32(text, "surface_id");
    for (int i = 0; i < 3; i++) {
        drawable->surfaces_dest[i] = (int32_t)text_u32(text, "surfaces_dest");
        drawable->surfaces_rects[i] = read_rect(reader, "surfaces_rects");
    }
    drawable->type = text_u8(text, "type");
}

QXLPHYSICAL
event_drawable(struct event_reader *reader)
{
    QXLDrawable read = {0};
    QXLPHYSICAL address;
    text_line(&reader->text, "drawable");
    /* At the front, as drivers have it; written when all of it is known. */
    QXLDrawable *drawable = event_take(reader, sizeof(*drawable), &address);
    read_common(reader, &read);
    read_type(reader, &read);
    if (drawable != NULL) {
        *drawable = read;
    }
    return address;
}
