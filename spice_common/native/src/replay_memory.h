/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * replay_memory.h: who owns which part of the device's memory.
 *
 * block_queue: one block of RAM per command, taken at the head and given back anywhere;
 * what lies between the oldest block in flight and the head is in use.
 * extent_list: VRAM for surfaces, the lowest place that is large enough.
 */
#ifndef REPLAY_MEMORY_H
#define REPLAY_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

enum {
    /* Commands that the device holds: two rings, two batches, and what waits for a
     * push of the release ring are less than 256. */
    MAX_IN_FLIGHT = 512,
    /* Live surfaces, and as many whose end is in flight. */
    MAX_EXTENTS = 1024 + MAX_IN_FLIGHT + 2,
    /* Bytes of RAM after which blocks start from the front again, if that is free. */
    QUEUE_SOFT_SIZE = 4 << 20,
};

struct extent {
    uint64_t offset, size;
};

struct extent_list {
    struct extent extents[MAX_EXTENTS]; /* by offset */
    uint32_t count;
    uint64_t size;
};

#define NO_EXTENT UINT64_MAX

/* The offset of size bytes, or NO_EXTENT. */
uint64_t extent_take(struct extent_list *list, uint64_t size);
void extent_give_back(struct extent_list *list, uint64_t offset);

struct queued_block {
    uint64_t start, end;
    uint64_t release_offset; /* of its QXLReleaseInfo */
    uint64_t extent;         /* of VRAM that goes with it, or NO_EXTENT */
    bool recorded;           /* not of our own making */
    bool released;
};

struct block_queue {
    struct queued_block blocks[MAX_IN_FLIGHT];
    uint64_t first, next; /* numbers of the oldest block and the next one */
    uint64_t head;        /* end of the newest block */
    uint64_t size;
};

/* A place where the next block could grow: how many there are to try (0 to 2). */
struct block_place {
    uint64_t start, size;
};
uint32_t block_places(const struct block_queue *queue, struct block_place places[2]);

/* The block of the next number was written from start to end. */
void block_push(struct block_queue *queue, const struct queued_block *block);

/* The block of that number if it is in flight, else NULL. */
struct queued_block *block_find(struct block_queue *queue, uint64_t number);

/* Forget released blocks at the front. */
void block_shrink(struct block_queue *queue);

#endif /* REPLAY_MEMORY_H */
