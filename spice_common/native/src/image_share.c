/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image_share.h"

#include <spice/enums.h>
#include <stdlib.h>
#include <string.h>

struct shared_image {
    struct pixel_hash key;
    struct image_settings settings;
    struct encoded_info info;
    uint8_t *image;
    uint64_t size;
};

struct image_share {
    struct shared_image images[MAX_SHARED_IMAGES]; /* a ring, oldest at first */
    uint32_t first, count;
    uint64_t bytes, hits;
};

struct image_share *
image_share_new(void)
{
    return calloc(1, sizeof(struct image_share));
}

static void
drop_oldest(struct image_share *share)
{
    struct shared_image *oldest = &share->images[share->first];

    share->bytes -= oldest->size;
    free(oldest->image);
    oldest->image = NULL;
    share->first = (share->first + 1) % MAX_SHARED_IMAGES;
    share->count--;
}

void
image_share_clear(struct image_share *share)
{
    while (share->count > 0)
        drop_oldest(share);
}

void
image_share_free(struct image_share *share)
{
    if (!share)
        return;
    image_share_clear(share);
    free(share);
}

static int
is_shareable(const struct encoded_info *info)
{
    return info->type != SPICE_IMAGE_TYPE_GLZ_RGB &&
           info->type != SPICE_IMAGE_TYPE_ZLIB_GLZ_RGB;
}

void
image_share_add(struct image_share *share, struct pixel_hash key,
                const struct image_settings *settings, const uint8_t *image,
                uint64_t size, const struct encoded_info *info)
{
    struct shared_image *newest;
    uint8_t *copy;

    if (!is_shareable(info) || size > MAX_SHARED_BYTES ||
        !(copy = malloc((size_t)size)))
        return;
    while (share->count == MAX_SHARED_IMAGES ||
           (share->count > 0 && share->bytes + size > MAX_SHARED_BYTES))
        drop_oldest(share);
    memcpy(copy, image, (size_t)size);
    newest = &share->images[(share->first + share->count++) % MAX_SHARED_IMAGES];
    *newest = (struct shared_image){key, *settings, *info, copy, size};
    share->bytes += size;
}

static int
is_same(const struct shared_image *shared, struct pixel_hash key,
        const struct image_settings *settings)
{
    return shared->key.low == key.low && shared->key.high == key.high &&
           shared->settings.compression == settings->compression &&
           shared->settings.jpeg == settings->jpeg &&
           shared->settings.jpeg_quality == settings->jpeg_quality &&
           shared->settings.lz4 == settings->lz4;
}

const uint8_t *
image_share_find(struct image_share *share, struct pixel_hash key,
                 const struct image_settings *settings, uint64_t *size,
                 struct encoded_info *info)
{
    for (uint32_t i = 0; i < share->count; i++) {
        const struct shared_image *shared =
            &share->images[(share->first + i) % MAX_SHARED_IMAGES];

        if (!is_same(shared, key, settings))
            continue;
        *size = shared->size;
        *info = shared->info;
        share->hits++;
        return shared->image;
    }
    return NULL;
}

uint64_t
image_share_hits(const struct image_share *share)
{
    return share->hits;
}
