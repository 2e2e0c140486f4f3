/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * glz_search.h: what repeats in a plane of an image, and from where.
 *
 * Four candidates are compared at each place: where the last match with an earlier
 * image would go on, the row above, the unit before, and where the table saw such units
 * last.
 */
#ifndef GLZ_SEARCH_H
#define GLZ_SEARCH_H

#include "glz_dictionary.h"
#include "lz_match.h"

/* A match that is so long needs no look into the table, which waits for memory. */
#define GLZ_LONG_ENOUGH 32

struct glz_match {
    uint32_t from; /* place in the ring */
    uint32_t length;
    uint32_t images_back;
    uint32_t place; /* in the image it is from; the distance less one if in this */
};

/* The search in one plane; places are those of the ring. */
struct glz_search {
    const struct glz_plane *plane;
    enum glz_coding coding; /* known to the compiler where it is used */
    const uint32_t *ring;
    uint32_t *table;
    unsigned shift;  /* from a hash to a slot of the table */
    uint32_t loaded; /* the plane's units are there up to this place */
    uint32_t end;    /* of the plane */
    /* Of the last match with an earlier image: how far back in the ring, which image.
     */
    uint32_t repeat;
    uint32_t image_start, image_end;
    uint32_t images_back;
};

/* The bits of a unit that are compared, in each half. */
LZ_INLINE uint64_t
glz_mask(enum glz_coding coding)
{
    return coding == GLZ_CODE_ALPHA   ? 0xff000000ff000000u
           : coding == GLZ_CODE_RGB16 ? 0x00007fff00007fffu
                                      : 0x00ffffff00ffffffu;
}

/* Bytes of a unit among literals. */
LZ_INLINE uint32_t
glz_literal_size(enum glz_coding coding)
{
    return coding == GLZ_CODE_RGB32 ? 3 : coding == GLZ_CODE_RGB16 ? 2 : 1;
}

/* A match that is written as length 1 has this many units more. */
LZ_INLINE uint32_t
glz_length_bias(enum glz_coding coding)
{
    return 3 - glz_literal_size(coding);
}

LZ_INLINE const uint8_t *
glz_at(const struct glz_search *search, uint32_t place)
{
    return (const uint8_t *)(search->ring + place);
}

LZ_INLINE int
glz_same_unit(const struct glz_search *search, uint32_t a, uint32_t b)
{
    return ((search->ring[a] ^ search->ring[b]) & (uint32_t)glz_mask(search->coding)) ==
           0;
}

/* Do two units at a and b agree? */
LZ_INLINE int
glz_begins_match(const struct glz_search *search, uint32_t a, uint32_t b)
{
    uint64_t differ = lz_load64(glz_at(search, a)) ^ lz_load64(glz_at(search, b));

    return (differ & glz_mask(search->coding)) == 0;
}

/* How many of limit units agree. */
LZ_INLINE uint32_t
glz_match_length(const struct glz_search *search, uint32_t a, uint32_t b,
                 uint32_t limit)
{
    return lz_match_length(glz_at(search, a), glz_at(search, b), limit,
                           sizeof(*search->ring), glz_mask(search->coding));
}

/* Where the table keeps a place with units like these, and what marks them there. */
struct glz_slot {
    uint32_t *seen;
    uint32_t mark;
};

LZ_INLINE struct glz_slot
glz_slot_of(const struct glz_search *search, uint32_t place)
{
    const uint8_t *units = glz_at(search, place);
    uint64_t mask = glz_mask(search->coding);
    uint64_t key =
        (lz_load64(units) & mask) * 0x9e3779b97f4a7c15u +
        (uint64_t)(lz_load32(units + 8) & (uint32_t)mask) * 0xd6e8feb86659fd93u;
    struct glz_slot slot = {&search->table[key >> search->shift],
                            (uint32_t)(key >> 8) & GLZ_MARK};

    return slot;
}

LZ_INLINE void
glz_remember(const struct glz_search *search, uint32_t place)
{
    struct glz_slot slot;

    if (place + GLZ_LOOKAHEAD > search->loaded)
        return;
    slot = glz_slot_of(search, place);
    *slot.seen = place | slot.mark;
}

/* Take what is at from if it agrees with place for longer than best does. */
LZ_INLINE void
glz_try_place(const struct glz_search *search, struct glz_match *best, uint32_t place,
              uint32_t from, uint32_t from_end)
{
    uint32_t limit = search->loaded - place, length;

    if (limit > from_end - from)
        limit = from_end - from;
    /* No need to compare all if the unit that would make it longer differs. */
    if (limit <= best->length ||
        !glz_same_unit(search, from + best->length, place + best->length))
        return;
    length = glz_match_length(search, from, place, limit);
    if (length > best->length) {
        best->length = length;
        best->from = from;
    }
}

/* Take what is at a place that the table has seen, if that is in a usable image. */
LZ_INLINE void
glz_try_seen(struct glz_search *search, struct glz_match *best, uint32_t place,
             uint32_t from)
{
    const struct glz_plane *plane = search->plane;
    const struct glz_image *image;
    uint32_t length = best->length;

    if (!glz_begins_match(search, from, place))
        return;
    if (from - plane->start < plane->count) {
        if (from < place)
            glz_try_place(search, best, place, from, search->end);
        return;
    }
    image = glz_dictionary_image_at(plane->dictionary, from);
    if (!image || image->type != plane->type)
        return;
    glz_try_place(search, best, place, from, image->start + image->units);
    if (best->length > length) {
        search->image_start = image->start;
        search->image_end = image->start + image->units;
        search->images_back = (uint32_t)(plane->id - image->id);
    }
}

/* Fill in where a match is from, now that it is chosen. */
LZ_INLINE void
glz_locate(const struct glz_search *search, struct glz_match *match, uint32_t place)
{
    if (match->from - search->plane->start < search->plane->count) {
        match->images_back = 0;
        match->place = place - match->from - 1;
    } else {
        match->images_back = search->images_back;
        match->place = match->from - search->image_start;
    }
}

/* The longest of the candidates; length 0: none.  Two units at place are there. */
LZ_INLINE struct glz_match
glz_find(struct glz_search *search, uint32_t place)
{
    const uint32_t start = search->plane->start, row = search->plane->row_units;
    struct glz_slot slot = glz_slot_of(search, place);
    uint32_t seen = *slot.seen, repeat = place - search->repeat;
    struct glz_match best = {0, 0, 0, 0};
    int marked = (seen & GLZ_MARK) == slot.mark;

    *slot.seen = place | slot.mark;
    if (marked)
        __builtin_prefetch(glz_at(search, seen & ~GLZ_MARK));
    if (repeat - search->image_start < search->image_end - search->image_start)
        glz_try_place(search, &best, place, repeat, search->image_end);
    if (place - start >= row && glz_begins_match(search, place - row, place))
        glz_try_place(search, &best, place, place - row, search->end);
    if (place > start && glz_begins_match(search, place - 1, place))
        glz_try_place(search, &best, place, place - 1, search->end);
    if (marked && best.length < GLZ_LONG_ENOUGH)
        glz_try_seen(search, &best, place, seen & ~GLZ_MARK);
    if (best.length > 0)
        glz_locate(search, &best, place);
    return best;
}

#endif /* GLZ_SEARCH_H */
