/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ring.h: the rings of ipc_ring.h, from either side, over memory the other side may
 * write at any time.
 *
 * A ring is five 32-bit words (num_items, prod, notify_on_prod, cons, notify_on_cons)
 * followed by the items.  prod and cons run freely and wrap at 2^32.  How many items
 * there are is the caller's knowledge: the word in shared memory is written by
 * ring_reset() and never read.  Every index is loaded once per call; a distance larger
 * than the ring is RING_BROKEN, so nothing here loops or reaches outside the ring
 * whatever the words hold.
 */
#ifndef RING_H
#define RING_H

#include <stdint.h>

enum ring_status {
    RING_BROKEN = -1,     /* prod - cons is larger than the ring */
    RING_BAD_LAYOUT = -2, /* the memory cannot hold such a ring */
};

enum { RING_HEADER_SIZE = 20 };

struct ring {
    uint8_t *memory;    /* 4-byte aligned */
    uint32_t num_items; /* a power of two */
    uint32_t item_size; /* bytes */
};

/* Describe the ring at memory; 0 or RING_BAD_LAYOUT. */
int32_t ring_attach(struct ring *ring, uint8_t *memory, uint64_t size,
                    uint32_t num_items, uint32_t item_size);

/* SPICE_RING_INIT, with zeroed items. */
void ring_reset(const struct ring *ring);

/* How many items lie in the ring, or RING_BROKEN. */
int32_t ring_length(const struct ring *ring);

/*
 * Consumer: copy up to max items without taking them; how many, or RING_BROKEN.
 * *index is where they start, for ring_consume().
 */
int32_t ring_peek(const struct ring *ring, uint8_t *items, uint32_t max,
                  uint32_t *index);

/*
 * SPICE_RING_POP for count items that ring_peek() gave at index.  1: the producer
 * asked to be told, 0: it did not.
 */
int32_t ring_consume(const struct ring *ring, uint32_t index, uint32_t count);

/* Consumer: ring_peek() and ring_consume() in one; *notify is 0 or 1. */
int32_t ring_pop(const struct ring *ring, uint8_t *items, uint32_t max,
                 int32_t *notify);

/*
 * SPICE_RING_CONS_WAIT: 1, the ring is empty and the producer has been asked to
 * notify the next push; 0, there are items; RING_BROKEN.
 */
int32_t ring_cons_wait(const struct ring *ring);

/* Consumer: ask for a notification of the next push, whatever the ring holds now. */
void ring_ask(const struct ring *ring);

/*
 * Producer: SPICE_RING_PUSH for up to count items; how many found room, or
 * RING_BROKEN.  *notify is 1 if the consumer asked to be told.
 */
int32_t ring_push(const struct ring *ring, const uint8_t *items, uint32_t count,
                  int32_t *notify);

/* Producer: the item that the next push hands over (SPICE_RING_PROD_ITEM). */
uint8_t *ring_prod_item(const struct ring *ring);

/*
 * Producer: SPICE_RING_PUSH for an item already written in place; the caller knows
 * that there is room.  1: the consumer asked to be told, 0: it did not.
 */
int32_t ring_produce(const struct ring *ring);

/*
 * SPICE_RING_PROD_WAIT: 1, the ring is full and the consumer has been asked to notify
 * the next pop; 0, there is room; RING_BROKEN.
 */
int32_t ring_prod_wait(const struct ring *ring);

/*
 * Producer: 0, the ring is empty; 1, it is not and the consumer has been asked to
 * notify when it is; RING_BROKEN.
 */
int32_t ring_prod_drain(const struct ring *ring);

#endif /* RING_H */
