/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "display_message_writer.h"

#include <spice/enums.h>
#include <string.h>

#include "bitmap.h"

enum {
    BASE_SIZE = 4 + 16 + 1,
    RECT_SIZE = 16,
    MASK_SIZE = 1 + 8 + 4,
    DRAW_COPY_SIZE = 4 + 16 + 2 + 1 + MASK_SIZE, /* after the base */
    BITMAP_HEADER_SIZE = 1 + 1 + 4 + 4 + 4 + 4,  /* without palette */
    IMAGE_GROUP_RED = 2,                         /* QXL_IMAGE_GROUP_RED: ours */
};

uint8_t *
put_rect(uint8_t *at, pixman_box32_t box)
{
    at = put_u32(at, (uint32_t)box.y1);
    at = put_u32(at, (uint32_t)box.x1);
    at = put_u32(at, (uint32_t)box.y2);
    return put_u32(at, (uint32_t)box.x2);
}

size_t
base_size(const struct message_base *base)
{
    return BASE_SIZE + (base->num_clips ? 4 + (size_t)RECT_SIZE * base->num_clips : 0);
}

uint8_t *
put_base(uint8_t *at, const struct message_base *base)
{
    at = put_u32(at, base->surface_id);
    at = put_rect(at, base->box);
    if (base->num_clips == 0)
        return put_u8(at, SPICE_CLIP_TYPE_NONE);
    at = put_u8(at, SPICE_CLIP_TYPE_RECTS);
    at = put_u32(at, base->num_clips);
    for (uint32_t i = 0; i < base->num_clips; i++)
        at = put_rect(at, base->clips[i]);
    return at;
}

/* SpiceQMask: none. */
static uint8_t *
put_no_mask(uint8_t *at)
{
    memset(at, 0, MASK_SIZE);
    return at + MASK_SIZE;
}

/* From the image's offset to its descriptor; the image follows the fixed part. */
static uint8_t *
put_draw_copy(uint8_t *at, const struct message_base *base, pixman_box32_t src_area,
              uint32_t rop)
{
    at = put_base(at, base);
    at = put_u32(at, (uint32_t)(base_size(base) + DRAW_COPY_SIZE));
    at = put_rect(at, src_area);
    at = put_u16(at, rop);
    at = put_u8(at, SPICE_IMAGE_SCALE_MODE_INTERPOLATE);
    return put_no_mask(at);
}

uint64_t
next_image_id(struct display_messages *messages)
{
    return (uint64_t)++messages->last_image_id << 32 | IMAGE_GROUP_RED;
}

uint32_t
message_format(uint32_t surface_format)
{
    /* No bitmap format has 16_565's pixels; widening them loses nothing. */
    if (surface_format == SPICE_SURFACE_FMT_16_565)
        return SPICE_SURFACE_FMT_32_xRGB;
    return surface_format;
}

uint32_t
message_bitmap_format(uint32_t surface_format)
{
    switch (surface_format) {
    case SPICE_SURFACE_FMT_8_A:
        return SPICE_BITMAP_FMT_8BIT_A;
    case SPICE_SURFACE_FMT_16_555:
        return SPICE_BITMAP_FMT_16BIT;
    case SPICE_SURFACE_FMT_32_ARGB:
        return SPICE_BITMAP_FMT_RGBA;
    default:
        return SPICE_BITMAP_FMT_32BIT;
    }
}

size_t
message_row_size(uint32_t surface_format, uint32_t width)
{
    size_t row = (size_t)width * surface_pixel_size(message_format(surface_format));

    /* Clients' canvases want rows of whole words. */
    return (row + 3) & ~(size_t)3;
}

int
begin_draw_copy(struct display_messages *messages, const struct message_base *base,
                uint32_t rop)
{
    pixman_box32_t src_area = {0, 0, (int32_t)box_width(base->box),
                               (int32_t)box_height(base->box)};
    uint8_t *at = begin_message(messages, SPICE_MSG_DISPLAY_DRAW_COPY,
                                base_size(base) + DRAW_COPY_SIZE);

    if (!at)
        return -1;
    put_draw_copy(at, base, src_area, rop);
    return 0;
}

void
write_draw_fill(struct display_messages *messages, const struct message_base *base,
                uint32_t color, uint32_t rop)
{
    uint8_t *at = begin_message(messages, SPICE_MSG_DISPLAY_DRAW_FILL,
                                base_size(base) + 1 + 4 + 2 + MASK_SIZE);

    if (!at)
        return;
    at = put_base(at, base);
    at = put_u8(at, SPICE_BRUSH_TYPE_SOLID);
    at = put_u32(at, color);
    at = put_u16(at, rop);
    put_no_mask(at);
}

void
write_copy_bits(struct display_messages *messages, const struct message_base *base,
                int32_t dx, int32_t dy)
{
    uint8_t *at =
        begin_message(messages, SPICE_MSG_DISPLAY_COPY_BITS, base_size(base) + 8);

    if (!at)
        return;
    at = put_base(at, base);
    at = put_u32(at, (uint32_t)(base->box.x1 + dx));
    put_u32(at, (uint32_t)(base->box.y1 + dy));
}

void
write_surface_create(struct display_messages *messages, const struct surface *surface)
{
    uint8_t *at = begin_message(messages, SPICE_MSG_DISPLAY_SURFACE_CREATE, 5 * 4);

    if (!at)
        return;
    at = put_u32(at, surface->id);
    at = put_u32(at, surface->width);
    at = put_u32(at, surface->height);
    at = put_u32(at, surface->format);
    put_u32(at, surface->id == 0 ? SPICE_SURFACE_FLAGS_PRIMARY : 0);
}

void
write_surface_destroy(struct display_messages *messages, uint32_t surface_id)
{
    uint8_t *at = begin_message(messages, SPICE_MSG_DISPLAY_SURFACE_DESTROY, 4);

    if (at)
        put_u32(at, surface_id);
}
