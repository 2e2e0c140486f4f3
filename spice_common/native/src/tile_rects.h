/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tile_rects.h: runs of tiles that grow together to rectangles worth a message each.
 */
#ifndef TILE_RECTS_H
#define TILE_RECTS_H

#include <stdint.h>

enum {
    /* What a tile that has not changed costs, in between: mostly background. */
    CLEAN_LZ_COST = 30,
    CLEAN_QUIC_COST = 60,
};

/* A piece, in tiles, while it grows. */
struct tile_rect {
    uint32_t x1, y1, x2, y2;
    uint64_t lz_cost, quic_cost;
    uint32_t is_flat, color; /* nothing but tiles of this color */
    uint32_t kind;           /* of most of it: KIND_TEXT or KIND_PHOTO */
};

/* All zero is an empty list; rects is from malloc. */
struct tile_rects {
    struct tile_rect *rects;
    uint32_t count, capacity;
};

/* Add a run and join it with earlier pieces of its kind while that saves; 0 or -1. */
int tile_rects_add(struct tile_rects *list, const struct tile_rect *run);

/* What did not find its like is joined with its neighbours if that is cheaper. */
void tile_rects_mix(struct tile_rects *list);

#endif /* TILE_RECTS_H */
