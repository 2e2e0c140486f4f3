/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "quic_rows.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "quic.h"
#include "quic_model.h"

int
quic_layout_init(struct quic_layout *layout, uint32_t type, uint32_t width,
                 uint32_t height, uint64_t size, int64_t stride)
{
    uint64_t row = (uint64_t)width * quic_type_pixel_size(type);
    uint64_t step = stride < 0 ? 0 - (uint64_t)stride : (uint64_t)stride;

    if (quic_type_channels(type) == 0 || width == 0 || height == 0 ||
        width > QUIC_MAX_SIDE || height > QUIC_MAX_SIDE || size < row)
        return -1;
    if (height > 1 && (step < row || step > (size - row) / (height - 1)))
        return -1;
    *layout = (struct quic_layout){type, width, height, 0, stride};
    if (stride < 0 && height > 1)
        layout->first = step * (height - 1);
    return 0;
}

static void
read_16(const uint8_t *src, uint32_t width, uint32_t *colors)
{
    for (uint32_t i = 0; i < width; i++) {
        uint16_t pixel;
        memcpy(&pixel, src + 2 * (size_t)i, 2);
        colors[i] = (pixel & 0x7c00u) << 6 | (pixel & 0x03e0u) << 3 | (pixel & 0x001fu);
    }
}

/* But for the last pixel, words are read that hold a byte of the next pixel. */
static void
read_24(const uint8_t *src, uint32_t width, uint32_t *colors)
{
    const uint8_t *last = src + 3 * (size_t)(width - 1);

    for (uint32_t i = 0; i + 1 < width; i++) {
        uint32_t pixel;
        memcpy(&pixel, src + 3 * (size_t)i, 4);
        colors[i] = pixel & 0xffffff;
    }
    colors[width - 1] =
        (uint32_t)last[0] | (uint32_t)last[1] << 8 | (uint32_t)last[2] << 16;
}

static void
read_32(const uint8_t *src, uint32_t width, uint32_t *colors)
{
    for (uint32_t i = 0; i < width; i++) {
        uint32_t pixel;
        memcpy(&pixel, src + 4 * (size_t)i, 4);
        colors[i] = pixel & 0xffffff;
    }
}

/* Both parts from one copy: the pixels may change between two reads. */
static void
read_rgba(const uint8_t *src, uint32_t width, uint32_t *colors, uint8_t *alpha)
{
    for (uint32_t i = 0; i < width; i++) {
        uint32_t pixel;
        memcpy(&pixel, src + 4 * (size_t)i, 4);
        colors[i] = pixel & 0xffffff;
        alpha[i] = (uint8_t)(pixel >> 24);
    }
}

void
quic_read_row(uint32_t type, const uint8_t *src, uint32_t width, uint32_t *colors,
              uint8_t *alpha)
{
    switch (type) {
    case QUIC_IMAGE_TYPE_GRAY:
        memcpy(alpha, src, width);
        break;
    case QUIC_IMAGE_TYPE_RGB16:
        read_16(src, width, colors);
        break;
    case QUIC_IMAGE_TYPE_RGB24:
        read_24(src, width, colors);
        break;
    case QUIC_IMAGE_TYPE_RGBA:
        read_rgba(src, width, colors, alpha);
        break;
    default:
        read_32(src, width, colors);
        break;
    }
}

static void
write_16(uint8_t *dst, uint32_t width, const uint32_t *colors)
{
    for (uint32_t i = 0; i < width; i++) {
        uint16_t pixel = (uint16_t)((colors[i] >> 6 & 0x7c00) |
                                    (colors[i] >> 3 & 0x03e0) | (colors[i] & 0x001f));
        memcpy(dst + 2 * (size_t)i, &pixel, 2);
    }
}

/* But for the last pixel, the next one's first byte is written, too: soon again. */
static void
write_24(uint8_t *dst, uint32_t width, const uint32_t *colors)
{
    for (uint32_t i = 0; i + 1 < width; i++)
        memcpy(dst + 3 * (size_t)i, &colors[i], 4);
    memcpy(dst + 3 * (size_t)(width - 1), &colors[width - 1], 3);
}

static void
write_16_to_32(uint8_t *dst, uint32_t width, const uint32_t *colors)
{
    for (uint32_t i = 0; i < width; i++) {
        uint32_t pixel = (colors[i] & 0x1f1f1f) << 3 | (colors[i] >> 2 & 0x070707);
        memcpy(dst + 4 * (size_t)i, &pixel, 4);
    }
}

static void
write_rgba(uint8_t *dst, uint32_t width, const uint32_t *colors, const uint8_t *alpha)
{
    for (uint32_t i = 0; i < width; i++) {
        uint32_t pixel = colors[i] | (uint32_t)alpha[i] << 24;
        memcpy(dst + 4 * (size_t)i, &pixel, 4);
    }
}

void
quic_write_row(uint32_t type, uint32_t from, uint8_t *dst, uint32_t width,
               const uint32_t *colors, const uint8_t *alpha)
{
    switch (type) {
    case QUIC_IMAGE_TYPE_GRAY:
        memcpy(dst, alpha, width);
        break;
    case QUIC_IMAGE_TYPE_RGB16:
        write_16(dst, width, colors);
        break;
    case QUIC_IMAGE_TYPE_RGB24:
        write_24(dst, width, colors);
        break;
    case QUIC_IMAGE_TYPE_RGBA:
        write_rgba(dst, width, colors, alpha);
        break;
    default:
        if (from == QUIC_IMAGE_TYPE_RGB16)
            write_16_to_32(dst, width, colors);
        else
            memcpy(dst, colors, (size_t)width * 4);
        break;
    }
}

#ifdef __SSE2__
static inline __m128i
same_words(const uint32_t *row)
{
    return _mm_cmpeq_epi32(_mm_loadu_si128((const __m128i *)(const void *)row),
                           _mm_loadu_si128((const __m128i *)(const void *)(row - 1)));
}

static inline uint64_t
same_16_colors(const uint32_t *row)
{
    __m128i low = _mm_packs_epi32(same_words(row), same_words(row + 4));
    __m128i high = _mm_packs_epi32(same_words(row + 8), same_words(row + 12));

    return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high));
}

static inline uint64_t
same_16_bytes(const uint8_t *row)
{
    return (uint32_t)_mm_movemask_epi8(
        _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)row),
                       _mm_loadu_si128((const __m128i *)(const void *)(row - 1))));
}
#else
static inline uint64_t
same_16_colors(const uint32_t *row)
{
    uint64_t bits = 0;

    for (int i = 0; i < 16; i++)
        bits |= (uint64_t)(row[i] == row[i - 1]) << i;
    return bits;
}

static inline uint64_t
same_16_bytes(const uint8_t *row)
{
    uint64_t bits = 0;

    for (int i = 0; i < 16; i++)
        bits |= (uint64_t)(row[i] == row[i - 1]) << i;
    return bits;
}
#endif

void
quic_same_colors(uint64_t *bits, const uint32_t *row, uint32_t width)
{
    for (uint32_t i = 0; i < width; i += 64, row += 64)
        bits[i / 64] = same_16_colors(row) | same_16_colors(row + 16) << 16 |
                       same_16_colors(row + 32) << 32 | same_16_colors(row + 48) << 48;
}

void
quic_same_bytes(uint64_t *bits, const uint8_t *row, uint32_t width)
{
    for (uint32_t i = 0; i < width; i += 64, row += 64)
        bits[i / 64] = same_16_bytes(row) | same_16_bytes(row + 16) << 16 |
                       same_16_bytes(row + 32) << 32 | same_16_bytes(row + 48) << 48;
}
