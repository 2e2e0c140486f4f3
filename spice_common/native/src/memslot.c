/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "memslot.h"

#include <stddef.h>
#include <string.h>

int32_t
memslot_init(struct memslot_table *table, uint32_t id_bits, uint32_t generation_bits)
{
    if (id_bits == 0 || id_bits > 16 || generation_bits > 16) {
        return -1;
    }
    memset(table, 0, sizeof(*table));
    table->id_bits = id_bits;
    table->generation_bits = generation_bits;
    return 0;
}

int32_t
memslot_add(struct memslot_table *table, uint32_t id, uint32_t generation,
            uint8_t *base, uint64_t size)
{
    if (id >= MAX_MEMSLOTS || id >> table->id_bits != 0 ||
        generation >> table->generation_bits != 0 || base == NULL) {
        return -1;
    }
    if (++table->last_serial == 0) {
        table->last_serial = 1;
    }
    table->slots[id] = (struct memslot){
        .base = base,
        .size = size,
        .generation = generation,
        .serial = table->last_serial,
    };
    return 0;
}

int32_t
memslot_delete(struct memslot_table *table, uint32_t id)
{
    if (id >= MAX_MEMSLOTS || table->slots[id].base == NULL) {
        return -1;
    }
    table->slots[id] = (struct memslot){.base = NULL};
    return 0;
}

void
memslot_reset(struct memslot_table *table)
{
    memset(table->slots, 0, sizeof(table->slots));
}

/* The active slot of address and the offset in it, which may lie outside. */
static enum memslot_status
find(const struct memslot_table *table, uint64_t address, const struct memslot **slot,
     uint64_t *offset)
{
    uint32_t offset_bits = 64 - table->id_bits - table->generation_bits;
    uint64_t id = address >> (64 - table->id_bits);
    uint64_t generation =
        (address >> offset_bits) & ((UINT64_C(1) << table->generation_bits) - 1);

    if (id >= MAX_MEMSLOTS || table->slots[id].base == NULL) {
        return MEMSLOT_BAD_ID;
    }
    *slot = &table->slots[id];
    if (generation != (*slot)->generation) {
        return MEMSLOT_BAD_GENERATION;
    }
    *offset = address & ((UINT64_C(1) << offset_bits) - 1);
    return MEMSLOT_OK;
}

enum memslot_status
memslot_resolve(const struct memslot_table *table, uint64_t address, uint64_t size,
                uint8_t **pointer)
{
    const struct memslot *slot = NULL;
    uint64_t offset = 0;
    enum memslot_status status = find(table, address, &slot, &offset);
    if (status != MEMSLOT_OK) {
        return status;
    }
    if (offset > slot->size || size > slot->size - offset) {
        return MEMSLOT_OUT_OF_RANGE;
    }
    *pointer = slot->base + offset;
    return MEMSLOT_OK;
}

uint64_t
memslot_room(const struct memslot_table *table, uint64_t address)
{
    const struct memslot *slot = NULL;
    uint64_t offset = 0;
    if (find(table, address, &slot, &offset) != MEMSLOT_OK || offset > slot->size) {
        return 0;
    }
    return slot->size - offset;
}

uint32_t
memslot_serial(const struct memslot_table *table, uint64_t address)
{
    const struct memslot *slot = NULL;
    uint64_t offset = 0;
    return find(table, address, &slot, &offset) == MEMSLOT_OK ? slot->serial : 0;
}
