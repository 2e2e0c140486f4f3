/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "glz_dictionary.h"

/* What is to be encoded. */
struct picture {
    uint32_t type, width, height;
    const uint8_t *pixels;
    uint64_t stride;
    int top_down;
};

static void
load_colors(const struct picture *picture, uint32_t *units)
{
    for (uint32_t y = 0; y < picture->height; y++, units += picture->width) {
        const uint8_t *row = picture->pixels + y * picture->stride;

        if (picture->type == LZ_IMAGE_TYPE_RGB16) {
            for (uint32_t x = 0; x < picture->width; x++)
                units[x] =
                    ((uint32_t)row[2 * (uint64_t)x + 1] << 8 | row[2 * (uint64_t)x]) &
                    0x7fff;
        } else if (picture->type == LZ_IMAGE_TYPE_RGB24) {
            for (uint32_t x = 0; x < picture->width; x++)
                units[x] = (uint32_t)row[3 * (uint64_t)x] |
                           (uint32_t)row[3 * (uint64_t)x + 1] << 8 |
                           (uint32_t)row[3 * (uint64_t)x + 2] << 16;
        } else {
            for (uint32_t x = 0; x < picture->width; x++)
                units[x] = lz_load32(row + 4 * (uint64_t)x) & 0xffffff;
        }
    }
}

static void
load_alpha(const struct picture *picture, uint32_t *units)
{
    for (uint32_t y = 0; y < picture->height; y++, units += picture->width) {
        const uint8_t *row = picture->pixels + y * picture->stride;

        for (uint32_t x = 0; x < picture->width; x++)
            units[x] = row[4 * (uint64_t)x + 3];
    }
}

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

static uint32_t
block_multiple(uint32_t units)
{
    return (units + GLZ_BLOCK - 1) & ~(uint32_t)(GLZ_BLOCK - 1);
}

/* With the lock held: the packets of an image for which there is room. */
static uint8_t *
encode_planes(struct glz_dictionary *dictionary, const struct picture *picture,
              const struct lz_layout *layout, const struct glz_image *image,
              uint8_t *dst, const uint8_t *dst_end)
{
    struct glz_plane plane = {
        .dictionary = dictionary,
        .id = image->id,
        .type = image->type,
        .start = image->start,
        .count = layout->units,
        .row_units = layout->row_units,
        .unit = layout->unit,
    };

    load_colors(picture, dictionary->ring + image->start);
    dst = glz_compress(&plane, dst, dst_end);
    if (!dst || picture->type != LZ_IMAGE_TYPE_RGBA)
        return dst;
    load_alpha(picture, dictionary->ring + image->alpha_start);
    plane.start = image->alpha_start;
    plane.unit = LZ_UNIT_BYTE;
    plane.alpha = 1;
    return glz_compress(&plane, dst, dst_end);
}

/* With the lock held. */
static int64_t
encode(struct glz_dictionary *dictionary, const struct picture *picture,
       const struct lz_layout *layout, uint8_t *dst, const uint8_t *dst_end)
{
    struct glz_stats before = dictionary->stats;
    uint32_t plane_cost = block_multiple(layout->units);
    int has_alpha = picture->type == LZ_IMAGE_TYPE_RGBA;
    struct glz_image image = {
        .id = dictionary->next_id,
        .units = layout->units,
        .cost = has_alpha ? 2 * plane_cost : plane_cost,
        .type = picture->type,
    };
    uint8_t *end;

    if (image.cost > dictionary->window_units)
        return 0;
    if (glz_dictionary_make_room(dictionary, &image))
        return -1;
    image.alpha_start = has_alpha ? image.start + plane_cost : 0;
    end = put_header(dst, picture, layout, dictionary);
    end = encode_planes(dictionary, picture, layout, &image, end, dst_end);
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
    struct picture picture = {type, width, height, pixels, (uint64_t)stride, top_down};
    struct lz_layout layout;
    int64_t written;

    if (!glz_type_valid(type) || lz_layout_init(&layout, type, width, height) ||
        stride < (int64_t)layout.row_size || size < layout.row_size ||
        (size - layout.row_size) / (uint64_t)stride < height - 1)
        return -1;
    if (dst_size < GLZ_HEADER_SIZE || layout.units > GLZ_MAX_WINDOW)
        return 0;
    pthread_mutex_lock(&dictionary->lock);
    written = encode(dictionary, &picture, &layout, dst, dst + dst_size);
    pthread_mutex_unlock(&dictionary->lock);
    return written;
}
