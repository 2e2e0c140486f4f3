/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image_ways.h: what follows an image's descriptor, one way for each type of image.
 */
#ifndef IMAGE_WAYS_H
#define IMAGE_WAYS_H

#include "image_codecs.h"

enum {
    BITMAP_HEADER_SIZE = 1 + 1 + 4 + 4 + 4 + 4, /* BitmapData without palette, pixels */
};

/* An image under construction. */
struct image_writer_state {
    struct image_codecs *codecs;
    const struct image_settings *settings;
    struct glz_dictionary *dictionary; /* or NULL */
    const struct raster *raster;
    uint8_t *at;   /* behind the descriptor */
    uint64_t room; /* for all that follows it */
    uint32_t type; /* SPICE_IMAGE_TYPE_* */
    uint32_t lossy;
};

/*
 * Write at writer->at and set writer->type.  Bytes; 0: it is no gain, or cannot be
 * done; try another one.
 */
typedef int64_t image_way(struct image_writer_state *writer);

image_way write_quic, write_lz, write_glz, write_lz4, write_jpeg;
/* LZ where it is clearly smaller: what it sends, GLZ cannot repeat. */
image_way write_glz_or_lz;
/* Whichever is smaller. */
image_way write_quic_or_glz;
/* This one always can. */
image_way write_bitmap;

/* Bytes that write_bitmap writes. */
uint64_t bitmap_size(const struct raster *raster);

#endif /* IMAGE_WAYS_H */
