/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* quic_sample.h: pictures of every QUIC_IMAGE_TYPE_*, the same in every run. */
#ifndef QUIC_SAMPLE_H
#define QUIC_SAMPLE_H

#include <stdint.h>

enum quic_sample_kind {
    SAMPLE_NOISE,
    SAMPLE_GRADIENT,
    SAMPLE_FLAT,
    SAMPLE_FEW_COLORS,
    SAMPLE_EXTREMES,
    SAMPLE_PHOTO,
    SAMPLE_BLOCKS,
    NUM_SAMPLE_KINDS,
};

uint32_t quic_sample_number(uint32_t below);
uint32_t quic_sample_pixel_size(uint32_t type);

/* Fill height * |stride| bytes, with noise between the rows. */
void quic_sample_draw(uint8_t *pixels, enum quic_sample_kind kind, uint32_t type,
                      uint32_t width, uint32_t height, int64_t stride);

/* Whether rows, which have no padding, are what was drawn, as far as the type keeps it.
 */
int quic_sample_same(const uint8_t *pixels, const uint8_t *rows, uint32_t type,
                     uint32_t width, uint32_t height, int64_t stride);

#endif /* QUIC_SAMPLE_H */
