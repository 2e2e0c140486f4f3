/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image_codecs.h"

#include <spice/enums.h>
#include <stdlib.h>
#include <string.h>

#include "bitmap_source.h"
#include "display_message_writer.h"

enum {
    LZ4_PREFIX_SIZE = 1 + 1 + 4, /* top_down, format, size of the only block */
    ZLIB_LEVEL = 3,              /* libspice-server's */
    MIN_QUIC_SIDE = 3,           /* libspice-server sends no smaller ones */
};

uint8_t *
scratch_room(struct scratch *scratch, size_t size)
{
    uint8_t *data;

    if (size <= scratch->size)
        return scratch->data;
    data = realloc(scratch->data, size);
    if (!data)
        return NULL;
    scratch->data = data;
    scratch->size = size;
    return data;
}

void
scratch_fini(struct scratch *scratch)
{
    free(scratch->data);
    scratch->data = NULL;
    scratch->size = 0;
}

void
image_codecs_fini(struct image_codecs *codecs)
{
    quic_encoder_free(codecs->quic);
    lz_encoder_free(codecs->lz);
    if (codecs->jpeg)
        tjDestroy(codecs->jpeg);
    if (codecs->deflate)
        deflateEnd(codecs->deflate);
    free(codecs->deflate);
    LZ4_freeStream(codecs->lz4);
    scratch_fini(&codecs->packed);
    scratch_fini(&codecs->coded);
}

/* The rows without padding between them; NULL: no memory. */
static const uint8_t *
pack_rows(struct image_codecs *codecs, const struct raster *raster)
{
    uint8_t *packed;

    if (raster->stride == raster->row_size)
        return raster->data;
    packed = scratch_room(&codecs->packed, (size_t)raster->row_size * raster->height);
    if (!packed)
        return NULL;
    for (uint32_t y = 0; y < raster->height; y++)
        memcpy(packed + (size_t)y * raster->row_size,
               raster->data + (size_t)y * raster->stride, raster->row_size);
    return packed;
}

static uint64_t
raster_size(const struct raster *raster)
{
    return (uint64_t)raster->stride * (raster->height - 1) + raster->row_size;
}

int64_t
encode_quic(struct image_codecs *codecs, const struct raster *raster, uint8_t *dst,
            uint64_t dst_size)
{
    uint32_t type;

    switch (raster->format) {
    case SPICE_BITMAP_FMT_16BIT:
        type = QUIC_IMAGE_TYPE_RGB16;
        break;
    case SPICE_BITMAP_FMT_32BIT:
        type = QUIC_IMAGE_TYPE_RGB32;
        break;
    case SPICE_BITMAP_FMT_RGBA:
        type = QUIC_IMAGE_TYPE_RGBA;
        break;
    default:
        return 0;
    }
    if (raster->width < MIN_QUIC_SIDE || raster->height < MIN_QUIC_SIDE)
        return 0;
    if (!codecs->quic)
        codecs->quic = quic_encoder_new();
    if (!codecs->quic)
        return 0;
    return quic_encode(codecs->quic, type, raster->width, raster->height, raster->data,
                       raster_size(raster), raster->stride, dst, dst_size);
}

uint32_t
lz_type(uint32_t format)
{
    switch (format) {
    case SPICE_BITMAP_FMT_1BIT_LE:
        return LZ_IMAGE_TYPE_PLT1_LE;
    case SPICE_BITMAP_FMT_1BIT_BE:
        return LZ_IMAGE_TYPE_PLT1_BE;
    case SPICE_BITMAP_FMT_4BIT_LE:
        return LZ_IMAGE_TYPE_PLT4_LE;
    case SPICE_BITMAP_FMT_4BIT_BE:
        return LZ_IMAGE_TYPE_PLT4_BE;
    case SPICE_BITMAP_FMT_8BIT:
        return LZ_IMAGE_TYPE_PLT8;
    case SPICE_BITMAP_FMT_16BIT:
        return LZ_IMAGE_TYPE_RGB16;
    case SPICE_BITMAP_FMT_24BIT:
        return LZ_IMAGE_TYPE_RGB24;
    case SPICE_BITMAP_FMT_32BIT:
        return LZ_IMAGE_TYPE_RGB32;
    case SPICE_BITMAP_FMT_RGBA:
        return LZ_IMAGE_TYPE_RGBA;
    case SPICE_BITMAP_FMT_8BIT_A:
        return LZ_IMAGE_TYPE_A8;
    default:
        return LZ_IMAGE_TYPE_INVALID;
    }
}

static struct lz_encoder *
lz_encoder_of(struct image_codecs *codecs)
{
    if (!codecs->lz)
        codecs->lz = lz_encoder_new();
    return codecs->lz;
}

static int64_t
encode_lz_type(struct image_codecs *codecs, const struct raster *raster, uint32_t type,
               uint8_t *dst, uint64_t dst_size)
{
    struct lz_encoder *encoder = lz_encoder_of(codecs);

    if (!encoder)
        return 0;
    return lz_encode(encoder, type, raster->width, raster->height, raster->data,
                     raster_size(raster), raster->stride, 1, dst, dst_size);
}

int64_t
encode_lz_rows(struct image_codecs *codecs, uint32_t type, uint32_t width,
               uint32_t height, const uint8_t *rows, uint32_t row_size, int top_down,
               uint8_t *dst, uint64_t dst_size)
{
    struct lz_encoder *encoder = lz_encoder_of(codecs);

    if (!encoder)
        return 0;
    return lz_encode(encoder, type, width, height, rows, (uint64_t)row_size * height,
                     row_size, top_down, dst, dst_size);
}

