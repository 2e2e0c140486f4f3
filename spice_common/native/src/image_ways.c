/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image_ways.h"

#include <spice/enums.h>
#include <string.h>

#include "display_message_writer.h"

enum {
    BINARY_SIZE = 4,             /* BinaryData: its size */
    JPEG_ALPHA_SIZE = 1 + 4 + 4, /* JPEGAlphaData */
    ZLIB_GLZ_SIZE = 4 + 4,       /* ZlibGlzRGBData */
    /*
     * GLZ may take this percentage of what LZ takes: later images can repeat what is in
     * its dictionary.  More would not pay on recorded desktops, nor would less.
     */
    GLZ_HANDICAP = 120,
    MIN_ZLIB_SIZE = 100, /* bytes of GLZ worth deflating: libspice-server's bound */
};

/* BinaryData: a size and what a codec wrote. */
static int64_t
finish_binary(struct image_writer_state *writer, uint32_t type, int64_t size)
{
    if (size <= 0)
        return 0;
    writer->type = type;
    put_u32(writer->at, (uint32_t)size);
    return BINARY_SIZE + size;
}

static uint8_t *
binary_at(const struct image_writer_state *writer)
{
    return writer->at + BINARY_SIZE;
}

int64_t
write_quic(struct image_writer_state *writer)
{
    return finish_binary(writer, SPICE_IMAGE_TYPE_QUIC,
                         encode_quic(writer->codecs, writer->raster, binary_at(writer),
                                     writer->room - BINARY_SIZE));
}

int64_t
write_lz(struct image_writer_state *writer)
{
    return finish_binary(writer, SPICE_IMAGE_TYPE_LZ_RGB,
                         encode_lz(writer->codecs, writer->raster, binary_at(writer),
                                   writer->room - BINARY_SIZE));
}

/* ZlibGlzRGBData over the GLZ data at writer->at; 0: it would not be smaller. */
static int64_t
write_zlib_glz(struct image_writer_state *writer, int64_t glz_size)
{
    struct scratch *coded = &writer->codecs->coded;
    uint8_t *copy = scratch_room(coded, (size_t)glz_size), *at = writer->at;
    int64_t size;

    if (!copy)
        return 0;
    memcpy(copy, binary_at(writer), (size_t)glz_size);
    size = encode_zlib(writer->codecs, copy, (uint64_t)glz_size, at + ZLIB_GLZ_SIZE,
                       (uint64_t)glz_size - (ZLIB_GLZ_SIZE - BINARY_SIZE));
    if (size <= 0) {
        memcpy(binary_at(writer), copy, (size_t)glz_size);
        return 0;
    }
    writer->type = SPICE_IMAGE_TYPE_ZLIB_GLZ_RGB;
    at = put_u32(at, (uint32_t)glz_size);
    put_u32(at, (uint32_t)size);
    return ZLIB_GLZ_SIZE + size;
}

int64_t
write_glz(struct image_writer_state *writer)
{
    int64_t size = encode_glz(writer->dictionary, writer->raster, binary_at(writer),
                              writer->room - BINARY_SIZE);
    int64_t deflated = 0;

    if (writer->settings->zlib_glz && size >= MIN_ZLIB_SIZE)
        deflated = write_zlib_glz(writer, size);
    return deflated ? deflated : finish_binary(writer, SPICE_IMAGE_TYPE_GLZ_RGB, size);
}

int64_t
write_glz_or_lz(struct image_writer_state *writer)
{
    uint64_t room = writer->room - BINARY_SIZE, most = room;
    uint8_t *lz = scratch_room(&writer->codecs->coded, room);
    int64_t lz_size, size;

    if (!lz || writer->settings->zlib_glz) /* which makes GLZ the smaller one */
        return write_glz(writer);
    lz_size = encode_lz(writer->codecs, writer->raster, lz, room);
    if (lz_size > 0 && (uint64_t)lz_size * GLZ_HANDICAP / 100 < room)
        most = (uint64_t)lz_size * GLZ_HANDICAP / 100;
    size = encode_glz(writer->dictionary, writer->raster, binary_at(writer), most);
    if (size > 0 || lz_size <= 0)
        return finish_binary(writer, SPICE_IMAGE_TYPE_GLZ_RGB, size);
    memcpy(binary_at(writer), lz, (size_t)lz_size);
    return finish_binary(writer, SPICE_IMAGE_TYPE_LZ_RGB, lz_size);
}

