/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas_picture.h: pixels that a command reads, wherever they lie.
 */
#ifndef CANVAS_PICTURE_H
#define CANVAS_PICTURE_H

#include "canvas_draw.h"

enum picture_kind {
    PICTURE_BITMAP,  /* a guest's bitmap */
    PICTURE_SURFACE, /* a surface, or a part of one (self_bitmap) */
    PICTURE_DECODED, /* pixels of our own, of what was a QUIC image */
};

struct picture {
    enum picture_kind kind;
    uint32_t width, height;
    uint32_t layout;             /* SPICE_SURFACE_FMT_* of the rows that are read */
    uint32_t pixel_size;         /* of layout */
    pixman_format_code_t format; /* layout, with alpha if the picture has it */
    uint8_t portable;            /* the clients read the same in it */
    struct bitmap_source bitmap;
    struct bitmap_scratch *scratch;
    const uint8_t *line_0; /* SURFACE, DECODED */
    ptrdiff_t stride;
    const struct surface *surface; /* SURFACE: where it lies */
    pixman_box32_t box;            /* ... and what part of it this is */
    uint8_t *owned;                /* DECODED */
};

enum picture_use {
    PICTURE_AS_SURFACE,  /* brought to the format of what is drawn on, as most are */
    PICTURE_AS_ORIGINAL, /* with the colors and the alpha it has */
};

enum picture_reading {
    PICTURE_TO_READ,
    PICTURE_TO_JUDGE, /* pixels that must be decoded first are not there */
};

enum picture_status {
    PICTURE_OK = 0,
    PICTURE_BAD = -1,     /* the guest's numbers do not fit together */
    PICTURE_UNKNOWN = -2, /* well-formed, but not drawn */
};

/*
 * Describe images[image] for the drawing of plan; NO_IMAGE is the command's
 * self_bitmap. scratch is used by one picture at a time.  picture_fini() in any case.
 */
enum picture_status picture_init(struct picture *picture, struct canvas *canvas,
                                 struct bitmap_scratch *scratch,
                                 const struct draw_plan *plan, uint32_t image,
                                 enum picture_use use, enum picture_reading reading);
void picture_fini(struct picture *picture);

/* Write a part, inside the picture, in its layout to dst; each byte is read once. */
void picture_read(const struct picture *picture, struct bitmap_part part, uint8_t *dst,
                  ptrdiff_t dst_stride);

/* The same, one row, in the layout of a surface format. */
void picture_read_row(const struct picture *picture, struct canvas *canvas, uint32_t x,
                      uint32_t y, uint32_t width, uint32_t layout, uint8_t *dst);

/*
 * Whether clients read the pixels of a bitmap: they end themselves at little-endian
 * bits, at a palette that is missing or for a surface that takes none, and read beyond
 * the end of one that is too short.
 */
int bitmap_is_portable(const struct guest_image *image, uint32_t surface_format);

/* What a QUIC image is when it is decoded; pixels are to be freed. */
struct quic_picture {
    uint8_t *pixels;
    ptrdiff_t stride;
    uint32_t layout;
    uint8_t has_alpha;
};

/* Decode a guest's QUIC image for a surface of this format; original: at its depth. */
enum picture_status quic_picture_decode(struct quic_picture *decoded,
                                        const struct command_batch *batch,
                                        const struct guest_image *image,
                                        uint32_t surface_format, int original,
                                        enum picture_reading reading);

/* The pixman format of a SPICE_SURFACE_FMT_*. */
pixman_format_code_t surface_pixman_format(uint32_t format);

/* Whether bytes of one SPICE_SURFACE_FMT_* are pixels of the other. */
int same_pixels(uint32_t format, uint32_t other);

#endif /* CANVAS_PICTURE_H */
