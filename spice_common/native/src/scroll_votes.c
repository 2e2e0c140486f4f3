/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scroll_votes.h"

#include <string.h>

enum {
    MAX_PLACES = 4, /* an anchor that stood in more is no witness */
    MAX_STEPS = 64, /* through a list that a guest may have made long */
    MIN_VOTES = 4,
    MIN_SHARE = 16, /* of the anchors that were found again, one in so many */
};

#define NO_ANCHOR UINT32_MAX

static uint32_t *
head_of(struct scroll_votes *votes, uint64_t hash)
{
    return &votes->heads[hash >> 20 & (NUM_HEADS - 1)];
}

static void
index_then(struct scroll_votes *votes, const struct anchor *then, uint32_t num_then)
{
    memset(votes->heads, 0xff, sizeof(votes->heads));
    for (uint32_t i = num_then; i-- > 0;) {
        uint32_t *head = head_of(votes, then[i].hash);

        votes->next[i] = *head;
        *head = i;
    }
}

static void
vote(struct scroll_votes *votes, int32_t dx, int32_t dy)
{
    uint32_t at = ((uint32_t)dx * 0x9e3779b1 + (uint32_t)dy * 0x85ebca77) >> 12;

    for (uint32_t i = 0; i < 8; i++) {
        struct vote *slot = &votes->slots[(at + i) & (NUM_VOTES - 1)];

        if (slot->count == 0)
            *slot = (struct vote){dx, dy, 0};
        if (slot->dx == dx && slot->dy == dy) {
            slot->count++;
            return;
        }
    }
}

/* An anchor that stands still says that nothing moved here. */
static void
vote_of_anchor(struct scroll_votes *votes, const struct anchor *then,
               const struct anchor *anchor)
{
    uint32_t places[MAX_PLACES], count = 0, steps = 0;

    for (uint32_t at = *head_of(votes, anchor->hash); at != NO_ANCHOR;
         at = votes->next[at]) {
        const struct anchor *place = &then[at];

        if (steps++ == MAX_STEPS)
            return;
        if (place->hash != anchor->hash)
            continue;
        if (count == MAX_PLACES || (place->x == anchor->x && place->y == anchor->y))
            return;
        places[count++] = at;
    }
    votes->voters += count > 0;
    for (uint32_t i = 0; i < count; i++)
        vote(votes, anchor->x - then[places[i]].x, anchor->y - then[places[i]].y);
}

void
scroll_votes_collect(struct scroll_votes *votes, const struct anchor *then,
                     uint32_t num_then, const struct anchor *now, uint32_t num_now)
{
    memset(votes->slots, 0, sizeof(votes->slots));
    votes->voters = 0;
    index_then(votes, then, num_then);
    for (uint32_t i = 0; i < num_now; i++)
        vote_of_anchor(votes, then, &now[i]);
}

int
scroll_votes_next(struct scroll_votes *votes, struct scroll *scroll)
{
    uint32_t least = votes->voters / MIN_SHARE, best = 0;

    for (uint32_t i = 1; i < NUM_VOTES; i++)
        if (votes->slots[i].count > votes->slots[best].count)
            best = i;
    if (votes->slots[best].count < (least > MIN_VOTES ? least : MIN_VOTES))
        return 0;
    scroll->dx = votes->slots[best].dx;
    scroll->dy = votes->slots[best].dy;
    votes->slots[best].count = 0;
    return 1;
}
