/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * quic_symbols.h: QUIC's bits to residuals and runs.
 *
 * What takes time is a chain: how long a code word is says where the next one begins.
 * So the bits stay in a register, code words are measured by counting zeros, the first
 * of them while the register is refilled, and what is rare is left to others.
 */
#ifndef QUIC_SYMBOLS_H
#define QUIC_SYMBOLS_H

#include "quic.h"
#include "quic_bits.h"
#include "quic_model.h"

/*
 * A code word, which is no escape, begins with so many zeros; then its size is at most
 * 21 bits, and the residual is of bits that have it whole.  (Numbers of 64 bits need
 * not be extended to be indexes and to shift by.)
 */
QUIC_INLINE uint64_t
quic_zeros(uint64_t bits)
{
    return (uint64_t)__builtin_clzll(bits);
}

QUIC_INLINE uint64_t
quic_word_residual(uint64_t bits, uint64_t zeros, uint64_t size, uint64_t code)
{
    return (bits >> (64 - size)) + ((zeros - 1) << code);
}

QUIC_INLINE int
quic_is_escape(uint64_t bits, const struct quic_family *family, uint64_t code)
{
    return __builtin_expect(bits < family->escape_below[code], 0) != 0;
}

/* A residual that is an escape; more than 0xff if no encoder writes it. */
QUIC_INLINE uint32_t
quic_take_escape(struct quic_reader *in, const struct quic_family *family,
                 uint32_t code)
{
    uint32_t residual =
        quic_take(in, family->escape_size[code]) + family->escape_base[code];

    return residual <= family->mask ? residual : UINT32_MAX;
}

/* A residual that may well be an escape, without a branch; else as
 * quic_take_residual(). */
QUIC_INLINE uint32_t
quic_take_any(struct quic_reader *in, const struct quic_family *family, uint32_t code)
{
    quic_refill(in);
    int escape = in->pending < family->escape_below[code];
    uint32_t zeros = (uint32_t)quic_zeros(in->pending | 1), size = zeros + 1 + code;
    uint32_t more = (zeros - 1) << code;
    size = escape ? family->escape_size[code] : size;
    more = escape ? family->escape_base[code] : more;
    return quic_take(in, size) + more;
}

/* A residual; more than 0xff if no encoder writes it. */
QUIC_INLINE uint32_t
quic_take_residual(struct quic_reader *in, const struct quic_family *family,
                   uint32_t code)
{
    uint64_t bits = in->pending;
    quic_refill(in);
    if (quic_is_escape(bits, family, code))
        return quic_take_escape(in, family, code);
    uint64_t zeros = quic_zeros(bits), size = zeros + 1 + code;
    in->pending <<= size;
    in->count -= (uint32_t)size;
    return (uint32_t)quic_word_residual(bits, zeros, size, code);
}

/* The same as quic_take_run(), for runs of any length. */
static uint32_t
quic_take_long_run(struct quic_reader *in, struct quic_pace *pace, uint32_t most)
{
    uint32_t length = 0;

    for (;;) {
        quic_refill(in);
        if (quic_take(in, 1) == 0)
            break;
        length += 1u << quic_run_bits[pace->run_state];
        pace->run_state += pace->run_state < QUIC_RUN_STATES - 1;
        if (length > most)
            return length;
    }
    if (quic_run_bits[pace->run_state] != 0) {
        quic_refill(in);
        length += quic_take(in, quic_run_bits[pace->run_state]);
    }
    pace->run_state -= pace->run_state > 0;
    return length;
}

/* The length of a run; more than `most` if it is. */
QUIC_INLINE uint32_t
quic_take_run(struct quic_reader *in, struct quic_pace *pace, uint32_t most)
{
    quic_refill(in);
    uint32_t ones = (uint32_t)__builtin_clzll(~in->pending | 1);
    uint32_t state = pace->run_state + ones, rest = quic_run_bits[state & 31];
    if (__builtin_expect(state >= QUIC_RUN_STATES || ones + 1 + rest > 32, 0)) {
        struct quic_reader copy = *in;
        uint32_t length = quic_take_long_run(&copy, pace, most);
        *in = copy;
        return length;
    }
    uint32_t length = quic_run_starts[state] - quic_run_starts[pace->run_state];
    length += quic_take(in, ones + 1 + rest) & ((1u << rest) - 1);
    pace->run_state = state - (state > 0);
    return length;
}

#endif /* QUIC_SYMBOLS_H */
