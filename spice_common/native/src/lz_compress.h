/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lz_compress.h: one plane of an LZ image, from units to packets. */
#ifndef LZ_COMPRESS_H
#define LZ_COMPRESS_H

#include <stdint.h>

#include "lz_format.h"

enum { LZ_TABLE_BITS = 13 };

/*
 * Where units like these were seen last.  What earlier planes left behind lies below
 * base, so that the table need not be cleared for each: small pictures are many.
 */
struct lz_table {
    uint32_t base;
    uint32_t next_base;
    uint32_t places[1 << LZ_TABLE_BITS];
};

void lz_table_init(struct lz_table *table);

/* Units in memory, without gaps between the rows. */
struct lz_plane {
    const uint8_t *units;
    uint32_t count;
    uint32_t row_units;
    enum lz_unit unit;
};

/* Write the packets of plane; returns their end, NULL if dst_end comes before. */
uint8_t *lz_compress(struct lz_table *table, const struct lz_plane *plane, uint8_t *dst,
                     const uint8_t *dst_end);

#endif /* LZ_COMPRESS_H */
