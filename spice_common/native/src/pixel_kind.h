/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pixel_kind.h: what pixels look like, as far as the choice of a codec goes.
 *
 * libspice-server weighs neighbours of a sample of pixels ("graduality") and says yes
 * or no to QUIC for a whole image.  Here each tile of 16 x 16 is counted and priced in
 * both families of codecs, so that a page with a photo in it is two things.
 */
#ifndef PIXEL_KIND_H
#define PIXEL_KIND_H

#include <pixman.h>
#include <stdint.h>

#include "pixels.h"

enum pixel_kind {
    KIND_FLAT,  /* one color */
    KIND_TEXT,  /* text and user interfaces: repeats, runs, hard edges; LZ and GLZ */
    KIND_PHOTO, /* photos and gradients: neighbours nearly the same; QUIC, JPEG */
};

struct tile_kind {
    uint8_t kind;       /* enum pixel_kind */
    uint16_t lz_cost;   /* bytes it is likely to take in LZ or GLZ */
    uint16_t quic_cost; /* and in QUIC */
    uint32_t color;     /* FLAT: as DRAW_FILL wants it for the surface's format */
};

/* Judge box, inside pixels and at most TILE_SIZE wide and high. */
struct tile_kind tile_kind_of(const struct pixels *pixels, pixman_box32_t box);

/* The kind of all of pixels: of a sample of its tiles if there are many. */
enum pixel_kind pixel_kind_of(const struct pixels *pixels);

#endif /* PIXEL_KIND_H */
