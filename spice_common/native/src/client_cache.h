/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * client_cache.h: the pixmap cache of a session and the palette cache of a channel.
 */
#ifndef CLIENT_CACHE_H
#define CLIENT_CACHE_H

#include <pthread.h>

#include "client_canvas.h"
#include "image_decode.h"

struct cached_image {
    struct cached_image *next; /* in its bucket */
    uint64_t id;
    uint64_t size; /* bytes it is accounted for */
    uint32_t lossy;
    struct decoded_image image; /* pixels and colors are this entry's own */
    uint32_t colors[];
};

struct client_cache {
    pthread_mutex_t lock; /* held by a channel while it handles a message */
    struct glz_window *window;
    struct cached_image **buckets;
    uint32_t num_images;
    uint64_t bytes, max_bytes;
};

/* NULL: there is none, or only a lossy one and lossless is asked for. */
const struct cached_image *client_cache_find(const struct client_cache *cache,
                                             uint64_t id, int lossless);

/*
 * Keep a copy of image under id instead of what was there; a client_error.  high_bits:
 * the void byte of its pixels, if it has one, counts as 0xff (QXL_IMAGE_HIGH_BITS_SET).
 */
enum client_error client_cache_put(struct client_cache *cache, uint64_t id,
                                   const struct decoded_image *image, int lossy,
                                   int high_bits);
void client_cache_remove(struct client_cache *cache, uint64_t id);

enum {
    /* libspice-server keeps 128. */
    MAX_PALETTES = 1024,
};

struct cached_palette {
    uint64_t id;
    uint32_t num_colors;
    uint32_t colors[MAX_PALETTE];
};

struct palette_cache {
    struct cached_palette *palettes[MAX_PALETTES];
    uint32_t count;
};

const struct cached_palette *palette_cache_find(const struct palette_cache *cache,
                                                uint64_t id);
enum client_error palette_cache_put(struct palette_cache *cache, uint64_t id,
                                    const uint32_t *colors, uint32_t num_colors);
void palette_cache_remove(struct palette_cache *cache, uint64_t id);
void palette_cache_clear(struct palette_cache *cache);

#endif /* CLIENT_CACHE_H */
