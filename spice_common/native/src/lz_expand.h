/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lz_expand.h: from packets to units, for the decoders of LZ and GLZ. */
#ifndef LZ_EXPAND_H
#define LZ_EXPAND_H

#include <stdint.h>
#include <string.h>

#include "lz_format.h"

/* What units are decoded to. */
enum lz_output {
    LZ_OUTPUT_BYTE,        /* bytes */
    LZ_OUTPUT_RGB16,       /* RGB16 as it is */
    LZ_OUTPUT_RGB32,       /* RGB24 and RGB32 */
    LZ_OUTPUT_RGB16_TO_32, /* RGB16 as RGB32 */
};

LZ_INLINE unsigned
lz_output_size(enum lz_output output)
{
    return output == LZ_OUTPUT_BYTE ? 1 : output == LZ_OUTPUT_RGB16 ? 2 : 4;
}

LZ_INLINE enum lz_unit
lz_output_unit(enum lz_output output)
{
    return output == LZ_OUTPUT_BYTE    ? LZ_UNIT_BYTE
           : output == LZ_OUTPUT_RGB32 ? LZ_UNIT_RGB32
                                       : LZ_UNIT_RGB16;
}

/* Copies may write so many bytes more than asked for, where that stays in the picture.
 */
enum { LZ_OVERRUN = 16 };

/* One literal of 16 bits as a color of 32: a channel's high bits fill its low ones. */
LZ_INLINE uint32_t
lz_widen_rgb16(uint32_t pixel)
{
    uint32_t red = pixel >> 10 & 31, green = pixel >> 5 & 31, blue = pixel & 31;

    red = red << 3 | red >> 2;
    green = green << 3 | green >> 2;
    blue = blue << 3 | blue >> 2;
    return red << 16 | green << 8 | blue;
}

/* Colors of 3 bytes; spare: LZ_OVERRUN more bytes may be read and written. */
LZ_INLINE void
lz_copy_rgb(uint8_t *out, const uint8_t *in, uint32_t count, int spare)
{
    if (spare) {
        for (uint32_t i = 0; i < count; i += 2, in += 6, out += 8) {
            uint64_t pair = lz_load64(in);

            lz_store64(out, (pair & 0xffffff) | (pair << 8 & 0xffffff00000000u));
        }
        return;
    }
    for (; count > 0; count--, in += 3, out += 4)
        lz_store32(out, (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16);
}

/* Copy count literals; both sides have been found long enough for them. */
LZ_INLINE void
lz_copy_literals(uint8_t *out, const uint8_t *in, uint32_t count, int spare,
                 enum lz_output output)
{
    if (output == LZ_OUTPUT_BYTE) {
        if (spare)
            memcpy(out, in, LZ_MAX_LITERALS);
        else
            memcpy(out, in, count);
    } else if (output == LZ_OUTPUT_RGB16) {
        for (uint32_t i = 0; i < count; i++) {
            out[2 * i] = in[2 * i + 1];
            out[2 * i + 1] = in[2 * i];
        }
    } else if (output == LZ_OUTPUT_RGB16_TO_32) {
        for (uint32_t i = 0; i < count; i++)
            lz_store32(out + 4 * i,
                       lz_widen_rgb16((uint32_t)in[2 * i] << 8 | in[2 * i + 1]));
    } else {
        lz_copy_rgb(out, in, count, spare);
    }
}

/*
 * Move both sides over count literals; -1 if they end before.  A copy may take more
 * than it was asked for where that much is left.
 */
LZ_INLINE int
lz_take_literals(const uint8_t **in, const uint8_t *in_end, uint8_t **out,
                 const uint8_t *out_end, uint32_t count, enum lz_output output)
{
    const uint64_t in_size = (uint64_t)count * lz_literal_size(lz_output_unit(output));
    const uint64_t out_size = (uint64_t)count * lz_output_size(output);
    uint64_t in_room = (uint64_t)(in_end - *in);
    uint64_t out_room = (uint64_t)(out_end - *out);

    if (in_room < in_size || out_room < out_size)
        return -1;
    lz_copy_literals(*out, *in, count,
                     in_room >= LZ_MAX_LITERALS * 3 + LZ_OVERRUN &&
                         out_room >= LZ_MAX_LITERALS * 4 + LZ_OVERRUN,
                     output);
    *in += in_size;
    *out += out_size;
    return 0;
}

/* What begins at from and repeats every `distance` (1, 2, 4 or 8) bytes. */
LZ_INLINE uint64_t
lz_pattern(const uint8_t *from, uint64_t distance)
{
    return distance == 1   ? *from * 0x0101010101010101u
           : distance == 2 ? (from[0] | (uint64_t)from[1] << 8) * 0x0001000100010001u
           : distance == 4 ? lz_load32(from) * 0x0000000100000001u
                           : lz_load64(from);
}

/*
 * Copy bytes from `distance` before out, which they may overlap by then.
 * spare: LZ_OVERRUN more may be written.
 */
LZ_INLINE void
lz_copy_back(uint8_t *out, uint64_t distance, uint64_t bytes, int spare, unsigned size)
{
    const uint8_t *from = out - distance;
    uint64_t wide = spare ? bytes : bytes & ~(uint64_t)15, i = 0;

    if (distance >= 16) {
        for (; i < wide; i += 16)
            memcpy(out + i, from + i, 16);
    } else if ((distance & (distance - 1)) == 0) {
        uint64_t pattern = lz_pattern(from, distance);

        for (; i < wide; i += 16) {
            lz_store64(out + i, pattern);
            lz_store64(out + i + 8, pattern);
        }
    }
    for (; i < bytes; i += size)
        memcpy(out + i, from + i, size);
}

/*
 * Read what lz_put_length() wrote after the first byte; *in moves behind it.
 * The sum, bounded so that it cannot wrap; UINT32_MAX if the data end before.
 */
LZ_INLINE uint32_t
lz_get_length(const uint8_t **in, const uint8_t *in_end, uint32_t first)
{
    uint32_t length = first >> 5;

    if (length < LZ_LONG_LENGTH)
        return length;
    while (*in < in_end) {
        uint8_t byte = *(*in)++;

        length += byte;
        if (byte != 255)
            return length;
        if (length > LZ_MAX_PIXELS)
            break;
    }
    return UINT32_MAX;
}

/*
 * Decode count units to out, which has room for exactly them.
 * The end of the packets that it took, NULL if the data are damaged.
 */
const uint8_t *lz_expand(const uint8_t *in, const uint8_t *in_end, uint8_t *out,
                         uint32_t count, enum lz_output output);

/* Set the fourth byte of width 32-bit pixels. */
void lz_set_alpha(uint8_t *pixels, const uint8_t *alpha, uint64_t width);

#endif /* LZ_EXPAND_H */
