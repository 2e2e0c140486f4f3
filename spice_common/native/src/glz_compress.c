/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "glz_search.h"

enum {
    /* After so many places without a match (as a power of 2) steps become longer. */
    PATIENCE = 7,
    MAX_STEP = 16,
    /* Units that are loaded at once: what is compared next is in the nearest cache. */
    BAND = 1024,
    /* How densely a match is remembered whose image is going to leave the window. */
    REFRESH_STEP = 16,
    /* Images older than one in so many of the window are. */
    REFRESH_AGE = 4,
    /* Images that are asked whether they are of the same size. */
    LOOK_BACK = 16,
    /* A match without the middle of a long length. */
    MATCH_SIZE = 8,
};

/* Bytes of a match but for those of a long length. */
LZ_INLINE uint32_t
match_size(const struct glz_match *match)
{
    uint32_t far = match->place >= GLZ_NEAR_PLACES, bits = far ? 0 : 6, size = 3;

    if (match->place >= GLZ_FAR_PLACES)
        size++;
    for (; match->images_back >> bits; bits += 8)
        size++;
    return size;
}

/* Does it take less than its units would, with a byte to go on with literals? */
LZ_INLINE int
worth_it(const struct glz_match *match, enum glz_coding coding)
{
    return match->length > glz_length_bias(coding) &&
           match->length * (uint64_t)glz_literal_size(coding) > match_size(match) + 1;
}

/* The byte with `rest` that counts those of the distance, and these. */
LZ_INLINE uint8_t *
put_images_back(uint8_t *dst, uint32_t images_back, uint32_t rest)
{
    uint8_t *count = dst++;
    uint32_t bytes = 0;

    for (; images_back; images_back >>= 8, bytes++)
        *dst++ = (uint8_t)images_back;
    *count = (uint8_t)(bytes << 6 | rest);
    return dst;
}

LZ_INLINE uint8_t *
put_match(uint8_t *dst, const uint8_t *dst_end, const struct glz_match *match,
          enum glz_coding coding)
{
    uint32_t length = match->length - glz_length_bias(coding), place = match->place;
    uint32_t far = place >= GLZ_NEAR_PLACES ? GLZ_FAR_FLAG : 0, rest;

    if ((uint64_t)(dst_end - dst) < MATCH_SIZE + length / 255)
        return NULL;
    dst = lz_put_length(dst, length, (place & 15) | far);
    *dst++ = (uint8_t)(place >> 4);
    if (!far)
        return put_images_back(dst, match->images_back >> 6, match->images_back & 63);
    rest = place < GLZ_FAR_PLACES ? 0 : GLZ_VERY_FAR_FLAG;
    dst = put_images_back(dst, match->images_back, (place >> 12 & 31) | rest);
    if (rest)
        *dst++ = (uint8_t)(place >> 17);
    return dst;
}

/* Write count units of the ring as they are; NULL if that does not fit. */
LZ_INLINE uint8_t *
put_literals(uint8_t *dst, const uint8_t *dst_end, const uint32_t *units,
             uint32_t count, enum glz_coding coding)
{
    if (coding == GLZ_CODE_RGB32)
        return lz_put_literals(dst, dst_end, (const uint8_t *)units, count,
                               LZ_UNIT_RGB32);
    while (count > 0) {
        uint32_t few = count < LZ_MAX_LITERALS ? count : LZ_MAX_LITERALS;

        if ((uint64_t)(dst_end - dst) < 1 + few * glz_literal_size(coding))
            return NULL;
        *dst++ = (uint8_t)(few - 1);
        for (uint32_t i = 0; i < few; i++) {
            if (coding == GLZ_CODE_ALPHA) {
                *dst++ = (uint8_t)(units[i] >> 24);
            } else {
                *dst++ = (uint8_t)(units[i] >> 8);
                *dst++ = (uint8_t)units[i];
            }
        }
        units += few;
        count -= few;
    }
    return dst;
}

static void
load(struct glz_search *search)
{
    search->loaded += glz_source_load(search->plane->source, BAND);
}

/* What is loaded only when the match has come so far. */
LZ_INLINE void
extend(struct glz_search *search, struct glz_match *match, uint32_t place)
{
    uint32_t from_end = match->images_back ? search->image_end : search->end;

    while (place + match->length == search->loaded && search->loaded < search->end) {
        uint32_t from = match->from + match->length, limit;

        load(search);
        limit = search->loaded - (place + match->length);
        if (limit > from_end - from)
            limit = from_end - from;
        match->length += glz_match_length(search, from, place + match->length, limit);
    }
}

