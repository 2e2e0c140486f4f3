/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>
#include <stdint.h>

#include "check.h"
#include "memslot.h"

static uint8_t window[4096];
static struct memslot_table table;

static uint64_t
address(uint64_t id, uint64_t generation, uint64_t offset)
{
    return id << 56 | generation << 48 | offset;
}

static enum memslot_status
resolve(uint64_t where, uint64_t size)
{
    uint8_t *pointer = NULL;
    return memslot_resolve(&table, where, size, &pointer);
}

static void
test_bounds(void)
{
    const uint64_t sizes[] = {0,    1,          4095,           4096,
                              4097, UINT32_MAX, UINT64_MAX - 1, UINT64_MAX};
    const uint64_t last = (UINT64_C(1) << 48) - 1;
    const uint64_t offsets[] = {0, 1, 4095, 4096, 4097, last - 1, last};
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (unsigned j = 0; j < sizeof(offsets) / sizeof(offsets[0]); j++) {
            int inside = offsets[j] <= 4096 && sizes[i] <= 4096 - offsets[j];
            CHECK(resolve(address(1, 3, offsets[j]), sizes[i]) ==
                  (inside ? MEMSLOT_OK : MEMSLOT_OUT_OF_RANGE));
        }
    }
    uint8_t *pointer = NULL;
    CHECK(memslot_resolve(&table, address(1, 3, 5), 4, &pointer) == MEMSLOT_OK);
    CHECK(pointer == window + 5);
    CHECK(memslot_room(&table, address(1, 3, 4000)) == 96);
    CHECK(memslot_room(&table, address(1, 3, 5000)) == 0);
    CHECK(memslot_room(&table, address(1, 4, 0)) == 0);
}

static void
test_slots(void)
{
    CHECK(resolve(address(1, 2, 0), 1) == MEMSLOT_BAD_GENERATION);
    for (uint64_t id = 0; id < 256; id++) {
        CHECK(id == 1 || resolve(address(id, 3, 0), 1) == MEMSLOT_BAD_ID);
    }
    CHECK(memslot_add(&table, MAX_MEMSLOTS, 0, window, 1) == -1);
    CHECK(memslot_add(&table, 2, 256, window, 1) == -1);
    CHECK(memslot_add(&table, 2, 0, NULL, 1) == -1);
    CHECK(memslot_delete(&table, 2) == -1 && memslot_delete(&table, 999) == -1);

    uint32_t serial = memslot_serial(&table, address(1, 3, 0));
    CHECK(serial != 0 && memslot_serial(&table, address(1, 3, 9999)) == serial);
    CHECK(memslot_delete(&table, 1) == 0);
    CHECK(memslot_serial(&table, address(1, 3, 0)) == 0);
    CHECK(resolve(address(1, 3, 0), 1) == MEMSLOT_BAD_ID);
    CHECK(memslot_add(&table, 1, 3, window, sizeof(window)) == 0);
    CHECK(memslot_serial(&table, address(1, 3, 0)) != serial);
    memslot_reset(&table);
    CHECK(resolve(address(1, 3, 0), 1) == MEMSLOT_BAD_ID);
}

static void
test_widths(void)
{
    struct memslot_table narrow;
    uint8_t *pointer = NULL;
    CHECK(memslot_init(&narrow, 0, 8) == -1 && memslot_init(&narrow, 17, 8) == -1);
    CHECK(memslot_init(&narrow, 8, 17) == -1);
    CHECK(memslot_init(&narrow, 1, 0) == 0);
    CHECK(memslot_add(&narrow, 2, 0, window, 1) == -1);
    CHECK(memslot_add(&narrow, 1, 1, window, 1) == -1);
    CHECK(memslot_add(&narrow, 1, 0, window, sizeof(window)) == 0);
    CHECK(memslot_resolve(&narrow, UINT64_C(1) << 63 | 7, 1, &pointer) == MEMSLOT_OK);
    CHECK(pointer == window + 7);
}

int
main(void)
{
    CHECK(memslot_init(&table, 8, 8) == 0);
    CHECK(memslot_add(&table, 1, 3, window, sizeof(window)) == 0);
    test_bounds();
    test_slots();
    test_widths();
    return 0;
}
