/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* quic_decode_rows.h: QUIC's bits to rows of pixels. */
#ifndef QUIC_DECODE_ROWS_H
#define QUIC_DECODE_ROWS_H

#include "quic_bits.h"
#include "quic_model.h"

/* A row of a plane: as in quic_rows.h, with room before it. */
union quic_row {
    uint32_t *colors;
    uint8_t *bytes;
};

/* Channels that are coded together: the three colors, or one. */
struct quic_decode_plane {
    const struct quic_family *family;
    struct quic_channel *channels; /* red, green, blue; or the one */
    struct quic_pace pace;
    uint32_t colors; /* or bytes */
    uint32_t top;     /* the row is the first: it has no runs */
    /*
     * above: the row before; of the first, the pixels at the left instead.  contexts: the
     * last residuals that were decoded in each column.
     */
    struct quic_decode_rows {
        union quic_row row, above, contexts;
    } rows;
};

/* Decode the next row.  0 or an enum quic_error. */
int quic_decode_row(struct quic_decode_plane *plane, struct quic_reader *in,
                    uint32_t width);

#endif /* QUIC_DECODE_ROWS_H */
