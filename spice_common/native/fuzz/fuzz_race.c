/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The same input while another thread changes the memory, as a guest's CPU may.  Every
 * word is soon put back, so that structures look good, then bad, then good again. */
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "check.h"
#include "exercise.h"
#include "fuzz.h"

static struct guest guest;
static bool stop;

/* The race is the purpose; the host's side of it is what is under test. */
#if defined(__clang__) || defined(__GNUC__)
__attribute__((no_sanitize("thread")))
#endif
static void *
change_memory(void *seed)
{
    static const uint32_t values[] = {0, 1, 20, 64, 255, 4096, 0x7fffffff, UINT32_MAX};
    uint32_t state = *(const uint32_t *)seed | 1;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        uint8_t *base = state & 0x100 ? guest.vram : guest.ram;
        uint32_t size = state & 0x100 ? GUEST_VRAM_SIZE : GUEST_RAM_SIZE;
        volatile uint32_t *word =
            (volatile uint32_t *)(void *)(base + ((state >> 9) % size & ~3u));
        uint32_t old = *word;
        *word = values[state & 7];
        *word = state & 8 ? old : old + (state >> 16);
        *word = old;
    }
    return NULL;
}

size_t
fuzz_seed(uint32_t number, uint8_t *bytes)
{
    return exercise_seed(number, bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pthread_t thread;
    uint32_t seed = 1;
    uint32_t options = exercise_load(&guest, data, size);
    for (size_t i = 0; i < size; i++) {
        seed = seed * 31 + data[i];
    }
    __atomic_store_n(&stop, false, __ATOMIC_SEQ_CST);
    CHECK(pthread_create(&thread, NULL, change_memory, &seed) == 0);
    for (int i = 0; i < 8; i++) {
        exercise(&guest, options);
        guest_load(&guest, data, size);
    }
    __atomic_store_n(&stop, true, __ATOMIC_SEQ_CST);
    CHECK(pthread_join(thread, NULL) == 0);
    guest_destroy(&guest);
    return 0;
}
