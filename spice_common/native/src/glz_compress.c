/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "glz_dictionary.h"
#include "lz_match.h"

enum {
    /* After so many places without a match (as a power of 2) steps become longer. */
    PATIENCE = 5,
    MAX_STEP = 16,
    /* A match without the middle of a long length. */
    MATCH_SIZE = 8,
};

/* All units of the ring are compared like this, whatever they stand for. */
#define SAME LZ_UNIT_RGB32

struct match {
    uint32_t from; /* place in the ring */
    uint32_t length;
    uint32_t images_back;
    uint32_t place; /* in the image it is from; the distance less one if in this */
};

/* The search in one plane. */
struct search {
    const struct glz_plane *plane;
    const uint32_t *ring;
    uint32_t *table;
    unsigned shift;
    uint32_t end;    /* of the plane, in the ring */
    uint32_t repeat; /* how far back in the ring the last match was, modulo 2^32 */
    uint32_t image_start, image_end; /* of the plane's image that repeat leads to */
    uint32_t images_back;
};

LZ_INLINE const uint8_t *
at(const struct search *search, uint32_t place)
{
    return (const uint8_t *)(search->ring + place);
}

LZ_INLINE uint32_t *
slot(const struct search *search, uint32_t place)
{
    const uint8_t *units = at(search, place);
    uint64_t key = lz_load64(units) * 0x9e3779b97f4a7c15u +
                   (uint64_t)lz_load32(units + 8) * 0xd6e8feb86659fd93u;

    return &search->table[key >> search->shift];
}

/* Bytes of a match but for those of a long length. */
LZ_INLINE uint32_t
match_size(const struct match *match)
{
    uint32_t far = match->place >= GLZ_NEAR_PLACES;
    uint32_t bits = far ? 0 : 6, size = 3;

    if (far && match->place >= GLZ_FAR_PLACES)
        size++;
    for (; match->images_back >> bits; bits += 8)
        size++;
    return size;
}

/* Does it take less than its units would as literals, with a byte to go on with those?
 */
LZ_INLINE int
worth_it(const struct match *match, enum lz_unit unit)
{
    return match->length > lz_length_bias(unit) &&
           match->length * lz_literal_size(unit) > match_size(match) + 1;
}

/* Take what is at `from` if it agrees with `place` for longer than best does. */
LZ_INLINE void
try_place(const struct search *search, struct match *best, uint32_t place,
          uint32_t from, uint32_t from_end)
{
    uint32_t limit = search->end - place, length;

    if (limit > from_end - from)
        limit = from_end - from;
    if (limit <= best->length ||
        search->ring[from + best->length] != search->ring[place + best->length])
        return;
    length = lz_match_length(at(search, from), at(search, place), limit, SAME);
    if (length > best->length) {
        best->length = length;
        best->from = from;
    }
}

LZ_INLINE int
begins_match(const struct search *search, uint32_t a, uint32_t b)
{
    return lz_load64(at(search, a)) == lz_load64(at(search, b));
}

/* The plane of an earlier image in which a place of the ring lies, if one does. */
LZ_INLINE const struct glz_image *
earlier_plane(const struct search *search, uint32_t from, uint32_t *start)
{
    const struct glz_plane *plane = search->plane;
    const struct glz_image *image = glz_dictionary_image_at(plane->dictionary, from);

    if (!image || image->type != plane->type)
        return NULL;
    *start = plane->alpha ? image->alpha_start : image->start;
    return from - *start < image->units ? image : NULL;
}

LZ_INLINE void
try_seen(struct search *search, struct match *best, uint32_t place, uint32_t from)
{
    const struct glz_plane *plane = search->plane;
    const struct glz_image *image;
    uint32_t start;

    if (!begins_match(search, from, place))
        return;
    if (from - plane->start < plane->count) {
        if (from < place)
            try_place(search, best, place, from, search->end);
        return;
    }
    image = earlier_plane(search, from, &start);
    if (image) {
        uint32_t length = best->length;

        try_place(search, best, place, from, start + image->units);
        if (best->length > length) {
            search->image_start = start;
            search->image_end = start + image->units;
            search->images_back = (uint32_t)(plane->id - image->id);
        }
    }
}

/* Fill in where a match is from, now that it is chosen. */
LZ_INLINE void
locate(const struct search *search, struct match *match, uint32_t place)
{
    if (match->from - search->plane->start < search->plane->count) {
        match->images_back = 0;
        match->place = place - match->from - 1;
    } else {
        match->images_back = search->images_back;
        match->place = match->from - search->image_start;
    }
}

LZ_INLINE struct match
find_match(struct search *search, uint32_t place, enum lz_unit unit)
{
    const struct glz_plane *plane = search->plane;
    uint32_t *seen = slot(search, place);
    uint32_t from = *seen, repeat = place - search->repeat;
    struct match best = {0, 0, 0, 0};

    *seen = place;
    if (place > plane->start && begins_match(search, place - 1, place))
        try_place(search, &best, place, place - 1, search->end);
    if (place - plane->start >= plane->row_units &&
        begins_match(search, place - plane->row_units, place))
        try_place(search, &best, place, place - plane->row_units, search->end);
    if (repeat - search->image_start < search->image_end - search->image_start)
        try_place(search, &best, place, repeat, search->image_end);
    try_seen(search, &best, place, from);
    if (best.length > 0) {
        locate(search, &best, place);
        if (!worth_it(&best, unit))
            best.length = 0;
    }
    return best;
}