int64_t
write_quic_or_glz(struct image_writer_state *writer)
{
    uint64_t room = writer->room - BINARY_SIZE;
    uint8_t *quic = scratch_room(&writer->codecs->coded, room);
    int64_t quic_size, size;

    if (!quic)
        return write_quic(writer);
    quic_size = encode_quic(writer->codecs, writer->raster, quic, room);
    if (quic_size > 0)
        room = (uint64_t)quic_size - 1;
    size = encode_glz(writer->dictionary, writer->raster, binary_at(writer), room);
    if (size > 0 || quic_size <= 0)
        return finish_binary(writer, SPICE_IMAGE_TYPE_GLZ_RGB, size);
    memcpy(binary_at(writer), quic, (size_t)quic_size);
    return finish_binary(writer, SPICE_IMAGE_TYPE_QUIC, quic_size);
}

int64_t
write_lz4(struct image_writer_state *writer)
{
    return finish_binary(writer, SPICE_IMAGE_TYPE_LZ4,
                         encode_lz4(writer->codecs, writer->raster, binary_at(writer),
                                    writer->room - BINARY_SIZE));
}

/* JPEGAlphaData: the alpha plane follows the JPEG raster. */
static int64_t
finish_jpeg_alpha(struct image_writer_state *writer, int64_t jpeg_size)
{
    uint8_t *at = writer->at;
    uint64_t used = JPEG_ALPHA_SIZE + (uint64_t)jpeg_size;
    int64_t alpha_size =
        encode_lz_alpha(writer->codecs, writer->raster, at + used, writer->room - used);

    if (alpha_size <= 0)
        return 0;
    writer->type = SPICE_IMAGE_TYPE_JPEG_ALPHA;
    at = put_u8(at, SPICE_JPEG_ALPHA_FLAGS_TOP_DOWN);
    at = put_u32(at, (uint32_t)jpeg_size);
    put_u32(at, (uint32_t)(jpeg_size + alpha_size));
    return (int64_t)used + alpha_size;
}

int64_t
write_jpeg(struct image_writer_state *writer)
{
    int has_alpha = writer->raster->format == SPICE_BITMAP_FMT_RGBA;
    uint32_t head = has_alpha ? JPEG_ALPHA_SIZE : BINARY_SIZE;
    int64_t size =
        encode_jpeg(writer->codecs, writer->raster, writer->settings->jpeg_quality,
                    writer->at + head, writer->room - head);

    if (size > 0 && has_alpha)
        size = finish_jpeg_alpha(writer, size);
    else
        size = finish_binary(writer, SPICE_IMAGE_TYPE_JPEG, size);
    writer->lossy = size > 0;
    return size;
}

/* BitmapData: the pixels themselves, in rows of whole words as clients want them. */
int64_t
write_bitmap(struct image_writer_state *writer)
{
    const struct raster *raster = writer->raster;
    uint32_t stride = (raster->row_size + 3) & ~3u;
    uint8_t *at = writer->at;

    writer->type = SPICE_IMAGE_TYPE_BITMAP;
    at = put_u8(at, raster->format);
    at = put_u8(at, SPICE_BITMAP_FLAGS_TOP_DOWN);
    at = put_u32(at, raster->width);
    at = put_u32(at, raster->height);
    at = put_u32(at, stride);
    at = put_u32(at, 0); /* no palette */
    for (uint32_t y = 0; y < raster->height; y++, at += stride) {
        memcpy(at, raster->data + (size_t)y * raster->stride, raster->row_size);
        memset(at + raster->row_size, 0, stride - raster->row_size);
    }
    return BITMAP_HEADER_SIZE + (int64_t)stride * raster->height;
}

uint64_t
bitmap_size(const struct raster *raster)
{
    return BITMAP_HEADER_SIZE +
           (uint64_t)((raster->row_size + 3) & ~3u) * raster->height;
}
