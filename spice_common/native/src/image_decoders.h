/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image_decoders.h: one function per kind of payload, for image_decode.c alone.
 *
 * Each is given an image whose sides are at least 1, fills *out and leaves the pixels
 * in buffer.
 */
#ifndef IMAGE_DECODERS_H
#define IMAGE_DECODERS_H

#include <turbojpeg.h>
#include <zlib.h>

#include "image_decode.h"

struct quic_decoder;

struct image_decoder {
    struct quic_decoder *quic;
    tjhandle jpeg; /* NULL until the first */
    z_stream zlib; /* once has_zlib */
    int has_zlib;
    struct pixel_buffer glz; /* what zlib was wrapped around */
    struct pixel_buffer alpha;
};

/* Set what pixels in rows without padding are like, top one first; make room for them.
 */
enum image_status begin_pixels(const struct wire_image *image, uint8_t format,
                               uint32_t pixel_size, struct pixel_buffer *buffer,
                               struct decoded_image *out);

enum image_status decode_jpeg(struct image_decoder *decoder,
                              const struct wire_image *image,
                              struct pixel_buffer *buffer, struct decoded_image *out);
enum image_status decode_jpeg_alpha(struct image_decoder *decoder,
                                    const struct wire_image *image,
                                    struct pixel_buffer *buffer,
                                    struct decoded_image *out);
enum image_status decode_lz4(const struct wire_image *image,
                             struct pixel_buffer *buffer, struct decoded_image *out);
enum image_status decode_lz(const struct wire_image *image, struct pixel_buffer *buffer,
                            struct decoded_image *out);
enum image_status decode_glz(struct glz_window *window, const struct wire_image *image,
                             struct pixel_buffer *buffer, struct decoded_image *out);
enum image_status decode_zlib_glz(struct image_decoder *decoder,
                                  struct glz_window *window,
                                  const struct wire_image *image,
                                  struct pixel_buffer *buffer,
                                  struct decoded_image *out);
enum image_status decode_quic(struct image_decoder *decoder,
                              const struct wire_image *image,
                              struct pixel_buffer *buffer, struct decoded_image *out);

/* Take the fourth byte of every pixel from an LZ image of type XXXA. */
enum image_status decode_alpha_plane(struct image_decoder *decoder,
                                     const struct wire_image *image,
                                     const uint8_t *data, uint64_t size,
                                     uint8_t *pixels);

#endif /* IMAGE_DECODERS_H */
