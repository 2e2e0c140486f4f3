/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * quic.h: the lossless picture codec of SPICE_IMAGE_TYPE_QUIC, in both directions.
 *
 * Pixels in memory: GRAY a byte, RGB16 little-endian x1r5g5b5, RGB24 B G R, RGB32 B G R
 * and a byte that is not coded (0 when decoded), RGBA B G R A.  Rows are stride bytes
 * apart; a negative stride means that the top row comes last in memory.  An encoder or
 * decoder is scratch memory for one thread at a time.
 */
#ifndef QUIC_H
#define QUIC_H

#include <stdint.h>

/* The values are those of the bitstream's header. */
enum quic_image_type {
    QUIC_IMAGE_TYPE_INVALID = 0,
    QUIC_IMAGE_TYPE_GRAY = 1,
    QUIC_IMAGE_TYPE_RGB16 = 2,
    QUIC_IMAGE_TYPE_RGB24 = 3,
    QUIC_IMAGE_TYPE_RGB32 = 4,
    QUIC_IMAGE_TYPE_RGBA = 5,
};

enum quic_error {
    QUIC_OK = 0,
    QUIC_BAD_ARGUMENT = -1, /* the caller's: buffer, stride, or a type not to be had */
    QUIC_NO_MEMORY = -2,
    QUIC_CORRUPT = -3,   /* not a QUIC picture, or no encoder wrote it like that */
    QUIC_TRUNCATED = -4, /* the data ends before the picture does */
};

enum {
    QUIC_HEADER_SIZE = 20,
    QUIC_MAX_PIXEL_SIZE = 18, /* bytes that an encoded pixel takes at most */
    QUIC_MAX_SIDE =
        65536, /* more than any surface has; a coder's rows stay below 4 MB */
};

struct quic_encoder;
struct quic_decoder;

/* NULL: no memory. */
struct quic_encoder *quic_encoder_new(void);
void quic_encoder_free(struct quic_encoder *encoder);

/*
 * Encode a picture: the bytes written to dst, 0 if they are more than dst_size, or an
 * enum quic_error.  Each pixel is read once, so they may change meanwhile: the picture
 * is then a mixture.  Nothing beyond dst_size is ever written.
 */
int64_t quic_encode(struct quic_encoder *encoder, uint32_t type, uint32_t width,
                    uint32_t height, const uint8_t *pixels, uint64_t size,
                    int64_t stride, uint8_t *dst, uint64_t dst_size);

/* What data says it holds: a type and sizes that are possible, or an enum quic_error.
 */
int quic_decode_header(const uint8_t *data, uint64_t size, uint32_t *type,
                       uint32_t *width, uint32_t *height);

struct quic_decoder *quic_decoder_new(void);
void quic_decoder_free(struct quic_decoder *decoder);

/*
 * Decode data to dst as want_type: the picture's own type; RGB32 of RGB24 and the other
 * way round; RGB32 of RGB16.  0 or an enum quic_error; on errors the rows that were
 * good have been written.
 */
int quic_decode(struct quic_decoder *decoder, const uint8_t *data, uint64_t size,
                uint8_t *dst, uint64_t dst_size, int64_t stride, uint32_t want_type);

#endif /* QUIC_H */
