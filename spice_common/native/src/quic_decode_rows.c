/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * quic_decode_rows.c: QUIC's bits to rows of pixels.
 *
 * What takes time is a chain: how long a code word is says where the next one begins.  So
 * the bits stay in a register, code words are measured by counting zeros, and what is rare
 * (a word that is an escape, a pixel of more bits than the register surely has) is left to
 * take_residual().
 */
#include "quic_decode_rows.h"

#include <stddef.h>

#include "quic.h"

enum {
    /* A row's data has ended long before; only what comes next says so, too. */
    MAX_BEYOND = 4,
    NO_RUNS = UINT32_MAX,
    FIRST_RUN = 3, /* no run begins before the 4th pixel */
};

/* A residual in any code; UINT32_MAX if no encoder writes it. */
static uint32_t
take_residual(struct quic_reader *in, const struct quic_family *family, uint32_t code)
{
    quic_refill(in);
    if (in->pending < family->escape_below[code]) {
        (void)quic_take(in, family->escape_zeros[code]);
        uint32_t residual = quic_take(in, family->escape_bits[code]);
        residual += family->escape_base[code];
        return residual <= family->mask ? residual : UINT32_MAX;
    }
    uint32_t zeros = (uint32_t)__builtin_clzll(in->pending);
    uint32_t word = quic_take(in, zeros + 1 + code);
    return word + ((zeros - 1) << code);
}

/* The length of a run, or UINT32_MAX if it is more than `most`. */
static uint32_t
take_run(struct quic_reader *in, struct quic_pace *pace, uint32_t most)
{
    uint32_t length = 0;

    for (;;) {
        quic_refill(in);
        if (quic_take(in, 1) == 0)
            break;
        length += 1u << quic_run_bits[pace->run_state];
        quic_pace_run_longer(pace);
        if (length > most)
            return UINT32_MAX;
    }
    if (quic_run_bits[pace->run_state] != 0) {
        quic_refill(in);
        length += quic_take(in, quic_run_bits[pace->run_state]);
    }
    quic_pace_run_done(pace);
    return length <= most ? length : UINT32_MAX;
}

/* Three bytes at once: the mean of a and b, plus the difference that was folded. */
static inline uint32_t
unfold_colors(uint32_t a, uint32_t b, uint32_t residuals, uint32_t mask)
{
    uint32_t mean = (a & b) + ((a ^ b) >> 1 & 0x7f7f7f);
    uint32_t less = (residuals >> 1 & 0x7f7f7f) ^ (residuals & 0x010101) * 0xff;

    return (((mean & 0x7f7f7f) + (less & 0x7f7f7f)) ^ ((mean ^ less) & 0x808080)) & mask;
}

static inline uint32_t
unfold_byte(uint32_t a, uint32_t b, uint32_t residual)
{
    return ((a + b) / 2 + (residual >> 1 ^ (0 - (residual & 1)))) & 0xff;
}

static uint32_t
take_colors_slowly(struct quic_reader *in, const struct quic_family *family,
                    const struct quic_channel *channels, uint32_t after)
{
    uint32_t r = take_residual(in, family, channels[0].best[after >> 16 & 0xff]);
    uint32_t g = take_residual(in, family, channels[1].best[after >> 8 & 0xff]);
    uint32_t b = take_residual(in, family, channels[2].best[after & 0xff]);

    return (r | g | b) == UINT32_MAX ? UINT32_MAX : r << 16 | g << 8 | b;
}

/* One code word of bits that are wholly there; 0 if it is an escape. */
static inline int
take_fast(uint64_t *bits, uint32_t *length, const struct quic_family *family,
          uint32_t code, uint32_t *residual)
{
    if (__builtin_expect(*bits < family->escape_below[code], 0))
        return 0;
    uint32_t zeros = (uint32_t)__builtin_clzll(*bits), size = zeros + 1 + code;
    *residual = (uint32_t)(*bits >> (64 - size)) + ((zeros - 1) << code);
    *bits <<= size;
    *length += size;
    return 1;
}

/* The residuals of a pixel that came after `after`; UINT32_MAX: no encoder writes that. */
static inline uint32_t
take_colors(struct quic_reader *in, const struct quic_family *family,
             const struct quic_channel *channels, uint32_t after)
{
    uint32_t r, g, b, length = 0;
    quic_refill(in);
    uint64_t bits = in->pending;

    if (__builtin_expect(
            take_fast(&bits, &length, family, channels[0].best[after >> 16], &r) &&
                take_fast(&bits, &length, family, channels[1].best[after >> 8 & 0xff], &g) &&
                take_fast(&bits, &length, family, channels[2].best[after & 0xff], &b) &&
                length <= in->count,
            1)) {
        in->pending = bits;
        in->count -= length;
        return r << 16 | g << 8 | b;
    }
    return take_colors_slowly(in, family, channels, after);
}

static void
count_colors(struct quic_decode_plane *plane, uint32_t after, uint32_t residuals)
{
    for (uint32_t i = 0; i < 3; i++)
        quic_channel_count(&plane->channels[i], plane->family,
                           after >> (16 - 8 * i) & 0xff, residuals >> (16 - 8 * i) & 0xff,
                           plane->pace.trigger);
}

