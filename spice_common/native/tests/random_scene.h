/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * random_scene.h: a command of any type with numbers of every kind, and what it names.
 */
#ifndef RANDOM_SCENE_H
#define RANDOM_SCENE_H

#include <stddef.h>
#include <stdint.h>

#include "command_batch.h"

enum {
    SIDE = 48, /* of surfaces, about */
    MAX_IMAGES = 4,
    MAX_CLIPS = 5,
    MAX_PARTS = 8, /* points, glyphs, dashes */
    GLYPH_SIDE = 12,
};

struct scene {
    struct command_batch *batch;
    struct guest_image images[MAX_IMAGES];
    struct image_chunk chunks[2 * MAX_IMAGES];
    uint32_t colors[MAX_IMAGES * 256];
    struct draw_rect clips[MAX_CLIPS];
    struct path_segment segments[3];
    struct fixed_point points[3 * MAX_PARTS];
    int32_t styles[MAX_PARTS];
    struct draw_glyph glyphs[MAX_PARTS];
    uint8_t glyph_bytes[MAX_PARTS * GLYPH_SIDE * GLYPH_SIDE];
};

/* The same sequence in every run. */
int32_t choose(int32_t from, int32_t to);
int chance(int32_t of); /* once in so many times */
void fill_random(uint8_t *bytes, size_t size);
uint8_t *random_bytes(size_t size); /* to be freed */
struct draw_rect random_rect(int32_t largest);

/*
 * Make a command without a clip for one of so many surfaces, the first draw of
 * scene->batch; who is done with it frees the data of its chunks.
 */
void make_scene(struct scene *scene, uint32_t surfaces);

#endif /* RANDOM_SCENE_H */
