/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "glz_dictionary.h"

#include <stdlib.h>

enum {
    FIRST_RING_UNITS = 1 << 12,
    FIRST_IMAGES = 64,
    FIRST_TABLE_BITS = 12,
    MAX_TABLE_BITS = 19,
    /* The table has a slot for so many units (as a power of 2) of the ring. */
    UNITS_PER_SLOT_BITS = 2,
};

struct glz_dictionary *
glz_dictionary_new(uint32_t window_pixels)
{
    struct glz_dictionary *dictionary = calloc(1, sizeof(*dictionary));

    if (!dictionary)
        return NULL;
    if (pthread_mutex_init(&dictionary->lock, NULL)) {
        free(dictionary);
        return NULL;
    }
    if (window_pixels > GLZ_MAX_WINDOW)
        window_pixels = GLZ_MAX_WINDOW;
    dictionary->window_units = window_pixels;
    dictionary->images_mask = FIRST_IMAGES - 1;
    dictionary->images = calloc(FIRST_IMAGES, sizeof(*dictionary->images));
    dictionary->table_bits = FIRST_TABLE_BITS;
    dictionary->table = calloc(1u << FIRST_TABLE_BITS, sizeof(*dictionary->table));
    if (!dictionary->images || !dictionary->table) {
        glz_dictionary_free(dictionary);
        return NULL;
    }
    return dictionary;
}

void
glz_dictionary_free(struct glz_dictionary *dictionary)
{
    if (!dictionary)
        return;
    pthread_mutex_destroy(&dictionary->lock);
    free(dictionary->ring);
    free(dictionary->block_ids);
    free(dictionary->images);
    free(dictionary->table);
    free(dictionary);
}

void
glz_dictionary_reset(struct glz_dictionary *dictionary)
{
    pthread_mutex_lock(&dictionary->lock);
    dictionary->head_id = dictionary->next_id;
    dictionary->used_units = 0;
    pthread_mutex_unlock(&dictionary->lock);
}

void
glz_dictionary_stats(struct glz_dictionary *dictionary, struct glz_stats *stats)
{
    pthread_mutex_lock(&dictionary->lock);
    *stats = dictionary->stats;
    stats->next_id = dictionary->next_id;
    stats->window_images = (uint32_t)(dictionary->next_id - dictionary->head_id);
    stats->window_pixels = dictionary->used_units;
    stats->memory =
        dictionary->ring_units * sizeof(*dictionary->ring) +
        (dictionary->ring_units >> GLZ_BLOCK_BITS) * sizeof(*dictionary->block_ids) +
        (dictionary->images_mask + 1ul) * sizeof(*dictionary->images) +
        ((uint64_t)1 << dictionary->table_bits) * sizeof(*dictionary->table);
    pthread_mutex_unlock(&dictionary->lock);
}

static struct glz_image *
image_of(struct glz_dictionary *dictionary, uint64_t id)
{
    return &dictionary->images[id & dictionary->images_mask];
}

static void
forget_oldest(struct glz_dictionary *dictionary)
{
    dictionary->used_units -= image_of(dictionary, dictionary->head_id++)->cost;
}

/* Room for one more record; each moves to where the larger mask puts it. */
static int
grow_images(struct glz_dictionary *dictionary)
{
    uint32_t old = dictionary->images_mask + 1;
    struct glz_image *images;

    if (dictionary->next_id - dictionary->head_id < old)
        return 0;
    images = calloc(2 * (uint64_t)old, sizeof(*images));
    if (!images)
        return -1;
    for (uint64_t id = dictionary->head_id; id < dictionary->next_id; id++)
        images[id & (2 * old - 1)] = *image_of(dictionary, id);
    free(dictionary->images);
    dictionary->images = images;
    dictionary->images_mask = 2 * old - 1;
    return 0;
}

/*
 * Double the table as the ring grows.  A slot is the upper bits of the hash: what is in
 * one may belong to either of the two that become of it.
 */
