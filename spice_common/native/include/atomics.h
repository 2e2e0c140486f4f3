/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * atomics.h: 32-bit words that a guest reads and writes at the same time as we do.
 *
 * Every function is one sequentially consistent access to a naturally aligned word,
 * hence also a full barrier (spice_mb() of ipc_ring.h).  The values are the host's
 * byte order; all hosts QXL runs on are little-endian.
 */
#ifndef ATOMICS_H
#define ATOMICS_H

#include <stdint.h>

uint32_t atomic_u32_load(const uint32_t *word);
void atomic_u32_store(uint32_t *word, uint32_t value);

/* These return the value that was there before. */
uint32_t atomic_u32_exchange(uint32_t *word, uint32_t value);
uint32_t atomic_u32_fetch_or(uint32_t *word, uint32_t bits);

#endif /* ATOMICS_H */
