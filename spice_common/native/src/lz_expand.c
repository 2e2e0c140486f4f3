/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lz_expand.h"

/* Between the ends of the data and of the picture. */
struct cursor {
    const uint8_t *in, *in_end;
    uint8_t *out, *out_start, *out_end;
};

/* The distance of a match, counted from 0; UINT32_MAX if the data end before. */
LZ_INLINE uint32_t
get_distance(struct cursor *at, uint32_t first)
{
    uint32_t high = first & 31, low;

    if (at->in == at->in_end)
        return UINT32_MAX;
    low = *at->in++;
    if (high != 31 || low != 255)
        return high << 8 | low;
    if (at->in_end - at->in < 2)
        return UINT32_MAX;
    at->in += 2;
    return LZ_NEAR + ((uint32_t)at->in[-2] << 8 | at->in[-1]);
}

LZ_INLINE int
match(struct cursor *at, uint32_t first, enum lz_output output)
{
    const unsigned size = lz_output_size(output);
    uint32_t length = lz_get_length(&at->in, at->in_end, first);
    uint32_t distance = get_distance(at, first);
    uint64_t bytes = ((uint64_t)length + lz_length_bias(lz_output_unit(output))) * size;
    uint64_t back = ((uint64_t)distance + 1) * size;
    uint64_t room = (uint64_t)(at->out_end - at->out);

    /* What UINT32_MAX says cannot be satisfied either. */
    if (bytes > room || back > (uint64_t)(at->out - at->out_start))
        return -1;
    lz_copy_back(at->out, back, bytes, room - bytes >= LZ_OVERRUN, size);
    at->out += bytes;
    return 0;
}

LZ_INLINE const uint8_t *
expand(struct cursor at, enum lz_output output)
{
    while (at.out < at.out_end) {
        uint32_t first;

        if (at.in == at.in_end)
            return NULL;
        first = *at.in++;
        if (first < LZ_MAX_LITERALS ? lz_take_literals(&at.in, at.in_end, &at.out,
                                                       at.out_end, first + 1, output)
                                    : match(&at, first, output))
            return NULL;
    }
    return at.in;
}

const uint8_t *
lz_expand(const uint8_t *in, const uint8_t *in_end, uint8_t *out, uint32_t count,
          enum lz_output output)
{
    struct cursor at = {in, in_end, out, out,
                        out + (uint64_t)count * lz_output_size(output)};

    switch (output) {
    case LZ_OUTPUT_BYTE:
        return expand(at, LZ_OUTPUT_BYTE);
    case LZ_OUTPUT_RGB16:
        return expand(at, LZ_OUTPUT_RGB16);
    case LZ_OUTPUT_RGB32:
        return expand(at, LZ_OUTPUT_RGB32);
    case LZ_OUTPUT_RGB16_TO_32:
        return expand(at, LZ_OUTPUT_RGB16_TO_32);
    }
    return NULL;
}

void
lz_set_alpha(uint8_t *pixels, const uint8_t *alpha, uint64_t width)
{
    for (uint64_t x = 0; x < width; x++) {
        uint32_t pixel = lz_load32(pixels + 4 * x) & 0xffffff;

        lz_store32(pixels + 4 * x, pixel | (uint32_t)alpha[x] << 24);
    }
}
