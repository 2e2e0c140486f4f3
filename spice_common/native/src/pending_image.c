/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pending_image.c: one picture as a DRAW_COPY, by reference if the client has it.
 */
#include <spice/enums.h>
#include <stdlib.h>

#include "display_message_writer.h"
#include "image_encode.h"
#include "pending_state.h"

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

int
pending_send_picture(struct pending *pending, const struct pending_surface *surface,
                     const struct picture *picture, struct display_messages *messages)
{
    struct image_settings settings = settings_for(pending, surface);
    struct pixels pixels = {picture->pixels, box_width(picture->box),
                            box_height(picture->box), (int64_t)picture->stride,
                            surface->format};
    struct message_base base = {surface->id, picture->box, NULL, 0};
    struct encoded_info info = {0};

    if (begin_draw_copy(messages, &base, SPICE_ROPD_OP_PUT)) {
        pending->broken = 1;
        return 0;
    }
    if (image_encode(pending->encoder, &settings, pending->dictionary, &pixels,
                     next_image_id(messages), 0, messages, &info)) {
        drop_message(messages);
        pending->broken = 1;
        return 0;
    }
    finish_message(messages);
    count_image(pending, info.type, info.size,
                (uint64_t)pixels.width * pixels.height);
    return info.lossy != 0;
}
