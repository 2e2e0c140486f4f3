/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "command.h"
#include "guest.h"

enum { RESOURCES = 512 };

static struct guest guest;
static struct command_release releases[RESOURCES];

static void
restart(void)
{
    guest_destroy(&guest);
    guest_init(&guest);
    for (uint32_t i = 0; i < RESOURCES; i++) {
        uint64_t *info = guest_alloc(&guest, 8, &releases[i].address);
        *info = releases[i].id = 1000 + i;
        releases[i].serial = memslot_serial(&guest.slots, releases[i].address);
    }
}

static int32_t
add(uint32_t first, uint32_t count, uint32_t bunch)
{
    return release_add(&guest.queue, &guest.slots, releases + first, count, bunch);
}

/* As a driver does: pop an item and follow its chain; how many resources. */
static uint32_t
collect(uint64_t *ids)
{
    uint64_t id;
    int32_t notify;
    uint32_t count = 0;
    if (ring_pop(&guest.releases, (uint8_t *)&id, 1, &notify) != 1) {
        return 0;
    }
    while (id != 0) {
        CHECK(count < RESOURCES && id >= 1000 && id < 1000 + RESOURCES);
        ids[count++] = id;
        memcpy(&id, guest.ram + (releases[id - 1000].address & 0xffffffff), 8);
    }
    return count;
}

static void
test_order_and_bunches(void)
{
    uint64_t ids[RESOURCES];
    restart();
    CHECK(add(0, 3, 32) == 0 && guest.queue.pending == 3);
    CHECK(collect(ids) == 0);
    CHECK(release_flush(&guest.queue) == (RELEASE_PUSHED | RELEASE_NOTIFY));
    CHECK(release_flush(&guest.queue) == 0 && guest.queue.pending == 0);
    CHECK(collect(ids) == 3 && ids[0] == 1000 && ids[1] == 1001 && ids[2] == 1002);
    /* The guest did not ask again. */
    CHECK(add(3, 7, 3) == RELEASE_PUSHED && guest.queue.pending == 1);
    CHECK(collect(ids) == 3 && ids[0] == 1003);
    CHECK(collect(ids) == 3 && ids[0] == 1006);
    CHECK(collect(ids) == 0);
}

static void
test_full_ring(void)
{
    uint64_t ids[RESOURCES];
    uint32_t expected = 0;
    restart();
    add(0, 7, 1); /* one of eight items stays free */
    CHECK(ring_length(&guest.releases) == 7 && guest.queue.pending == 0);
    CHECK(add(7, 200, 1) == 0 && guest.queue.pending == 200);
    CHECK(guest_header(&guest)->release_ring.items[7].el != 0);
    for (int i = 0; i < 7; i++) {
        CHECK(collect(ids) == 1 && ids[0] == 1000 + expected++);
    }
    CHECK(collect(ids) == 0);
    CHECK((release_flush(&guest.queue) & RELEASE_PUSHED) != 0);
    CHECK(guest_header(&guest)->release_ring.items[0].el == 0);
    CHECK(collect(ids) == 200 && ids[0] == 1007 && ids[199] == 1206);
}

static void
test_slot_changes(void)
{
    uint64_t ids[RESOURCES];
    restart();
    add(0, 2, 32);
    memslot_delete(&guest.slots, 1);
    CHECK(add(2, 1, 32) == 0 && guest.queue.lost == 1 && guest.queue.pending == 2);
    /* The slot comes back elsewhere: the old chain goes as it is. */
    memslot_add(&guest.slots, 1, 0, guest.ram, GUEST_RAM_SIZE);
    releases[3].serial = memslot_serial(&guest.slots, releases[3].address);
    CHECK((add(3, 1, 32) & RELEASE_PUSHED) != 0 && guest.queue.pending == 1);
    CHECK(collect(ids) == 2 && ids[1] == 1001);
    release_flush(&guest.queue);
    CHECK(collect(ids) == 1 && ids[0] == 1003 && guest.queue.lost == 1);
    /* An old serial is never written to. */
    memset(guest.ram + (releases[5].address & 0xffffffff), 0x77, 8);
    add(5, 1, 32);
    CHECK(guest.ram[releases[5].address & 0xffffffff] == 0x77 && guest.queue.lost == 2);
    /* The end is out of reach and the ring is full: the newcomer is lost. */
    restart();
    add(0, 9, 1);
    CHECK(guest.queue.pending == 2);
    memslot_add(&guest.slots, 1, 0, guest.ram, GUEST_RAM_SIZE);
    releases[9].serial = memslot_serial(&guest.slots, releases[9].address);
    CHECK(add(9, 1, 1) == 0 && guest.queue.lost == 1 && guest.queue.pending == 2);
}

static void
test_bad_ids_and_rings(void)
{
    uint64_t ids[RESOURCES];
    restart();
    releases[1].id = 0;
    add(0, 3, 32);
    CHECK(guest.queue.lost == 1);
    release_flush(&guest.queue);
    CHECK(collect(ids) == 2 && ids[1] == 1002);

    restart();
    add(0, 1, 32);
    guest_header(&guest)->release_ring.cons = 1;
    CHECK(release_flush(&guest.queue) == RING_BROKEN && guest.queue.pending == 1);
    CHECK(add(1, 2, 1) == RING_BROKEN && guest.queue.pending == 3);
    guest_header(&guest)->release_ring.cons = 0;
    CHECK((release_flush(&guest.queue) & RELEASE_PUSHED) != 0);
    CHECK(collect(ids) == 3);
}

/* Another server process finds what a former one chained. */
static void
test_take_over(void)
{
    uint64_t ids[RESOURCES];
    restart();
    add(0, 4, 32);
    struct release_queue successor;
    release_queue_attach(&successor, &guest.releases);
    CHECK(successor.pending == 1);
    int32_t result = release_add(&successor, &guest.slots, releases + 4, 2, 32);
    CHECK((result & RELEASE_PUSHED) != 0 && successor.pending == 2);
    CHECK(collect(ids) == 4 && ids[3] == 1003);
    release_flush(&successor);
    CHECK(collect(ids) == 2 && ids[0] == 1004);
}

int
main(void)
{
    guest_init(&guest);
    test_order_and_bunches();
    test_full_ring();
    test_slot_changes();
    test_bad_ids_and_rings();
    test_take_over();
    guest_destroy(&guest);
    return 0;
}
