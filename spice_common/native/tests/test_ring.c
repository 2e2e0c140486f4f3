/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "ring.h"

enum { ITEMS = 4, WORDS = 5 };

static uint32_t memory[WORDS + ITEMS * 2];
static struct ring ring;

static void
reset(uint32_t start)
{
    CHECK(ring_attach(&ring, (uint8_t *)memory, sizeof(memory), ITEMS, 8) == 0);
    ring_reset(&ring);
    memory[1] = memory[3] = start;
    memory[2] = start + 1;
}

static int32_t
push(uint64_t value, int32_t *notify)
{
    return ring_push(&ring, (const uint8_t *)&value, 1, notify);
}

static void
test_layout(void)
{
    struct ring bad;
    uint8_t *bytes = (uint8_t *)memory;
    CHECK(ring_attach(&bad, bytes, sizeof(memory) - 1, ITEMS, 8) == RING_BAD_LAYOUT);
    CHECK(ring_attach(&bad, bytes, sizeof(memory), 3, 8) == RING_BAD_LAYOUT);
    CHECK(ring_attach(&bad, bytes, sizeof(memory), 0, 8) == RING_BAD_LAYOUT);
    CHECK(ring_attach(&bad, bytes, sizeof(memory), ITEMS, 0) == RING_BAD_LAYOUT);
    CHECK(ring_attach(&bad, bytes + 2, sizeof(memory) - 2, 2, 8) == RING_BAD_LAYOUT);
    CHECK(ring_attach(&bad, bytes, UINT64_MAX, 1u << 31, 1u << 31) == RING_BAD_LAYOUT);
    reset(0);
    CHECK(memory[0] == ITEMS && memory[2] == 1 && memory[4] == 0);
}

/* The indexes wrap at 2^32, wherever they start. */
static void
test_wrap(void)
{
    for (uint32_t start = UINT32_MAX - 9; start != 5; start++) {
        reset(start);
        int32_t notify;
        CHECK(ring_cons_wait(&ring) == 1);
        for (uint64_t value = 1; value <= ITEMS; value++) {
            CHECK(push(value, &notify) == 1);
            CHECK(notify == (value == 1));
        }
        CHECK(push(9, &notify) == 0 && notify == 0);
        CHECK(ring_prod_wait(&ring) == 1);
        CHECK(ring_cons_wait(&ring) == 0);
        uint64_t taken[ITEMS];
        CHECK(ring_pop(&ring, (uint8_t *)taken, 3, &notify) == 3);
        CHECK(notify == 1 && taken[0] == 1 && taken[2] == 3);
        CHECK(ring_prod_wait(&ring) == 0);
        CHECK(ring_pop(&ring, (uint8_t *)taken, ITEMS, &notify) == 1);
        CHECK(notify == 0 && taken[0] == 4);
        CHECK(ring_pop(&ring, (uint8_t *)taken, ITEMS, &notify) == 0 && notify == 0);
    }
}

static void
test_batch_notify(void)
{
    const uint64_t values[ITEMS] = {1, 2, 3, 4};
    uint64_t taken[ITEMS];
    int32_t notify;
    for (uint32_t wish = 0; wish <= ITEMS + 1; wish++) {
        reset(100);
        memory[2] = 100 + wish;
        CHECK(ring_push(&ring, (const uint8_t *)values, ITEMS, &notify) == ITEMS);
        CHECK(notify == (wish >= 1 && wish <= ITEMS));
        memory[4] = 100 + wish;
        CHECK(ring_pop(&ring, (uint8_t *)taken, ITEMS, &notify) == ITEMS);
        CHECK(notify == (wish >= 1 && wish <= ITEMS));
    }
}

/* The producer is told when the last item is taken, not before. */
static void
test_drain_notify(void)
{
    const uint64_t values[ITEMS] = {0};
    uint64_t taken[ITEMS];
    int32_t notify;
    reset(UINT32_MAX - 1);
    CHECK(ring_prod_drain(&ring) == 0);
    CHECK(ring_push(&ring, (const uint8_t *)values, ITEMS, &notify) == ITEMS);
    CHECK(ring_prod_drain(&ring) == 1);
    CHECK(ring_pop(&ring, (uint8_t *)taken, ITEMS - 1, &notify) == ITEMS - 1);
    CHECK(notify == 0 && ring_prod_drain(&ring) == 1);
    CHECK(ring_pop(&ring, (uint8_t *)taken, 1, &notify) == 1);
    CHECK(notify == 1 && ring_prod_drain(&ring) == 0);
}

/* A guest may write anything into the five words. */
static void
test_broken(void)
{
    const uint32_t worst[] = {5, 6, 0x7fffffff, 0x80000000, 0xfffffffe, UINT32_MAX};
    uint64_t taken[ITEMS];
    int32_t notify;
    for (unsigned i = 0; i < sizeof(worst) / sizeof(worst[0]); i++) {
        reset(0);
        memory[0] = worst[i]; /* num_items: never read */
        memory[1] = worst[i];
        CHECK(ring_pop(&ring, (uint8_t *)taken, ITEMS, &notify) == RING_BROKEN);
        CHECK(ring_length(&ring) == RING_BROKEN);
        CHECK(ring_cons_wait(&ring) == RING_BROKEN);
        CHECK(ring_prod_wait(&ring) == RING_BROKEN);
        CHECK(ring_prod_drain(&ring) == RING_BROKEN);
        CHECK(push(1, &notify) == RING_BROKEN && notify == 0);
        CHECK(memory[1] == worst[i] && memory[3] == 0);
    }
}

int
main(void)
{
    test_layout();
    test_wrap();
    test_batch_notify();
    test_drain_notify();
    test_broken();
    return 0;
}
