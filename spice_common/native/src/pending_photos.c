/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pending_photos.c: large pictures whose codec looks at nothing else are encoded by all
 * processors at once.  GLZ is not among them: its images refer to each other, so they
 * are made in the order in which they are sent.
 */
#include <spice/enums.h>

#include "encode_pool.h"
#include "pending_state.h"

enum {
    MIN_PHOTO_PIXELS = 64 * 64,  /* smaller ones are done before a thread wakes up */
    MIN_SHARED_WORK = 256 * 256, /* pixels for which others are called */
};

int
pending_is_photo(const struct pending *pending, const struct picture *picture)
{
    uint32_t pixels = box_width(picture->box) * box_height(picture->box);

    if (pixels < MIN_PHOTO_PIXELS)
        return 0;
    switch (pending->settings.compression) {
    case SPICE_IMAGE_COMPRESSION_AUTO_GLZ:
    case SPICE_IMAGE_COMPRESSION_AUTO_LZ:
        return picture->kind == KIND_PHOTO;
    case SPICE_IMAGE_COMPRESSION_QUIC:
    case SPICE_IMAGE_COMPRESSION_LZ:
    case SPICE_IMAGE_COMPRESSION_LZ4:
        return 1;
    default:
        return 0;
    }
}

void
pending_add_photo(struct pending *pending, struct pending_surface *surface,
                  const struct picture *picture, struct display_messages *messages)
{
    struct photos *photos = &pending->photos;
    struct picture_job *job;

    if (photos->count == MAX_PHOTOS)
        pending_send_photos(pending, surface, messages);
    job = &photos->jobs[photos->count++];
    pending_prepare_picture(pending, surface, picture, job, messages);
    photos->pixels += (uint64_t)job->pixels.width * job->pixels.height;
}

static void
encode(void *opaque)
{
    struct picture_job *job = opaque;

    if (job->encoded)
        job->failed =
            image_encode(job->encoder, &job->settings, NULL, &job->pixels, job->name.id,
                         job->name.flags, job->encoded, &job->info) != 0;
}

/* Memory to encode into; without it the picture is encoded where it is appended. */
static void
lend_memory(struct photos *photos, uint32_t index)
{
    struct picture_job *job = &photos->jobs[index];

    if (job->name.found)
        return;
    if (!photos->encoded[index])
        photos->encoded[index] = display_messages_new();
    if (!photos->encoders[index])
        photos->encoders[index] = image_encoder_new();
    if (!photos->encoded[index] || !photos->encoders[index])
        return;
    display_messages_clear(photos->encoded[index]);
    job->encoded = photos->encoded[index];
    job->encoder = photos->encoders[index];
}

void
pending_send_photos(struct pending *pending, struct pending_surface *surface,
                    struct display_messages *messages)
{
    struct photos *photos = &pending->photos;

    /* With somebody to share with it may be there already. */
    if (!pending->share && photos->count > 1 && photos->pixels >= MIN_SHARED_WORK &&
        encode_pool_threads() > 0) {
        for (uint32_t i = 0; i < photos->count; i++)
            lend_memory(photos, i);
        encode_pool_run(encode, photos->jobs, photos->count, sizeof(photos->jobs[0]));
    }
    for (uint32_t i = 0; i < photos->count; i++) {
        struct picture_job *job = &photos->jobs[i];

        if (pending_finish_picture(pending, surface, job, messages))
            tile_map_add(&surface->lossy, job->box);
        else
            tile_map_remove_inside(&surface->lossy, job->box);
    }
    photos->count = 0;
    photos->pixels = 0;
}

void
pending_photos_free(struct pending *pending)
{
    for (uint32_t i = 0; i < MAX_PHOTOS; i++) {
        display_messages_free(pending->photos.encoded[i]);
        image_encoder_free(pending->photos.encoders[i]);
    }
}
