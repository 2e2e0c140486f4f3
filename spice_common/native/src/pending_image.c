/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pending_image.c: one picture as a DRAW_COPY, by reference if the client has it.
 */
#include <spice/enums.h>
#include <stdlib.h>
#include <string.h>

#include "display_message_writer.h"
#include "image_encode.h"
#include "image_share.h"
#include "pending_state.h"
#include "pixel_hash.h"
#include "pixmap_cache.h"

enum {
    MIN_CACHED_PIXELS = 64, /* fewer cost no more than a reference */
    RESOURCE_SIZE = 1 + 8,  /* SpiceResourceID */
    FLAGS_OFFSET = 8 + 1,   /* in SpiceImageDescriptor */
    CHANNEL_SHIFT = 8,      /* of an id, above its group in the client's cache */
};

/* Counters are indexed by type with the gap in SPICE_IMAGE_TYPE_* closed. */
static uint32_t
image_type_index(uint32_t type)
{
    if (type < SPICE_IMAGE_TYPE_LZ_PLT)
        return type;
    return type - SPICE_IMAGE_TYPE_LZ_PLT + SPICE_IMAGE_TYPE_QUIC + 1;
}

static void
count_image(struct pending *pending, uint32_t type, uint64_t bytes, uint64_t pixels)
{
    uint32_t index = image_type_index(type);

    if (index >= NUM_IMAGE_TYPES)
        return;
    pending->counters.images[index].count++;
    pending->counters.images[index].bytes += bytes;
    pending->counters.images[index].pixels += pixels;
}

static struct image_settings
settings_for(const struct pending *pending, const struct pending_surface *surface)
{
    const struct pending_settings *from = &pending->settings;
    struct image_settings settings = {
        .compression = from->compression,
        /* What is off the screen is read again: it has to be exact. */
        .jpeg = from->jpeg && !pending->exact && surface->id == 0,
        .jpeg_quality = from->jpeg_quality,
        .zlib_glz = from->zlib_glz,
        .lz4 = from->lz4,
    };

    return settings;
}

/* The client's cache is shared by its displays: each has ids and room of its own. */
static uint64_t
cached_id(const struct pending *pending, uint64_t id)
{
    return id | (uint64_t)(pending->settings.channel + 1) << CHANNEL_SHIFT;
}

static void
write_inval_list(const struct pending *pending, const struct pixmap_change *change,
                 struct display_messages *messages)
{
    uint8_t *at;

    if (change->num_evicted == 0)
        return;
    at = begin_message(messages, SPICE_MSG_DISPLAY_INVAL_LIST,
                       2 + (size_t)change->num_evicted * RESOURCE_SIZE);
    if (!at)
        return;
    at = put_u16(at, change->num_evicted);
    for (uint32_t i = 0; i < change->num_evicted; i++) {
        uint64_t id = cached_id(pending, change->evicted[i]);

        at = put_u8(at, SPICE_RES_TYPE_PIXMAP);
        at = put_u32(put_u32(at, (uint32_t)id), (uint32_t)(id >> 32));
    }
}

/* Whether pixels are worth a place in the client's cache. */
static int
is_cachable(const struct pending *pending, const struct pixels *pixels, int lossy)
{
    return pending->cache && !lossy &&
           (uint64_t)pixels->width * pixels->height >= MIN_CACHED_PIXELS;
}

/* What identifies the image to the client, and what it is to do with it. */
static struct image_name
name_image(struct pending *pending, struct picture_job *job,
           struct display_messages *messages)
{
    struct image_name name = {next_image_id(messages), 0, 0};
    struct pixmap_use use = {++pending->uses, pending->settings.channel};
    const struct pixels *pixels = &job->pixels;
    struct pixmap_change change;
    struct pixmap_item item;
    int lossy = job->settings.jpeg && job->kind == KIND_PHOTO;

    if (!pending->share && !is_cachable(pending, pixels, lossy))
        return name;
    job->key = pixel_hash(pixels);
    if (!is_cachable(pending, pixels, lossy))
        return name;
    if (pixmap_cache_find(pending->cache, job->key, 1, use, &item) == PIXMAP_FOUND) {
        name.id = cached_id(pending, item.id);
        name.found = 1;
        pending->counters.cache_hits++;
    } else if (!pixmap_cache_add(pending->cache, job->key,
                                 (uint64_t)pixels->width * pixels->height, 0, use,
                                 &change)) {
        name.id = cached_id(pending, change.id);
        name.flags = SPICE_IMAGE_FLAGS_CACHE_ME;
        write_inval_list(pending, &change, messages);
    }
    return name;
}

