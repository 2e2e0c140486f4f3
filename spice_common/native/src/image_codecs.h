/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image_codecs.h: one function per way to pack pixels, all of one shape.
 *
 * Each writes the payload that follows an image's descriptor and says how long it is;
 * 0: it does not fit dst_size (so it is no gain) or the codec cannot do it.
 */
#ifndef IMAGE_CODECS_H
#define IMAGE_CODECS_H

#include <lz4.h>
#include <stdint.h>
#include <turbojpeg.h>
#include <zlib.h>

#include "glz.h"
#include "image_encode.h"
#include "lz.h"
#include "quic.h"

/* Pixels as an image carries them: top row first, every row inside the memory. */
struct raster {
    const uint8_t *data;
    uint32_t width, height;
    uint32_t stride, row_size; /* bytes with and without padding */
    uint32_t format;           /* SPICE_BITMAP_FMT_* */
};

/* Memory that grows with what it is asked for. */
struct scratch {
    uint8_t *data;
    size_t size;
};

/* At least size bytes, whose content is undefined; NULL: no memory. */
uint8_t *scratch_room(struct scratch *scratch, size_t size);
void scratch_fini(struct scratch *scratch);

/* The codecs that were used so far. */
struct image_codecs {
    struct quic_encoder *quic;
    struct lz_encoder *lz;
    tjhandle jpeg;
    LZ4_stream_t *lz4;
    z_stream *deflate;
    struct scratch packed; /* rows without padding */
    struct scratch coded;  /* what is not written in place */
};

/* LZ_IMAGE_TYPE_* of a SPICE_BITMAP_FMT_*. */
uint32_t lz_type(uint32_t format);

void image_codecs_fini(struct image_codecs *codecs);

int64_t encode_quic(struct image_codecs *codecs, const struct raster *raster,
                    uint8_t *dst, uint64_t dst_size);
int64_t encode_lz(struct image_codecs *codecs, const struct raster *raster,
                  uint8_t *dst, uint64_t dst_size);
/* Rows without padding as any type; top_down is for the decoder to know. */
int64_t encode_lz_rows(struct image_codecs *codecs, uint32_t type, uint32_t width,
                       uint32_t height, const uint8_t *rows, uint32_t row_size,
                       int top_down, uint8_t *dst, uint64_t dst_size);
/* The alpha plane of RGBA, for JPEG_ALPHA. */
int64_t encode_lz_alpha(struct image_codecs *codecs, const struct raster *raster,
                        uint8_t *dst, uint64_t dst_size);
/* An image that is written must be sent: the dictionary holds it then. */
int64_t encode_glz(struct glz_dictionary *dictionary, const struct raster *raster,
                   uint8_t *dst, uint64_t dst_size);
/* Deflate what a codec wrote; 0: no smaller. */
int64_t encode_zlib(struct image_codecs *codecs, const uint8_t *coded, uint64_t size,
                    uint8_t *dst, uint64_t dst_size);
int64_t encode_lz4(struct image_codecs *codecs, const struct raster *raster,
                   uint8_t *dst, uint64_t dst_size);
int64_t encode_jpeg(struct image_codecs *codecs, const struct raster *raster,
                    uint32_t quality, uint8_t *dst, uint64_t dst_size);

#endif /* IMAGE_CODECS_H */
