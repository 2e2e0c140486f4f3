/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image_encoder.h: the memory behind image_encode.h. */
#ifndef IMAGE_ENCODER_H
#define IMAGE_ENCODER_H

#include "bitmap_source.h"
#include "image_codecs.h"

struct image_encoder {
    struct image_codecs codecs;
    struct scratch widened;      /* pixels in a format that images have */
    struct scratch rows;         /* a guest's bitmap */
    struct bitmap_scratch guest; /* for reading it; used if has_guest */
    uint32_t has_guest;
};

/* Have encoder->guest; 0 or -1 for no memory. */
int image_encoder_guest_scratch(struct image_encoder *encoder);

/* Give back what only a huge picture needs. */
void image_encoder_shrink(struct image_encoder *encoder);

#endif /* IMAGE_ENCODER_H */
