/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "replay.h"

#include <stdbool.h>
#include <string.h>

#include <spice/qxl_dev.h>

#include "check.h"
#include "guest_replay.h"
#include "guest_replay_samples.h"
#include "replay_memory.h"

/* Play a text; the device is left for looks at it. */
static int32_t
play(struct replay_device *device, const char *text, size_t piece)
{
    replay_device_init(device);
    return replay_device_play(device, (const uint8_t *)text, strlen(text), piece);
}

static const struct replay_state *
state_of(const struct replay_device *device)
{
    return replay_get_state(device->replay);
}

static void
test_samples_play_to_their_end(void)
{
    static const size_t pieces[] = {1, 7, 1000, SIZE_MAX};
    const char *sample;
    for (uint32_t i = 0; (sample = guest_replay_sample(i)) != NULL; i++) {
        for (size_t piece = 0; piece < 4; piece++) {
            struct replay_device device;
            CHECK(play(&device, sample, pieces[piece]) == REPLAY_END);
            const struct replay_state *state = state_of(&device);
            CHECK(state->offset == strlen(sample));
            CHECK(state->released == state->commands);
            CHECK(device.taken >= state->commands);
            replay_device_destroy(&device);
        }
    }
}

/* However much of a file there is, the rest of it is what is missed, at its end. */
static void
test_a_file_that_is_cut_off(void)
{
    const char *sample = guest_replay_sample(1);
    size_t whole_events = 0;
    for (size_t size = 0; size < strlen(sample); size++) {
        struct replay_device device;
        replay_device_init(&device);
        int32_t status =
            replay_device_play(&device, (const uint8_t *)sample, size, SIZE_MAX);
        const struct replay_state *state = state_of(&device);
        CHECK(state->offset == size);
        CHECK(state->released == state->commands);
        if (status == REPLAY_END) {
            whole_events++;
        } else {
            CHECK(status == REPLAY_BAD);
            CHECK(strstr(state->problem, "the file ends inside") != NULL);
            CHECK(replay_play(device.replay, UINT64_MAX) == REPLAY_BAD);
        }
        replay_device_destroy(&device);
    }
    /* The header, nine events, and one that may end before its picture. */
    CHECK(whole_events == 1 + 9 + 1);
}