static void
grow_table(struct glz_dictionary *dictionary)
{
    while (dictionary->table_bits < MAX_TABLE_BITS &&
           dictionary->ring_units >> (dictionary->table_bits + UNITS_PER_SLOT_BITS)) {
        uint32_t slots = 1u << dictionary->table_bits;
        uint32_t *table = malloc(2 * (uint64_t)slots * sizeof(*table));

        if (!table)
            return; /* it finds less, that is all */
        for (uint32_t i = 0; i < slots; i++)
            table[2 * i] = table[2 * i + 1] = dictionary->table[i];
        free(dictionary->table);
        dictionary->table = table;
        dictionary->table_bits++;
    }
}

/* The ring gets at least so many units; limit is what it will ever need. */
static int
grow_ring(struct glz_dictionary *dictionary, uint32_t units, uint32_t limit)
{
    uint32_t old = dictionary->ring_units, size;
    uint32_t *ring, *block_ids;

    if (units <= old)
        return 0;
    size = old < limit / 2 ? 2 * old : limit;
    if (size < units)
        size = units;
    if (size < FIRST_RING_UNITS)
        size = FIRST_RING_UNITS;
    size = (size + GLZ_BLOCK - 1) & ~(uint32_t)(GLZ_BLOCK - 1);
    ring = realloc(dictionary->ring, ((uint64_t)size + GLZ_LOOKAHEAD) * sizeof(*ring));
    if (!ring)
        return -1;
    dictionary->ring = ring;
    block_ids = realloc(dictionary->block_ids,
                        (uint64_t)(size >> GLZ_BLOCK_BITS) * sizeof(*block_ids));
    if (!block_ids)
        return -1;
    dictionary->block_ids = block_ids;
    /* Where a table that knows nothing points to. */
    if (old == 0)
        memset(ring, 0, GLZ_LOOKAHEAD * sizeof(*ring));
    memset(block_ids + (old >> GLZ_BLOCK_BITS), 0,
           (uint64_t)((size - old) >> GLZ_BLOCK_BITS) * sizeof(*block_ids));
    dictionary->ring_units = size;
    grow_table(dictionary);
    return 0;
}

/*
 * Where an image of so many units can lie.  The ring's limit is the window and the
 * largest image: with the window's rule kept, there is always room for one in one
 * piece.
 */
static int
find_room(struct glz_dictionary *dictionary, uint32_t cost, uint32_t limit,
          uint32_t *start)
{
    uint32_t head, tail = dictionary->tail;

    if (dictionary->head_id == dictionary->next_id) {
        *start = 0;
        return 0;
    }
    head = image_of(dictionary, dictionary->head_id)->start;
    if (head < tail) {
        *start = cost <= limit - tail ? tail : 0;
        return *start == tail || cost <= head ? 0 : -1;
    }
    *start = tail;
    return cost <= head - tail ? 0 : -1;
}

int
glz_dictionary_make_room(struct glz_dictionary *dictionary, struct glz_image *image)
{
    uint32_t limit;

    if (image->cost > dictionary->largest_image)
        dictionary->largest_image = image->cost;
    limit = dictionary->window_units + dictionary->largest_image;
    while (dictionary->used_units > dictionary->window_units - image->cost ||
           dictionary->next_id - dictionary->head_id >= GLZ_MAX_IMAGES)
        forget_oldest(dictionary);
    while (find_room(dictionary, image->cost, limit, &image->start))
        forget_oldest(dictionary);
    if (grow_images(dictionary) ||
        grow_ring(dictionary, image->start + image->cost, limit))
        return -1;
    for (uint32_t i = image->start >> GLZ_BLOCK_BITS;
         i < (image->start + image->cost) >> GLZ_BLOCK_BITS; i++)
        dictionary->block_ids[i] = (uint32_t)image->id;
    return 0;
}

void
glz_dictionary_add(struct glz_dictionary *dictionary, const struct glz_image *image)
{
    *image_of(dictionary, image->id) = *image;
    dictionary->next_id++;
    dictionary->used_units += image->cost;
    dictionary->tail = image->start + image->cost;
}
