/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record.h"

#include <string.h>

#include <spice/qxl_dev.h>

#include "check.h"
#include "cursor_command.h"
#include "guest_replay.h"
#include "guest_replay_samples.h"

/* What waits in a record, as a string. */
static char *
text_of(struct record *record)
{
    uint64_t size;
    uint8_t *data = record_take(record, &size);
    char *text = calloc(1, size + 1);
    CHECK(text != NULL);
    if (size != 0) {
        memcpy(text, data, size);
    }
    record_free_data(data);
    return text;
}

static void
check_text(struct record *record, const char *expected)
{
    char *text = text_of(record);
    CHECK(strcmp(text, expected) == 0);
    free(text);
}

static void
test_device_messages(void)
{
    static const uint8_t pixels[] = "01234567";
    const struct record_surface surface = {
        .width = 1,
        .height = 2,
        .stride = -4,
        .format = 32,
        .flags = 0x80000000,
        .data = pixels,
        .size = 8,
    };
    struct record *record = record_new(1000);
    check_text(record, "SPICE_REPLAY 1\n");
    CHECK(record_size(record) == 0);
    check_text(record, "");
    CHECK(record_message(record, RECORD_START, UINT64_MAX) == 0);
    CHECK(record_create_primary(record, &surface, 7) == 0);
    CHECK(record_message(record, RECORD_DESTROY_PRIMARY, 8) == 0);
    check_text(record, "event 0 1 8 18446744073709551615\n"
                       "event 1 1 20 7\n1 2 -4 32\n0 1 -2147483648 0\n"
                       "binary 0 data 8:01234567\n"
                       "event 2 1 21 8\n");
    record_free(record);
}

static void
test_cursors(void)
{
    static uint8_t shape[] = "abcd";
    struct cursor_command command = {
        .type = QXL_CURSOR_SET,
        .visible = 1,
        .x = -3,
        .y = 5,
        .unique = 9,
        .width = 1,
        .height = 1,
        .data_size = 4,
        .data = shape,
    };
    struct record *record = record_new(1000);
    record_free_data(record_take(record, &(uint64_t){0}));
    CHECK(record_cursor(record, &command, 7) == 0);
    check_text(record, "event 0 0 3 7\ncursor_cmd\ntype 0\npoint16 -3 5\n"
                       "u.set.visible 1\nheader.unique 9\nheader.type 0\n"
                       "header.width 1\nheader.height 1\nheader.hot_spot_x 0\n"
                       "header.hot_spot_y 0\ndata_size 4\ndata_chunks 0 4\n"
                       "binary 0 cursor 4:abcd\n");
    command.type = QXL_CURSOR_MOVE;
    CHECK(record_cursor(record, &command, 7) == 0);
    check_text(record, "event 1 0 3 7\ncursor_cmd\ntype 1\npoint16 -3 5\n");
    command = (struct cursor_command){
        .type = QXL_CURSOR_TRAIL, .trail_length = 2, .trail_frequency = 65535};
    CHECK(record_cursor(record, &command, 7) == 0);
    check_text(record, "event 2 0 3 7\ncursor_cmd\ntype 3\nu.trail.length 2\n"
                       "u.trail.frequency 65535\n");
    command.type = QXL_CURSOR_HIDE;
    CHECK(record_cursor(record, &command, 7) == 0);
    check_text(record, "event 3 0 3 7\ncursor_cmd\ntype 2\n");
    record_free(record);
}

/* An event is there whole or not at all, and what waits is bounded. */
static void
test_a_record_that_is_full(void)
{
    static uint8_t shape[100];
    const struct cursor_command command = {
        .type = QXL_CURSOR_SET, .data = shape, .data_size = sizeof(shape)};
    struct record *record = record_new(60);
    CHECK(record_cursor(record, &command, 7) == -1);
    CHECK(record_message(record, RECORD_STOP, 7) == 0);
    CHECK(record_message(record, RECORD_STOP, 7) == 0);
    CHECK(record_message(record, RECORD_STOP, 7) == 0);
    CHECK(record_message(record, RECORD_STOP, 7) == -1);
    check_text(record, "SPICE_REPLAY 1\nevent 0 1 9 7\nevent 1 1 9 7\nevent 2 1 9 7\n");
    CHECK(record_message(record, RECORD_STOP, 7) == 0);
    check_text(record, "event 3 1 9 7\n");
    record_free(record);
    CHECK(record_new(5) == NULL);
}

static char *
record_of(const char *text, uint32_t *bad)
{
    struct replay_device device;
    replay_device_init(&device);
    device.record = record_new(REPLAY_RECORD_SIZE);
    CHECK(replay_device_play(&device, (const uint8_t *)text, strlen(text), 1000) ==
          REPLAY_END);
    char *recorded = text_of(device.record);
    *bad = device.bad;
    replay_device_destroy(&device);
    return recorded;
}

/* What is recorded of a replay plays to the same record. */
static void
test_round_trip(void)
{
    const char *sample;
    for (uint32_t i = 0; (sample = guest_replay_sample(i)) != NULL; i++) {
        uint32_t bad;
        char *first = record_of(sample, &bad);
        char *second = record_of(first, &bad);
        CHECK(strcmp(first, second) == 0);
        CHECK(bad == 0);
        free(first);
        free(second);
    }
}

static void
test_words_are_those_of_the_sample(void)
{
    static const char *const words[] = {
        "type 2\nimage 1\ndescriptor.id 8589934593\ndescriptor.type 0\n"
        "descriptor.flags 1\ndescriptor.width 2\ndescriptor.height 2\n"
        "bitmap.format 8\nbitmap.flags 4\nbitmap.x 2\nbitmap.y 2\nbitmap.stride 8\n"
        "has_palette 0\ndata_chunks 1 16\nbinary 0 bitmap.data 6:abcdef\n"
        "binary 0 bitmap.data 10:ghijklmnop\npoint 1 -1\nrop_descriptor 8\nflags 1\n",
        "data_chunks 0 16\nbinary 0 bitmap.data 16:abcdefghijklmnop\n",
        "qp.num_ents 2\nunique 18446744073709551615\nents 255\nents -16777216\n",
        "type 4\npoint 1 1\n",
    };
    uint32_t bad;
    char *text = record_of(guest_replay_sample(1), &bad);
    CHECK(bad == 0);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        CHECK(strstr(text, words[i]) != NULL);
    }
    free(text);
}

int
main(void)
{
    test_device_messages();
    test_cursors();
    test_a_record_that_is_full();
    test_round_trip();
    test_words_are_those_of_the_sample();
    return 0;
}
