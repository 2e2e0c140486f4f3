/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moves that happened are found; what is found is a move, pixel by pixel. */
#include <spice/enums.h>
#include <string.h>

#include "bitmap.h"
#include "check.h"
#include "picture.h"
#include "scroll.h"
#include "tile_diff.h"

enum { ROUNDS = 200 };

static uint32_t state = 21;

static const uint32_t formats[] = {SPICE_SURFACE_FMT_8_A, SPICE_SURFACE_FMT_16_555,
                                   SPICE_SURFACE_FMT_32_xRGB,
                                   SPICE_SURFACE_FMT_32_ARGB};

static pixman_box32_t
all_of(const struct pixels *pixels)
{
    return (pixman_box32_t){0, 0, (int32_t)pixels->width, (int32_t)pixels->height};
}

/* Move what stands in box by (dx, dy), inside the box. */
static void
move(const struct pixels *pixels, pixman_box32_t box, int32_t dx, int32_t dy)
{
    struct pixels before = picture_copy(pixels);
    uint32_t size = surface_pixel_size(pixels->format);

    for (int32_t y = box.y1; y < box.y2; y++)
        for (int32_t x = box.x1; x < box.x2; x++)
            if (x - dx >= box.x1 && x - dx < box.x2 && y - dy >= box.y1 &&
                y - dy < box.y2)
                memcpy(picture_row(pixels, y) + (uint32_t)x * size,
                       picture_row(&before, y - dy) + (uint32_t)(x - dx) * size, size);
    picture_free(&before);
}

/* Search the tiles of box that changed. */
static int
find(struct scroll_finder *finder, const struct pixels *then, const struct pixels *now,
     pixman_box32_t box, struct scroll *found)
{
    struct tile_map map;
    int result;

    CHECK(tile_map_init(&map, now->width, now->height) == 0);
    tile_map_add(&map, box);
    tile_map_keep_changed(&map, then, now);
    result = scroll_find(finder, then, now, &map, found);
    tile_map_fini(&map);
    return result;
}

static void
check_scroll(const struct pixels *then, const struct pixels *now,
             const struct scroll *scroll)
{
    pixman_box32_t to = scroll->to, box = all_of(now);
    int64_t saved = 0;

    CHECK(scroll->dx != 0 || scroll->dy != 0);
    CHECK(to.x1 < to.x2 && to.y1 < to.y2);
    CHECK(to.x1 >= box.x1 && to.x2 <= box.x2 && to.y1 >= box.y1 && to.y2 <= box.y2);
    CHECK(to.x1 - scroll->dx >= box.x1 && to.x2 - scroll->dx <= box.x2);
    CHECK(to.y1 - scroll->dy >= box.y1 && to.y2 - scroll->dy <= box.y2);
    for (int32_t y = to.y1; y < to.y2; y++) {
        for (int32_t x = to.x1; x < to.x2; x++) {
            uint32_t wanted = picture_pixel(now, x, y);

            saved += picture_pixel(then, x - scroll->dx, y - scroll->dy) == wanted;
            saved -= picture_pixel(then, x, y) == wanted;
        }
    }
    CHECK(saved == (int64_t)scroll->saved && saved > 0);
}

/* A window scrolls while something else beside it changes. */
static void
window_scrolls(struct scroll_finder *finder, uint32_t format, int32_t dx, int32_t dy)
{
    struct pixels then = picture_new(&state, PICTURE_TEXT, format, 700, 500), now;
    pixman_box32_t window = {83, 40, 571, 460}, damage = {64, 32, 592, 464};
    struct scroll found;

    now = picture_copy(&then);
    move(&now, window, dx, dy);
    picture_paint(&state, PICTURE_NOISE, &now, 573, 40, 10, 400); /* a scroll bar */
    picture_paint(&state, PICTURE_FLAT, &now, 200, 200, 8, 16);   /* a cursor */
    CHECK(find(finder, &then, &now, damage, &found));
    check_scroll(&then, &now, &found);
    CHECK(found.dx == dx && found.dy == dy);
    /* All that was in the window before and after, but for background at its sides. */
    CHECK(found.to.x1 <= window.x1 + 16 + (dx > 0 ? dx : 0));
    CHECK(found.to.x2 >= window.x2 - 16 + (dx < 0 ? dx : 0));
    CHECK(found.to.y1 <= window.y1 + 16 + (dy > 0 ? dy : 0));
    CHECK(found.to.y2 >= window.y2 - 16 + (dy < 0 ? dy : 0));
    picture_free(&then);
    picture_free(&now);
}

