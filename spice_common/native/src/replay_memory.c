/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "replay_memory.h"

#include <stddef.h>
#include <string.h>

enum { EXTENT_ALIGNMENT = 64 }; /* a cache line; surfaces want words */

uint64_t
extent_take(struct extent_list *list, uint64_t size)
{
    if (list->count == MAX_EXTENTS || size > list->size) {
        return NO_EXTENT;
    }
    size = (size + EXTENT_ALIGNMENT - 1) / EXTENT_ALIGNMENT * EXTENT_ALIGNMENT;
    uint64_t offset = 0;
    uint32_t place = 0;
    while (place < list->count && list->extents[place].offset - offset < size) {
        offset = list->extents[place].offset + list->extents[place].size;
        place++;
    }
    if (place == list->count && list->size - offset < size) {
        return NO_EXTENT;
    }
    struct extent *to = &list->extents[place];
    memmove(to + 1, to, (list->count - place) * sizeof(*to));
    *to = (struct extent){.offset = offset, .size = size};
    list->count++;
    return offset;
}

void
extent_give_back(struct extent_list *list, uint64_t offset)
{
    for (uint32_t i = 0; i < list->count; i++) {
        struct extent *extent = &list->extents[i];
        if (extent->offset == offset) {
            list->count--;
            memmove(extent, extent + 1, (list->count - i) * sizeof(*extent));
            return;
        }
    }
}

static struct queued_block *
at(struct block_queue *queue, uint64_t number)
{
    return &queue->blocks[number % MAX_IN_FLIGHT];
}

uint32_t
block_places(const struct block_queue *queue, struct block_place places[2])
{
    if (queue->first == queue->next) {
        places[0] = (struct block_place){.start = 0, .size = queue->size};
        return 1;
    }
    if (queue->next - queue->first == MAX_IN_FLIGHT) {
        return 0;
    }
    uint64_t tail = queue->blocks[queue->first % MAX_IN_FLIGHT].start;
    if (queue->head <= tail) { /* the newest lies before the oldest */
        places[0] =
            (struct block_place){.start = queue->head, .size = tail - queue->head};
        return 1;
    }
    uint64_t end = queue->size < QUEUE_SOFT_SIZE ? queue->size : QUEUE_SOFT_SIZE;
    end = queue->head < end ? end : queue->head;
    places[0] = (struct block_place){.start = queue->head, .size = end - queue->head};
    places[1] = (struct block_place){.start = 0, .size = tail};
    return 2;
}

void
block_push(struct block_queue *queue, const struct queued_block *block)
{
    *at(queue, queue->next++) = *block;
    queue->head = block->end;
}

struct queued_block *
block_find(struct block_queue *queue, uint64_t number)
{
    if (number < queue->first || number >= queue->next) {
        return NULL;
    }
    struct queued_block *block = at(queue, number);
    return block->released ? NULL : block;
}

void
block_shrink(struct block_queue *queue)
{
    while (queue->first != queue->next && at(queue, queue->first)->released) {
        queue->first++;
    }
}
