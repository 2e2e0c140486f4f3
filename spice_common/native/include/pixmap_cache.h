/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pixmap_cache.h: what one client keeps in its pixmap cache.
 *
 * The server decides what goes in and out, the client obeys
 * (SPICE_IMAGE_FLAGS_CACHE_ME, SPICE_MSG_DISPLAY_INVAL_LIST).  The display channels of
 * a client share one cache: every function locks it.  What one channel put in, another
 * may use only once the client has seen the first one's message, and what one uses,
 * another may throw out only after that use: hence the serials, for
 * SpiceMsgWaitForChannels.
 */
#ifndef PIXMAP_CACHE_H
#define PIXMAP_CACHE_H

#include <stdint.h>

#include "pixel_hash.h"

enum {
    MAX_CACHE_CHANNELS = 16,   /* channel ids are below this: more heads than QXL has */
    MAX_CACHE_EVICTIONS = 256, /* ids that one insertion may throw out */
};

/* The message that carries an image: the channel's id and the message's serial. */
struct pixmap_use {
    uint64_t serial;
    uint32_t channel;
};

enum pixmap_found {
    PIXMAP_MISSING = 0,
    PIXMAP_FOUND = 1,
    PIXMAP_LOSSY = 2, /* there, but not as good as wanted: add it again */
};

/* What the client knows. */
struct pixmap_item {
    uint64_t id;    /* SpiceImageDescriptor.id */
    uint32_t lossy; /* as it was sent: FROM_CACHE, not FROM_CACHE_LOSSLESS */
    struct pixmap_use inserted; /* by whom: wait for it if that is another channel */
};

/* What an insertion does. */
struct pixmap_change {
    uint64_t id;
    uint32_t replaces; /* the client has a lossy one of this id: CACHE_REPLACE_ME */
    uint32_t num_evicted;
    uint64_t evicted[MAX_CACHE_EVICTIONS]; /* ids, to be sent before the image */
};

struct pixmap_cache;

/* An empty cache of max_pixels, which the client announced; NULL: no memory. */
struct pixmap_cache *pixmap_cache_new(uint64_t max_pixels);
void pixmap_cache_free(struct pixmap_cache *cache);

/*
 * Look for key, a pixel_hash(), to be used by a message.  What is
 * found stays at least until a later use of that channel.  want_lossless: see
 * PIXMAP_LOSSY.
 */
enum pixmap_found pixmap_cache_find(struct pixmap_cache *cache, struct pixel_hash key,
                                    uint32_t want_lossless, struct pixmap_use use,
                                    struct pixmap_item *item);

/*
 * Put key in, to be sent by a message.  Least recently used items go out until it fits.
 * 0, or -1 and no change: larger than the cache, too many items would have to go, the
 * message itself uses what would have to, or there is no memory.
 */
int pixmap_cache_add(struct pixmap_cache *cache, struct pixel_hash key, uint64_t pixels,
                     uint32_t lossy, struct pixmap_use use,
                     struct pixmap_change *change);

#endif /* PIXMAP_CACHE_H */