static void
console_scrolls(struct scroll_finder *finder)
{
    struct pixels then =
        picture_new(&state, PICTURE_TEXT, SPICE_SURFACE_FMT_32_xRGB, 1024, 768);
    struct pixels now = picture_copy(&then);
    struct scroll found;

    move(&now, all_of(&now), 0, -16);
    picture_paint(&state, PICTURE_TEXT, &now, 0, 752, 1024, 16);
    CHECK(find(finder, &then, &now, all_of(&now), &found));
    check_scroll(&then, &now, &found);
    CHECK(found.dx == 0 && found.dy == -16);
    CHECK(found.to.y1 < 16 && found.to.y2 >= 740 && found.to.x2 - found.to.x1 > 1000);
    picture_free(&then);
    picture_free(&now);
}

/* Nothing moved: not in a blank picture, nor in one that changed everywhere. */
static void
nothing_moved(struct scroll_finder *finder, enum picture_kind before,
              enum picture_kind after)
{
    struct pixels then =
        picture_new(&state, before, SPICE_SURFACE_FMT_32_xRGB, 300, 200);
    struct pixels now = picture_new(&state, after, SPICE_SURFACE_FMT_32_xRGB, 300, 200);
    struct scroll found;

    CHECK(!find(finder, &then, &now, all_of(&now), &found));
    CHECK(!find(finder, &then, &then, all_of(&now), &found));
    CHECK(!find(finder, &then, &now, (pixman_box32_t){5, 5, 5, 9}, &found));
    picture_free(&then);
    picture_free(&now);
}

/* Whatever is found in pictures that change at random is right. */
static void
random_round(struct scroll_finder *finder, int round)
{
    struct pixels then = picture_new(
        &state, (enum picture_kind)draw_number(&state, 1, 4), formats[round % 4],
        (uint32_t)draw_number(&state, 1, 300), (uint32_t)draw_number(&state, 1, 300));
    struct pixels now = picture_copy(&then);
    int32_t width = (int32_t)now.width, height = (int32_t)now.height;
    pixman_box32_t box = all_of(&now);
    struct scroll found;

    box.x2 = draw_number(&state, 1, width);
    box.y1 = draw_number(&state, 0, height - 1);
    for (int i = 0; i < 3; i++)
        move(&now, i ? box : all_of(&now), draw_number(&state, -60, 60),
             draw_number(&state, -60, 60) * (round & 1));
    picture_paint(&state, PICTURE_UI, &now, 0, 0, width / 3 + 1, height / 4 + 1);
    if (find(finder, &then, &now, box, &found))
        check_scroll(&then, &now, &found);
    picture_free(&then);
    picture_free(&now);
}

int
main(void)
{
    struct scroll_finder finder = {0};

    for (int i = 0; i < 4; i++) {
        window_scrolls(&finder, formats[i], 0, 37);
        window_scrolls(&finder, formats[i], 0, -120);
        window_scrolls(&finder, formats[i], -29, 0);
        window_scrolls(&finder, formats[i], 64, 0);
        window_scrolls(&finder, formats[i], -31, 77);
    }
    console_scrolls(&finder);
    nothing_moved(&finder, PICTURE_FLAT, PICTURE_FLAT);
    nothing_moved(&finder, PICTURE_TEXT, PICTURE_FLAT);
    nothing_moved(&finder, PICTURE_NOISE, PICTURE_NOISE);
    for (int i = 0; i < ROUNDS; i++)
        random_round(&finder, i);
    scroll_finder_fini(&finder);
    return 0;
}
