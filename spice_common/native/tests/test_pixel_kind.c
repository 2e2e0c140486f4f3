/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is flat, text and photo is called so, in every format and at every border. */
#include <spice/enums.h>

#include "check.h"
#include "picture.h"
#include "pixel_kind.h"
#include "tile_map.h"

static uint32_t state = 9;

static const uint32_t formats[] = {SPICE_SURFACE_FMT_16_555, SPICE_SURFACE_FMT_16_565,
                                   SPICE_SURFACE_FMT_32_xRGB,
                                   SPICE_SURFACE_FMT_32_ARGB};

static struct tile_kind
kind_at(const struct pixels *pixels, int32_t x, int32_t y, int32_t width,
        int32_t height)
{
    return tile_kind_of(pixels, (pixman_box32_t){x, y, x + width, y + height});
}

static void
flat_tiles(uint32_t format)
{
    struct pixels pixels = picture_new(&state, PICTURE_FLAT, format, 40, 40);
    uint32_t color = picture_pixel(&pixels, 0, 0);

    for (int32_t size = 1; size <= TILE_SIZE; size++) {
        struct tile_kind kind =
            kind_at(&pixels, size, 2 * size - 1, size, 1 + size / 2);

        CHECK(kind.kind == KIND_FLAT && kind.color == color);
        CHECK(kind.lz_cost < 40 && kind.quic_cost < 40);
    }
    CHECK(pixel_kind_of(&pixels) == KIND_FLAT);
    picture_row(&pixels, 39)[0] ^= 1; /* one pixel at the very end */
    CHECK(kind_at(&pixels, 0, 32, 16, 8).kind != KIND_FLAT);
    CHECK(kind_at(&pixels, 1, 32, 16, 8).kind == KIND_FLAT);
    CHECK(pixel_kind_of(&pixels) != KIND_FLAT);
    picture_free(&pixels);
}

static void
whole_pictures(uint32_t format)
{
    static const struct {
        enum picture_kind picture;
        enum pixel_kind kind;
    } cases[] = {{PICTURE_TEXT, KIND_TEXT},
                 {PICTURE_UI, KIND_TEXT},
                 {PICTURE_PHOTO, KIND_PHOTO}};

    for (uint32_t i = 0; i < 3; i++) {
        struct pixels small = picture_new(&state, cases[i].picture, format, 48, 48);
        struct pixels large = picture_new(&state, cases[i].picture, format, 640, 401);

        CHECK(pixel_kind_of(&small) == cases[i].kind);
        CHECK(pixel_kind_of(&large) == cases[i].kind);
        picture_free(&small);
        picture_free(&large);
    }
}

/* The padding of a pixel is no color. */
static void
padding(void)
{
    struct pixels pixels =
        picture_new(&state, PICTURE_FLAT, SPICE_SURFACE_FMT_32_xRGB, 16, 16);

    picture_row(&pixels, 7)[4 * 5 + 3] ^= 0xff;
    CHECK(pixel_kind_of(&pixels) == KIND_FLAT);
    CHECK(kind_at(&pixels, 0, 0, 16, 16).color < 1 << 24);
    picture_free(&pixels);
}

/* A8 surfaces know no fills of their own and no QUIC. */
static void
alpha_only(void)
{
    struct pixels flat =
        picture_new(&state, PICTURE_FLAT, SPICE_SURFACE_FMT_8_A, 16, 16);
    struct pixels photo =
        picture_new(&state, PICTURE_PHOTO, SPICE_SURFACE_FMT_8_A, 64, 64);

    CHECK(pixel_kind_of(&flat) == KIND_TEXT && pixel_kind_of(&photo) == KIND_TEXT);
    picture_free(&flat);
    picture_free(&photo);
}

int
main(void)
{
    for (uint32_t i = 0; i < 4; i++) {
        flat_tiles(formats[i]);
        whole_pictures(formats[i]);
    }
    padding();
    alpha_only();
    return 0;
}
