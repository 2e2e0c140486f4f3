/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The images of drawables: QXLImage, its palette and data. */
#include "replay_event.h"

#include <stddef.h>
#include <string.h>

enum { MAX_COLORS = 256 };

static QXLPHYSICAL
read_palette(struct event_reader *reader)
{
    struct replay_text *text = &reader->text;
    QXLPHYSICAL address;
    if (!event_flag(reader, "has_palette")) {
        return 0;
    }
    uint16_t num_ents = text_u16(text, "qp.num_ents");
    if (num_ents > MAX_COLORS) {
        text_fail(text, TEXT_BAD, "at most 256 colours");
    }
    QXLPalette *palette =
        event_take(reader, sizeof(*palette) + num_ents * sizeof(uint32_t), &address);
    if (palette == NULL) {
        return 0;
    }
    palette->num_ents = num_ents;
    palette->unique = text_u64(text, "unique");
    for (unsigned i = 0; i < num_ents; i++) {
        uint32_t color = text_u32(text, "ents");
        memcpy((uint8_t *)palette + offsetof(QXLPalette, ents) + i * sizeof(color),
               &color, sizeof(color));
    }
    return address;
}

/* QXL_BITMAP_DIRECT. */
static QXLPHYSICAL
read_flat(struct event_reader *reader, uint64_t size)
{
    uint32_t found = 0;
    QXLPHYSICAL address;
    const uint8_t *data =
        text_binary(&reader->text, "image_data_flat", UINT32_MAX, &found);
    if (found != size) {
        text_fail(&reader->text, TEXT_BAD, "as many bytes as the bitmap has");
    }
    uint8_t *to = event_place(reader, 0, size, &address);
    if (to != NULL && data != NULL) {
        memcpy(to, data, size);
    }
    return address;
}

static QXLPHYSICAL
read_bitmap(struct event_reader *reader, const QXLImageDescriptor *descriptor)
{
    struct replay_text *text = &reader->text;
    QXLPHYSICAL address;
    QXLBitmap bitmap = {0};
    bitmap.format = text_u8(text, "bitmap.format");
    bitmap.flags = text_u8(text, "bitmap.flags");
    bitmap.x = text_u32(text, "bitmap.x");
    bitmap.y = text_u32(text, "bitmap.y");
    bitmap.stride = text_u32(text, "bitmap.stride");
    bitmap.palette = read_palette(reader);
    if (bitmap.flags & QXL_BITMAP_DIRECT) {
        bitmap.data = read_flat(reader, (uint64_t)bitmap.y * bitmap.stride);
    } else {
        void *header = NULL;
        uint64_t total;
        bitmap.data = event_chunks(reader, "bitmap.data", 0, &header, &total);
    }
    QXLImage *image = event_take(reader, sizeof(*image), &address);
    if (image != NULL) {
        image->descriptor = *descriptor;
        image->bitmap = bitmap;
    }
    return address;
}

static QXLPHYSICAL
read_surface_image(struct event_reader *reader, const QXLImageDescriptor *descriptor)
{
    QXLPHYSICAL address;
    uint32_t surface_id = text_u32(&reader->text, "surface_image.surface_id");
    QXLImage *image = event_take(reader, sizeof(*image), &address);
    if (image != NULL) {
        image->descriptor = *descriptor;
        image->surface_image.surface_id = surface_id;
    }
    return address;
}

static QXLPHYSICAL
read_quic(struct event_reader *reader, const QXLImageDescriptor *descriptor)
{
    const uint64_t header_size = sizeof(*descriptor) + sizeof(QXLQUICData);
    void *header = NULL;
    uint64_t total;
    uint32_t data_size = text_u32(&reader->text, "quic.data_size");
    QXLPHYSICAL address =
        event_chunks(reader, "quic.data", header_size, &header, &total);
    if (header != NULL) {
        memcpy(header, descriptor, sizeof(*descriptor));
        memcpy((uint8_t *)header + sizeof(*descriptor), &data_size, sizeof(data_size));
    }
    return address;
}

QXLPHYSICAL
event_image(struct event_reader *reader)
{
    struct replay_text *text = &reader->text;
    QXLImageDescriptor descriptor = {0};
    if (!event_flag(reader, "image")) {
        return 0;
    }
    descriptor.id = text_u64(text, "descriptor.id");
    descriptor.type = text_u8(text, "descriptor.type");
    descriptor.flags = text_u8(text, "descriptor.flags");
    descriptor.width = text_u32(text, "descriptor.width");
    descriptor.height = text_u32(text, "descriptor.height");
    switch (descriptor.type) {
    case SPICE_IMAGE_TYPE_BITMAP:
        return read_bitmap(reader, &descriptor);
    case SPICE_IMAGE_TYPE_SURFACE:
        return read_surface_image(reader, &descriptor);
    case SPICE_IMAGE_TYPE_QUIC:
        return read_quic(reader, &descriptor);
    default:
        text_fail(text, TEXT_BAD, "a type of image");
        return 0;
    }
}
