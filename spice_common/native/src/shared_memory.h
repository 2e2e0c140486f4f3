/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * shared_memory.h: reading and writing memory that a guest changes while we look.
 *
 * fetch() copies into host memory exactly once: the compiler barrier after the copy
 * keeps it from reading the guest's memory a second time in place of the copy, which
 * it may otherwise do since it knows of no other writer.
 */
#ifndef SHARED_MEMORY_H
#define SHARED_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline void
fetch(void *to, const void *from, size_t size)
{
    memcpy(to, from, size);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline void
publish(void *to, const void *from, size_t size)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    memcpy(to, from, size);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline void
publish_u64(uint8_t *to, uint64_t value)
{
    publish(to, &value, sizeof(value));
}

/* spice_mb() of barrier.h: orders an index store before a notify load. */
static inline void
full_barrier(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#endif /* SHARED_MEMORY_H */
