/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pixmap_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_ITEMS = 256,
    /*
     * An item counts as at least this many pixels.  The client counts fewer, so it
     * never has to hold more than it said; here it bounds the number of items.
     */
    MIN_ITEM_PIXELS = 256,
    /* Above the kinds of ids that guests' drivers and refreshes use. */
    IMAGE_GROUP_CACHE = 4,
};

#define NO_ITEM UINT32_MAX

struct item {
    struct pixel_hash key;
    uint64_t id, pixels;
    struct pixmap_use inserted, last_use;
    uint32_t lossy;
    uint32_t next;         /* of the same bucket, or free */
    uint32_t newer, older; /* in order of use */
};

struct pixmap_cache {
    pthread_mutex_t lock;
    struct item *items;
    uint32_t *buckets; /* as many as items, a power of 2 */
    uint32_t cap_items;
    uint32_t free_items; /* first of a list */
    uint32_t newest, oldest;
    uint64_t pixels, max_pixels;
    uint32_t last_id;
};

static uint32_t *
bucket_of(struct pixmap_cache *cache, const struct pixel_hash *key)
{
    return &cache->buckets[key->low & (cache->cap_items - 1)];
}

/* Put everything that is in into new buckets; what is not in into the free list. */
static void
link_items(struct pixmap_cache *cache)
{
    for (uint32_t i = 0; i < cache->cap_items; i++)
        cache->buckets[i] = NO_ITEM;
    for (uint32_t i = cache->oldest; i != NO_ITEM; i = cache->items[i].newer) {
        uint32_t *bucket = bucket_of(cache, &cache->items[i].key);

        cache->items[i].next = *bucket;
        *bucket = i;
    }
}

static void
free_range(struct pixmap_cache *cache, uint32_t first)
{
    for (uint32_t i = cache->cap_items; i-- > first;) {
        cache->items[i].next = cache->free_items;
        cache->free_items = i;
    }
}

static int
grow_items(struct pixmap_cache *cache)
{
    uint32_t before = cache->cap_items;
    uint32_t wanted = before ? 2 * before : FIRST_ITEMS;
    struct item *items;
    uint32_t *buckets;

    if (wanted < before)
        return -1;
    items = realloc(cache->items, (size_t)wanted * sizeof(*items));
    if (!items)
        return -1;
    cache->items = items;
    buckets = realloc(cache->buckets, (size_t)wanted * sizeof(*buckets));
    if (!buckets)
        return -1;
    cache->buckets = buckets;
    cache->cap_items = wanted;
    free_range(cache, before);
    link_items(cache);
    return 0;
}

struct pixmap_cache *
pixmap_cache_new(uint64_t max_pixels)
{
    struct pixmap_cache *cache = calloc(1, sizeof(*cache));

    if (!cache)
        return NULL;
    cache->max_pixels = max_pixels;
    pthread_mutex_init(&cache->lock, NULL);
    cache->newest = cache->oldest = cache->free_items = NO_ITEM;
    if (grow_items(cache)) {
        pixmap_cache_free(cache);
        return NULL;
    }
    return cache;
}

void
pixmap_cache_free(struct pixmap_cache *cache)
{
    if (!cache)
        return;
    pthread_mutex_destroy(&cache->lock);
    free(cache->items);
    free(cache->buckets);
    free(cache);
}

static uint32_t
find_item(struct pixmap_cache *cache, const struct pixel_hash *key)
{
    uint32_t at = *bucket_of(cache, key);

    while (at != NO_ITEM && (cache->items[at].key.low != key->low ||
                             cache->items[at].key.high != key->high))
        at = cache->items[at].next;
    return at;
}

static void
leave_order(struct pixmap_cache *cache, uint32_t at)
{
    struct item *item = &cache->items[at];

    if (item->newer != NO_ITEM)
        cache->items[item->newer].older = item->older;
    else
        cache->newest = item->older;
    if (item->older != NO_ITEM)
        cache->items[item->older].newer = item->newer;
    else
        cache->oldest = item->newer;
}

static void
become_newest(struct pixmap_cache *cache, uint32_t at)
{
    cache->items[at].newer = NO_ITEM;
    cache->items[at].older = cache->newest;
    if (cache->newest != NO_ITEM)
        cache->items[cache->newest].newer = at;
    else
        cache->oldest = at;
    cache->newest = at;
}

