/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image_share.h: images that were encoded for one client, for the others of a display.
 *
 * What refers to a client's own history (GLZ) cannot be shared.  Used by one thread.
 */
#ifndef IMAGE_SHARE_H
#define IMAGE_SHARE_H

#include <stdint.h>

#include "image_encode.h"
#include "pixel_hash.h"

enum {
    MAX_SHARED_IMAGES = 64,
    MAX_SHARED_BYTES = 4 << 20, /* of all images; the oldest go first */
};

struct image_share;

struct image_share *image_share_new(void); /* NULL: no memory */
void image_share_free(struct image_share *share);

/* Forget everything: what is drawn next is something else. */
void image_share_clear(struct image_share *share);

/* Remember an image: its descriptor and what follows.  Not an error if it cannot be. */
void image_share_add(struct image_share *share, struct pixel_hash key,
                     const struct image_settings *settings, const uint8_t *image,
                     uint64_t size, const struct encoded_info *info);

/* An image that was made the same way, or NULL; it stays until the next call. */
const uint8_t *image_share_find(struct image_share *share, struct pixel_hash key,
                                const struct image_settings *settings, uint64_t *size,
                                struct encoded_info *info);

/* Images that were found. */
uint64_t image_share_hits(const struct image_share *share);

#endif /* IMAGE_SHARE_H */
