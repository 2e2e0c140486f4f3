/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* picture.h: pictures for tests, of every kind and format, the same in every run. */
#ifndef PICTURE_H
#define PICTURE_H

#include <stdint.h>

#include "pixels.h"

enum picture_kind {
    PICTURE_FLAT,
    PICTURE_TEXT, /* black on white, as a console has it */
    PICTURE_UI,   /* boxes of some colors */
    PICTURE_GRADIENT,
    PICTURE_PHOTO,
    PICTURE_NOISE,
    NUM_PICTURE_KINDS,
};

uint32_t draw_random(uint32_t *state);
/* from <= result <= to */
int32_t draw_number(uint32_t *state, int32_t from, int32_t to);

/* A picture with its own memory, rows padded by some bytes, from malloc. */
struct pixels picture_new(uint32_t *state, enum picture_kind kind, uint32_t format,
                          uint32_t width, uint32_t height);
struct pixels picture_copy(const struct pixels *pixels);
void picture_free(struct pixels *pixels);

/* Paint a part of a picture. */
void picture_paint(uint32_t *state, enum picture_kind kind, const struct pixels *pixels,
                   int32_t x, int32_t y, int32_t width, int32_t height);

/* Two pictures of one size and format show the same. */
int picture_equal(const struct pixels *a, const struct pixels *b);

/* The bytes of the row; writable, as the tests own them. */
uint8_t *picture_row(const struct pixels *pixels, int32_t y);
uint32_t picture_pixel(const struct pixels *pixels, int32_t x, int32_t y);

#endif /* PICTURE_H */
