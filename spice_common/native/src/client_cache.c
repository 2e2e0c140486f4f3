/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client_cache.h"

#include <spice/enums.h>
#include <stdlib.h>
#include <string.h>

#include "glz.h"

enum {
    NUM_BUCKETS = 4096,
    /* What an image costs besides its pixels, so that a million of 1 x 1 are not free.
     */
    IMAGE_OVERHEAD = 256,
    /* A server counts pixels and we bytes; it may also drop the old after the new. */
    CACHE_SLACK = 32 << 20,
    /* A server counts its window's pixels its own way, and displays overtake each
       other. */
    WINDOW_SLACK = 1 << 20,
};

struct client_cache *
client_cache_new(uint64_t image_pixels, uint32_t window_pixels)
{
    struct client_cache *cache = calloc(1, sizeof(*cache));

    if (!cache)
        return NULL;
    cache->max_bytes = 8 * image_pixels + CACHE_SLACK;
    cache->buckets = calloc(NUM_BUCKETS, sizeof(*cache->buckets));
    cache->window = glz_window_new(2 * (uint64_t)window_pixels + WINDOW_SLACK);
    if (!cache->buckets || !cache->window || pthread_mutex_init(&cache->lock, NULL)) {
        glz_window_free(cache->window);
        free(cache->buckets);
        free(cache);
        return NULL;
    }
    return cache;
}

static void
image_free(struct client_cache *cache, struct cached_image *entry)
{
    cache->bytes -= entry->size;
    cache->num_images--;
    free((void *)(uintptr_t)entry->image.data);
    free(entry);
}

static void
remove_all(struct client_cache *cache)
{
    for (uint32_t i = 0; i < NUM_BUCKETS && cache->num_images; i++) {
        while (cache->buckets[i]) {
            struct cached_image *entry = cache->buckets[i];

            cache->buckets[i] = entry->next;
            image_free(cache, entry);
        }
    }
}

void
client_cache_free(struct client_cache *cache)
{
    if (!cache)
        return;
    remove_all(cache);
    pthread_mutex_destroy(&cache->lock);
    glz_window_free(cache->window);
    free(cache->buckets);
    free(cache);
}

void
client_cache_forget_images(struct client_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    remove_all(cache);
    pthread_mutex_unlock(&cache->lock);
}

uint64_t
client_cache_image_bytes(struct client_cache *cache)
{
    uint64_t bytes;

    pthread_mutex_lock(&cache->lock);
    bytes = cache->bytes;
    pthread_mutex_unlock(&cache->lock);
    return bytes;
}

uint32_t
client_cache_num_images(struct client_cache *cache)
{
    uint32_t count;

    pthread_mutex_lock(&cache->lock);
    count = cache->num_images;
    pthread_mutex_unlock(&cache->lock);
    return count;
}

/* Ids are counters in their low bits and kinds or hashes in their high ones. */
static struct cached_image **
bucket_of(const struct client_cache *cache, uint64_t id)
{
    return &cache->buckets[(id * 0x9e3779b97f4a7c15u >> 32) % NUM_BUCKETS];
}

static struct cached_image **
place_of(const struct client_cache *cache, uint64_t id)
{
    struct cached_image **place = bucket_of(cache, id);

    while (*place && (*place)->id != id)
        place = &(*place)->next;
    return place;
}

const struct cached_image *
client_cache_find(const struct client_cache *cache, uint64_t id, int lossless)
{
    const struct cached_image *entry = *place_of(cache, id);

    return entry && lossless && entry->lossy ? NULL : entry;
}

void
client_cache_remove(struct client_cache *cache, uint64_t id)
{
    struct cached_image **place = place_of(cache, id), *entry = *place;

    if (!entry)
        return;
    *place = entry->next;
    image_free(cache, entry);
}

/* An entry with a copy of image; NULL: no memory. */
static struct cached_image *
entry_new(const struct decoded_image *image, size_t pixels, int high_bits)
{
    size_t colors = image->num_colors * sizeof(uint32_t);
    struct cached_image *entry = malloc(sizeof(*entry) + colors);
    uint8_t *copy = malloc(pixels ? pixels : 1);

    if (!entry || !copy) {
        free(entry);
        free(copy);
        return NULL;
    }
    memcpy(copy, image->data, pixels);
    for (size_t i = 3;
         high_bits && image->format == SPICE_BITMAP_FMT_32BIT && i < pixels; i += 4)
        copy[i] = 0xff;
    if (colors)
        memcpy(entry->colors, image->colors, colors);
    entry->size = pixels + colors + IMAGE_OVERHEAD;
    entry->image = *image;
    entry->image.data = copy;
    entry->image.colors = entry->colors;
    return entry;
}

enum client_error
client_cache_put(struct client_cache *cache, uint64_t id,
                 const struct decoded_image *image, int lossy, int high_bits)
{
    size_t pixels = (size_t)image->stride * image->height;
    struct cached_image *entry, **bucket;

    client_cache_remove(cache, id);
    if (cache->bytes + pixels + 4 * (uint64_t)image->num_colors + IMAGE_OVERHEAD >
        cache->max_bytes)
        return CLIENT_LIMIT_IMAGES;
    entry = entry_new(image, pixels, high_bits);
    if (!entry)
        return CLIENT_NO_MEMORY;
    entry->id = id;
    entry->lossy = lossy != 0;
    bucket = bucket_of(cache, id);
    entry->next = *bucket;
    *bucket = entry;
    cache->bytes += entry->size;
    cache->num_images++;
    return CLIENT_OK;
}

static uint32_t
palette_index(const struct palette_cache *cache, uint64_t id)
{
    uint32_t i = 0;

    while (i < cache->count && cache->palettes[i]->id != id)
        i++;
    return i;
}

const struct cached_palette *
palette_cache_find(const struct palette_cache *cache, uint64_t id)
{
    uint32_t i = palette_index(cache, id);

    return i < cache->count ? cache->palettes[i] : NULL;
}

enum client_error
palette_cache_put(struct palette_cache *cache, uint64_t id, const uint32_t *colors,
                  uint32_t num_colors)
{
    uint32_t i = palette_index(cache, id);

    if (num_colors > MAX_PALETTE)
        return CLIENT_BAD_MESSAGE;
    if (i == MAX_PALETTES)
        return CLIENT_LIMIT_PALETTES;
    if (i == cache->count) {
        cache->palettes[i] = malloc(sizeof(*cache->palettes[i]));
        if (!cache->palettes[i])
            return CLIENT_NO_MEMORY;
        cache->count++;
    }
    cache->palettes[i]->id = id;
    cache->palettes[i]->num_colors = num_colors;
    memcpy(cache->palettes[i]->colors, colors, num_colors * sizeof(*colors));
    return CLIENT_OK;
}

void
palette_cache_remove(struct palette_cache *cache, uint64_t id)
{
    uint32_t i = palette_index(cache, id);

    if (i == cache->count)
        return;
    free(cache->palettes[i]);
    cache->palettes[i] = cache->palettes[--cache->count];
}

void
palette_cache_clear(struct palette_cache *cache)
{
    while (cache->count)
        free(cache->palettes[--cache->count]);
}
