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

static inline uint32_t
load_word(const uint8_t *row, uint32_t i)
{
    uint32_t word;

    memcpy(&word, row + 4 * (size_t)i, 4);
    return word;
}

static inline uint32_t
code_of(const struct quic_family *family, const struct quic_channel *channel,
        uint32_t after, uint32_t residual)
{
    return family->codes[channel->best[after & 0xff]][residual & 0xff];
}

/* Write the code words of pixels from `i` to below end. */
static inline void
put_colors(struct quic_encode_plane *plane, struct quic_writer *out, uint32_t i, uint32_t end)
{
    const struct quic_family *family = plane->family;
    const struct quic_channel *channels = plane->channels;
    struct quic_writer writer = *out;
    uint32_t after = load_word(plane->contexts - 4, i);

    for (; i < end; i++) {
        uint32_t pixel = load_word(plane->residuals, i);
        uint32_t r = code_of(family, &channels[0], after >> 16, pixel >> 16);
        uint32_t g = code_of(family, &channels[1], after >> 8, pixel >> 8);
        uint32_t b = code_of(family, &channels[2], after, pixel);
        uint32_t last = b >> 8, two = (g >> 8) + last, all = (r >> 8) + two;
        memcpy(plane->contexts + 4 * (size_t)i, &pixel, 4);
        after = pixel;
        if (__builtin_expect(all <= 32, 1)) {
            quic_put(&writer, (r & 0xff) << two | (g & 0xff) << last | (b & 0xff), all);
        } else {
            quic_put(&writer, r & 0xff, r >> 8);
            quic_put(&writer, g & 0xff, g >> 8);
            quic_put(&writer, b & 0xff, b >> 8);
        }
    }
    *out = writer;
}

static inline void
put_bytes(struct quic_encode_plane *plane, struct quic_writer *out, uint32_t i, uint32_t end)
{
    struct quic_writer writer = *out;
    uint32_t after = plane->contexts[(ptrdiff_t)i - 1];

    for (; i < end; i++) {
        uint32_t residual = plane->residuals[i];
        uint32_t code = code_of(plane->family, plane->channels, after, residual);
        plane->contexts[i] = (uint8_t)residual;
        after = residual;
        quic_put(&writer, code & 0xff, code >> 8);
    }
    *out = writer;
}

static void
count_pixel(struct quic_encode_plane *plane, uint32_t i)
{
    const struct quic_family *family = plane->family;
    uint32_t trigger = plane->pace.trigger;

    if (plane->pixel_size == 1) {
        const uint8_t *context = plane->contexts + i;
        quic_channel_count(plane->channels, family, context[-1], context[0], trigger);
        return;
    }
    uint32_t after = load_word(plane->contexts - 4, i), pixel = load_word(plane->contexts, i);
    for (uint32_t j = 0; j < 3; j++)
        quic_channel_count(&plane->channels[j], family, after >> (16 - 8 * j) & 0xff,
                           pixel >> (16 - 8 * j) & 0xff, trigger);
}

/* Make residuals of at least the pixels from `i` to below end. */
static void
freshen(struct quic_encode_plane *plane, uint32_t i, uint32_t end)
{
    size_t size = plane->pixel_size;

    if (plane->fresh_to < i)
        plane->fresh_to = i;
    if (plane->fresh_to >= end)
        return;
    end = (end + 15) & ~15u;
    quic_residuals(plane->residuals, plane->row, plane->row - size, plane->upper,
                   plane->fresh_to * size, end * size, plane->family->mask);
    plane->fresh_to = end;
}

static void
put_pixels(struct quic_encode_plane *plane, struct quic_writer *out, uint32_t i, uint32_t end)
{
    struct quic_pace *pace = &plane->pace;

    freshen(plane, i, end);
    while (i < end) {
        uint32_t stop = pace->gap < end - i ? i + pace->gap + 1 : end;
        if (plane->pixel_size == 1)
            put_bytes(plane, out, i, stop);
        else
            put_colors(plane, out, i, stop);
        if (stop - i > pace->gap) {
            count_pixel(plane, stop - 1);
            pace->gap = quic_pace_next_gap(pace);
        } else {
            pace->gap -= stop - i;
        }
        i = stop;
    }
}

static void
put_run(struct quic_pace *pace, struct quic_writer *out, uint32_t length)
{
    while (length >= 1u << quic_run_bits[pace->run_state]) {
        length -= 1u << quic_run_bits[pace->run_state];
        quic_put(out, 1, 1);
        quic_pace_run_longer(pace);
    }
    quic_put(out, length, quic_run_bits[pace->run_state] + 1u);
    quic_pace_run_done(pace);
}

/* Runs do not cross the border of a segment, where the pace changes. */
static void
put_segment(struct quic_encode_plane *plane, struct quic_writer *out, uint32_t i, uint32_t end)
{
    uint32_t search = i;

    for (;;) {
        uint32_t start = quic_find_bit(plane->starts, 0, search, end);
        put_pixels(plane, out, i, start);
        if (start == end)
            return;
        i = quic_find_bit(plane->same, ~0ull, start, end);
        put_run(&plane->pace, out, i - start);
        if (i == end)
            return;
        /* After a run of no pixels, one pixel is coded in any case. */
        search = i + (i == start);
    }
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
        plane->starts[word] = top ? 0 : (same[word] << 1 | carry) & plane->above_same[word];
        carry = same[word] >> 63;
    }
    plane->starts[0] &= ~7ull;
}

void
quic_encode_row(struct quic_encode_plane *plane, struct quic_writer *out, uint32_t width, int top)
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
        put_segment(plane, out, x, x + pixels);
        quic_pace_advance(&plane->pace, pixels);
        x += pixels;
    }
    plane->row = old.above;
    plane->above = old.row;
    plane->same = old.above_same;
    plane->above_same = old.same;
}