/* Pixels from `i` to below end, which is a segment. */
static int
decode_color_segment(struct quic_decode_plane *plane, struct quic_reader *reader,
                      const struct quic_decode_rows *rows, uint32_t i, uint32_t end)
{
    const struct quic_family *family = plane->family;
    const uint32_t mask = family->mask * 0x010101, *above = rows->above.colors;
    uint32_t *row = rows->row.colors, *contexts = rows->contexts.colors;
    struct quic_reader in = *reader;
    uint32_t search = plane->top ? NO_RUNS : FIRST_RUN, gap = plane->pace.gap;
    uint32_t after = contexts[(ptrdiff_t)i - 1], left = row[(ptrdiff_t)i - 1];
    uint32_t upper_left = above[(ptrdiff_t)i - 1], same = i > 1 && left == row[i - 2];

    while (i < end) {
        uint32_t upper = above[i];
        if (same && upper == upper_left && i >= search) {
            uint32_t length = take_run(&in, &plane->pace, end - i);
            if (length == UINT32_MAX || in.beyond > MAX_BEYOND)
                return length == UINT32_MAX ? QUIC_CORRUPT : QUIC_TRUNCATED;
            for (uint32_t stop = i + length; i < stop; i++)
                row[i] = left;
            /* After a run of no pixels, one pixel is coded in any case. */
            search = i + (length == 0);
            after = contexts[i - 1];
            upper_left = above[i - 1];
            continue;
        }
        uint32_t residuals = take_colors(&in, family, plane->channels, after);
        if (__builtin_expect(residuals == UINT32_MAX || in.beyond > MAX_BEYOND, 0))
            return residuals == UINT32_MAX ? QUIC_CORRUPT : QUIC_TRUNCATED;
        uint32_t pixel = unfold_colors(left, upper, residuals, mask);
        if (gap-- == 0) {
            count_colors(plane, after, residuals);
            gap = quic_pace_next_gap(&plane->pace);
        }
        row[i] = pixel;
        contexts[i++] = residuals;
        same = pixel == left;
        left = pixel;
        upper_left = upper;
        after = residuals;
    }
    plane->pace.gap = gap;
    *reader = in;
    return QUIC_OK;
}

static int
decode_byte_segment(struct quic_decode_plane *plane, struct quic_reader *reader,
                    const struct quic_decode_rows *rows, uint32_t i, uint32_t end)
{
    const uint8_t *best = plane->channels->best, *above = rows->above.bytes;
    uint8_t *row = rows->row.bytes, *contexts = rows->contexts.bytes;
    struct quic_reader in = *reader;
    uint32_t search = plane->top ? NO_RUNS : FIRST_RUN, gap = plane->pace.gap;
    uint32_t after = contexts[(ptrdiff_t)i - 1], left = row[(ptrdiff_t)i - 1];
    uint32_t upper_left = above[(ptrdiff_t)i - 1], same = i > 1 && left == row[i - 2];

    while (i < end) {
        uint32_t upper = above[i];
        if (same && upper == upper_left && i >= search) {
            uint32_t length = take_run(&in, &plane->pace, end - i);
            if (length == UINT32_MAX || in.beyond > MAX_BEYOND)
                return length == UINT32_MAX ? QUIC_CORRUPT : QUIC_TRUNCATED;
            memset(row + i, (int)left, length);
            i += length;
            search = i + (length == 0);
            after = contexts[i - 1];
            upper_left = above[i - 1];
            continue;
        }
        uint32_t residual = take_residual(&in, plane->family, best[after]);
        if (__builtin_expect(residual == UINT32_MAX || in.beyond > MAX_BEYOND, 0))
            return residual == UINT32_MAX ? QUIC_CORRUPT : QUIC_TRUNCATED;
        if (gap-- == 0) {
            quic_channel_count(plane->channels, plane->family, after, residual,
                               plane->pace.trigger);
            gap = quic_pace_next_gap(&plane->pace);
        }
        uint32_t pixel = unfold_byte(left, upper, residual);
        row[i] = (uint8_t)pixel;
        contexts[i++] = (uint8_t)residual;
        same = pixel == left;
        left = pixel;
        upper_left = upper;
        after = residual;
    }
    plane->pace.gap = gap;
    *reader = in;
    return QUIC_OK;
}

int
quic_decode_row(struct quic_decode_plane *plane, struct quic_reader *in, uint32_t width)
{
    struct quic_decode_rows *rows = &plane->rows;
    int error = QUIC_OK;

    /* What the first pixel is predicted from, and what its residual follows. */
    if (plane->colors) {
        rows->row.colors[-1] = plane->top ? 0 : rows->above.colors[0];
        rows->contexts.colors[-1] = plane->top ? 0 : rows->contexts.colors[0];
    } else {
        rows->row.bytes[-1] = plane->top ? 0 : rows->above.bytes[0];
        rows->contexts.bytes[-1] = plane->top ? 0 : rows->contexts.bytes[0];
    }
    for (uint32_t x = 0; x < width && error == QUIC_OK;) {
        uint32_t pixels = quic_pace_segment(&plane->pace, width - x);
        error = plane->colors ? decode_color_segment(plane, in, rows, x, x + pixels)
                               : decode_byte_segment(plane, in, rows, x, x + pixels);
        quic_pace_advance(&plane->pace, pixels);
        x += pixels;
    }
    return error;
}
