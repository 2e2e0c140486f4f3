/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lz.h: the images of SPICE_IMAGE_TYPE_LZ_RGB, LZ_PLT and of JPEG's alpha plane.
 *
 * Pixels are little endian as in SPICE_BITMAP_FMT_*.  The unused bits of RGB16 (1) and
 * RGB32 (8) are not looked at; they come back as anything and as zero respectively.
 */
#ifndef LZ_H
#define LZ_H

#include <stdint.h>

/* LzImageType of spice-common; also the type in the header of a GLZ image. */
enum lz_image_type {
    LZ_IMAGE_TYPE_INVALID,
    LZ_IMAGE_TYPE_PLT1_LE,
    LZ_IMAGE_TYPE_PLT1_BE,
    LZ_IMAGE_TYPE_PLT4_LE,
    LZ_IMAGE_TYPE_PLT4_BE,
    LZ_IMAGE_TYPE_PLT8,
    LZ_IMAGE_TYPE_RGB16, /* x1r5g5b5 */
    LZ_IMAGE_TYPE_RGB24,
    LZ_IMAGE_TYPE_RGB32,
    LZ_IMAGE_TYPE_RGBA, /* the colors, then the alpha plane */
    LZ_IMAGE_TYPE_XXXA, /* only the alpha plane of 32-bit pixels */
    LZ_IMAGE_TYPE_A8,
};

/* Bytes of a row of width pixels without padding; 0: no such type. */
uint64_t lz_row_size(uint32_t type, uint32_t width);

/* Memory that encoding needs, kept between images; one per thread. */
struct lz_encoder;

struct lz_encoder *lz_encoder_new(void);
void lz_encoder_free(struct lz_encoder *encoder);

/*
 * Encode height rows, stride bytes apart in pixels (a negative one: the first row comes
 * last).  top_down is for the decoder to know: 0 says that the first row encoded is the
 * picture's last one.
 * Bytes written; 0: they are more than dst_size; -1: bad arguments or no memory.
 */
int64_t lz_encode(struct lz_encoder *encoder, uint32_t type, uint32_t width,
                  uint32_t height, const uint8_t *pixels, uint64_t size, int64_t stride,
                  int top_down, uint8_t *dst, uint64_t dst_size);

/* What the header of an image says. */
struct lz_header {
    uint32_t type; /* LZ_IMAGE_TYPE_* */
    uint32_t width, height;
    uint32_t stride; /* bytes of an encoded row */
    int top_down;
};

/* 0, or -1 if this is not the beginning of an image that can be decoded. */
int lz_decode_header(const uint8_t *data, uint64_t size, struct lz_header *header);

/*
 * Decode the rows, in the order in which they were encoded, to dst, stride bytes apart
 * (a negative one: the first row comes last).  want_type is the image's own type, or
 * RGB32 for RGB16 and RGB24.  Palette types yield their indexes; XXXA leaves the three
 * color bytes of each pixel as they are. 0, or -1: the data are damaged, do not fit dst
 * exactly once, or memory is short.
 */
int lz_decode(const uint8_t *data, uint64_t size, uint8_t *dst, uint64_t dst_size,
              int64_t stride, uint32_t want_type);

#endif /* LZ_H */
