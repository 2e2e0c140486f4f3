/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bitmap_source.h: the pixels of a guest's image, wherever its chunks lie.
 */
#ifndef BITMAP_SOURCE_H
#define BITMAP_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "command_batch.h"

/* Bits of a pixel in a SPICE_BITMAP_FMT_*, 0 if there is no such format. */
uint32_t bitmap_bits_per_pixel(uint32_t format);

/* Whether its pixels are numbers of colors in a palette. */
int bitmap_is_indexed(uint32_t format);

/* Memory that reading images needs, kept between images. */
struct bitmap_scratch {
    uint64_t *chunk_ends;
    uint32_t cap_chunks;
    uint8_t *bytes;  /* a row as the guest stores it, fetched once */
    uint32_t *words; /* the same row as ARGB */
};

struct bitmap_source {
    const struct image_chunk *chunks;
    const uint64_t *chunk_ends; /* offset in the image where each chunk ends */
    uint32_t num_chunks;
    uint32_t width, height, stride;
    uint8_t format; /* SPICE_BITMAP_FMT_* */
    uint8_t top_down;
    uint8_t high_bits;     /* the unused byte of 32 bits becomes 0xff */
    uint32_t palette[256]; /* as given; a color the guest did not give is black */
};

int bitmap_scratch_init(struct bitmap_scratch *scratch);
void bitmap_scratch_fini(struct bitmap_scratch *scratch);

/*
 * Describe image for reading; scratch and batch are borrowed until the last read.
 * 0, or -1 if the image's numbers do not fit together or memory is short.  One bit
 * needs no palette, for it may be a mask's.
 */
int bitmap_source_init(struct bitmap_source *source, struct bitmap_scratch *scratch,
                       const struct command_batch *batch,
                       const struct guest_image *image);

/* A part of a bitmap. */
struct bitmap_part {
    uint32_t x, y, width, height;
};

/*
 * Write a part, which lies inside the image, as surface_format (a drawable one) to dst,
 * whose rows are dst_stride apart.  Each byte of guest memory is read once; dst may
 * overlap it (the picture is then whatever it is, as it would be on hardware).
 */
void bitmap_source_read(const struct bitmap_source *source,
                        struct bitmap_scratch *scratch, struct bitmap_part part,
                        uint32_t surface_format, uint8_t *dst, ptrdiff_t dst_stride);

#define OPAQUE_BLACK 0xff000000u

/* A pixel of 16_555 as an opaque ARGB word. */
uint32_t expand_555(uint32_t pixel);

/*
 * Load width pixels of a SPICE_BITMAP_FMT_* as words, from the pixel first on if
 * several share a byte.  palette has 256 colors and is used by indexed formats.  The
 * high byte is alpha where the format has one, otherwise what clients make of it.
 */
void bitmap_decode(const uint8_t *bytes, uint32_t first, uint32_t width,
                   uint32_t format, const uint32_t *palette, uint32_t *words);

/* Store width ARGB words as surface_format. */
void pixels_encode(const uint32_t *words, uint32_t width, uint32_t surface_format,
                   uint8_t *dst);

/* Load width pixels of surface_format as ARGB words; each byte is read once. */
void pixels_decode(const uint8_t *src, uint32_t width, uint32_t surface_format,
                   uint32_t *words);

#endif /* BITMAP_SOURCE_H */
