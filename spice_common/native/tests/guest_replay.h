/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * guest_replay.h: a device that takes what a replay pushes, and records it again.
 */
#ifndef GUEST_REPLAY_H
#define GUEST_REPLAY_H

#include <stddef.h>
#include <stdint.h>

#include "memslot.h"
#include "record.h"
#include "release.h"
#include "replay.h"
#include "ring.h"

enum {
    REPLAY_RAM_SIZE = 1 << 14,
    REPLAY_VRAM_SIZE = 1 << 14,
    REPLAY_RECORD_SIZE = 1 << 24, /* what a record may become */
};

struct replay_device {
    uint8_t *ram, *vram;
    struct replay *replay;
    /* NULL: none is made.  Two, for the rings are not taken from in the file's order.
     */
    struct record *record, *cursor_record;
    struct memslot_table slots;
    struct ring commands, cursors, releases;
    struct release_queue queue;
    struct command_batch *batch;
    struct cursor_reader *cursor_reader;
    uint32_t bunch;
    uint32_t taken, bad; /* commands of both rings */
    uint32_t ports[8];   /* the last ones written */
    uint32_t num_ports;
};

void replay_device_init(struct replay_device *device);
void replay_device_destroy(struct replay_device *device);

/* Draw nothing, give back everything. */
void replay_device_serve(struct replay_device *device);

/*
 * Play a whole file, fed in pieces of at most piece bytes: the last status, which is
 * REPLAY_END or REPLAY_BAD.
 */
int32_t replay_device_play(struct replay_device *device, const uint8_t *data,
                           size_t size, size_t piece);

#endif /* GUEST_REPLAY_H */
