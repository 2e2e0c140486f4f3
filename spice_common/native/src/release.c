/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "release.h"

#include <stddef.h>

#include "command.h"
#include "command_batch.h"
#include "memslot.h"
#include "ring.h"
#include "shared_memory.h"

/* The item that the next push hands over.  It is ours until then: a slot of the ring
 * is always left free for it. */
static uint8_t *
head_item(const struct release_queue *queue)
{
    return ring_prod_item(queue->ring);
}

void
release_queue_attach(struct release_queue *queue, const struct ring *ring)
{
    uint64_t head;
    *queue = (struct release_queue){.ring = ring};
    fetch(&head, head_item(queue), sizeof(head));
    queue->pending = head != 0;
}

/* The QXLReleaseInfo at address, NULL if its slot is not what it was. */
static uint8_t *
release_info(const struct memslot_table *slots, uint64_t address, uint32_t serial)
{
    uint8_t *info = NULL;
    if (serial == 0 || memslot_serial(slots, address) != serial ||
        memslot_resolve(slots, address, sizeof(uint64_t), &info) != MEMSLOT_OK) {
        return NULL;
    }
    return info;
}

int32_t
release_flush(struct release_queue *queue)
{
    const struct ring *ring = queue->ring;
    if (queue->pending == 0) {
        return 0;
    }
    int32_t length = ring_length(ring);
    if (length < 0) {
        return length;
    }
    if ((uint32_t)length + 1 >= ring->num_items) {
        return 0;
    }
    int32_t notify = ring_produce(ring);
    /* Behind the new prod there is a free item: nobody reads it before the next push.
     */
    publish_u64(head_item(queue), 0);
    queue->pending = 0;
    queue->tail_serial = 0;
    return RELEASE_PUSHED | (notify ? RELEASE_NOTIFY : 0);
}

/* Chain one resource; 0 if that is impossible. */
static int
chain(struct release_queue *queue, const struct memslot_table *slots,
      const struct command_release *release, int32_t *result)
{
    uint8_t *info = release_info(slots, release->address, release->serial);
    if (info == NULL || release->id == 0) {
        return 0; /* its memory is gone, or its id would end the chain */
    }
    uint8_t *tail = release_info(slots, queue->tail, queue->tail_serial);
    if (queue->pending != 0 && tail == NULL) {
        /* The chain's end is out of reach: it can only go as it is. */
        *result = release_flush(queue);
        if (queue->pending != 0) {
            return 0;
        }
    }
    publish_u64(info, 0);
    publish_u64(queue->pending != 0 ? tail : head_item(queue), release->id);
    queue->tail = release->address;
    queue->tail_serial = release->serial;
    queue->pending++;
    return 1;
}

int32_t
release_add(struct release_queue *queue, const struct memslot_table *slots,
            const struct command_release *releases, uint32_t count, uint32_t bunch)
{
    int32_t all = 0;
    for (uint32_t i = 0; i < count; i++) {
        int32_t result = 0;
        if (!chain(queue, slots, &releases[i], &result)) {
            queue->lost++;
        }
        if (result >= 0 && queue->pending >= bunch) {
            all |= result;
            result = release_flush(queue);
        }
        all |= result; /* RING_BROKEN has all bits set */
    }
    return all;
}

int32_t
release_batch(struct release_queue *queue, const struct memslot_table *slots,
              struct command_batch *batch, uint32_t bunch)
{
    struct command_bookkeeping *book = batch->bookkeeping;
    int32_t result =
        release_add(queue, slots, book->releases, book->num_releases, bunch);
    book->num_releases = 0;
    return result;
}
