/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * quic_bits.h: QUIC's bits: the first is the highest of the first 32 bit word, and words
 * are little-endian.
 */
#ifndef QUIC_BITS_H
#define QUIC_BITS_H

#include <stdint.h>
#include <string.h>

static inline uint32_t
quic_load_word(const uint8_t *src)
{
    return (uint32_t)src[0] | (uint32_t)src[1] << 8 | (uint32_t)src[2] << 16 |
           (uint32_t)src[3] << 24;
}

static inline void
quic_store_word(uint8_t *dst, uint32_t word)
{
    dst[0] = (uint8_t)word;
    dst[1] = (uint8_t)(word >> 8);
    dst[2] = (uint8_t)(word >> 16);
    dst[3] = (uint8_t)(word >> 24);
}

/* Memory must be there: the user knows how many bits come and makes room for them. */
struct quic_writer {
    uint64_t pending; /* highest bits first */
    uint32_t count;   /* bits pending, below 32 */
    uint8_t *next;
};

/* At most 32 bits, which have nothing above them. */
static inline void
quic_put(struct quic_writer *writer, uint32_t bits, uint32_t count)
{
    writer->pending |= (uint64_t)bits << (64 - writer->count - count);
    writer->count += count;
    /* No branch: what is stored too early is stored again. */
    quic_store_word(writer->next, (uint32_t)(writer->pending >> 32));
    writer->next += writer->count >> 5 << 2;
    writer->pending <<= writer->count & 32;
    writer->count &= 31;
}

/*
 * The highest `count` bits of `pending` are next.  Those below are either zeros or what
 * follows in the data, too.
 */
struct quic_reader {
    uint64_t pending;
    uint32_t count;  /* 32 to 63 after quic_refill() */
    uint32_t beyond; /* words wanted after the end; they are zeros */
    const uint8_t *next, *end;
};

static inline void
quic_refill(struct quic_reader *reader)
{
    if (__builtin_expect(reader->end - reader->next < 4, 0)) {
        reader->beyond += reader->count < 32;
    } else {
        /* No branch: a word that is not due is put where it will be put again. */
        uint64_t word = quic_load_word(reader->next);
        reader->pending |= word << 32 >> reader->count;
        reader->next += ~reader->count >> 3 & 4;
    }
    reader->count |= 32;
}

/* 0 < count <= 32, of at least as many bits. */
static inline uint32_t
quic_take(struct quic_reader *reader, uint32_t count)
{
    uint32_t bits = (uint32_t)(reader->pending >> (64 - count));

    reader->pending <<= count;
    reader->count -= count;
    return bits;
}

#endif /* QUIC_BITS_H */
