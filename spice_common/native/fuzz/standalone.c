/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A main for a fuzz target where there is no libFuzzer:
 *
 *   target RUNS SEED       so many mutations of the target's seeds, repeatable
 *   target --seeds DIR     write the seeds to files, e.g. for libFuzzer
 *   target --replay FILE.. run these inputs
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "fuzz.h"

enum { MAX_SEEDS = 64 };

static uint8_t seeds[MAX_SEEDS][FUZZ_MAX_SIZE];
static size_t sizes[MAX_SEEDS];
static uint32_t num_seeds;
static uint64_t state;

static uint32_t
draw_number(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32);
}

static size_t
draw_below(size_t bound)
{
    return draw_number() % bound;
}

/* A place worth changing: what is zero is mostly unused memory. */
static size_t
place(const uint8_t *bytes, size_t size)
{
    size_t offset = draw_below(size);
    for (int i = 0; i < 64 && bytes[offset] == 0; i++) {
        offset = draw_below(size);
    }
    return offset;
}

static void
mutate(uint8_t *bytes, size_t size)
{
    static const uint64_t values[] = {
        0,          1,          2,          7,          20,    255,        256,
        4096,       32767,      32768,      65535,      65536, 0x7fffffff, 0x80000000,
        0xffffffff, 1ull << 48, 1ull << 56, 2ull << 56, ~0ull, 1ull << 63};
    const size_t width = (size_t)1 << draw_below(4);
    size_t offset = place(bytes, size - 8);
    if (draw_below(2)) {
        offset &= ~(size_t)3;
    }
    uint64_t word;
    memcpy(&word, bytes + offset, 8);
    switch (draw_below(5)) {
    case 0:
        word ^= 1ull << draw_below(64);
        break;
    case 1:
        word = values[draw_below(sizeof(values) / sizeof(values[0]))];
        break;
    case 2:
        word += (uint64_t)draw_below(33) - 16;
        break;
    case 3:
        memcpy(&word, bytes + place(bytes, size - 8), 8);
        break;
    default:
        word = (uint64_t)draw_number() << 32 | draw_number();
        break;
    }
    memcpy(bytes + offset, &word, width);
}

static void
make_seeds(void)
{
    while (num_seeds < MAX_SEEDS &&
           (sizes[num_seeds] = fuzz_seed(num_seeds, seeds[num_seeds])) != 0) {
        num_seeds++;
    }
    CHECK(num_seeds != 0);
}

static void
run(unsigned long runs)
{
    static uint8_t bytes[FUZZ_MAX_SIZE];
    for (unsigned long i = 0; i < runs; i++) {
        uint32_t number = (uint32_t)draw_below(num_seeds);
        size_t size = sizes[number];
        memcpy(bytes, seeds[number], size);
        for (size_t count = i < num_seeds ? 0 : 1 + draw_below(8); count > 0; count--) {
            mutate(bytes, size);
        }
        LLVMFuzzerTestOneInput(bytes, size);
    }
    printf("%lu runs\n", runs);
}

static void
write_seeds(const char *directory)
{
    for (uint32_t i = 0; i < num_seeds; i++) {
        char path[4096];
        snprintf(path, sizeof(path), "%s/seed-%u", directory, i);
        FILE *file = fopen(path, "wb");
        CHECK(file != NULL && fwrite(seeds[i], 1, sizes[i], file) == sizes[i]);
        CHECK(fclose(file) == 0);
    }
}

static void
replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    static uint8_t bytes[FUZZ_MAX_SIZE];
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    printf("%s: %zu bytes\n", path, size);
    LLVMFuzzerTestOneInput(bytes, size);
}

int
main(int argc, char **argv)
{
    make_seeds();
    if (argc == 3 && strcmp(argv[1], "--seeds") == 0) {
        write_seeds(argv[2]);
    } else if (argc >= 2 && strcmp(argv[1], "--replay") == 0) {
        for (int i = 2; i < argc; i++) {
            replay(argv[i]);
        }
    } else {
        state = argc > 2 ? strtoull(argv[2], NULL, 10) * 0x9e3779b97f4a7c15ull : 1;
        state |= 1;
        run(argc > 1 ? strtoul(argv[1], NULL, 10) : 10000);
    }
    return 0;
}
