/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The input is a byte that says how it is fed, and a file that is played.  What came
 * out of it, recorded, has to play to the same again.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "fuzz.h"
#include "guest_replay.h"
#include "guest_replay_samples.h"

enum { EMPTY_SIZE = 15 }; /* of a record without events */

size_t
fuzz_seed(uint32_t number, uint8_t *bytes)
{
    const char *sample = guest_replay_sample(number);
    if (sample == NULL) {
        return 0;
    }
    size_t size = strlen(sample);
    bytes[0] = (uint8_t)number;
    memcpy(bytes + 1, sample, size);
    return size + 1;
}

struct recorded {
    uint8_t *commands, *cursors;
    uint64_t commands_size, cursors_size;
};

static struct recorded
play(const uint8_t *data, size_t size, size_t piece)
{
    struct replay_device device;
    struct recorded recorded;
    replay_device_init(&device);
    device.record = record_new(REPLAY_RECORD_SIZE);
    device.cursor_record = record_new(REPLAY_RECORD_SIZE);
    CHECK(device.record != NULL && device.cursor_record != NULL);
    replay_device_play(&device, data, size, piece);
    recorded.commands = record_take(device.record, &recorded.commands_size);
    recorded.cursors = record_take(device.cursor_record, &recorded.cursors_size);
    replay_device_destroy(&device);
    return recorded;
}

static void
forget(const struct recorded *recorded)
{
    record_free_data(recorded->commands);
    record_free_data(recorded->cursors);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    /* An event is looked at again when a piece was added: small ones cost time. */
    size_t piece = data[0] == 0 ? 1 : (size_t)64 << (data[0] & 7);
    struct recorded first = play(data + 1, size - 1, piece);
    if (first.commands_size > EMPTY_SIZE) {
        struct recorded again = play(first.commands, first.commands_size, SIZE_MAX);
        CHECK(first.commands_size == again.commands_size &&
              memcmp(first.commands, again.commands, first.commands_size) == 0);
        forget(&again);
    }
    if (first.cursors_size > EMPTY_SIZE) {
        struct recorded again = play(first.cursors, first.cursors_size, SIZE_MAX);
        CHECK(first.cursors_size == again.cursors_size &&
              memcmp(first.cursors, again.cursors, first.cursors_size) == 0);
        forget(&again);
    }
    forget(&first);
    return 0;
}
