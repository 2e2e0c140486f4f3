/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Damage: what was added is sent, whatever the steps, and never more than the surface. */
#include <spice/enums.h>
#include <stdlib.h>
#include <string.h>

#include "canvas.h"
#include "check.h"
#include "damage.h"
#include "display_message.h"
#include "region.h"

enum { WIDTH = 200, HEIGHT = 150, ROUNDS = 300 };

static uint32_t state = 3;

static int32_t
draw_number(int32_t from, int32_t to)
{
    state = state * 1664525 + 1013904223;
    return from + (int32_t)((state >> 8) % (uint32_t)(to - from + 1));
}

/* Take the boxes of DRAW_COPY messages out of region. */
static void
collect(const struct display_messages *messages, struct region *region)
{
    for (uint32_t i = 0; i < messages->num_messages; i++) {
        int32_t box[4]; /* top, left, bottom, right */

        memcpy(box, messages->data + messages->starts[i] + 10, sizeof(box));
        CHECK(box[0] >= 0 && box[1] >= 0 && box[2] <= HEIGHT && box[3] <= WIDTH);
        CHECK(box[0] < box[2] && box[1] < box[3]);
        CHECK(region_subtract_rect(region, box[1], box[0], box[3], box[2]) == 0);
    }
}

static void
one_round(struct canvas *canvas, struct display_messages *messages)
{
    struct damage_map *map = damage_map_new();
    struct region *wanted = region_new();
    int count = draw_number(0, 30), more, steps = 0;

    CHECK(map && wanted);
    for (int i = 0; i < count; i++) {
        int32_t x = draw_number(-20, WIDTH), y = draw_number(-20, HEIGHT);
        struct damage rect = {0, x, y, x + draw_number(-2, 60), y + draw_number(-2, 60)};

        CHECK(damage_map_add(map, &rect, 1) == 0);
        CHECK(region_add_rect(wanted, rect.left, rect.top, rect.right, rect.bottom) == 0);
    }
    CHECK(region_intersect_rect(wanted, 0, 0, WIDTH, HEIGHT) == 0);
    do {
        display_messages_clear(messages);
        more = display_refresh(canvas, map, messages, (uint32_t)draw_number(1, 5000),
                               (uint64_t)draw_number(1, 20000));
        CHECK(more == !damage_map_empty(map) && ++steps < 10000);
        collect(messages, wanted);
    } while (more);
    CHECK(region_num_rects(wanted) == 0);
    region_free(wanted);
    damage_map_free(map);
}

int
main(void)
{
    struct canvas *canvas = canvas_new(1);
    struct display_messages *messages = display_messages_new();
    uint8_t *memory = malloc(WIDTH * HEIGHT * 2);

    CHECK(canvas && messages && memory);
    CHECK(canvas_create_surface(canvas, 0, SPICE_SURFACE_FMT_16_565, WIDTH, HEIGHT,
                                -WIDTH * 2, memory, WIDTH * HEIGHT * 2,
                                1) == CANVAS_OK);
    for (int i = 0; i < ROUNDS; i++)
        one_round(canvas, messages);
    display_messages_free(messages);
    canvas_free(canvas);
    free(memory);
    return 0;
}
