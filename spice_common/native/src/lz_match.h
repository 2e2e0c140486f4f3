/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lz_match.h: compare, hash and write out units, for the encoders of LZ and GLZ.
 * Loads take several units at once and never pass a limit.
 */
#ifndef LZ_MATCH_H
#define LZ_MATCH_H

#include <stdint.h>
#include <string.h>

#include "lz_format.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "pixels are little endian");

/* The bits of 8 bytes of units that are compared. */
LZ_INLINE uint64_t
lz_unit_mask(enum lz_unit unit)
{
    return unit == LZ_UNIT_BYTE    ? UINT64_MAX
           : unit == LZ_UNIT_RGB16 ? 0x7fff7fff7fff7fffu
                                   : 0x00ffffff00ffffffu;
}

/* The units of 16 bytes that are equal, from the first on; 16 bytes: all. */
LZ_INLINE unsigned
lz_equal_bytes16(const uint8_t *a, const uint8_t *b, uint64_t mask)
{
#ifdef __SSE2__
    __m128i differ = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(const void *)a),
                                   _mm_loadu_si128((const __m128i *)(const void *)b));
    unsigned equal;

    if (mask != UINT64_MAX)
        differ = _mm_and_si128(differ, _mm_set1_epi64x((long long)mask));
    equal = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(differ, _mm_setzero_si128()));
    return (unsigned)__builtin_ctz(~equal);
#else
    uint64_t low = (lz_load64(a) ^ lz_load64(b)) & mask;
    uint64_t high = (lz_load64(a + 8) ^ lz_load64(b + 8)) & mask;

    if (low)
        return (unsigned)__builtin_ctzll(low) / 8;
    return high ? 8 + (unsigned)__builtin_ctzll(high) / 8 : 16;
#endif
}

/* How many of the first limit units at a and at b are equal where mask has bits. */
LZ_INLINE uint32_t
lz_match_length(const uint8_t *a, const uint8_t *b, uint32_t limit, unsigned size,
                uint64_t mask)
{
    const uint8_t *start = b, *end = b + (uint64_t)limit * size;

    for (; end - b >= 16; a += 16, b += 16) {
        unsigned equal = lz_equal_bytes16(a, b, mask);

        if (equal < 16)
            return (uint32_t)((uint64_t)(b - start) + equal) / size;
    }
    for (; b < end; a += size, b += size) {
        for (unsigned i = 0; i < size; i++) {
            if ((uint8_t)(a[i] ^ b[i]) & (uint8_t)(mask >> (8 * i)))
                return (uint32_t)(b - start) / size;
        }
    }
    return limit;
}

/* The control byte of up to LZ_MAX_LITERALS units, and they; any room is checked. */
LZ_INLINE uint8_t *
lz_put_few_literals(uint8_t *dst, const uint8_t *units, uint32_t count,
                    enum lz_unit unit, int spare)
{
    *dst++ = (uint8_t)(count - 1);
    if (unit == LZ_UNIT_BYTE) {
        memcpy(dst, units, count);
        return dst + count;
    }
    if (unit == LZ_UNIT_RGB16) {
        for (uint32_t i = 0; i < count; i++) {
            dst[2 * i] = units[2 * i + 1];
            dst[2 * i + 1] = units[2 * i];
        }
        return dst + (uint64_t)2 * count;
    }
    if (spare) {
        for (; count >= 2; count -= 2, units += 8, dst += 6) {
            uint64_t pair = lz_load64(units);

            lz_store64(dst, (pair & 0xffffff) | (pair >> 8 & 0xffffff000000u));
        }
        if (count) {
            lz_store32(dst, lz_load32(units));
            dst += 3;
        }
        return dst;
    }
    for (; count > 0; count--, units += 4, dst += 3) {
        dst[0] = units[0];
        dst[1] = units[1];
        dst[2] = units[2];
    }
    return dst;
}

/* Write count units as they are; NULL if that does not fit. */
LZ_INLINE uint8_t *
lz_put_literals(uint8_t *dst, const uint8_t *dst_end, const uint8_t *units,
                uint32_t count, enum lz_unit unit)
{
    const unsigned size = lz_unit_size(unit);

    while (count > 0) {
        uint32_t few = count < LZ_MAX_LITERALS ? count : LZ_MAX_LITERALS;
        uint64_t need = 1 + (uint64_t)few * lz_literal_size(unit);
        uint64_t room = (uint64_t)(dst_end - dst);

        if (room >= need + 8)
            dst = lz_put_few_literals(dst, units, few, unit, 1);
        else if (room >= need)
            dst = lz_put_few_literals(dst, units, few, unit, 0);
        else
            return NULL;
        units += few * size;
        count -= few;
    }
    return dst;
}

/*
 * Write the first byte of a match, whose lower 5 bits are low, and what does not fit
 * there of its length (the bias is off already).  The caller has checked the room.
 */
LZ_INLINE uint8_t *
lz_put_length(uint8_t *dst, uint32_t length, uint32_t low)
{
    if (length < LZ_LONG_LENGTH) {
        *dst++ = (uint8_t)(length << 5 | low);
        return dst;
    }
    *dst++ = (uint8_t)(LZ_LONG_LENGTH << 5 | low);
    length -= LZ_LONG_LENGTH;
    for (; length >= 255; length -= 255)
        *dst++ = 255;
    *dst++ = (uint8_t)length;
    return dst;
}

#endif /* LZ_MATCH_H */
