/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * quic_decode_rows.c: QUIC's bits to rows of pixels.
 *
 * Whether a run comes next depends on pixels.  But none comes where the pixels above
 * differ from their left ones: where this is so for long, residuals are decoded first,
 * and made pixels afterwards.
 */
#include "quic_decode_rows.h"

#include <stddef.h>

#include "quic_rows.h"
#include "quic_symbols.h"

enum {
    MAX_BEYOND = 4, /* words after the end: some are read ahead, then it has ended */
    FIRST_RUN = 3,  /* no run begins before the 4th pixel */
};

/* Residuals of a pixel: apart, as each says what code comes next. */
struct color {
    uint64_t r, g, b;
};

QUIC_INLINE struct color
unpack(uint32_t residuals)
{
    return (struct color){residuals >> 16, residuals >> 8 & 0xff, residuals & 0xff};
}

QUIC_INLINE uint32_t
pack(struct color color)
{
    return (uint32_t)(color.r << 16 | color.g << 8 | color.b);
}

/*
 * The residuals of a pixel; they come in as those of the pixel before.  0: not done, as
 * there is an escape, or there are more bits than the reader surely has.
 */
QUIC_INLINE int
take_color(struct quic_reader *in, const struct quic_decode_plane *plane,
           struct color *residuals)
{
    const struct quic_channel *channels = plane->channels;
    const struct quic_family *family = plane->family;
    uint64_t code_r = channels[0].best[residuals->r];
    uint64_t code_g = channels[1].best[residuals->g];
    uint64_t code_b = channels[2].best[residuals->b];
    uint64_t bits_r = in->pending;

    quic_refill(in);
    if (quic_is_escape(bits_r, family, code_r))
        return 0;
    uint64_t zeros_r = quic_zeros(bits_r), size_r = zeros_r + 1 + code_r;
    uint64_t bits_g = in->pending << size_r;
    if (quic_is_escape(bits_g, family, code_g))
        return 0;
    uint64_t zeros_g = quic_zeros(bits_g), size_g = zeros_g + 1 + code_g;
    uint64_t bits_b = bits_g << size_g;
    if (quic_is_escape(bits_b, family, code_b))
        return 0;
    uint64_t zeros_b = quic_zeros(bits_b), size_b = zeros_b + 1 + code_b;
    uint64_t size = size_r + size_g + size_b;
    if (__builtin_expect(size > 32, 0))
        return 0;
    in->pending = bits_b << size_b;
    in->count -= (uint32_t)size;
    residuals->r = quic_word_residual(bits_r, zeros_r, size_r, code_r);
    residuals->g = quic_word_residual(bits_g, zeros_g, size_g, code_g);
    residuals->b = quic_word_residual(bits_b, zeros_b, size_b, code_b);
    return 1;
}

/* The same for any pixel, but slower.  0 or an enum quic_error. */
QUIC_INLINE int
take_any_color(struct quic_reader *in, const struct quic_decode_plane *plane,
               struct color *residuals)
{
    const struct quic_channel *channels = plane->channels;
    const struct quic_family *family = plane->family;

    residuals->r = quic_take_any(in, family, channels[0].best[residuals->r]);
    residuals->g = quic_take_any(in, family, channels[1].best[residuals->g]);
    residuals->b = quic_take_any(in, family, channels[2].best[residuals->b]);
    if (__builtin_expect((residuals->r | residuals->g | residuals->b) > family->mask,
                         0))
        return QUIC_CORRUPT;
    return in->beyond > MAX_BEYOND ? QUIC_TRUNCATED : QUIC_OK;
}

/* The same where it is rare: it must not take registers from what is not. */
static __attribute__((noinline)) int
take_rare_color(struct quic_reader *in, const struct quic_decode_plane *plane,
                struct color *residuals)
{
    return take_any_color(in, plane, residuals);
}

static void
count_color(struct quic_decode_plane *plane, uint32_t after, uint32_t residuals)
{
    for (uint32_t i = 0; i < 3; i++)
        quic_channel_count(&plane->channels[i], plane->family,
                           after >> (16 - 8 * i) & 0xff,
                           residuals >> (16 - 8 * i) & 0xff, plane->pace.trigger);
    plane->pace.gap = quic_pace_next_gap(&plane->pace);
}

/* Pixels from `i` to below end, none of which can be in a run. */
static __attribute__((noinline)) int
decode_colors_apart(struct quic_decode_plane *plane, struct quic_reader *reader,
                    uint32_t i, uint32_t end)
{
    struct quic_reader in = *reader;
    const struct quic_decode_rows *rows = &plane->rows;
    uint32_t *contexts = rows->contexts.colors, first = i;

    while (i < end) {
        struct color residuals = unpack(contexts[(ptrdiff_t)i - 1]);
        uint32_t gap = plane->pace.gap;
        uint32_t stop = gap < end - i ? i + gap + 1 : end;
        for (uint32_t j = i; j < stop; j++) {
            if (!take_color(&in, plane, &residuals)) {
                struct quic_reader copy = in;
                struct color found = residuals;
                int error = take_rare_color(&copy, plane, &found);
                if (error != QUIC_OK)
                    return error;
                in = copy;
                residuals = found;
            }
            contexts[j] = pack(residuals);
        }
        plane->pace.gap -= stop - i;
        if (stop - i > gap)
            count_color(plane, contexts[(ptrdiff_t)stop - 2], contexts[stop - 1]);
        i = stop;
    }
    *reader = in;
    quic_restore_colors(rows->row.colors, rows->upper.colors, contexts, first, end,
                        plane->family->mask);
    return QUIC_OK;
}