/* Units before the match which agree as well become part of it. */
LZ_INLINE uint32_t
grow_back(const struct glz_search *search, struct glz_match *match, uint32_t place,
          uint32_t first)
{
    uint32_t start = match->images_back ? search->image_start : search->plane->start;

    while (place > first && match->from > start &&
           glz_same_unit(search, place - 1, match->from - 1)) {
        place--;
        match->from--;
        match->length++;
        match->place -= match->images_back ? 1 : 0;
    }
    return place;
}

/*
 * Remember the match that ends at `end`.  Its ends are enough as long as what it
 * repeats is in the table; when that leaves the window, the copy here must be found
 * instead.
 */
LZ_INLINE void
remember_match(const struct glz_search *search, const struct glz_match *match,
               uint32_t end)
{
    struct glz_dictionary *dictionary = search->plane->dictionary;
    uint64_t images = dictionary->next_id - dictionary->head_id;

    if (match->images_back == 0) {
        dictionary->stats.matched_own += match->length;
    } else {
        dictionary->stats.matched_earlier += match->length;
        if (match->images_back > images / REFRESH_AGE) {
            for (uint32_t i = match->length; i > REFRESH_STEP; i -= REFRESH_STEP)
                glz_remember(search, end - i);
        }
    }
    glz_remember(search, end - 2);
    glz_remember(search, end - 1);
}

/* The latest image of the same size may well show the same area: expect its pixels. */
static void
expect_same_again(struct glz_search *search)
{
    const struct glz_plane *plane = search->plane;
    const struct glz_dictionary *dictionary = plane->dictionary;
    uint64_t images = dictionary->next_id - dictionary->head_id;

    for (uint64_t back = 1; back <= images && back <= LOOK_BACK; back++) {
        const struct glz_image *image =
            &dictionary->images[(plane->id - back) & dictionary->images_mask];

        if (image->type == plane->type && image->units == plane->count) {
            search->repeat = plane->start - image->start;
            search->image_start = image->start;
            search->image_end = image->start + image->units;
            search->images_back = (uint32_t)back;
            return;
        }
    }
}

LZ_INLINE uint8_t *
compress(struct glz_search *search, uint8_t *dst, const uint8_t *dst_end,
         enum glz_coding coding)
{
    uint32_t first = search->plane->start, place = first, misses = 0;

    search->coding = coding;
    while (place + GLZ_LOOKAHEAD <= search->end) {
        struct glz_match match;

        if (place + GLZ_LOOKAHEAD > search->loaded)
            load(search);
        match = glz_find(search, place);
        if (!worth_it(&match, coding)) {
            uint32_t step = 1 + (misses++ >> PATIENCE);

            place += step < MAX_STEP ? step : MAX_STEP;
            continue;
        }
        misses = 0;
        extend(search, &match, place);
        if (match.images_back)
            search->repeat = place - match.from;
        place = grow_back(search, &match, place, first);
        dst = put_literals(dst, dst_end, search->ring + first, place - first, coding);
        if (!dst || !(dst = put_match(dst, dst_end, &match, coding)))
            return NULL;
        place += match.length;
        first = place;
        remember_match(search, &match, place);
    }
    while (search->loaded < search->end)
        load(search);
    return put_literals(dst, dst_end, search->ring + first, search->end - first,
                        coding);
}

uint8_t *
glz_compress(const struct glz_plane *plane, uint8_t *dst, const uint8_t *dst_end)
{
    struct glz_dictionary *dictionary = plane->dictionary;
    struct glz_search search = {
        .plane = plane,
        .ring = dictionary->ring,
        .table = dictionary->table,
        .shift = 64 - dictionary->table_bits,
        .loaded = plane->start + (plane->source->y > 0 ? plane->count : 0),
        .end = plane->start + plane->count,
    };

    expect_same_again(&search);
    switch (plane->coding) {
    case GLZ_CODE_RGB32:
        return compress(&search, dst, dst_end, GLZ_CODE_RGB32);
    case GLZ_CODE_RGB16:
        return compress(&search, dst, dst_end, GLZ_CODE_RGB16);
    case GLZ_CODE_ALPHA:
        return compress(&search, dst, dst_end, GLZ_CODE_ALPHA);
    }
    return NULL;
}
