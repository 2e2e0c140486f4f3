/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * quic_bits.h: QUIC's bits: the first is the highest of the first 32 bit word, and
 * words are little-endian.
 */
#ifndef QUIC_BITS_H
#define QUIC_BITS_H

#include <stdint.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words in memory are QUIC's");

static inline uint32_t
quic_load_word(const uint8_t *src)
{
    uint32_t word;

    memcpy(&word, src, 4);
    return word;
}

static inline void
quic_store_word(uint8_t *dst, uint32_t word)
{
    memcpy(dst, &word, 4);
}

/* For functions that are compiled for more than one kind of processor. */
#define QUIC_INLINE static inline __attribute__((always_inline))

/*
 * The lowest `count` bits, below 32, of `bits` are to be stored; those above have been.
 * Memory must be there: the user knows how many bits come and makes room for them.
 */
struct quic_writer {
    uint64_t bits;
    uint32_t count;
    uint8_t *next;
};

/* At most 32 bits, which have nothing above them. */
QUIC_INLINE void
quic_put(struct quic_writer *writer, uint64_t bits, uint32_t count)
{
    writer->bits = writer->bits << count | bits;
    writer->count += count;
    /* No branch: what is stored too early is stored again. */
    quic_store_word(writer->next,
                    (uint32_t)(writer->bits >> ((writer->count - 32) & 63)));
    writer->next += writer->count >> 3 & 4;
    writer->count &= 31;
}

static inline uint64_t
quic_load_two_words(const uint8_t *src)
{
    uint64_t words;

    memcpy(&words, src, 8);
    return words << 32 | words >> 32;
}

/*
 * The highest `count` bits of `pending` have been taken from `next`.  Those below are
 * what follows there, too (zeros after the end), or zeros if they have not been loaded:
 * all have been after quic_refill(), so when 32 bits are taken, as many are still
 * right.
 */
struct quic_reader {
    uint64_t pending;
    uint32_t count;  /* 32 to 63 after quic_refill() */
    uint32_t beyond; /* words wanted after the end; they are zeros */
    const uint8_t *next, *end;
};

/* The same as quic_refill(), near the end. */
static inline void
quic_refill_last(struct quic_reader *reader)
{
    uint64_t word = 0;

    if (reader->end - reader->next >= 4) {
        word = quic_load_word(reader->next);
        reader->next += ~reader->count >> 3 & 4;
    } else {
        reader->beyond += reader->count < 32;
    }
    reader->pending |= word << 32 >> reader->count;
    reader->count |= 32;
}

QUIC_INLINE void
quic_refill(struct quic_reader *reader)
{
    if (__builtin_expect(reader->end - reader->next < 8, 0)) {
        quic_refill_last(reader);
        return;
    }
    /* No branch: words that are not due are put where they will be put again. */
    reader->pending |= quic_load_two_words(reader->next) >> reader->count;
    reader->next += ~reader->count >> 3 & 4;
    reader->count |= 32;
}

/* 0 < count <= 32, of at least as many bits. */
QUIC_INLINE uint32_t
quic_take(struct quic_reader *reader, uint32_t count)
{
    uint32_t bits = (uint32_t)(reader->pending >> (64 - count));

    reader->pending <<= count;
    reader->count -= count;
    return bits;
}

#endif /* QUIC_BITS_H */
