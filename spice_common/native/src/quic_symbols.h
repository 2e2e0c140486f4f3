/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * quic_symbols.h: QUIC's bits to residuals and runs.
 *
 * What takes time is a chain: how long a code word is says where the next one begins.  So
 * the bits stay in a register, code words are measured by counting zeros, the first of them
 * while the register is refilled, and what is rare is left to others.
 */
#ifndef QUIC_SYMBOLS_H
#define QUIC_SYMBOLS_H

#include "quic.h"
#include "quic_bits.h"
#include "quic_model.h"

/*
 * Of bits that begin with a code word, which is no escape, its size; the residual is of
 * bits that have it whole.  A code word without an escape takes at most 21 bits.
 */
QUIC_INLINE uint32_t
quic_word_size(uint64_t bits, uint32_t code)
{
    return (uint32_t)__builtin_clzll(bits) + 1 + code;
}

QUIC_INLINE uint32_t
quic_word_residual(uint64_t bits, uint32_t size, uint32_t code)
{
    return (uint32_t)(bits >> (64 - size)) + ((size - code - 2) << code);
}

QUIC_INLINE int
quic_is_escape(uint64_t bits, const struct quic_family *family, uint32_t code)
{
    return __builtin_expect(bits < family->escape_below[code], 0) != 0;
}

/* A residual that is an escape; more than 0xff if no encoder writes it. */
QUIC_INLINE uint32_t
quic_take_escape(struct quic_reader *in, const struct quic_family *family, uint32_t code)
{
    uint32_t residual = quic_take(in, family->escape_size[code]) + family->escape_base[code];

    return residual <= family->mask ? residual : UINT32_MAX;
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
    uint32_t size = quic_word_size(bits, code);
    in->pending <<= size;
    in->count -= size;
    return quic_word_residual(bits, size, code);
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
