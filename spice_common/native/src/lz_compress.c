/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lz_compress.h"

#include "lz_match.h"

enum {
    /* What the search looks at from one place: never beyond the plane. */
    LOOKAHEAD = 4,
    /* After so many places without a match (as a power of 2) steps become longer. */
    PATIENCE = 4,
    MAX_STEP = 16,
    /* A match that is so long needs no look into the table. */
    LONG_ENOUGH = 16,
    /* First byte, low byte of the distance, two more if it is far, end of the length.
     */
    MATCH_SIZE = 5,
};

void
lz_table_init(struct lz_table *table)
{
    table->next_base = 0;
    memset(table->places, 0, sizeof(table->places));
}

/* Make count places valid; those that are in the table now become invalid. */
static void
begin_plane(struct lz_table *table, uint32_t count)
{
    if (table->next_base == 0 || table->next_base > UINT32_MAX - count) {
        memset(table->places, 0, sizeof(table->places));
        table->next_base = 1; /* so that 0 is no place */
    }
    table->base = table->next_base;
    table->next_base += count;
}

LZ_INLINE uint32_t
hash(const uint8_t *units, enum lz_unit unit)
{
    uint64_t key;

    if (unit == LZ_UNIT_BYTE)
        key = (lz_load32(units) & 0xffffff) * 0x9e3779b97f4a7c15u;
    else if (unit == LZ_UNIT_RGB16)
        key = (lz_load64(units) & 0x7fff7fff7fffu) * 0x9e3779b97f4a7c15u;
    else
        key = (lz_load64(units) & 0x00ffffff00ffffffu) * 0x9e3779b97f4a7c15u +
              (uint64_t)(lz_load32(units + 8) & 0xffffff) * 0xd6e8feb86659fd93u;
    return (uint32_t)(key >> (64 - LZ_TABLE_BITS));
}

/* Are the first units at a and b, as many as make a short match worth it, equal? */
LZ_INLINE int
begins_match(const uint8_t *a, const uint8_t *b, enum lz_unit unit)
{
    if (unit == LZ_UNIT_BYTE)
        return ((lz_load32(a) ^ lz_load32(b)) & 0xffffff) == 0;
    if (unit == LZ_UNIT_RGB16)
        return ((lz_load32(a) ^ lz_load32(b)) & 0x7fff7fff) == 0;
    return ((lz_load64(a) ^ lz_load64(b)) & 0x00ffffff00ffffffu) == 0;
}

LZ_INLINE int
same_unit(const uint8_t *a, const uint8_t *b, enum lz_unit unit)
{
    if (unit == LZ_UNIT_BYTE)
        return *a == *b;
    if (unit == LZ_UNIT_RGB16)
        return (((a[0] ^ b[0]) & 0xff) | ((a[1] ^ b[1]) & 0x7f)) == 0;
    return ((lz_load32(a) ^ lz_load32(b)) & 0xffffff) == 0;
}

/* What is far must be so long to be worth its two more bytes. */
LZ_INLINE uint32_t
far_minimum(enum lz_unit unit)
{
    return unit == LZ_UNIT_BYTE ? 5 : unit == LZ_UNIT_RGB16 ? 3 : 2;
}

struct match {
    uint32_t distance; /* 1: the unit before */
    uint32_t length;   /* 0: none */
};

/* Take the units distance before at if they agree for longer than best does. */
LZ_INLINE void
try_distance(struct match *best, const uint8_t *at, uint32_t distance, uint32_t limit,
             enum lz_unit unit)
{
    const unsigned size = lz_unit_size(unit);
    const uint8_t *from = at - (uint64_t)distance * size;
    uint32_t length;

    /* No need to compare all if the unit that would make it longer differs. */
    if (best->length >= limit || !same_unit(from + (uint64_t)best->length * size,
                                            at + (uint64_t)best->length * size, unit))
        return;
    length = lz_match_length(from, at, limit, size, lz_unit_mask(unit));
    if (length > best->length) {
        best->length = length;
        best->distance = distance;
    }
}

LZ_INLINE struct match
find_match(struct lz_table *table, const struct lz_plane *plane, uint32_t place,
           enum lz_unit unit)
{
    const unsigned size = lz_unit_size(unit);
    const uint8_t *at = plane->units + (uint64_t)place * size;
    const uint32_t limit = plane->count - place, above = plane->row_units;
    uint32_t *slot = &table->places[hash(at, unit)];
    uint32_t seen = *slot - table->base, distance = place - seen;
    struct match best = {0, 0};

