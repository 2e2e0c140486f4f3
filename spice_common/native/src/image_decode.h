/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image_decode.h: from the payload of a SpiceImage to pixels, whatever its type.
 *
 * The bytes come from a server and are hostile: a decoder reads nothing outside the
 * payload, writes nothing outside the pixels, and what it gives is as large as the
 * descriptor says.
 */
#ifndef IMAGE_DECODE_H
#define IMAGE_DECODE_H

#include <stddef.h>
#include <stdint.h>

struct glz_window;
struct image_decoder;

enum image_status {
    IMAGE_OK = 0,
    IMAGE_BAD,         /* the payload is not what its type and descriptor say */
    IMAGE_TOO_LARGE,   /* more than MAX_DECODED_SIZE bytes */
    IMAGE_NOT_YET,     /* GLZ: it refers to an image the window does not have */
    IMAGE_UNSUPPORTED, /* no such type, or one without pixels of its own */
    IMAGE_NO_MEMORY,
};

enum {
    /* Bytes of pixels: 8192 x 8192 of 32 bits, what a surface may have. */
    MAX_DECODED_SIZE = 256 << 20,
    MAX_PALETTE = 256,
};

/* A compressed SpiceImage as it stands in a message. */
struct wire_image {
    uint64_t id;
    uint32_t width, height;
    uint8_t type;        /* SPICE_IMAGE_TYPE_* */
    uint8_t top_down;    /* JPEG_ALPHA: of the alpha plane */
    uint32_t inner_size; /* ZLIB_GLZ_RGB: bytes of GLZ; JPEG_ALPHA: bytes of JPEG */
    const uint8_t *data;
    uint64_t size;
    const uint32_t *colors; /* LZ_PLT: its palette, 0xRRGGBB */
    uint32_t num_colors;
};

/* Memory for pixels that grows and is used again. */
struct pixel_buffer {
    uint8_t *data;
    size_t capacity;
};

/* Room for size bytes, their content undefined; NULL: there is none. */
uint8_t *pixel_buffer_reserve(struct pixel_buffer *buffer, size_t size);
void pixel_buffer_free(struct pixel_buffer *buffer);

/* Pixels in one piece of memory, a SpiceBitmap in the clear. */
struct decoded_image {
    const uint8_t *data; /* stride * height bytes */
    uint32_t width, height, stride;
    uint8_t format; /* SPICE_BITMAP_FMT_* */
    uint8_t top_down;
    uint32_t num_colors;
    const uint32_t *colors;
};

/* What all codecs need besides; one for each thread.  NULL: no memory. */
struct image_decoder *image_decoder_new(void);
void image_decoder_free(struct image_decoder *decoder);

/*
 * Decode an image into buffer; out points into it and at image->colors.  window may be
 * NULL where there is no GLZ.  The type is none of BITMAP, FROM_CACHE and SURFACE.
 */
enum image_status image_decode(struct image_decoder *decoder, struct glz_window *window,
                               const struct wire_image *image,
                               struct pixel_buffer *buffer, struct decoded_image *out);

#endif /* IMAGE_DECODE_H */
