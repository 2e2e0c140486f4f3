/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ring.h"

#include "shared_memory.h"

/* Word numbers of the ring's header (ipc_ring.h, SPICE_RING_DECLARE). */
enum { NUM_ITEMS, PROD, NOTIFY_ON_PROD, CONS, NOTIFY_ON_CONS };

/* The largest ring anybody asked for; keeps every count inside int32_t. */
#define MAX_RING_ITEMS (1u << 20)
#define MAX_ITEM_SIZE 4096u

static uint32_t *
word(const struct ring *ring, unsigned number)
{
    return (uint32_t *)(void *)(ring->memory + number * sizeof(uint32_t));
}

static uint32_t
load(const struct ring *ring, unsigned number)
{
    return __atomic_load_n(word(ring, number), __ATOMIC_ACQUIRE);
}

static void
store(const struct ring *ring, unsigned number, uint32_t value)
{
    __atomic_store_n(word(ring, number), value, __ATOMIC_RELEASE);
}

static uint8_t *
item(const struct ring *ring, uint32_t index)
{
    uint32_t position = index & (ring->num_items - 1);
    return ring->memory + RING_HEADER_SIZE + (size_t)position * ring->item_size;
}

int32_t
ring_attach(struct ring *ring, uint8_t *memory, uint64_t size, uint32_t num_items,
            uint32_t item_size)
{
    if (num_items == 0 || num_items > MAX_RING_ITEMS ||
        (num_items & (num_items - 1)) != 0 || item_size == 0 ||
        item_size > MAX_ITEM_SIZE || ((uintptr_t)memory & 3) != 0 ||
        size < RING_HEADER_SIZE + (uint64_t)num_items * item_size) {
        return RING_BAD_LAYOUT;
    }
    ring->memory = memory;
    ring->num_items = num_items;
    ring->item_size = item_size;
    return 0;
}

void
ring_reset(const struct ring *ring)
{
    memset(item(ring, 0), 0, (size_t)ring->num_items * ring->item_size);
    store(ring, NUM_ITEMS, ring->num_items);
    store(ring, CONS, 0);
    store(ring, NOTIFY_ON_CONS, 0);
    store(ring, NOTIFY_ON_PROD, 1);
    store(ring, PROD, 0);
    full_barrier();
}

int32_t
ring_length(const struct ring *ring)
{
    uint32_t length = load(ring, PROD) - load(ring, CONS);
    return length > ring->num_items ? RING_BROKEN : (int32_t)length;
}

int32_t
ring_peek(const struct ring *ring, uint8_t *items, uint32_t max, uint32_t *index)
{
    uint32_t cons = load(ring, CONS);
    uint32_t count = load(ring, PROD) - cons;
    if (count > ring->num_items) {
        return RING_BROKEN;
    }
    if (count > max) {
        count = max;
    }
    for (uint32_t i = 0; i < count; i++) {
        fetch(items + (size_t)i * ring->item_size, item(ring, cons + i),
              ring->item_size);
    }
    *index = cons;
    return (int32_t)count;
}

int32_t
ring_consume(const struct ring *ring, uint32_t index, uint32_t count)
{
    if (count == 0) {
        return 0;
    }
    uint32_t cons = index + count;
    store(ring, CONS, cons);
    full_barrier();
    /* One SPICE_RING_POP per item would meet each of index + 1 .. index + count. */
    return cons - load(ring, NOTIFY_ON_CONS) < count;
}

int32_t
ring_pop(const struct ring *ring, uint8_t *items, uint32_t max, int32_t *notify)
{
    uint32_t index = 0;
    int32_t count = ring_peek(ring, items, max, &index);
    *notify = count > 0 ? ring_consume(ring, index, (uint32_t)count) : 0;
    return count;
}

void
ring_ask(const struct ring *ring)
{
    store(ring, NOTIFY_ON_PROD, load(ring, PROD) + 1);
    full_barrier();
}

int32_t
ring_cons_wait(const struct ring *ring)
{
    int32_t length = ring_length(ring);
    if (length != 0) {
        return length < 0 ? length : 0;
    }
    ring_ask(ring);
    length = ring_length(ring);
    return length < 0 ? length : length == 0;
}

int32_t
ring_push(const struct ring *ring, const uint8_t *items, uint32_t count,
          int32_t *notify)
{
    uint32_t prod = load(ring, PROD);
    uint32_t used = prod - load(ring, CONS);
    *notify = 0;
    if (used > ring->num_items) {
        return RING_BROKEN;
    }
    if (count > ring->num_items - used) {
        count = ring->num_items - used;
    }
    if (count == 0) {
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        publish(item(ring, prod + i), items + (size_t)i * ring->item_size,
                ring->item_size);
    }
    prod += count;
    store(ring, PROD, prod);
    full_barrier();
    *notify = prod - load(ring, NOTIFY_ON_PROD) < count;
    return (int32_t)count;
}

uint8_t *
ring_prod_item(const struct ring *ring)
{
    return item(ring, load(ring, PROD));
}

int32_t
ring_produce(const struct ring *ring)
{
    uint32_t prod = load(ring, PROD) + 1;
    store(ring, PROD, prod);
    full_barrier();
    return prod == load(ring, NOTIFY_ON_PROD);
}

int32_t
ring_prod_wait(const struct ring *ring)
{
    int32_t length = ring_length(ring);
    if (length != (int32_t)ring->num_items) {
        return length < 0 ? length : 0;
    }
    store(ring, NOTIFY_ON_CONS, load(ring, CONS) + 1);
    full_barrier();
    length = ring_length(ring);
    return length < 0 ? length : length == (int32_t)ring->num_items;
}

int32_t
ring_prod_drain(const struct ring *ring)
{
    int32_t length = ring_length(ring);
    if (length == 0) {
        return 0;
    }
    store(ring, NOTIFY_ON_CONS, load(ring, PROD));
    full_barrier();
    length = ring_length(ring);
    return length < 0 ? length : length != 0;
}
