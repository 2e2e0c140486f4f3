/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pixel_kind.h"

#include <spice/enums.h>
#include <string.h>

#include "bitmap.h"
#include "bitmap_source.h"
#include "tile_diff.h"

enum {
    SIDE = TILE_SIZE,
    LANES = 4,     /* pixels in a vector */
    CONTRAST = 60, /* a channel differs by this: an edge, as libspice-server has it */
    MAX_SAMPLES = 256, /* tiles that speak for a picture */
};

typedef uint8_t bytes_vector __attribute__((vector_size(16)));
typedef uint32_t pixel_vector __attribute__((vector_size(16)));

/* A tile's pixels and a copy of its last column and row as neighbours. */
struct tile_pixels {
    uint32_t at[SIDE + 1][SIDE + LANES];
};

/* Pixels of a tile by how they compare with the ones right of and below them. */
struct neighbours {
    uint32_t both;     /* equal to both */
    uint32_t one;      /* equal to one */
    uint32_t gradual;  /* equal to none, close to both */
    uint32_t contrast; /* equal to none, far from one */
};

static uint32_t
picture_mask(uint32_t format)
{
    return format == SPICE_SURFACE_FMT_32_xRGB ? 0x00ffffff : 0xffffffff;
}

/* A whole tile's row of 32 bit pixels: of a length that the compiler knows. */
static inline void
load_words(const uint8_t *src, uint32_t mask, uint32_t *dst)
{
    pixel_vector masks = {mask, mask, mask, mask}, words;

    for (uint32_t x = 0; x < SIDE; x += LANES) {
        memcpy(&words, src + 4 * x, sizeof(words));
        words &= masks;
        memcpy(dst + x, &words, sizeof(words));
    }
    dst[SIDE] = dst[SIDE - 1];
}

static void
load_row(const struct pixels *pixels, const uint8_t *src, uint32_t width, uint32_t mask,
         uint32_t *dst)
{
    if (surface_pixel_size(pixels->format) != 4)
        pixels_decode(src, width, pixels->format, dst);
    else
        memcpy(dst, src, width * sizeof(*dst));
    for (uint32_t x = 0; x < width; x++)
        dst[x] &= mask;
    for (uint32_t x = width; x <= SIDE; x++)
        dst[x] = dst[width - 1];
}

static void
load_tile(const struct pixels *pixels, pixman_box32_t box, struct tile_pixels *tile)
{
    uint32_t width = (uint32_t)(box.x2 - box.x1), height = (uint32_t)(box.y2 - box.y1);
    const uint8_t *src = pixels->data + (int64_t)box.y1 * pixels->stride +
                         (int64_t)box.x1 * surface_pixel_size(pixels->format);
    uint32_t mask = picture_mask(pixels->format);
    int is_direct = width == SIDE && surface_pixel_size(pixels->format) == 4;

    for (uint32_t y = 0; y < height; y++, src += pixels->stride) {
        if (is_direct)
            load_words(src, mask, tile->at[y]);
        else
            load_row(pixels, src, width, mask, tile->at[y]);
    }
    for (uint32_t y = height; y <= SIDE; y++)
        memcpy(tile->at[y], tile->at[height - 1], sizeof(tile->at[y]));
}

/* Each channel halved, so that differences have a sign. */
static inline bytes_vector
halved(pixel_vector pixels)
{
    return (bytes_vector)(pixels >> 1 & 0x7f7f7f7f);
}

/* Not zero in each channel that differs much; both come from halved(). */
static inline bytes_vector
contrasting(bytes_vector a, bytes_vector b)
{
    return (bytes_vector)(a - b + (uint8_t)(CONTRAST / 2 - 1) > CONTRAST - 2);
}

static uint32_t
sum(pixel_vector counts)
{
    return counts[0] + counts[1] + counts[2] + counts[3];
}