int64_t
encode_lz(struct image_codecs *codecs, const struct raster *raster, uint8_t *dst,
          uint64_t dst_size)
{
    return encode_lz_type(codecs, raster, lz_type(raster->format), dst, dst_size);
}

int64_t
encode_lz_alpha(struct image_codecs *codecs, const struct raster *raster, uint8_t *dst,
                uint64_t dst_size)
{
    return encode_lz_type(codecs, raster, LZ_IMAGE_TYPE_XXXA, dst, dst_size);
}

int64_t
encode_glz(struct glz_dictionary *dictionary, const struct raster *raster, uint8_t *dst,
           uint64_t dst_size)
{
    uint32_t type = lz_type(raster->format);

    if (!dictionary || type < LZ_IMAGE_TYPE_RGB16 || type > LZ_IMAGE_TYPE_RGBA)
        return 0;
    return glz_encode(dictionary, type, raster->width, raster->height, raster->data,
                      raster_size(raster), raster->stride, 1, dst, dst_size);
}

static z_stream *
deflate_stream(struct image_codecs *codecs)
{
    if (codecs->deflate)
        return deflateReset(codecs->deflate) == Z_OK ? codecs->deflate : NULL;
    codecs->deflate = calloc(1, sizeof(*codecs->deflate));
    if (codecs->deflate && deflateInit(codecs->deflate, ZLIB_LEVEL) != Z_OK) {
        free(codecs->deflate);
        codecs->deflate = NULL;
    }
    return codecs->deflate;
}

int64_t
encode_zlib(struct image_codecs *codecs, const uint8_t *coded, uint64_t size,
            uint8_t *dst, uint64_t dst_size)
{
    z_stream *stream = deflate_stream(codecs);

    if (!stream || size > UINT32_MAX)
        return 0;
    stream->next_in = (uint8_t *)(uintptr_t)coded; /* zlib reads it only */
    stream->avail_in = (uint32_t)size;
    stream->next_out = dst;
    stream->avail_out = (uint32_t)(dst_size < size ? dst_size : size);
    if (deflate(stream, Z_FINISH) != Z_STREAM_END)
        return 0;
    return (int64_t)stream->total_out;
}

static uint8_t *
put_u32_be(uint8_t *at, uint32_t value)
{
    return put_u32(at, __builtin_bswap32(value));
}

int64_t
encode_lz4(struct image_codecs *codecs, const struct raster *raster, uint8_t *dst,
           uint64_t dst_size)
{
    uint64_t size = (uint64_t)raster->row_size * raster->height;
    const uint8_t *packed;
    int packed_size, coded;

    if (dst_size <= LZ4_PREFIX_SIZE || size > LZ4_MAX_INPUT_SIZE)
        return 0;
    if (!codecs->lz4)
        codecs->lz4 = LZ4_createStream();
    packed = pack_rows(codecs, raster);
    if (!codecs->lz4 || !packed)
        return 0;
    packed_size = (int)size;
    dst_size -= LZ4_PREFIX_SIZE;
    coded = LZ4_compress_fast_extState(
        codecs->lz4, (const char *)packed, (char *)dst + LZ4_PREFIX_SIZE, packed_size,
        dst_size < INT32_MAX ? (int)dst_size : INT32_MAX, 1);
    if (coded <= 0)
        return 0;
    dst = put_u8(dst, 1); /* top down */
    dst = put_u8(dst, raster->format);
    put_u32_be(dst, (uint32_t)coded);
    return coded + LZ4_PREFIX_SIZE;
}

/* The pixels as words, which is what the JPEG library reads; NULL: no memory. */
static const uint8_t *
words_of(struct image_codecs *codecs, const struct raster *raster, uint32_t *stride)
{
    uint8_t *words;

    if (raster->format != SPICE_BITMAP_FMT_16BIT) {
        *stride = raster->stride;
        return raster->data;
    }
    *stride = raster->width * 4;
    words = scratch_room(&codecs->packed, (size_t)*stride * raster->height);
    for (uint32_t y = 0; words && y < raster->height; y++)
        pixels_decode(raster->data + (size_t)y * raster->stride, raster->width,
                      SPICE_SURFACE_FMT_16_555,
                      (uint32_t *)(void *)(words + (size_t)y * *stride));
    return words;
}

int64_t
encode_jpeg(struct image_codecs *codecs, const struct raster *raster, uint32_t quality,
            uint8_t *dst, uint64_t dst_size)
{
    uint32_t stride;
    const uint8_t *words = words_of(codecs, raster, &stride);
    unsigned long size = tjBufSize((int)raster->width, (int)raster->height, TJSAMP_420);
    uint8_t *coded;

    if (!codecs->jpeg)
        codecs->jpeg = tjInitCompress();
    if (!codecs->jpeg || !words || size == (unsigned long)-1)
        return 0;
    coded = scratch_room(&codecs->coded, size);
    if (!coded || tjCompress2(codecs->jpeg, words, (int)raster->width, (int)stride,
                              (int)raster->height, TJPF_BGRX, &coded, &size, TJSAMP_420,
                              (int)quality, TJFLAG_NOREALLOC))
        return 0;
    if (size > dst_size)
        return 0;
    memcpy(dst, coded, size);
    return (int64_t)size;
}