    *slot = table->base + place;
    if (above <= place && above <= LZ_NEAR &&
        begins_match(at - (uint64_t)above * size, at, unit))
        try_distance(&best, at, above, limit, unit);
    if (begins_match(at - size, at, unit))
        try_distance(&best, at, 1, limit, unit);
    if (best.length < LONG_ENOUGH && seen < place && distance <= LZ_NEAR + LZ_FAR &&
        begins_match(at - (uint64_t)distance * size, at, unit))
        try_distance(&best, at, distance, limit, unit);
    /* Pixels that changed since begins_match() saw them can make a match short, too. */
    if (best.length <= lz_length_bias(unit) ||
        (best.distance > LZ_NEAR && best.length < far_minimum(unit)))
        best.length = 0;
    return best;
}

LZ_INLINE uint8_t *
put_match(uint8_t *dst, const uint8_t *dst_end, struct match match, enum lz_unit unit)
{
    uint32_t length = match.length - lz_length_bias(unit);
    uint32_t distance = match.distance - 1;

    if ((uint64_t)(dst_end - dst) < MATCH_SIZE + length / 255)
        return NULL;
    if (distance < LZ_NEAR) {
        dst = lz_put_length(dst, length, distance >> 8);
        *dst++ = (uint8_t)distance;
    } else {
        distance -= LZ_NEAR;
        dst = lz_put_length(dst, length, 31);
        *dst++ = 255;
        *dst++ = (uint8_t)(distance >> 8);
        *dst++ = (uint8_t)distance;
    }
    return dst;
}

/* Units before the match which agree as well become part of it. */
LZ_INLINE uint32_t
grow_back(const struct lz_plane *plane, uint32_t place, uint32_t first,
          struct match *match, enum lz_unit unit)
{
    const unsigned size = lz_unit_size(unit);

    while (place > first && place > match->distance) {
        const uint8_t *before = plane->units + (uint64_t)(place - 1) * size;

        if (!same_unit(before - (uint64_t)match->distance * size, before, unit))
            break;
        place--;
        match->length++;
    }
    return place;
}

LZ_INLINE void
remember(struct lz_table *table, const struct lz_plane *plane, uint32_t place,
         enum lz_unit unit)
{
    const uint8_t *at = plane->units + (uint64_t)place * lz_unit_size(unit);

    if (place + LOOKAHEAD <= plane->count)
        table->places[hash(at, unit)] = table->base + place;
}

LZ_INLINE uint8_t *
compress(struct lz_table *table, const struct lz_plane *plane, uint8_t *dst,
         const uint8_t *dst_end, enum lz_unit unit)
{
    const unsigned size = lz_unit_size(unit);
    uint32_t first = 0, place = 1, misses = 0;

    remember(table, plane, 0, unit);
    while (place + LOOKAHEAD <= plane->count) {
        struct match match = find_match(table, plane, place, unit);

        if (match.length == 0) {
            uint32_t step = 1 + (misses++ >> PATIENCE);

            place += step < MAX_STEP ? step : MAX_STEP;
            continue;
        }
        misses = 0;
        place = grow_back(plane, place, first, &match, unit);
        dst = lz_put_literals(dst, dst_end, plane->units + (uint64_t)first * size,
                              place - first, unit);
        if (!dst || !(dst = put_match(dst, dst_end, match, unit)))
            return NULL;
        place += match.length;
        first = place;
        remember(table, plane, place - 2, unit);
        remember(table, plane, place - 1, unit);
    }
    return lz_put_literals(dst, dst_end, plane->units + (uint64_t)first * size,
                           plane->count - first, unit);
}

uint8_t *
lz_compress(struct lz_table *table, const struct lz_plane *plane, uint8_t *dst,
            const uint8_t *dst_end)
{
    begin_plane(table, plane->count);
    switch (plane->unit) {
    case LZ_UNIT_BYTE:
        return compress(table, plane, dst, dst_end, LZ_UNIT_BYTE);
    case LZ_UNIT_RGB16:
        return compress(table, plane, dst, dst_end, LZ_UNIT_RGB16);
    case LZ_UNIT_RGB32:
        return compress(table, plane, dst, dst_end, LZ_UNIT_RGB32);
    }
    return NULL;
}
