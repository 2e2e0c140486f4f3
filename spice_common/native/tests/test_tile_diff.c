/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changed tiles and their bounds, against a comparison of each pixel. */
#include <spice/enums.h>
#include <string.h>

#include "bitmap.h"
#include "check.h"
#include "picture.h"
#include "tile_diff.h"

enum { ROUNDS = 400 };

static uint32_t state = 5;

static const uint32_t formats[] = {SPICE_SURFACE_FMT_8_A, SPICE_SURFACE_FMT_16_555,
                                   SPICE_SURFACE_FMT_32_xRGB,
                                   SPICE_SURFACE_FMT_32_ARGB};

static int
pixel_differs(const struct pixels *a, const struct pixels *b, int32_t x, int32_t y)
{
    return picture_pixel(a, x, y) != picture_pixel(b, x, y);
}

static int
box_differs(const struct pixels *a, const struct pixels *b, pixman_box32_t box)
{
    for (int32_t y = box.y1; y < box.y2; y++)
        for (int32_t x = box.x1; x < box.x2; x++)
            if (pixel_differs(a, b, x, y))
                return 1;
    return 0;
}

static void
check_tiles(const struct tile_map *before, const struct tile_map *after, uint32_t kept,
            const struct pixels *then, const struct pixels *now)
{
    uint32_t count = 0;

    for (uint32_t row = 0; row < after->rows; row++) {
        for (uint32_t column = 0; column < after->columns; column++) {
            struct tile_run run = {row, column, 1};
            int expected = tile_map_has(before, column, row) &&
                           box_differs(then, now, tile_run_box(after, &run));

            CHECK(tile_map_has(after, column, row) == expected);
            count += (uint32_t)expected;
        }
    }
    CHECK(count == kept);
}

static void
check_bounds(const struct pixels *then, const struct pixels *now, pixman_box32_t box)
{
    pixman_box32_t found = diff_bounds(then, now, box), rest;

    if (found.x1 == found.x2) {
        CHECK(!box_differs(then, now, box));
        return;
    }
    CHECK(found.x1 >= box.x1 && found.x2 <= box.x2 && found.y1 >= box.y1 &&
          found.y2 <= box.y2);
    rest = found;
    rest.y2 = rest.y1 + 1;
    CHECK(box_differs(then, now, rest));
    rest = found;
    rest.y1 = rest.y2 - 1;
    CHECK(box_differs(then, now, rest));
    rest = found;
    rest.x2 = rest.x1 + 1;
    CHECK(box_differs(then, now, rest));
    rest = found;
    rest.x1 = rest.x2 - 1;
    CHECK(box_differs(then, now, rest));
    for (int32_t y = box.y1; y < box.y2; y++)
        for (int32_t x = box.x1; x < box.x2; x++)
            CHECK(!pixel_differs(then, now, x, y) ||
                  (x >= found.x1 && x < found.x2 && y >= found.y1 && y < found.y2));
}

static pixman_box32_t
draw_box(const struct pixels *pixels)
{
    pixman_box32_t box;

    box.x1 = draw_number(&state, 0, (int32_t)pixels->width - 1);
    box.x2 = draw_number(&state, box.x1 + 1, (int32_t)pixels->width);
    box.y1 = draw_number(&state, 0, (int32_t)pixels->height - 1);
    box.y2 = draw_number(&state, box.y1 + 1, (int32_t)pixels->height);
    return box;
}

/* What pads a pixel is noise; and so are a few pixels, or a whole box. */
static void
change(const struct pixels *pixels)
{
    if (pixels->format == SPICE_SURFACE_FMT_32_xRGB)
        for (uint32_t y = 0; y < pixels->height; y++)
            for (uint32_t x = 0; x < pixels->width; x++)
                picture_row(pixels, (int32_t)y)[4 * x + 3] =
                    (uint8_t)draw_random(&state);
    for (int i = draw_number(&state, 0, 4); i > 0; i--) {
        pixman_box32_t box = draw_box(pixels);
        uint32_t size = surface_pixel_size(pixels->format);

        if (i == 1)
            picture_paint(&state, PICTURE_NOISE, pixels, box.x1, box.y1,
                          box.x2 - box.x1, box.y2 - box.y1);
        else
            picture_row(pixels, box.y1)[(uint32_t)box.x1 * size] ^= 1;
    }
}

static void
one_round(int round)
{
    uint32_t format = formats[round % 4];
    struct pixels then =
        picture_new(&state, PICTURE_TEXT, format, (uint32_t)draw_number(&state, 1, 200),
                    (uint32_t)draw_number(&state, 1, 90));
    struct pixels now = picture_copy(&then);
    struct tile_map map, before;

    change(&now);
    CHECK(tile_map_init(&map, then.width, then.height) == 0);
    CHECK(tile_map_init(&before, then.width, then.height) == 0);
    if (round % 3 == 0)
        tile_map_fill(&map);
    else
        for (int i = 0; i < 3; i++)
            tile_map_add(&map, draw_box(&now));
    tile_map_merge(&before, &map);
    check_tiles(&before, &map, tile_map_keep_changed(&map, &then, &now), &then, &now);
    check_bounds(&then, &now, draw_box(&now));
    tile_map_fini(&map);
    tile_map_fini(&before);
    picture_free(&then);
    picture_free(&now);
}

int
main(void)
{
    for (int i = 0; i < ROUNDS; i++)
        one_round(i);
    return 0;
}
