/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * client_counts.c: which image a draw message carries, for statistics.
 */
#include <spice/enums.h>

#include "client_canvas_impl.h"

enum {
    BASE_SIZE = 4 + 16, /* surface id and box, before the clip */
    DESCRIPTOR_SIZE = 18,
};

/* Where, behind the clip, the offset of the source image stands; 0: there is none. */
static uint32_t
source_field(uint32_t type)
{
    switch (type) {
    case SPICE_MSG_DISPLAY_DRAW_OPAQUE:
    case SPICE_MSG_DISPLAY_DRAW_COPY:
    case SPICE_MSG_DISPLAY_DRAW_BLEND:
    case SPICE_MSG_DISPLAY_DRAW_ROP3:
    case SPICE_MSG_DISPLAY_DRAW_TRANSPARENT:
        return 1;
    case SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND:
        return 1 + 2; /* behind alpha_flags and alpha */
    case SPICE_MSG_DISPLAY_DRAW_COMPOSITE:
        return 1 + 4; /* behind flags */
    default:
        return 0;
    }
}

void
client_count_image(struct client_counts *counts, uint32_t type, const uint8_t *body,
                   uint32_t size)
{
    uint64_t at = BASE_SIZE, image;
    uint32_t field = source_field(type), kind;

    if (!field || size < BASE_SIZE + 1)
        return;
    if (body[at] == SPICE_CLIP_TYPE_RECTS) {
        if (size < BASE_SIZE + 1 + 4)
            return;
        at += 4 + 16 * (uint64_t)wire_u32(body + at + 1);
    }
    at += field;
    if (at + 4 > size)
        return;
    image = wire_u32(body + at);
    if (!image || image + DESCRIPTOR_SIZE > size)
        return;
    kind = body[image + 8];
    if (kind >= CLIENT_IMAGE_TYPES)
        return;
    counts->images[kind]++;
    counts->image_bytes[kind] += size;
    counts->image_pixels[kind] +=
        (uint64_t)wire_u32(body + image + 10) * wire_u32(body + image + 14);
}