static struct neighbours
count_neighbours(const struct tile_pixels *tile)
{
    pixel_vector both = {0}, one = {0}, contrast = {0};
    struct neighbours counts;

    for (uint32_t y = 0; y < SIDE; y++) {
        for (uint32_t x = 0; x < SIDE; x += LANES) {
            pixel_vector here, right, below, same_right, same_below, far;

            memcpy(&here, &tile->at[y][x], sizeof(here));
            memcpy(&right, &tile->at[y][x + 1], sizeof(right));
            memcpy(&below, &tile->at[y + 1][x], sizeof(below));
            same_right = (pixel_vector)(here == right);
            same_below = (pixel_vector)(here == below);
            far = (pixel_vector)(contrasting(halved(here), halved(right)) |
                                 contrasting(halved(here), halved(below)));
            far = (pixel_vector)(far != 0);
            /* A comparison that holds is all ones: -1. */
            both -= same_right & same_below;
            one -= same_right ^ same_below;
            contrast -= far & ~(same_right | same_below);
        }
    }
    counts.both = sum(both);
    counts.one = sum(one);
    counts.contrast = sum(contrast);
    counts.gradual = SIDE * SIDE - counts.both - counts.one - counts.contrast;
    return counts;
}

/* Sixteenths of a byte that a pixel takes, by how it compares with its neighbours. */
struct price {
    uint32_t both, one, gradual, contrast;
};

static const struct price lz_price = {1, 8, 48, 24};
static const struct price quic_price = {1, 12, 18, 38};

static uint32_t
price_of(const struct price *price, const struct neighbours *counts)
{
    return (counts->both * price->both + counts->one * price->one +
            counts->gradual * price->gradual + counts->contrast * price->contrast) /
           16;
}

/* A pixel as load_tile gives it, as a fill wants it. */
static uint32_t
fill_color(uint32_t format, uint32_t word)
{
    uint16_t pixel = 0;

    if (surface_pixel_size(format) != 2)
        return word;
    pixels_encode(&word, 1, format, (uint8_t *)&pixel);
    return pixel;
}

struct tile_kind
tile_kind_of(const struct pixels *pixels, pixman_box32_t box)
{
    struct tile_pixels tile;
    struct neighbours counts;
    struct tile_kind kind = {KIND_TEXT, 0, 0, 0};

    load_tile(pixels, box, &tile);
    counts = count_neighbours(&tile);
    kind.lz_cost = (uint16_t)price_of(&lz_price, &counts);
    kind.quic_cost = (uint16_t)price_of(&quic_price, &counts);
    if (pixels->format == SPICE_SURFACE_FMT_8_A) { /* neither fills nor QUIC */
        kind.quic_cost = UINT16_MAX;
        return kind;
    }
    if (counts.both == SIDE * SIDE) {
        kind.kind = KIND_FLAT;
        kind.color = fill_color(pixels->format, tile.at[0][0]);
    } else if (kind.quic_cost < kind.lz_cost) {
        kind.kind = KIND_PHOTO;
    }
    return kind;
}

enum pixel_kind
pixel_kind_of(const struct pixels *pixels)
{
    uint32_t columns = (pixels->width + SIDE - 1) / SIDE;
    uint32_t rows = (pixels->height + SIDE - 1) / SIDE;
    uint64_t tiles = (uint64_t)columns * rows, lz_cost = 0, quic_cost = 0;
    /* A step that is odd against the columns does not look at one column only. */
    uint64_t step = tiles / MAX_SAMPLES + (tiles / MAX_SAMPLES % columns == 0);
    uint32_t flat = 1, color = 0, is_first = 1;

    for (uint64_t i = 0; i < tiles; i += step) {
        int32_t x = (int32_t)(i % columns * SIDE), y = (int32_t)(i / columns * SIDE);
        pixman_box32_t box = {x, y, x + SIDE, y + SIDE};
        struct tile_kind kind;

        if (box.x2 > (int32_t)pixels->width)
            box.x2 = (int32_t)pixels->width;
        if (box.y2 > (int32_t)pixels->height)
            box.y2 = (int32_t)pixels->height;
        kind = tile_kind_of(pixels, box);
        lz_cost += kind.lz_cost;
        quic_cost += kind.quic_cost;
        flat &= kind.kind == KIND_FLAT && (is_first || kind.color == color);
        color = kind.color;
        is_first = 0;
    }
    /* A sample cannot prove that there is one color only. */
    if (flat && step == 1)
        return KIND_FLAT;
    if (pixels->format == SPICE_SURFACE_FMT_8_A)
        return KIND_TEXT;
    return quic_cost < lz_cost ? KIND_PHOTO : KIND_TEXT;
}
