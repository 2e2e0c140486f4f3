/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The compiler's __atomic builtins work on plain words, as guest memory is made of;
 * <stdatomic.h> would want the words declared _Atomic. */
#include "atomics.h"

uint32_t
atomic_u32_load(const uint32_t *word)
{
    /* The fence orders an earlier store of ours before this load. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

void
atomic_u32_store(uint32_t *word, uint32_t value)
{
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

uint32_t
atomic_u32_exchange(uint32_t *word, uint32_t value)
{
    return __atomic_exchange_n(word, value, __ATOMIC_SEQ_CST);
}

uint32_t
atomic_u32_fetch_or(uint32_t *word, uint32_t bits)
{
    return __atomic_fetch_or(word, bits, __ATOMIC_SEQ_CST);
}