static void
test_damage_is_found_where_it_is(void)
{
    static const struct {
        const char *text;
        size_t offset;
        const char *problem;
    } cases[] = {
        {"SPICE_REPLAY 2\n", 0, "no \"SPICE_REPLAY 1\" file"},
        {"SPICE_REPLAY 1\nevemt 0 0 1 5\n", 15, "event 0: expected event"},
        {"SPICE_REPLAY 1\nevent 0 2 1 5\n", 29, "0 or 1"},
        {"SPICE_REPLAY 1\nevent 0 0 1 5\ndrawable\nrect bbox 1 2 3\n", 52, "bbox"},
        {"SPICE_REPLAY 1\nevent 0 0 1 99999999999999999999\n", 27, "event"},
        {"SPICE_REPLAY 1\nevent 0 0 3 5\ncursor_cmd\ntype 4\n", 47, "cursor"},
        {"SPICE_REPLAY 1\nevent 0 0 3 5\ncursor_cmd\ntype 256\n", 49, "type"},
        {"SPICE_REPLAY 1\nevent 0 0 3 5\ncursor_cmd\ntype 1\npoint16 32768 0\n", 61,
         "point16"},
        {"SPICE_REPLAY 1\nevent 0 0 4 5\nbinary 0 message 268435457:", 56, "size"},
        {"SPICE_REPLAY 1\nevent 0 0 4 5\nbinary 1 message 5:5:12345\n", 36, "0"},
        {"SPICE_REPLAY 1\nevent 0 0 5 5\nsurface_cmd\nsurface_id 1024\ntype 1\nflags "
         "0\n",
         72, "1 to 1023"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct replay_device device;
        CHECK(play(&device, cases[i].text, 64) == REPLAY_BAD);
        CHECK(state_of(&device)->offset == cases[i].offset);
        CHECK(strstr(state_of(&device)->problem, cases[i].problem) != NULL);
        replay_device_destroy(&device);
    }
}

static void
test_ports(void)
{
    struct replay_device device;
    CHECK(play(&device, guest_replay_sample(6), SIZE_MAX) == REPLAY_END);
    static const uint32_t expected[] = {
        QXL_IO_CREATE_PRIMARY,  QXL_IO_DESTROY_ALL_SURFACES, QXL_IO_CREATE_PRIMARY,
        QXL_IO_DESTROY_PRIMARY, /* a screen that nobody ended gives way */
        QXL_IO_CREATE_PRIMARY,  QXL_IO_DESTROY_PRIMARY};
    CHECK(device.num_ports == sizeof(expected) / sizeof(expected[0]));
    CHECK(memcmp(device.ports, expected, sizeof(expected)) == 0);
    /* Surface 5 was made twice: it ended in between. */
    CHECK(device.taken == state_of(&device)->commands + 1);
    replay_device_destroy(&device);
}

static void
test_time(void)
{
    static const char text[] = "SPICE_REPLAY 1\nevent 0 1 8 1000\nevent 1 1 3 1500\n"
                               "event 2 1 3 1400\nevent 3 1 9 9000\n";
    struct replay_device device;
    replay_device_init(&device);
    replay_set_max_gap(device.replay, 2000);
    memcpy(replay_buffer(device.replay, sizeof(text)), text, sizeof(text) - 1);
    replay_fed(device.replay, sizeof(text) - 1);
    const struct replay_state *state = state_of(&device);
    CHECK(replay_play(device.replay, 0) == REPLAY_EARLY);
    CHECK(state->next_ns == 500 && state->events == 1);
    CHECK(replay_play(device.replay, 499) == REPLAY_EARLY && state->events == 1);
    CHECK(replay_play(device.replay, 500) == REPLAY_EARLY);
    CHECK(state->events == 3 && state->clock_ns == 500); /* time never goes back */
    CHECK(state->next_ns == 2500);                       /* a pause was cut */
    CHECK(replay_play(device.replay, 2500) == REPLAY_MORE);
    replay_end_of_file(device.replay);
    CHECK(replay_play(device.replay, 2500) == REPLAY_END);
    replay_device_destroy(&device);
}

/* Nobody takes the commands: the ring fills, and nothing is lost. */
static void
test_a_ring_that_is_full(void)
{
    char text[4096] = "SPICE_REPLAY 1\n";
    for (int i = 0; i < QXL_COMMAND_RING_SIZE + 1; i++) {
        strcat(text, "event 0 0 4 5\nbinary 0 message 2:hi\n");
    }
    strcat(text, "event 0 1 19 5\n");
    struct replay_device device;
    replay_device_init(&device);
    memcpy(replay_buffer(device.replay, sizeof(text)), text, strlen(text));
    replay_fed(device.replay, strlen(text));
    CHECK(replay_play(device.replay, UINT64_MAX) == REPLAY_RING_FULL);
    CHECK(state_of(&device)->commands == QXL_COMMAND_RING_SIZE);
    CHECK(state_of(&device)->notify == 1);
    CHECK(replay_play(device.replay, UINT64_MAX) == REPLAY_RING_FULL);
    CHECK(state_of(&device)->notify == 0);
    replay_device_serve(&device);
    CHECK(replay_play(device.replay, UINT64_MAX) == REPLAY_BUSY);
    replay_device_serve(&device);
    CHECK(replay_play(device.replay, UINT64_MAX) == REPLAY_PORT);
    CHECK(state_of(&device)->port == QXL_IO_DESTROY_ALL_SURFACES);
    CHECK(replay_play(device.replay, UINT64_MAX) == REPLAY_MORE);
    replay_device_destroy(&device);
}

static void
test_memory_that_is_full(void)
{
    enum { SIZE = REPLAY_RAM_SIZE / 2 };
    static char text[4 * REPLAY_RAM_SIZE];
    size_t used = (size_t)sprintf(text, "SPICE_REPLAY 1\n");
    for (int i = 0; i < 3; i++) {
        used += (size_t)sprintf(text + used, "event %d 0 4 5\nbinary 0 message %d:", i,
                                SIZE);
        memset(text + used, 'x', SIZE);
        used += SIZE;
        text[used++] = '\n';
    }
    struct replay_device device;
    replay_device_init(&device);
    memcpy(replay_buffer(device.replay, used), text, used);
    replay_fed(device.replay, used);
    CHECK(replay_play(device.replay, UINT64_MAX) == REPLAY_NO_ROOM);
    CHECK(state_of(&device)->commands == 1);
    replay_device_destroy(&device);

    replay_device_init(&device);
    CHECK(replay_device_play(&device, (uint8_t *)text, used, 1000) == REPLAY_END);
    CHECK(device.taken == 3 && device.bad == 0);
    replay_device_destroy(&device);

    used = (size_t)sprintf(
        text, "SPICE_REPLAY 1\nevent 0 0 4 5\nbinary 0 message %d:", REPLAY_RAM_SIZE);
    memset(text + used, 'x', REPLAY_RAM_SIZE);
    used += REPLAY_RAM_SIZE;
    text[used++] = '\n';
    replay_device_init(&device);
    CHECK(replay_device_play(&device, (uint8_t *)text, used, 1000) == REPLAY_BAD);
    CHECK(state_of(&device)->offset == strlen("SPICE_REPLAY 1\n"));
    CHECK(strstr(state_of(&device)->problem, "larger than all RAM") != NULL);
    replay_device_destroy(&device);
}

static void
test_no_room_for_a_header(void)
{
    static _Alignas(64) uint8_t ram[8192];
    struct replay *replay = replay_new();
    struct replay_memory memory = {.ram = ram, .ram_size = 4096, .header_size = 4096};
    CHECK(replay_attach(replay, &memory) == REPLAY_BROKEN);
    memory.ram_size = 8;
    memory.header_size = sizeof(ram) - 8;
    CHECK(replay_attach(replay, &memory) == REPLAY_BROKEN);
    replay_free(replay);
}

static void
test_extents(void)
{
    static struct extent_list list = {.size = 1024};
    CHECK(extent_take(&list, 1025) == NO_EXTENT);
    CHECK(extent_take(&list, 100) == 0); /* 128 */
    CHECK(extent_take(&list, 64) == 128);
    CHECK(extent_take(&list, 832) == 192);
    CHECK(extent_take(&list, 1) == NO_EXTENT);
    extent_give_back(&list, 0);
    CHECK(extent_take(&list, 129) == NO_EXTENT);
    CHECK(extent_take(&list, 64) == 0);
    CHECK(extent_take(&list, 64) == 64);
    extent_give_back(&list, 12345);
    CHECK(list.count == 4);
}

static void
push_block(struct block_queue *queue, uint64_t start, uint64_t end)
{
    const struct queued_block block = {.start = start, .end = end};
    block_push(queue, &block);
}

static void
test_blocks_go_round(void)
{
    static struct block_queue queue = {.size = 1000};
    struct block_place places[2];
    CHECK(block_places(&queue, places) == 1 && places[0].size == 1000);
    push_block(&queue, 0, 400);
    push_block(&queue, 400, 900);
    CHECK(block_places(&queue, places) == 2);
    CHECK(places[0].start == 900 && places[0].size == 100);
    CHECK(places[1].start == 0 && places[1].size == 0);
    block_find(&queue, 0)->released = true;
    block_shrink(&queue);
    CHECK(block_find(&queue, 0) == NULL && block_find(&queue, 2) == NULL);
    CHECK(block_places(&queue, places) == 2 && places[1].size == 400);
    push_block(&queue, 0, 300);
    CHECK(block_places(&queue, places) == 1);
    CHECK(places[0].start == 300 && places[0].size == 100);
    block_find(&queue, 2)->released = true; /* out of order: the oldest counts */
    block_shrink(&queue);
    CHECK(block_places(&queue, places) == 1 && places[0].size == 100);
    block_find(&queue, 1)->released = true;
    block_shrink(&queue);
    CHECK(block_places(&queue, places) == 1 && places[0].size == 1000);
}

int
main(void)
{
    test_samples_play_to_their_end();
    test_a_file_that_is_cut_off();
    test_damage_is_found_where_it_is();
    test_ports();
    test_time();
    test_a_ring_that_is_full();
    test_memory_that_is_full();
    test_no_room_for_a_header();
    test_extents();
    test_blocks_go_round();
    return 0;
}
