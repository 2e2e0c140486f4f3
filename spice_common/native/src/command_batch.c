/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The memory of a batch. */
#include <stdlib.h>

#include "command_parse.h"

/* How many items an array has room for at first. */
enum { FIRST_CAPACITY = 64 };

struct command_batch *
command_batch_new(void)
{
    struct command_batch *batch = calloc(1, sizeof(*batch));
    if (batch == NULL) {
        return NULL;
    }
    batch->bookkeeping = calloc(1, sizeof(*batch->bookkeeping));
    /* No array is ever NULL, so that readers may point at the start of an empty one. */
    if (batch->bookkeeping == NULL || more_images(batch, 1) == NULL ||
        more_chunks(batch, 1) == NULL || more_clips(batch, 1) == NULL ||
        more_colors(batch, 1) == NULL || more_segments(batch, 1) == NULL ||
        more_points(batch, 1) == NULL || more_styles(batch, 1) == NULL ||
        more_glyphs(batch, 1) == NULL || more_glyph_bytes(batch, 1) == NULL) {
        command_batch_free(batch);
        return NULL;
    }
    return batch;
}

void
command_batch_free(struct command_batch *batch)
{
    if (batch == NULL) {
        return;
    }
    free(batch->images);
    free(batch->chunks);
    free(batch->clips);
    free(batch->colors);
    free(batch->segments);
    free(batch->points);
    free(batch->styles);
    free(batch->glyphs);
    free(batch->glyph_bytes);
    free(batch->bookkeeping);
    free(batch);
}

void
command_batch_clear(struct command_batch *batch)
{
    static const struct batch_mark empty;
    batch->num_entries = 0;
    batch->num_draws = 0;
    batch->num_surface_commands = 0;
    batch->num_updates = 0;
    batch_rewind(batch, &empty);
    batch->bookkeeping->num_releases = 0;
    batch->bookkeeping->taken = 0;
    batch->bookkeeping->work = 0;
    batch->bookkeeping->num_messages = 0;
}

void
add_entry(struct command_batch *batch, enum batch_kind kind, uint32_t index)
{
    batch->entries[batch->num_entries++] =
        (struct batch_entry){.kind = kind, .index = index};
}

struct batch_mark
batch_mark(const struct command_batch *batch)
{
    return (struct batch_mark){
        .num_images = batch->num_images,
        .num_chunks = batch->num_chunks,
        .num_clips = batch->num_clips,
        .num_colors = batch->num_colors,
        .num_segments = batch->num_segments,
        .num_points = batch->num_points,
        .num_styles = batch->num_styles,
        .num_glyphs = batch->num_glyphs,
        .num_glyph_bytes = batch->num_glyph_bytes,
    };
}

void
batch_rewind(struct command_batch *batch, const struct batch_mark *mark)
{
    batch->num_images = mark->num_images;
    batch->num_chunks = mark->num_chunks;
    batch->num_clips = mark->num_clips;
    batch->num_colors = mark->num_colors;
    batch->num_segments = mark->num_segments;
    batch->num_points = mark->num_points;
    batch->num_styles = mark->num_styles;
    batch->num_glyphs = mark->num_glyphs;
    batch->num_glyph_bytes = mark->num_glyph_bytes;
}

void *
reserve(void *array, uint32_t *capacity, uint32_t used, uint32_t more, size_t item_size)
{
    uint64_t need = (uint64_t)used + more;
    if (need <= *capacity && array != NULL) {
        return array;
    }
    uint64_t wanted = *capacity < FIRST_CAPACITY ? FIRST_CAPACITY : *capacity;
    while (wanted < need) {
        wanted *= 2;
    }
    if (wanted > UINT32_MAX) {
        return NULL;
    }
    void *grown = realloc(array, (size_t)wanted * item_size);
    if (grown != NULL) {
        *capacity = (uint32_t)wanted;
    }
    return grown;
}

#define DEFINE_MORE(name, item)                                                        \
    item *more_##name(struct command_batch *batch, uint32_t more)                      \
    {                                                                                  \
        item *array = reserve(batch->name, &batch->cap_##name, batch->num_##name,      \
                              more, sizeof(item));                                     \
        if (array == NULL) {                                                           \
            return NULL;                                                               \
        }                                                                              \
        batch->name = array;                                                           \
        return array + batch->num_##name;                                              \
    }

DEFINE_MORE(images, struct guest_image)
DEFINE_MORE(chunks, struct image_chunk)
DEFINE_MORE(clips, struct draw_rect)
DEFINE_MORE(colors, uint32_t)
DEFINE_MORE(segments, struct path_segment)
DEFINE_MORE(points, struct fixed_point)
DEFINE_MORE(styles, int32_t)
DEFINE_MORE(glyphs, struct draw_glyph)
DEFINE_MORE(glyph_bytes, uint8_t)
