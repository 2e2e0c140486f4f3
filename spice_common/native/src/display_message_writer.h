/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * display_message_writer.h: one function per message of spice.proto's DisplayChannel.
 */
#ifndef DISPLAY_MESSAGE_WRITER_H
#define DISPLAY_MESSAGE_WRITER_H

#include "canvas_draw.h"
#include "display_message.h"

static inline uint8_t *
put_u8(uint8_t *at, uint32_t value)
{
    *at = (uint8_t)value;
    return at + 1;
}

static inline uint8_t *
put_u16(uint8_t *at, uint32_t value)
{
    return put_u8(put_u8(at, value), value >> 8);
}

static inline uint8_t *
put_u32(uint8_t *at, uint32_t value)
{
    return put_u16(put_u16(at, value), value >> 16);
}

/* Append the header of a message and return where its body goes; NULL: nowhere. */
uint8_t *begin_message(struct display_messages *messages, uint32_t type, size_t size);

/*
 * A message whose size is not known when it begins: begin it with what is known, append
 * to it, then finish it (its header learns the size) or drop it.  Appending may move
 * messages->data; what points into a message is an offset from message_body().
 */
uint8_t *append_bytes(struct display_messages *messages, uint64_t size);
void finish_message(struct display_messages *messages);
void drop_message(struct display_messages *messages);
uint64_t message_body(const struct display_messages *messages);

/* SpiceMsgDisplayBase: where to draw. */
struct message_base {
    uint32_t surface_id;
    pixman_box32_t box;
    const pixman_box32_t *clips; /* inside box */
    uint32_t num_clips;          /* 0: all of box */
};

size_t base_size(const struct message_base *base);
uint8_t *put_base(uint8_t *at, const struct message_base *base);
uint8_t *put_rect(uint8_t *at, pixman_box32_t box);

/* Begin a DRAW_COPY of an image as large as the box, which is to be appended; 0 or -1. */
int begin_draw_copy(struct display_messages *messages, const struct message_base *base,
                    uint32_t rop);
void write_draw_fill(struct display_messages *messages, const struct message_base *base,
                     uint32_t color, uint32_t rop);
void write_copy_bits(struct display_messages *messages, const struct message_base *base,
                     int32_t dx, int32_t dy);
void write_surface_create(struct display_messages *messages,
                          const struct surface *surface);
void write_surface_destroy(struct display_messages *messages, uint32_t surface_id);

/* The surface format whose pixels a BITMAP for a surface carries. */
uint32_t message_format(uint32_t surface_format);

/* The SPICE_BITMAP_FMT_* of such a BITMAP. */
uint32_t message_bitmap_format(uint32_t surface_format);

/* An id that no image of this run or of earlier ones has. */
uint64_t next_image_id(struct display_messages *messages);

/* Bytes of a row of pixels in a message. */
size_t message_row_size(uint32_t surface_format, uint32_t width);

enum {
    MINI_HEADER_SIZE = 6, /* u16 type, u32 size */
    IMAGE_DESCRIPTOR_SIZE = 8 + 1 + 1 + 4 + 4,
    /* About what a DRAW_COPY costs besides its pixels, on the wire and in time. */
    DRAW_OVERHEAD = 100,
};

/* What drawing box costs, in bytes. */
static inline uint64_t
pixels_cost(const struct surface *surface, pixman_box32_t box)
{
    return DRAW_OVERHEAD +
           (uint64_t)surface->pixel_size * box_width(box) * box_height(box);
}

/* Take bytes from room, at most all of it. */
static inline void
spend(uint64_t *room, uint64_t bytes)
{
    *room -= bytes < *room ? bytes : *room;
}

#endif /* DISPLAY_MESSAGE_WRITER_H */
