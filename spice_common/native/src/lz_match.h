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

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "pixels are little endian");

/* The bits of 8 bytes of units that are compared. */
LZ_INLINE uint64_t
lz_unit_mask(enum lz_unit unit)
{
    return unit == LZ_UNIT_BYTE    ? UINT64_MAX
           : unit == LZ_UNIT_RGB16 ? 0x7fff7fff7fff7fffu
                                   : 0x00ffffff00ffffffu;
}

/* How many of the first limit units at a and at b are equal. */
LZ_INLINE uint32_t
lz_match_length(const uint8_t *a, const uint8_t *b, uint32_t limit, enum lz_unit unit)
{
    const unsigned size = lz_unit_size(unit), per_word = 8 / size;
    const uint64_t mask = lz_unit_mask(unit);
    uint32_t length = 0;

    while (limit - length >= per_word) {
        uint64_t differ =
            (lz_load64(a + length * size) ^ lz_load64(b + length * size)) & mask;

        if (differ)
            return length + (uint32_t)__builtin_ctzll(differ) / (8 * size);
        length += per_word;
    }
    for (; length < limit; length++) {
        for (unsigned i = 0; i < size; i++) {
            uint8_t differ = a[length * size + i] ^ b[length * size + i];

            if (differ & (uint8_t)(mask >> (8 * i)))
                return length;
        }
    }
    return length;
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
