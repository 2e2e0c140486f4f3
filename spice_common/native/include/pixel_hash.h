/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pixel_hash.h: a name for pixels by what they show.
 *
 * Keyed with a secret of the process: a guest cannot make two pictures of one name, so
 * that a client would show one for the other.  It is fast, not cryptographic.
 */
#ifndef PIXEL_HASH_H
#define PIXEL_HASH_H

#include <stdint.h>

#include "pixels.h"

struct pixel_hash {
    uint64_t low, high;
};

/* Of size and format, too; what pads a pixel of 32_xRGB is not part of it. */
struct pixel_hash pixel_hash(const struct pixels *pixels);

#endif /* PIXEL_HASH_H */
