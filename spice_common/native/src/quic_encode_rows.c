/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * quic_encode_rows.c: rows of pixels to QUIC's bits.
 *
 * A whole row is looked at with vectors first: where pixels are alike, thus where runs
 * begin and end, and the residuals of what is between.
 */
#include "quic_encode_rows.h"

#include <stddef.h>

#include "quic_rows.h"

/* The code word of a residual, QUIC_WORD_*, in the code that follows `after`. */
QUIC_INLINE uint32_t
code_word(const struct quic_family *family, const struct quic_channel *channel,
          uint32_t after, uint32_t residual)
{
    return family->codes[residual][channel->best[after]];
}

QUIC_INLINE void
put_word(struct quic_writer *out, uint32_t word)
{
    quic_put(out, word >> 8, word & 0xff);
}

/* Write the code words of pixels from `i` to below end. */
QUIC_INLINE void
put_colors(const struct quic_encode_plane *plane, struct quic_writer *out, uint32_t i,
           uint32_t end)
{
    const struct quic_family *family = plane->family;
    const struct quic_channel *channels = plane->channels;
    const uint8_t *residuals = plane->residuals + 4 * (size_t)i;
    uint8_t *contexts = plane->contexts + 4 * (size_t)i;
    uint32_t after_b = contexts[-4], after_g = contexts[-3], after_r = contexts[-2];

    for (; i < end; i++, residuals += 4, contexts += 4) {
        uint32_t b = residuals[0], g = residuals[1], r = residuals[2];
        uint32_t word_r = code_word(family, &channels[0], after_r, r);
        uint32_t word_g = code_word(family, &channels[1], after_g, g);
        uint32_t word_b = code_word(family, &channels[2], after_b, b);
        uint32_t length = (word_r + word_g + word_b) & 0xff;
        memcpy(contexts, residuals, 4);
        after_r = r;
        after_g = g;
        after_b = b;
        if (__builtin_expect(length <= 32, 1)) {
            uint64_t bits = word_r >> 8;
            bits = bits << (word_g & 63) | word_g >> 8;
            quic_put(out, bits << (word_b & 63) | word_b >> 8, length);
        } else {
            put_word(out, word_r);
            put_word(out, word_g);
            put_word(out, word_b);
        }
    }
}

QUIC_INLINE void
put_bytes(const struct quic_encode_plane *plane, struct quic_writer *out, uint32_t i,
          uint32_t end)
{
    uint32_t after = plane->contexts[(ptrdiff_t)i - 1];

    for (; i < end; i++) {
        uint32_t residual = plane->residuals[i];
        plane->contexts[i] = (uint8_t)residual;
        put_word(out, code_word(plane->family, plane->channels, after, residual));
        after = residual;
    }
}

QUIC_INLINE void
count_pixel(const struct quic_encode_plane *plane, uint32_t i, uint32_t size)
{
    const uint8_t *context = plane->contexts + (size_t)i * size;

    /* Red is the third byte, but the first channel. */
    for (uint32_t j = 0; j < (size == 1 ? 1 : 3); j++)
        quic_channel_count(&plane->channels[size == 1 ? 0 : 2 - j], plane->family,
                           context[(int)j - (int)size], context[j],
                           plane->pace.trigger);
}

/* Make residuals of at least the pixels from `i` to below end. */
static void
freshen(struct quic_encode_plane *plane, uint32_t i, uint32_t end)
{
    size_t size = plane->pixel_size;

    if (plane->fresh_to < i)
        plane->fresh_to = i;
    end = (end + 15) & ~15u;
    quic_residuals(plane->residuals, plane->row, plane->row - size, plane->upper,
                   plane->fresh_to * size, end * size, plane->family->mask);
    plane->fresh_to = end;
}

QUIC_INLINE void
put_pixels(struct quic_encode_plane *plane, struct quic_writer *out, uint32_t i,
           uint32_t end, uint32_t size)
{
    struct quic_pace *pace = &plane->pace;

    while (i < end) {
        uint32_t stop = pace->gap < end - i ? i + pace->gap + 1 : end;
        if (size == 1)
            put_bytes(plane, out, i, stop);
        else
            put_colors(plane, out, i, stop);
        if (stop - i > pace->gap) {
            count_pixel(plane, stop - 1, size);
            pace->gap = quic_pace_next_gap(pace);
        } else {
            pace->gap -= stop - i;
        }
        i = stop;
    }
}

