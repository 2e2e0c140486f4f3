/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * glz_dictionary.h: where the encoder keeps the images of a window and finds them
 * again.
 *
 * All pixels are in one ring of 32-bit units, an image's in one piece.
 * The table says where units like some were seen last.  It is never tidied: what lies
 * at such a place now is compared, and then asked for the image that it belongs to.
 */
#ifndef GLZ_DICTIONARY_H
#define GLZ_DICTIONARY_H

#include <pthread.h>

#include "glz_format.h"
#include "glz_source.h"

enum {
    GLZ_BLOCK_BITS = 6,
    GLZ_BLOCK = 1 << GLZ_BLOCK_BITS, /* images begin at multiples of so many units */
    GLZ_LOOKAHEAD = 4,               /* units that hash and comparison look at */
};

/* Bits of a place in the table, above those that a ring needs: some of the hash. */
#define GLZ_MARK 0xfc000000u

struct glz_image {
    uint64_t id;
    uint32_t start; /* in the ring */
    uint32_t units;
    uint32_t cost; /* units of the ring, with the gap behind it */
    uint32_t type;
};

struct glz_dictionary {
    pthread_mutex_t lock;
    uint32_t window_units; /* what the images together may take */
    uint32_t used_units;   /* what they do take */
    uint32_t *ring;
    uint32_t ring_units;    /* allocated, GLZ_LOOKAHEAD more are there */
    uint32_t largest_image; /* so far */
    uint32_t tail;          /* where the newest image ends */
    uint32_t *block_ids; /* lower half of the id whose image each block was last in */
    struct glz_image *images; /* by the lower bits of the id */
    uint32_t images_mask;
    uint64_t head_id, next_id; /* the oldest image, the one after the newest */
    uint32_t *table;
    unsigned table_bits;
    struct glz_stats stats;
};

/* Memory for a new image, and room in its window, by forgetting the oldest. */
int glz_dictionary_make_room(struct glz_dictionary *dictionary,
                             struct glz_image *image);

/* The image becomes the newest of the window. */
void glz_dictionary_add(struct glz_dictionary *dictionary,
                        const struct glz_image *image);

/* The image in the window to which a place of the ring belongs; NULL: none. */
static inline const struct glz_image *
glz_dictionary_image_at(const struct glz_dictionary *dictionary, uint32_t place)
{
    uint32_t low_id = dictionary->block_ids[place >> GLZ_BLOCK_BITS];
    uint32_t back = (uint32_t)dictionary->next_id - low_id;
    const struct glz_image *image =
        &dictionary->images[low_id & dictionary->images_mask];

    /* back is 0 for the image that is being encoded, too. */
    if (back == 0 || back > (uint32_t)(dictionary->next_id - dictionary->head_id))
        return NULL;
    /* Between two images, or another one was here when the block got its id. */
    return place - image->start < image->units ? image : NULL;
}

/* What of its units is coded, and how. */
enum glz_coding {
    GLZ_CODE_RGB32,
    GLZ_CODE_RGB16,
    GLZ_CODE_ALPHA,
};

/* One plane of the image that is being encoded. */
struct glz_plane {
    struct glz_dictionary *dictionary;
    uint64_t id;
    uint32_t type;
    uint32_t start, count, row_units;
    enum glz_coding coding;
    struct glz_source *source; /* of what is not in the ring yet */
};

/* Write the packets of plane; returns their end, NULL if dst_end comes before. */
uint8_t *glz_compress(const struct glz_plane *plane, uint8_t *dst,
                      const uint8_t *dst_end);

#endif /* GLZ_DICTIONARY_H */
