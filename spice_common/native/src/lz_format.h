/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lz_format.h: what the byte streams of LZ and GLZ images have in common.
 *
 * A stream is a row of packets.  A first byte below 32 announces that many pixels plus
 * one as they are ("literals").  Any other starts a match: so many pixels again that
 * were there before.  Its upper three bits are the match's length less the bias of the
 * unit; 7 says that bytes follow which are to be added, up to one that is not 255.
 */
#ifndef LZ_FORMAT_H
#define LZ_FORMAT_H

#include <stdint.h>
#include <string.h>

#include "lz.h"

/* What takes a constant unit: the compiler decides what depends on it. */
#define LZ_INLINE static inline __attribute__((always_inline))

#define LZ_MAGIC 0x20205a4cu /* "LZ  " */
#define LZ_VERSION 0x00010001u

enum {
    LZ_HEADER_SIZE = 28,
    LZ_MAX_LITERALS = 32,
    LZ_LONG_LENGTH = 7,
    /* A client decodes into 32-bit pixels: those of one image stay below 1 GiB. */
    LZ_MAX_PIXELS = 1 << 28,
    /* Distances, counted from 0.  What is farther than LZ_NEAR takes 2 more bytes. */
    LZ_NEAR = 8191,
    LZ_FAR = 65535 - 2,
};

/* What is matched and copied as one: a pixel, or a byte of packed indexes or of alpha.
 */
enum lz_unit {
    LZ_UNIT_BYTE,
    LZ_UNIT_RGB16,
    LZ_UNIT_RGB32,
};

static inline unsigned
lz_unit_size(enum lz_unit unit)
{
    return unit == LZ_UNIT_BYTE ? 1 : unit == LZ_UNIT_RGB16 ? 2 : 4;
}

/* Bytes of a unit among literals. */
static inline unsigned
lz_literal_size(enum lz_unit unit)
{
    return unit == LZ_UNIT_BYTE ? 1 : unit == LZ_UNIT_RGB16 ? 2 : 3;
}

/* A match that is written as length 1 has this many units more. */
static inline unsigned
lz_length_bias(enum lz_unit unit)
{
    return unit == LZ_UNIT_BYTE ? 2 : unit == LZ_UNIT_RGB16 ? 1 : 0;
}

static inline uint64_t
lz_load64(const uint8_t *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof(word));
    return word;
}

static inline uint32_t
lz_load32(const uint8_t *bytes)
{
    uint32_t word;

    memcpy(&word, bytes, sizeof(word));
    return word;
}

static inline void
lz_store64(uint8_t *bytes, uint64_t word)
{
    memcpy(bytes, &word, sizeof(word));
}

static inline void
lz_store32(uint8_t *bytes, uint32_t word)
{
    memcpy(bytes, &word, sizeof(word));
}

/* The headers are big endian. */
static inline uint32_t
lz_get_be32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
           (uint32_t)bytes[2] << 8 | bytes[3];
}

static inline uint8_t *
lz_put_be32(uint8_t *bytes, uint32_t word)
{
    bytes[0] = (uint8_t)(word >> 24);
    bytes[1] = (uint8_t)(word >> 16);
    bytes[2] = (uint8_t)(word >> 8);
    bytes[3] = (uint8_t)word;
    return bytes + 4;
}

/* A picture's rows, and what their units are. */
struct lz_layout {
    enum lz_unit unit;
    uint32_t row_size;  /* bytes of a row in memory */
    uint32_t row_units; /* units of a row */
    uint32_t units;     /* units of the picture */
};

/* Rows of a caller's picture. */
struct lz_rows {
    uint8_t *first;
    int64_t step; /* from one to the next */
};

/*
 * Rows of row_size bytes, stride apart in size bytes of memory; a negative stride: the
 * first one comes last.  0, or -1 if they do not fit there.
 */
int lz_rows_init(struct lz_rows *rows, const uint8_t *memory, uint64_t size,
                 int64_t stride, uint32_t row_size, uint32_t height);

static inline uint8_t *
lz_row(const struct lz_rows *rows, uint32_t y)
{
    return rows->first + (int64_t)y * rows->step;
}

/* 0, or -1 if there is no such picture: a bad type, a side of 0, too many pixels. */
int lz_layout_init(struct lz_layout *layout, uint32_t type, uint32_t width,
                   uint32_t height);

#endif /* LZ_FORMAT_H */
