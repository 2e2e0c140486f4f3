/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * release.h: giving resources back to the guest through QXLReleaseRing.
 *
 * Resources are chained in guest memory: the ring's next item holds the id of the
 * first, QXLReleaseInfo.next of each the id of the one after it, 0 ends the chain.
 * Pushing the item hands over the whole chain, and the item after it is set to 0; one
 * item always stays free for that.  A full ring only makes the chain longer, which
 * takes no memory of ours.
 *
 * The chain's end is remembered as a QXLPHYSICAL and looked up again every time, with
 * the serial of its slot: if the slot was removed or replaced since, the chain is
 * handed over as it is, or the newcomer is lost; nothing is written elsewhere.
 */
#ifndef RELEASE_H
#define RELEASE_H

#include <stdint.h>

struct command_batch;
struct command_release;
struct memslot_table;
struct ring;

enum release_result {
    RELEASE_PUSHED = 1, /* a chain was handed over */
    RELEASE_NOTIFY = 2, /* and the guest asked to be told (QXL_INTERRUPT_DISPLAY) */
};

struct release_queue {
    const struct ring *ring; /* 8-byte items */
    uint64_t tail;           /* QXLPHYSICAL of the last QXLReleaseInfo of the chain */
    uint32_t tail_serial;
    uint32_t pending; /* resources in the chain that were not handed over */
    uint64_t lost;    /* resources that could not be given back */
};

/*
 * Start on a ring.  If its next item is not 0, a former owner left a chain there: it
 * counts as one pending resource.
 */
void release_queue_attach(struct release_queue *queue, const struct ring *ring);

/*
 * Chain resources and hand the chain over whenever it has bunch of them.
 * RELEASE_* bits, or RING_BROKEN: they are chained, but cannot be handed over.
 */
int32_t release_add(struct release_queue *queue, const struct memslot_table *slots,
                    const struct command_release *releases, uint32_t count,
                    uint32_t bunch);

/* release_add() for all of a batch, which then holds none any more. */
int32_t release_batch(struct release_queue *queue, const struct memslot_table *slots,
                      struct command_batch *batch, uint32_t bunch);

/* Hand the chain over if there is one and room for it: RELEASE_* bits or RING_BROKEN.
 */
int32_t release_flush(struct release_queue *queue);

#endif /* RELEASE_H */
