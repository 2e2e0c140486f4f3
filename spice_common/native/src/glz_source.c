/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "glz_source.h"

/* A row as units of the ring: what is not compared later need not be cleared. */
static void
load_row(const struct glz_source *source)
{
    const uint8_t *row = lz_row(&source->rows, source->y);
    uint32_t *units = source->units;

    if (source->type == LZ_IMAGE_TYPE_RGB16) {
        for (uint64_t x = 0; x < source->width; x++)
            units[x] = (uint32_t)row[2 * x + 1] << 8 | row[2 * x];
    } else if (source->type == LZ_IMAGE_TYPE_RGB24) {
        for (uint64_t x = 0; x < source->width; x++)
            units[x] = (uint32_t)row[3 * x] | (uint32_t)row[3 * x + 1] << 8 |
                       (uint32_t)row[3 * x + 2] << 16;
    } else {
        memcpy(units, row, (uint64_t)source->width * sizeof(*units));
    }
}

uint32_t
glz_source_load(struct glz_source *source, uint32_t units)
{
    uint32_t loaded = 0;

    while (source->y < source->height && loaded < units) {
        load_row(source);
        source->y++;
        source->units += source->width;
        loaded += source->width;
    }
    return loaded;
}