LZ_INLINE uint8_t *
put_images_back(uint8_t *dst, uint32_t images_back, uint32_t shift, uint8_t rest)
{
    uint8_t *count = dst++;
    uint8_t bytes = 0;

    for (images_back >>= shift; images_back; images_back >>= 8, bytes++)
        *dst++ = (uint8_t)images_back;
    *count = (uint8_t)(bytes << 6 | rest);
    return dst;
}

LZ_INLINE uint8_t *
put_match(uint8_t *dst, const uint8_t *dst_end, const struct match *match,
          enum lz_unit unit)
{
    uint32_t length = match->length - lz_length_bias(unit), place = match->place;
    uint32_t low = (place & 15) | (place < GLZ_NEAR_PLACES ? 0 : GLZ_FAR_FLAG);

    if ((uint64_t)(dst_end - dst) < MATCH_SIZE + length / 255)
        return NULL;
    dst = lz_put_length(dst, length, low);
    *dst++ = (uint8_t)(place >> 4);
    if (place < GLZ_NEAR_PLACES)
        return put_images_back(dst, match->images_back, 6, match->images_back & 63);
    low = (place >> 12 & 31) | (place < GLZ_FAR_PLACES ? 0 : GLZ_VERY_FAR_FLAG);
    dst = put_images_back(dst, match->images_back, 0, (uint8_t)low);
    if (place >= GLZ_FAR_PLACES)
        *dst++ = (uint8_t)(place >> 17);
    return dst;
}

LZ_INLINE void
account(struct search *search, const struct match *match)
{
    struct glz_stats *stats = &search->plane->dictionary->stats;

    if (match->images_back)
        stats->matched_earlier += match->length;
    else
        stats->matched_own += match->length;
}

/* Units before the match which agree as well become part of it. */
LZ_INLINE uint32_t
grow_back(const struct search *search, struct match *match, uint32_t place,
          uint32_t first)
{
    uint32_t start = match->images_back ? search->image_start : search->plane->start;

    while (place > first && match->from > start &&
           search->ring[place - 1] == search->ring[match->from - 1]) {
        place--;
        match->from--;
        match->length++;
        match->place -= match->images_back ? 1 : 0;
    }
    return place;
}

LZ_INLINE void
remember(const struct search *search, uint32_t place)
{
    if (place + GLZ_LOOKAHEAD <= search->end)
        *slot(search, place) = place;
}

/* Write count units of the ring, which are pixels of `unit`, as they are. */
LZ_INLINE uint8_t *
put_literals(uint8_t *dst, const uint8_t *dst_end, const uint32_t *units,
             uint32_t count, enum lz_unit unit)
{
    if (unit == LZ_UNIT_RGB32)
        return lz_put_literals(dst, dst_end, (const uint8_t *)units, count, unit);
    while (count > 0) {
        uint32_t few = count < LZ_MAX_LITERALS ? count : LZ_MAX_LITERALS;

        if ((uint64_t)(dst_end - dst) < 1 + (uint64_t)few * lz_literal_size(unit))
            return NULL;
        *dst++ = (uint8_t)(few - 1);
        for (uint32_t i = 0; i < few; i++) {
            if (unit == LZ_UNIT_RGB16)
                *dst++ = (uint8_t)(units[i] >> 8);
            *dst++ = (uint8_t)units[i];
        }
        units += few;
        count -= few;
    }
    return dst;
}

LZ_INLINE uint8_t *
compress(struct search *search, uint8_t *dst, const uint8_t *dst_end, enum lz_unit unit)
{
    uint32_t first = search->plane->start, place = first, misses = 0;

    while (place + GLZ_LOOKAHEAD <= search->end) {
        struct match match = find_match(search, place, unit);

        if (match.length == 0) {
            uint32_t step = 1 + (misses++ >> PATIENCE);

            place += step < MAX_STEP ? step : MAX_STEP;
            continue;
        }
        misses = 0;
        if (match.images_back)
            search->repeat = place - match.from;
        place = grow_back(search, &match, place, first);
        dst = put_literals(dst, dst_end, search->ring + first, place - first, unit);
        if (!dst || !(dst = put_match(dst, dst_end, &match, unit)))
            return NULL;
        account(search, &match);
        place += match.length;
        first = place;
        remember(search, place - 2);
        remember(search, place - 1);
    }
    return put_literals(dst, dst_end, search->ring + first, search->end - first, unit);
}

uint8_t *
glz_compress(const struct glz_plane *plane, uint8_t *dst, const uint8_t *dst_end)
{
    struct glz_dictionary *dictionary = plane->dictionary;
    struct search search = {
        .plane = plane,
        .ring = dictionary->ring,
        .table = dictionary->table,
        .shift = 64 - dictionary->table_bits,
        .end = plane->start + plane->count,
    };

    switch (plane->unit) {
    case LZ_UNIT_BYTE:
        return compress(&search, dst, dst_end, LZ_UNIT_BYTE);
    case LZ_UNIT_RGB16:
        return compress(&search, dst, dst_end, LZ_UNIT_RGB16);
    case LZ_UNIT_RGB32:
        return compress(&search, dst, dst_end, LZ_UNIT_RGB32);
    }
    return NULL;
}
