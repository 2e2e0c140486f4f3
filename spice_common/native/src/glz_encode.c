/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "glz_dictionary.h"

/* What is to be encoded. */
struct picture {
    uint32_t type, width, height;
    struct lz_rows rows;
    int top_down;
};

static uint8_t *
put_header(uint8_t *dst, const struct picture *picture, const struct lz_layout *layout,
           const struct glz_dictionary *dictionary)
{
    uint64_t id = dictionary->next_id;

    dst = lz_put_be32(dst, LZ_MAGIC);
    dst = lz_put_be32(dst, LZ_VERSION);
    *dst++ = (uint8_t)(picture->type | (picture->top_down ? GLZ_TOP_DOWN : 0));
    dst = lz_put_be32(dst, picture->width);
    dst = lz_put_be32(dst, picture->height);
    dst = lz_put_be32(dst, layout->row_size);
    dst = lz_put_be32(dst, (uint32_t)(id >> 32));
    dst = lz_put_be32(dst, (uint32_t)id);
    return lz_put_be32(dst, (uint32_t)(id - dictionary->head_id));
}

/* With the lock held: the packets of an image for which there is room. */
static uint8_t *
encode_planes(struct glz_dictionary *dictionary, const struct picture *picture,
              const struct glz_image *image, uint8_t *dst, const uint8_t *dst_end)
{
    struct glz_source source = {
        .rows = picture->rows,
        .type = picture->type,
        .width = picture->width,
        .height = picture->height,
        .units = dictionary->ring + image->start,
    };
    struct glz_plane plane = {
        .dictionary = dictionary,
        .source = &source,
        .id = image->id,
        .type = image->type,
        .start = image->start,
        .count = image->units,
        .row_units = picture->width,
        .coding = image->type == LZ_IMAGE_TYPE_RGB16 ? GLZ_CODE_RGB16 : GLZ_CODE_RGB32,
    };

    dst = glz_compress(&plane, dst, dst_end);
    if (!dst || picture->type != LZ_IMAGE_TYPE_RGBA)
        return dst;
    plane.coding = GLZ_CODE_ALPHA;
    return glz_compress(&plane, dst, dst_end);
}

/* With the lock held. */
static int64_t
encode(struct glz_dictionary *dictionary, const struct picture *picture,
       const struct lz_layout *layout, uint8_t *dst, const uint8_t *dst_end)
{
    struct glz_stats before = dictionary->stats;
    struct glz_image image = {
        .id = dictionary->next_id,
        .units = layout->units,
        .cost = (layout->units + GLZ_BLOCK - 1) & ~(uint32_t)(GLZ_BLOCK - 1),
        .type = picture->type,
    };
    uint8_t *end;

    if (image.cost > dictionary->window_units)
        return 0;
    if (glz_dictionary_make_room(dictionary, &image))
        return -1;
    end = put_header(dst, picture, layout, dictionary);
    end = encode_planes(dictionary, picture, &image, end, dst_end);
    if (!end) {
        dictionary->stats = before;
        return 0;
    }
    glz_dictionary_add(dictionary, &image);
    dictionary->stats.pixels += layout->units;
    dictionary->stats.bytes += (uint64_t)(end - dst);
    return end - dst;
}

int64_t
glz_encode(struct glz_dictionary *dictionary, uint32_t type, uint32_t width,
           uint32_t height, const uint8_t *pixels, uint64_t size, int64_t stride,
           int top_down, uint8_t *dst, uint64_t dst_size)
{
    struct picture picture = {
        .type = type, .width = width, .height = height, .top_down = top_down};
    struct lz_layout layout;
    int64_t written;

    if (!glz_type_valid(type) || lz_layout_init(&layout, type, width, height) ||
        lz_rows_init(&picture.rows, pixels, size, stride, layout.row_size, height))
        return -1;
    if (dst_size < GLZ_HEADER_SIZE || layout.units > GLZ_MAX_WINDOW)
        return 0;
    pthread_mutex_lock(&dictionary->lock);
    written = encode(dictionary, &picture, &layout, dst, dst + dst_size);
    pthread_mutex_unlock(&dictionary->lock);
    return written;
}
