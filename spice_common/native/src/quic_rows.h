/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * quic_rows.h: rows of pixels as QUIC's coders see them.
 *
 * The three colors are bytes of a word, 0x00RRGGBB, of 5 or 8 bits each; GRAY and alpha
 * are rows of bytes.  A row has QUIC_ROW_MARGIN bytes that may be used before it, and
 * may be used up to the next multiple of 64 pixels.
 */
#ifndef QUIC_ROWS_H
#define QUIC_ROWS_H

#include <stddef.h>
#include <stdint.h>

enum { QUIC_ROW_MARGIN = 64 };

/* Rows are also read as bytes, and memory as pixels. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "blue is a word's first byte");

/* Where the rows of a picture are in memory. */
struct quic_layout {
    uint32_t type, width, height;
    uint64_t first; /* offset of the top row */
    int64_t stride;
};

/* 0, or -1: sides, stride and size do not fit together. */
int quic_layout_init(struct quic_layout *layout, uint32_t type, uint32_t width,
                     uint32_t height, uint64_t size, int64_t stride);

static inline uint64_t
quic_layout_row(const struct quic_layout *layout, uint32_t y)
{
    return layout->first + (uint64_t)((int64_t)y * layout->stride);
}

/* One row of a picture to colors and alpha (RGBA) or to bytes (GRAY: in alpha). */
void quic_read_row(uint32_t type, const uint8_t *src, uint32_t width, uint32_t *colors,
                   uint8_t *alpha);

/* The inverse; from: the type that colors were coded as. */
void quic_write_row(uint32_t type, uint32_t from, uint8_t *dst, uint32_t width,
                    const uint32_t *colors, const uint8_t *alpha);

/*
 * residuals[i] for from <= i < to: row[i] less the mean of left[i] and above[i],
 * folded. Bytes; mask is that of the family.
 */
void quic_residuals(uint8_t *residuals, const uint8_t *row, const uint8_t *left,
                    const uint8_t *above, size_t from, size_t to, uint32_t mask);

/* A pixel from the one at its left, the one above and its residuals: three bytes at
 * once. */
static inline uint32_t
quic_restore_color(uint32_t left, uint32_t above, uint32_t residuals, uint32_t mask)
{
    uint32_t mean = (left & above) + ((left ^ above) >> 1 & 0x7f7f7f);
    uint32_t less = (residuals >> 1 & 0x7f7f7f) ^ (residuals & 0x010101) * 0xff;
    uint32_t sum = (mean & 0x7f7f7f) + (less & 0x7f7f7f);

    return (sum ^ ((mean ^ less) & 0x808080)) & mask * 0x010101;
}

static inline uint8_t
quic_restore_byte(uint32_t left, uint32_t above, uint32_t residual)
{
    return (uint8_t)((left + above) / 2 + (residual >> 1 ^ (0 - (residual & 1))));
}

/* Pixels of row, whose left one is there. */
void quic_restore_colors(uint32_t *row, const uint32_t *above,
                         const uint32_t *residuals, uint32_t from, uint32_t to,
                         uint32_t mask);

/* Bit i of bits: pixel i is like the one before it; for multiples of 64 pixels. */
void quic_same_colors(uint64_t *bits, const uint32_t *row, uint32_t width);
void quic_same_bytes(uint64_t *bits, const uint8_t *row, uint32_t width);

/* The first bit from `from` on, below end, that is set (or clear, with flip ~0), or
 * end. */
static inline uint32_t
quic_find_bit(const uint64_t *bits, uint64_t flip, uint32_t from, uint32_t end)
{
    if (from >= end)
        return end;
    uint32_t word = from / 64;
    uint64_t found = (bits[word] ^ flip) & ~0ull << from % 64;
    while (found == 0) {
        if (++word * 64 >= end)
            return end;
        found = bits[word] ^ flip;
    }
    uint32_t bit = word * 64 + (uint32_t)__builtin_ctzll(found);
    return bit < end ? bit : end;
}

#endif /* QUIC_ROWS_H */