static void
put_long_run(struct quic_pace *pace, struct quic_writer *out, uint32_t length)
{
    while (length >= 1u << quic_run_bits[pace->run_state]) {
        length -= 1u << quic_run_bits[pace->run_state];
        quic_put(out, 1, 1);
        pace->run_state += pace->run_state < QUIC_RUN_STATES - 1;
    }
    quic_put(out, length, quic_run_bits[pace->run_state] + 1u);
    pace->run_state -= pace->run_state > 0;
}

QUIC_INLINE void
put_run(struct quic_pace *pace, struct quic_writer *out, uint32_t length)
{
    uint32_t reach = quic_run_starts[pace->run_state] + length;

    if (__builtin_expect(reach < QUIC_RUN_REACH, 1)) {
        uint32_t state = quic_run_reached[reach], ones = state - pace->run_state;
        uint32_t rest = quic_run_bits[state], bits = ((1u << ones) - 1) << (rest + 1);
        quic_put(out, bits | (reach - quic_run_starts[state]), ones + 1 + rest);
        pace->run_state = state - (state > 0);
        return;
    }
    struct quic_writer copy = *out;
    put_long_run(pace, &copy, length);
    *out = copy;
}

/* Runs do not cross the border of a segment, where the pace changes. */
QUIC_INLINE void
put_segment(struct quic_encode_plane *plane, struct quic_writer *writer, uint32_t i,
            uint32_t end, uint32_t size)
{
    struct quic_writer out = *writer;
    uint32_t search = i;

    for (;;) {
        uint32_t start = quic_find_bit(plane->starts, 0, search, end);
        if (plane->fresh_to < start)
            freshen(plane, i, start);
        put_pixels(plane, &out, i, start, size);
        if (start == end)
            break;
        i = quic_find_bit(plane->same, ~0ull, start, end);
        put_run(&plane->pace, &out, i - start);
        if (i == end)
            break;
        /* After a run of no pixels, one pixel is coded in any case. */
        search = i + (i == start);
    }
    *writer = out;
}

static void
put_color_segment(struct quic_encode_plane *plane, struct quic_writer *out, uint32_t i,
                  uint32_t end)
{
    put_segment(plane, out, i, end, 4);
}

static void
put_byte_segment(struct quic_encode_plane *plane, struct quic_writer *out, uint32_t i,
                 uint32_t end)
{
    put_segment(plane, out, i, end, 1);
}

/* Runs begin at the 4th pixel at the earliest, and not in the top row. */
static void
find_starts(struct quic_encode_plane *plane, uint32_t width, int top)
{
    uint64_t *same = plane->same, carry = 0;

    if (plane->pixel_size == 1)
        quic_same_bytes(same, plane->row, width);
    else
        quic_same_colors(same, (const uint32_t *)(const void *)plane->row, width);
    for (uint32_t word = 0; word * 64 < width; word++) {
        plane->starts[word] =
            top ? 0 : (same[word] << 1 | carry) & plane->above_same[word];
        carry = same[word] >> 63;
    }
    plane->starts[0] &= ~7ull;
}

void
quic_encode_row(struct quic_encode_plane *plane, struct quic_writer *out,
                uint32_t width, int top)
{
    struct quic_encode_plane old = *plane;
    size_t size = plane->pixel_size;

    /* What the first pixel is predicted from, and what its residual follows. */
    if (top) {
        memset(plane->row - size, 0, size);
        memset(plane->contexts - size, 0, size);
    } else {
        memcpy(plane->row - size, plane->above, size);
        memcpy(plane->contexts - size, plane->contexts, size);
    }
    plane->upper = top ? plane->row - size : plane->above;
    plane->fresh_to = 0;
    find_starts(plane, width, top);
    for (uint32_t x = 0; x < width;) {
        uint32_t pixels = quic_pace_segment(&plane->pace, width - x);
        if (size == 1)
            put_byte_segment(plane, out, x, x + pixels);
        else
            put_color_segment(plane, out, x, x + pixels);
        quic_pace_advance(&plane->pace, pixels);
        x += pixels;
    }
    plane->row = old.above;
    plane->above = old.row;
    plane->same = old.above_same;
    plane->above_same = old.same;
}
