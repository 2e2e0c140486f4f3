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
    uint32_t top;    /* the row is the first: it has no runs */
    struct quic_decode_rows {
        union quic_row row, above;
        union quic_row upper; /* what predicts: above, or in the top row the left one */
        union quic_row contexts; /* the last residuals decoded in each column */
    } rows;
    uint64_t *above_same; /* bit i: pixel i above is like the one at its left */
};

/*
 * Decode the next row, which is then rows.above, of as many pixels as all others.  0 or
 * an enum quic_error.
 */
typedef int quic_row_decoder(struct quic_decode_plane *plane, struct quic_reader *in,
                             uint32_t width);

quic_row_decoder quic_decode_row;

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define QUIC_HAVE_BMI2 1
/* The same; only where quic_can_use_bmi2(). */
quic_row_decoder quic_decode_row_bmi2;
int quic_can_use_bmi2(void);
#else
#define QUIC_HAVE_BMI2 0
#endif

struct quic_decoder;

/* For tests: do without what only some processors can. */
void quic_decoder_be_plain(struct quic_decoder *decoder);

#endif /* QUIC_DECODE_ROWS_H */