static void
note_use(struct pixmap_cache *cache, uint32_t at, struct pixmap_use use)
{
    cache->items[at].last_use = use;
    leave_order(cache, at);
    become_newest(cache, at);
}

enum pixmap_found
pixmap_cache_find(struct pixmap_cache *cache, struct pixel_hash key,
                  uint32_t want_lossless, struct pixmap_use use,
                  struct pixmap_item *item)
{
    enum pixmap_found found = PIXMAP_MISSING;
    uint32_t at;

    pthread_mutex_lock(&cache->lock);
    at = find_item(cache, &key);
    if (at != NO_ITEM) {
        const struct item *known = &cache->items[at];

        found = known->lossy && want_lossless ? PIXMAP_LOSSY : PIXMAP_FOUND;
        *item = (struct pixmap_item){known->id, known->lossy, known->inserted};
        if (found == PIXMAP_FOUND)
            note_use(cache, at, use);
    }
    pthread_mutex_unlock(&cache->lock);
    return found;
}

static void
remove_item(struct pixmap_cache *cache, uint32_t at)
{
    struct item *item = &cache->items[at];
    uint32_t *link = bucket_of(cache, &item->key);

    while (*link != at)
        link = &cache->items[*link].next;
    *link = item->next;
    leave_order(cache, at);
    cache->pixels -= item->pixels;
    item->next = cache->free_items;
    cache->free_items = at;
}

/* Could enough go out for pixels more? */
static int
can_evict(const struct pixmap_cache *cache, uint64_t pixels, struct pixmap_use use)
{
    uint64_t left = cache->pixels;
    uint32_t at = cache->oldest, count = 0;

    if (pixels > cache->max_pixels)
        return 0;
    for (; left + pixels > cache->max_pixels; at = cache->items[at].newer) {
        const struct item *item = &cache->items[at];

        if (count++ == MAX_CACHE_EVICTIONS || (item->last_use.channel == use.channel &&
                                               item->last_use.serial == use.serial))
            return 0;
        left -= item->pixels;
    }
    return 1;
}

static void
evict(struct pixmap_cache *cache, uint64_t pixels, struct pixmap_change *change)
{
    while (cache->pixels + pixels > cache->max_pixels) {
        change->evicted[change->num_evicted++] = cache->items[cache->oldest].id;
        remove_item(cache, cache->oldest);
    }
}

static uint32_t
insert(struct pixmap_cache *cache, const struct pixel_hash *key, uint64_t pixels)
{
    uint32_t at = cache->free_items, *bucket = bucket_of(cache, key);
    struct item *item = &cache->items[at];

    cache->free_items = item->next;
    item->key = *key;
    item->pixels = pixels;
    item->id = (uint64_t)++cache->last_id << 32 | IMAGE_GROUP_CACHE;
    item->next = *bucket;
    *bucket = at;
    become_newest(cache, at);
    cache->pixels += pixels;
    return at;
}

static int
add_item(struct pixmap_cache *cache, const struct pixel_hash *key, uint64_t pixels,
         struct pixmap_use use, struct pixmap_change *change)
{
    uint32_t at = find_item(cache, key);

    change->replaces = at != NO_ITEM;
    change->num_evicted = 0;
    if (at == NO_ITEM) {
        if (!can_evict(cache, pixels, use) ||
            (cache->free_items == NO_ITEM && grow_items(cache)))
            return -1;
        evict(cache, pixels, change);
        at = insert(cache, key, pixels);
    }
    change->id = cache->items[at].id;
    cache->items[at].inserted = use;
    note_use(cache, at, use);
    return (int)at;
}

int
pixmap_cache_add(struct pixmap_cache *cache, struct pixel_hash key, uint64_t pixels,
                 uint32_t lossy, struct pixmap_use use, struct pixmap_change *change)
{
    int at;

    if (pixels < MIN_ITEM_PIXELS)
        pixels = MIN_ITEM_PIXELS;
    pthread_mutex_lock(&cache->lock);
    at = add_item(cache, &key, pixels, use, change);
    if (at >= 0)
        cache->items[at].lossy = lossy;
    pthread_mutex_unlock(&cache->lock);
    return at < 0 ? -1 : 0;
}
