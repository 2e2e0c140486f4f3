/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image_reader.h: a SpiceImage as a client reads it, for tests of what writes them. */
#ifndef IMAGE_READER_H
#define IMAGE_READER_H

#include <stdint.h>

struct glz_window;

struct decoded_image {
    uint64_t id;
    uint32_t type, flags, width, height;
    uint32_t format; /* SPICE_BITMAP_FMT_* of the pixels */
    uint32_t stride; /* of pixels; rows of whole words */
    uint8_t *pixels; /* to be freed */
};

/*
 * Decode the image that takes exactly size bytes.  window: what GLZ images refer to.
 * Anything wrong ends the program: the writer is at fault.
 */
struct decoded_image decode_checked(const uint8_t *data, uint64_t size,
                                    struct glz_window *window);
void decoded_image_free(struct decoded_image *image);

#endif /* IMAGE_READER_H */
