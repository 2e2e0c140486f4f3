/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A map of tiles against one bit at a time. */
#include "tile_map.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

enum {
    ROUNDS = 3000,
    MAX_SIDE = 2200, /* more than two words of tiles */
    MAX_TILES = (MAX_SIDE / TILE_SIZE + 1) * (MAX_SIDE / TILE_SIZE + 1),
};

static uint8_t plain[MAX_TILES]; /* the same, a byte for each tile */

static int32_t
number(int32_t low, int32_t high)
{
    return low + (int32_t)(rand() % (high - low + 1));
}

static pixman_box32_t
draw_box(const struct tile_map *map)
{
    pixman_box32_t box = {number(-40, (int32_t)map->width),
                          number(-40, (int32_t)map->height), 0, 0};

    box.x2 = box.x1 + number(-2, 200);
    box.y2 = box.y1 + number(-2, 200);
    return box;
}

static pixman_box32_t
tile_box(const struct tile_map *map, uint32_t column, uint32_t row)
{
    struct tile_run run = {row, column, 1};

    return tile_run_box(map, &run);
}

static int
touches(pixman_box32_t tile, pixman_box32_t box)
{
    return box.x1 < box.x2 && box.y1 < box.y2 && tile.x1 < box.x2 && box.x1 < tile.x2 &&
           tile.y1 < box.y2 && box.y1 < tile.y2;
}

static int
lies_in(pixman_box32_t tile, pixman_box32_t box)
{
    return tile.x1 >= box.x1 && tile.x2 <= box.x2 && tile.y1 >= box.y1 &&
           tile.y2 <= box.y2;
}

static void
change_both(struct tile_map *map)
{
    pixman_box32_t box = draw_box(map);
    int what = number(0, 3);

    for (uint32_t row = 0; row < map->rows; row++) {
        for (uint32_t column = 0; column < map->columns; column++) {
            uint8_t *bit = &plain[row * map->columns + column];
            pixman_box32_t tile = tile_box(map, column, row);

            if (what < 2 ? touches(tile, box) : lies_in(tile, box))
                *bit = what % 2 == 0;
        }
    }
    if (what == 0)
        tile_map_add(map, box);
    else if (what == 1)
        tile_map_remove_touched(map, box);
    else if (what == 2)
        tile_map_add_inside(map, box);
    else
        tile_map_remove_inside(map, box);
}

static void
compare(const struct tile_map *map)
{
    pixman_box32_t box = draw_box(map);
    int covers = 1, some = 0;
    uint32_t count = 0;

    for (uint32_t row = 0; row < map->rows; row++) {
        for (uint32_t column = 0; column < map->columns; column++) {
            uint8_t bit = plain[row * map->columns + column];

            CHECK(tile_map_has(map, column, row) == bit);
            count += bit;
            if (!touches(tile_box(map, column, row), box))
                continue;
            covers = covers && bit;
            some = some || bit;
        }
    }
    CHECK(tile_map_count(map) == count);
    CHECK(tile_map_empty(map) == (count == 0));
    CHECK(tile_map_covers(map, box) == covers);
    CHECK(tile_map_touches(map, box) == some);
}

static void
walk_runs(const struct tile_map *map)
{
    struct tile_run run = {0, 0, 0};
    uint32_t before = 0, count = 0;

    while (tile_map_next(map, &run)) {
        uint32_t first = run.row * map->columns + run.column;

        CHECK(run.count > 0 && first >= before);
        CHECK(run.column == 0 || !plain[first - 1]);
        for (uint32_t i = 0; i < run.count; i++)
            CHECK(plain[first + i]);
        before = first + run.count;
        count += run.count;
    }
    CHECK(count == tile_map_count(map));
}

static void
one_round(void)
{
    struct tile_map map;

    memset(plain, 0, sizeof(plain));
    CHECK(tile_map_init(&map, (uint32_t)number(1, MAX_SIDE),
                        (uint32_t)number(1, 300)) == 0);
    for (int i = number(1, 12); i > 0; i--)
        change_both(&map);
    compare(&map);
    walk_runs(&map);
    tile_map_fini(&map);
}

int
main(void)
{
    for (uint32_t i = 0; i < ROUNDS; i++)
        one_round();
    return 0;
}
