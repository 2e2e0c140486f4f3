/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * memslot.h: from QXLPHYSICAL to memory.
 *
 * A QXLPHYSICAL is slot id (id_bits), generation (generation_bits) and, in the rest, a
 * byte offset from the start of the slot, most significant first; QXLRom tells the
 * guest the widths.  An address is good if its slot is active, its generation is the
 * slot's and all bytes asked for lie in the slot.
 */
#ifndef MEMSLOT_H
#define MEMSLOT_H

#include <stdint.h>

enum { MAX_MEMSLOTS = 16 }; /* QEMU's device has 8 */

enum memslot_status {
    MEMSLOT_OK = 0,
    MEMSLOT_BAD_ID,         /* no such slot, or it is not active */
    MEMSLOT_BAD_GENERATION, /* the slot was replaced since the guest made the address */
    MEMSLOT_OUT_OF_RANGE,   /* some byte lies outside the slot */
};

struct memslot {
    uint8_t *base; /* NULL: not active */
    uint64_t size;
    uint32_t generation;
    uint32_t serial; /* never the same for two additions; 0 is never used */
};

struct memslot_table {
    struct memslot slots[MAX_MEMSLOTS];
    uint32_t id_bits, generation_bits;
    uint32_t last_serial;
};

/* An empty table; 0, or -1 if the widths leave no 32-bit offset. */
int32_t memslot_init(struct memslot_table *table, uint32_t id_bits,
                     uint32_t generation_bits);

/* Add or replace a slot; 0, or -1: the id or the generation does not fit. */
int32_t memslot_add(struct memslot_table *table, uint32_t id, uint32_t generation,
                    uint8_t *base, uint64_t size);

/* Forget a slot; 0, or -1: it was not there. */
int32_t memslot_delete(struct memslot_table *table, uint32_t id);

void memslot_reset(struct memslot_table *table);

/* size bytes of memory at address through *pointer, or why not. */
enum memslot_status memslot_resolve(const struct memslot_table *table, uint64_t address,
                                    uint64_t size, uint8_t **pointer);

/*
 * How many bytes there are from address to the end of its slot; 0 if the address is
 * not good.
 */
uint64_t memslot_room(const struct memslot_table *table, uint64_t address);

/* The serial of the slot that address names, 0 if it is not good. */
uint32_t memslot_serial(const struct memslot_table *table, uint64_t address);

#endif /* MEMSLOT_H */
