/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * glz_format.h: what a GLZ image has that an LZ image has not.
 *
 * A match says how many images back it is (0: this one) and where: the place in that
 * image, or the distance less one within this.  The place's bits lie, from the lowest:
 * 4 in the first byte, 8 in the byte after the length, and if bit 4 of the first byte
 * is set (a "far" place) 5 and then perhaps 8 more.  The byte after those 8 has in its
 * two highest bits how many bytes of the image's distance follow; the rest of it is the
 * distance's lowest 6 bits or, if the place is far, whether and what more of that
 * comes.
 */
#ifndef GLZ_FORMAT_H
#define GLZ_FORMAT_H

#include "glz.h"
#include "lz_format.h"

enum {
    GLZ_HEADER_SIZE = 33,
    GLZ_TOP_DOWN = 1 << 4,
    GLZ_TYPE_MASK = GLZ_TOP_DOWN - 1,
    GLZ_FAR_FLAG = 1 << 4,      /* in the first byte of a match */
    GLZ_VERY_FAR_FLAG = 1 << 5, /* in the byte that counts those of the distance */
    GLZ_NEAR_PLACES = 1 << 12,
    GLZ_FAR_PLACES = 1 << 17,
    GLZ_MAX_WINDOW = 1 << 25, /* places that can be said */
    /*
     * Images in a window: some bytes are kept for each, however small it is.  Far below
     * the 2^24 - 1 that a match can reach back.
     */
    GLZ_MAX_IMAGES = 1 << 16,
};

/* Types that both ends know how to keep: those with colors. */
static inline int
glz_type_valid(uint32_t type)
{
    return type == LZ_IMAGE_TYPE_RGB16 || type == LZ_IMAGE_TYPE_RGB24 ||
           type == LZ_IMAGE_TYPE_RGB32 || type == LZ_IMAGE_TYPE_RGBA;
}

#endif /* GLZ_FORMAT_H */
