/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scroll_votes.h: how far anchors moved, by majority.
 */
#ifndef SCROLL_VOTES_H
#define SCROLL_VOTES_H

#include <stdint.h>

#include "scroll.h"
#include "scroll_anchors.h"

enum {
    MAX_ANCHORS = 4096, /* of a picture */
    NUM_HEADS = 4096,   /* powers of 2 */
    NUM_VOTES = 4096,
};

struct vote {
    int32_t dx, dy;
    uint32_t count; /* 0: free */
};

struct scroll_votes {
    uint32_t heads[NUM_HEADS]; /* of the earlier anchors with a hash */
    uint32_t next[MAX_ANCHORS];
    struct vote slots[NUM_VOTES];
    uint32_t voters;
};

/* Let each anchor of now vote for the distances to where it stood then. */
void scroll_votes_collect(struct scroll_votes *votes, const struct anchor *then,
                          uint32_t num_then, const struct anchor *now,
                          uint32_t num_now);

/* Take the distance with most votes out of the count; 0: there is none. */
int scroll_votes_next(struct scroll_votes *votes, struct scroll *scroll);

#endif /* SCROLL_VOTES_H */
