/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image_guest.h: a guest's bitmap as an image, packed where that is smaller.
 */
#ifndef IMAGE_GUEST_H
#define IMAGE_GUEST_H

#include "draw_message.h"
#include "image_encode.h"

/* What write_packed_image needs. */
struct image_packer {
    struct image_encoder *encoder;
    struct image_settings settings;
    /* NULL: no GLZ.  An image in GLZ has to be sent, so who may still drop it has none.
     */
    struct glz_dictionary *dictionary;
    const struct canvas *canvas; /* for the sizes of surfaces */
};

/*
 * An image_writer, opaque being a struct image_packer: bitmaps with direct colors as
 * image_encode() has them, those with a palette as LZ_PLT, everything else (masks, what
 * the guest packed, surfaces) as write_plain_image() does.
 */
int write_packed_image(void *opaque, struct display_messages *messages,
                       const struct command_batch *batch,
                       const struct guest_image *image, enum image_use use);

#endif /* IMAGE_GUEST_H */