/* Bits of above_same from `i` on: 57 or more. */
QUIC_INLINE uint64_t
same_from(const struct quic_decode_plane *plane, uint32_t i)
{
    uint64_t bits;

    memcpy(&bits, (const uint8_t *)plane->above_same + i / 8, 8);
    return bits >> i % 8;
}

/* May fill 7 pixels more: there is a margin, or pixels that are still to come. */
QUIC_INLINE void
fill(uint32_t *row, uint32_t color, uint32_t length)
{
    for (uint32_t i = 0; i < length; i += 8) {
        for (uint32_t j = 0; j < 8; j++)
            row[i + j] = color;
    }
}

/* Pixels from `i` to below end, where the pace changes and runs end. */
static int
decode_colors(struct quic_decode_plane *plane, struct quic_reader *reader, uint32_t i,
              uint32_t end)
{
    uint32_t *row = plane->rows.row.colors, *contexts = plane->rows.contexts.colors;
    const uint32_t *upper = plane->rows.upper.colors;
    struct quic_reader in = *reader; /* in registers, as nobody has its address */
    struct color residuals = unpack(contexts[(ptrdiff_t)i - 1]);
    uint32_t search = FIRST_RUN;
    uint32_t left = row[(ptrdiff_t)i - 1], same = i > 1 && left == row[i - 2];
    int error;

    while (i < end) {
        uint64_t above_same = same_from(plane, i);
        if ((above_same & 0xff) == 0 || plane->top) {
            uint32_t stop =
                plane->top ? end : quic_find_bit(plane->above_same, 0, i, end);
            struct quic_reader copy = in;
            error = decode_colors_apart(plane, &copy, i, stop);
            if (error != QUIC_OK)
                return error;
            in = copy;
            i = stop;
            left = row[i - 1];
            same = i > 1 && left == row[i - 2];
            residuals = unpack(contexts[i - 1]);
            continue;
        }
        if ((above_same & 1) && same && i >= search) {
            uint32_t length = quic_take_run(&in, &plane->pace, end - i);
            if (__builtin_expect(length > end - i || in.beyond > MAX_BEYOND, 0))
                return length > end - i ? QUIC_CORRUPT : QUIC_TRUNCATED;
            fill(row + i, left, length);
            i += length;
            /* After a run of no pixels, one pixel is coded in any case. */
            search = i + (length == 0);
            residuals = unpack(contexts[i - 1]);
            continue;
        }
        struct color after = residuals;
        error = take_color(&in, plane, &residuals)
                    ? QUIC_OK
                    : take_any_color(&in, plane, &residuals);
        if (error != QUIC_OK)
            return error;
        if (plane->pace.gap-- == 0)
            count_color(plane, pack(after), pack(residuals));
        contexts[i] = pack(residuals);
        row[i] = quic_restore_color(left, upper[i], contexts[i], plane->family->mask);
        same = row[i] == left;
        left = row[i++];
    }
    *reader = in;
    return QUIC_OK;
}

static int
decode_bytes(struct quic_decode_plane *plane, struct quic_reader *reader, uint32_t i,
             uint32_t end)
{
    const struct quic_family *family = plane->family;
    const uint8_t *best = plane->channels->best, *upper = plane->rows.upper.bytes;
    uint8_t *row = plane->rows.row.bytes, *contexts = plane->rows.contexts.bytes;
    struct quic_reader in = *reader;
    uint32_t search = plane->top ? UINT32_MAX : FIRST_RUN, left = row[(ptrdiff_t)i - 1];
    uint32_t same = i > 1 && left == row[i - 2], residual = contexts[(ptrdiff_t)i - 1];

    while (i < end) {
        if (same && upper[i] == upper[(ptrdiff_t)i - 1] && i >= search) {
            uint32_t length = quic_take_run(&in, &plane->pace, end - i);
            if (__builtin_expect(length > end - i || in.beyond > MAX_BEYOND, 0))
                return length > end - i ? QUIC_CORRUPT : QUIC_TRUNCATED;
            memset(row + i, (int)left, length);
            i += length;
            search = i + (length == 0);
            residual = contexts[i - 1];
            continue;
        }
        uint32_t after = residual;
        residual = quic_take_residual(&in, family, best[residual]);
        if (__builtin_expect(residual > family->mask || in.beyond > MAX_BEYOND, 0))
            return residual > family->mask ? QUIC_CORRUPT : QUIC_TRUNCATED;
        if (plane->pace.gap-- == 0) {
            quic_channel_count(plane->channels, family, after, residual,
                               plane->pace.trigger);
            plane->pace.gap = quic_pace_next_gap(&plane->pace);
        }
        contexts[i] = (uint8_t)residual;
        row[i] = quic_restore_byte(left, upper[i], residual);
        same = row[i] == left;
        left = row[i++];
    }
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
        rows->upper.colors = plane->top ? rows->row.colors - 1 : rows->above.colors;
    } else {
        rows->row.bytes[-1] = plane->top ? 0 : rows->above.bytes[0];
        rows->contexts.bytes[-1] = plane->top ? 0 : rows->contexts.bytes[0];
        rows->upper.bytes = plane->top ? rows->row.bytes - 1 : rows->above.bytes;
    }
    for (uint32_t x = 0; x < width && error == QUIC_OK;) {
        uint32_t pixels = quic_pace_segment(&plane->pace, width - x);
        error = plane->colors ? decode_colors(plane, in, x, x + pixels)
                              : decode_bytes(plane, in, x, x + pixels);
        quic_pace_advance(&plane->pace, pixels);
        x += pixels;
    }
    if (plane->colors)
        quic_same_colors(plane->above_same, rows->row.colors, width);
    union quic_row row = rows->row;
    rows->row = rows->above;
    rows->above = row;
    return error;
}