static int
append_reference(struct display_messages *messages, const struct pixels *pixels,
                 uint64_t id)
{
    uint8_t *at = append_bytes(messages, IMAGE_DESCRIPTOR_SIZE);

    if (!at)
        return -1;
    at = put_u32(put_u32(at, (uint32_t)id), (uint32_t)(id >> 32));
    at = put_u8(put_u8(at, SPICE_IMAGE_TYPE_FROM_CACHE), 0);
    put_u32(put_u32(at, pixels->width), pixels->height);
    return 0;
}

/* There was no memory for an image that the cache was told of: do without a cache. */
static void
forget_cache(struct pending *pending)
{
    pending->broken = 1;
    pending->cache = NULL;
}

/* Take what another client was sent, with a name of our own; 0, or -1: there is none.
 */
static int
append_shared(struct pending *pending, const struct picture_job *job,
              struct display_messages *messages, struct encoded_info *info)
{
    const uint8_t *image;
    uint64_t size;
    uint8_t *at;

    if (!pending->share ||
        !(image = image_share_find(pending->share, job->key, &job->settings, &size,
                                   info)) ||
        !(at = append_bytes(messages, size)))
        return -1;
    memcpy(at, image, (size_t)size);
    put_u32(put_u32(at, (uint32_t)job->name.id), (uint32_t)(job->name.id >> 32));
    put_u8(at + FLAGS_OFFSET, job->name.flags);
    return 0;
}

static void
offer_shared(struct pending *pending, const struct picture_job *job,
             const struct display_messages *messages, const struct encoded_info *info)
{
    if (pending->share)
        image_share_add(pending->share, job->key, &job->settings,
                        messages->data + messages->size - info->size, info->size, info);
}

static int
append_image(struct pending *pending, struct picture_job *job,
             struct display_messages *messages)
{
    struct encoded_info *info = &job->info;
    uint8_t *at;

    if (job->name.found) {
        info->type = SPICE_IMAGE_TYPE_FROM_CACHE;
        info->size = IMAGE_DESCRIPTOR_SIZE;
        return append_reference(messages, &job->pixels, job->name.id);
    }
    if (job->encoded) {
        at = job->failed ? NULL : append_bytes(messages, job->encoded->size);
        if (!at)
            return -1;
        memcpy(at, job->encoded->data, (size_t)job->encoded->size);
    } else if (!append_shared(pending, job, messages, info)) {
        return 0;
    } else if (image_encode(pending->encoder, &job->settings, pending->dictionary,
                            &job->pixels, job->name.id, job->name.flags, messages,
                            info)) {
        return -1;
    }
    offer_shared(pending, job, messages, info);
    return 0;
}

void
pending_prepare_picture(struct pending *pending, const struct pending_surface *surface,
                        const struct picture *picture, struct picture_job *job,
                        struct display_messages *messages)
{
    memset(job, 0, sizeof(*job));
    job->settings = settings_for(pending, surface);
    job->box = picture->box;
    job->kind = picture->kind;
    job->pixels = (struct pixels){picture->pixels, box_width(picture->box),
                                  box_height(picture->box), (int64_t)picture->stride,
                                  surface->format};
    job->name = name_image(pending, job, messages);
}

int
pending_finish_picture(struct pending *pending, const struct pending_surface *surface,
                       struct picture_job *job, struct display_messages *messages)
{
    struct message_base base = {surface->id, job->box, NULL, 0};

    if (begin_draw_copy(messages, &base, SPICE_ROPD_OP_PUT)) {
        pending->broken = 1;
        return 0;
    }
    if (append_image(pending, job, messages)) {
        drop_message(messages);
        forget_cache(pending);
        return 0;
    }
    finish_message(messages);
    count_image(pending, job->info.type, job->info.size,
                (uint64_t)job->pixels.width * job->pixels.height);
    return job->info.lossy != 0;
}

int
pending_send_picture(struct pending *pending, const struct pending_surface *surface,
                     const struct picture *picture, struct display_messages *messages)
{
    struct picture_job job;

    pending_prepare_picture(pending, surface, picture, &job, messages);
    return pending_finish_picture(pending, surface, &job, messages);
}
