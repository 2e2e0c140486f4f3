/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pieces cover what changed, hold what they may, and are as many as they must be. */
#include <spice/enums.h>
#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "check.h"
#include "damage_split.h"
#include "display_message_writer.h"
#include "picture.h"
#include "pixel_kind.h"
#include "tile_diff.h"

enum { ROUNDS = 300 };

static uint32_t state = 11;

static const uint32_t formats[] = {SPICE_SURFACE_FMT_8_A, SPICE_SURFACE_FMT_16_565,
                                   SPICE_SURFACE_FMT_32_xRGB,
                                   SPICE_SURFACE_FMT_32_ARGB};

static void
copy_pixel(const struct pixels *from, const struct pixels *to, int32_t x, int32_t y)
{
    uint32_t size = surface_pixel_size(from->format);

    memcpy(picture_row(to, y) + (uint32_t)x * size,
           picture_row(from, y) + (uint32_t)x * size, size);
}

/* Do to shown what a client does that gets the piece. */
static void
show_piece(const struct damage_piece *piece, const struct pixels *now,
           const struct pixels *shown)
{
    for (int32_t y = piece->box.y1; y < piece->box.y2; y++) {
        for (int32_t x = piece->box.x1; x < piece->box.x2; x++) {
            copy_pixel(now, shown, x, y);
            if (piece->kind == KIND_FLAT)
                CHECK(picture_pixel(now, x, y) == piece->color);
        }
    }
}

static void
check_pieces(const struct damage_split *split, const struct pixels *now,
             const struct pixels *shown, uint32_t max_size)
{
    for (uint32_t i = 0; i < split->num_pieces; i++) {
        const struct damage_piece *piece = &split->pieces[i];
        pixman_box32_t box = piece->box;

        CHECK(box.x1 >= 0 && box.x1 < box.x2 && box.x2 <= (int32_t)now->width);
        CHECK(box.y1 >= 0 && box.y1 < box.y2 && box.y2 <= (int32_t)now->height);
        CHECK(piece->kind == KIND_FLAT || box.y2 - box.y1 == 1 ||
              message_row_size(now->format, (uint32_t)(box.x2 - box.x1)) *
                      (uint32_t)(box.y2 - box.y1) <=
                  max_size);
        CHECK(now->format != SPICE_SURFACE_FMT_8_A || piece->kind == KIND_TEXT);
        show_piece(piece, now, shown);
    }
}

static void
one_round(struct damage_split *split, int round)
{
    struct pixels then = picture_new(
        &state, (enum picture_kind)(round % 4), formats[round % 4],
        (uint32_t)draw_number(&state, 1, 400), (uint32_t)draw_number(&state, 1, 200));
    struct pixels now = picture_copy(&then), shown;
    uint32_t max_size = round % 2 ? 1 << 20 : (uint32_t)draw_number(&state, 1, 20000);
    struct tile_map map;

    for (int i = draw_number(&state, 0, 6); i > 0; i--) {
        int32_t x = draw_number(&state, 0, (int32_t)now.width - 1);
        int32_t y = draw_number(&state, 0, (int32_t)now.height - 1);

        picture_paint(&state, (enum picture_kind)draw_number(&state, 0, 5), &now, x, y,
                      draw_number(&state, 1, (int32_t)now.width - x),
                      draw_number(&state, 1, (int32_t)now.height - y));
    }
    shown = picture_copy(&then);
    CHECK(tile_map_init(&map, now.width, now.height) == 0);
    tile_map_fill(&map);
    tile_map_keep_changed(&map, &then, &now);
    CHECK(damage_split(split, &map, &now, round % 3 ? &then : NULL, max_size) == 0);
    check_pieces(split, &now, &shown, max_size);
    CHECK(picture_equal(&now, &shown));
    tile_map_fini(&map);
    picture_free(&then);
    picture_free(&now);
    picture_free(&shown);
}

static uint32_t
count_kind(const struct damage_split *split, uint32_t kind)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < split->num_pieces; i++)
        count += split->pieces[i].kind == kind;
    return count;
}

/* A page of text with a photo in it and a broad margin. */
static void
mixed_page(struct damage_split *split)
{
    struct pixels page =
        picture_new(&state, PICTURE_FLAT, SPICE_SURFACE_FMT_32_xRGB, 800, 600);
    struct tile_map map;

    picture_paint(&state, PICTURE_TEXT, &page, 160, 32, 480, 512);
    picture_paint(&state, PICTURE_PHOTO, &page, 320, 160, 256, 192);
    CHECK(tile_map_init(&map, 800, 600) == 0);
    tile_map_fill(&map);
    CHECK(damage_split(split, &map, &page, NULL, 1 << 21) == 0);
    CHECK(count_kind(split, KIND_PHOTO) == 1);
    CHECK(count_kind(split, KIND_FLAT) >= 2);
    CHECK(split->num_pieces <= 12);
    for (uint32_t i = 0; i < split->num_pieces; i++) {
        pixman_box32_t box = split->pieces[i].box;

        if (split->pieces[i].kind == KIND_PHOTO)
            CHECK(box.x1 == 320 && box.y1 == 160 && box.x2 == 576 && box.y2 == 352);
    }
    tile_map_fini(&map);
    picture_free(&page);
}

/* Words in a line are one piece; two that are far apart are not. */
static void
words_and_corners(struct damage_split *split)
{
    struct pixels page =
        picture_new(&state, PICTURE_TEXT, SPICE_SURFACE_FMT_32_xRGB, 640, 480);
    struct tile_map map;

    CHECK(tile_map_init(&map, 640, 480) == 0);
    for (int32_t x = 0; x < 300; x += 48)
        tile_map_add(&map, (pixman_box32_t){x, 64, x + 16, 80});
    CHECK(damage_split(split, &map, &page, NULL, 1 << 20) == 0);
    CHECK(split->num_pieces == 1);
    tile_map_clear(&map);
    tile_map_add(&map, (pixman_box32_t){0, 0, 16, 16});
    tile_map_add(&map, (pixman_box32_t){600, 400, 616, 416});
    CHECK(damage_split(split, &map, &page, NULL, 1 << 20) == 0);
    CHECK(split->num_pieces == 2);
    tile_map_clear(&map);
    CHECK(damage_split(split, &map, &page, NULL, 1 << 20) == 0);
    CHECK(split->num_pieces == 0);
    tile_map_fini(&map);
    picture_free(&page);
}

int
main(void)
{
    struct damage_split split;

    damage_split_init(&split);
    for (int i = 0; i < ROUNDS; i++)
        one_round(&split, i);
    mixed_page(&split);
    words_and_corners(&split);
    damage_split_fini(&split);
    return 0;
}
