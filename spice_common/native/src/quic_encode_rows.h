/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* quic_encode_rows.h: rows of pixels to QUIC's bits. */
#ifndef QUIC_ENCODE_ROWS_H
#define QUIC_ENCODE_ROWS_H

#include "quic_bits.h"
#include "quic_model.h"

/* Channels that are coded together: the three colors, or one. */
struct quic_encode_plane {
    const struct quic_family *family;
    struct quic_channel *channels; /* red, green, blue; or the one */
    struct quic_pace pace;
    uint32_t pixel_size;     /* bytes in the rows: 4, or 1 */
    uint8_t *row, *above;    /* pixels */
    const uint8_t *upper;    /* what predicts: above, or in the top row the left one */
    uint8_t *residuals;      /* of the row where it is coded */
    uint32_t fresh_to;       /* they are made so far */
    uint8_t *contexts;       /* the last residuals that were coded in each column */
    uint64_t *same, *starts; /* pixels like the left one; where runs begin */
    uint64_t *above_same;
};

/*
 * Write the bits of plane->row, which is then above the next one; top: it is the first.
 * There must be memory for the longest possible row and 8 bytes.  A pixel takes code
 * words of at most 26 bits, and as much of a run: a bit for each of its pixels, at most
 * 16 at its end.  With colors and alpha this is less than QUIC_MAX_PIXEL_SIZE bytes.
 */
void quic_encode_row(struct quic_encode_plane *plane, struct quic_writer *out,
                     uint32_t width, int top);

#endif /* QUIC_ENCODE_ROWS_H */
