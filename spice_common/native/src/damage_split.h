/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * damage_split.h: from changed tiles to rectangles, each worth one message.
 */
#ifndef DAMAGE_SPLIT_H
#define DAMAGE_SPLIT_H

#include <pixman.h>
#include <stdint.h>

#include "pixels.h"
#include "tile_diff.h"

struct damage_piece {
    pixman_box32_t box;
    uint32_t kind;  /* enum pixel_kind */
    uint32_t color; /* FLAT: what DRAW_FILL takes */
};

/* The pieces of the last split and the memory to find them in. */
struct damage_split {
    struct damage_piece *pieces;
    uint32_t num_pieces, cap_pieces;
    struct tile_kind *kinds; /* of each tile of the surface */
    uint32_t cap_kinds;
};

/* All zero is an empty one, too. */
void damage_split_init(struct damage_split *split);
void damage_split_fini(struct damage_split *split);

/*
 * Find pieces that cover the tiles that are set in changed, a map of the surface whose
 * pixels are now.  A piece holds at most max_size bytes of pixels, but at least a row;
 * pieces may cover some tiles that are not set where that saves a message.  then may be
 * NULL; otherwise it is the picture before, pieces do not extend beyond what differs,
 * and what turns out not to differ is left out.  0 or -1 for no memory.
 */
int damage_split(struct damage_split *split, const struct tile_map *changed,
                 const struct pixels *now, const struct pixels *then,
                 uint32_t max_size);

#endif /* DAMAGE_SPLIT_H */
