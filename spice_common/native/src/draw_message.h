/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * draw_message.h: a draw command as the display message by which a client draws it.
 *
 * Messages are those of spice.proto's DisplayChannel, DRAW_FILL to DRAW_COMPOSITE and
 * COPY_BITS.  Pointers are offsets from the start of a message's body; what they point
 * to follows the fixed part.
 */
#ifndef DRAW_MESSAGE_H
#define DRAW_MESSAGE_H

#include "canvas_draw.h"
#include "command_batch.h"
#include "display_message.h"

/* What a command needs an image for. */
enum image_use {
    IMAGE_SOURCE,         /* src_bitmap, of COMPOSITE too */
    IMAGE_BRUSH,          /* pattern of the brush */
    IMAGE_BACK_BRUSH,     /* TEXT: pattern of the background's brush */
    IMAGE_MASK,           /* SpiceQMask: one bit a pixel */
    IMAGE_COMPOSITE_MASK, /* COMPOSITE: mask_bitmap */
};

/*
 * Append a whole SpiceImage (descriptor and data) by append_bytes(); offsets inside it
 * count from message_body().  0, or -1: the message is dropped.
 */
typedef int image_writer(void *opaque, struct display_messages *messages,
                         const struct command_batch *batch,
                         const struct guest_image *image, enum image_use use);

/*
 * Append the message by which a client draws plan->command inside plan->rects: what the
 * command names is sent (brush, path, string, ...), nothing is rendered.  With
 * self_bitmap the source is the surface as it is now: call this before the plan is
 * executed.  0, or -1 and nothing appended: no memory, or write_image refused.
 */
int write_draw_command(struct display_messages *messages,
                       const struct command_batch *batch, const struct draw_plan *plan,
                       image_writer *write_image, void *opaque);

/*
 * The default image_writer.  BITMAP is sent raw, its rows repacked to whole words,
 * compressed images as they are, SURFACE as a reference.  No client is asked to cache
 * anything.  opaque: a const struct canvas *, which knows the sizes of surfaces, or
 * NULL.
 */
int write_plain_image(void *opaque, struct display_messages *messages,
                      const struct command_batch *batch,
                      const struct guest_image *image, enum image_use use);

/* Append the pixels of area, black where it leaves surface, as a BITMAP; 0 or -1. */
int write_surface_image(struct display_messages *messages,
                        const struct surface *surface, struct draw_rect area);

#endif /* DRAW_MESSAGE_H */
