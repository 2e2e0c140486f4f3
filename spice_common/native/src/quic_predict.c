/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * quic_predict.c: pixels to residuals and back.
 */
#include <stddef.h>

#include "quic_rows.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

void
quic_residuals(uint8_t *residuals, const uint8_t *row, const uint8_t *left,
               const uint8_t *above, size_t from, size_t to, uint32_t mask)
{
    uint8_t sign = (uint8_t)(mask ^ mask >> 1);
    size_t i = from;

#ifdef __SSE2__
    const __m128i ones = _mm_set1_epi8(1), signs = _mm_set1_epi8((char)sign);
    const __m128i masks = _mm_set1_epi8((char)mask);
    for (; i + 16 <= to; i += 16) {
        __m128i a = _mm_loadu_si128((const __m128i *)(const void *)(left + i));
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(above + i));
        __m128i pixel = _mm_loadu_si128((const __m128i *)(const void *)(row + i));
        __m128i round = _mm_and_si128(_mm_xor_si128(a, b), ones);
        __m128i mean = _mm_sub_epi8(_mm_avg_epu8(a, b), round);
        __m128i less = _mm_sub_epi8(pixel, mean);
        __m128i negative = _mm_cmpeq_epi8(_mm_and_si128(less, signs), signs);
        __m128i folded = _mm_xor_si128(_mm_add_epi8(less, less), negative);
        _mm_storeu_si128((__m128i *)(void *)(residuals + i),
                         _mm_and_si128(folded, masks));
    }
#endif
    for (; i < to; i++) {
        uint32_t less = (uint32_t)row[i] - ((uint32_t)left[i] + above[i]) / 2;
        uint32_t folded = less & sign ? ~(less << 1) : less << 1;
        residuals[i] = (uint8_t)(folded & mask);
    }
}

#ifdef __SSE2__
void
quic_restore_colors(uint32_t *row, const uint32_t *above, const uint32_t *residuals,
                    uint32_t from, uint32_t to, uint32_t mask)
{
    const __m128i ones = _mm_set1_epi8(-1), odd = _mm_set1_epi8(1);
    const __m128i low = _mm_set1_epi8(0x7f), unused = _mm_set1_epi8((char)~mask);
    __m128i left = _mm_cvtsi32_si128((int)~row[(ptrdiff_t)from - 1]);

    /*
     * Vectors round a mean up, and what is wanted is rounded down: so it is made of the
     * complements.  Then adding a difference is subtracting it.
     */
    for (uint32_t i = from; i < to; i++) {
        __m128i folded = _mm_cvtsi32_si128((int)residuals[i]);
        __m128i upper = _mm_xor_si128(_mm_cvtsi32_si128((int)above[i]), ones);
        __m128i less = _mm_xor_si128(_mm_and_si128(_mm_srli_epi32(folded, 1), low),
                                     _mm_cmpeq_epi8(_mm_and_si128(folded, odd), odd));
        left = _mm_sub_epi8(_mm_avg_epu8(left, upper), less);
        left = _mm_or_si128(left, unused);
        row[i] = ~(uint32_t)_mm_cvtsi128_si32(left);
    }
}
#else
void
quic_restore_colors(uint32_t *row, const uint32_t *above, const uint32_t *residuals,
                    uint32_t from, uint32_t to, uint32_t mask)
{
    for (uint32_t i = from; i < to; i++)
        row[i] =
            quic_restore_color(row[(ptrdiff_t)i - 1], above[i], residuals[i], mask);
}
#endif
