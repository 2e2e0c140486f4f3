/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * replay.h: a guest whose driver does again what a "SPICE_REPLAY 1" file recorded.
 *
 * Bytes of the file are fed, commands come out: written into the memory of a QXL device
 * as a driver writes them, and pushed to its rings.  No I/O happens here: the caller
 * reads the file, rings the doorbell, writes the ports it is told to write, and waits
 * for interrupts and time.
 *
 * A command lies in one block of RAM, data included; blocks are a queue through a part
 * of RAM that is as small as what is in flight allows, so that little of it is ever
 * touched.  Surfaces, which live longer, lie in VRAM.
 */
#ifndef REPLAY_H
#define REPLAY_H

#include <stdint.h>

enum replay_status {
    REPLAY_MORE = 0,      /* all that was fed is played but the start of an event */
    REPLAY_RING_FULL = 1, /* an interrupt tells of room */
    REPLAY_BUSY = 2,      /* the rings have to be empty first; an interrupt tells */
    REPLAY_NO_ROOM = 3,   /* RAM is full of commands: write QXL_IO_NOTIFY_OOM */
    REPLAY_PORT = 4,      /* write state.port with a value of 0 */
    REPLAY_EARLY = 5,     /* the next event is due at state.next_ns */
    REPLAY_END = 6,       /* the file was played to its end */
    REPLAY_BAD = -1,      /* state.problem at byte state.offset; no more will come */
    REPLAY_BROKEN = -2,   /* the device broke a ring, or does not fit the memory */
};

struct replay;

/* Where the device is.  Addresses of a slot count from the start of its memory. */
struct replay_memory {
    uint8_t *ram;         /* 16-byte aligned; QXLRam lies behind ram_size */
    uint64_t ram_size;    /* bytes of memory slot ram_slot */
    uint64_t header_size; /* bytes from QXLRam on */
    uint8_t *vram;
    uint64_t vram_size; /* bytes of memory slot vram_slot */
    uint32_t ram_slot, vram_slot;
    uint32_t slot_shift; /* by which a slot's number is shifted: QXLRom */
};

struct replay_state {
    uint64_t offset;    /* bytes of the file that were played */
    uint64_t events;    /* that were played */
    uint64_t commands;  /* pushed to the rings, as the file has them */
    uint64_t released;  /* given back by the device */
    uint64_t in_flight; /* not given back yet */
    uint64_t clock_ns;  /* recorded time since the first event, without long pauses */
    uint64_t next_ns;   /* REPLAY_EARLY: of the event that is not due */
    uint32_t port;      /* REPLAY_PORT: QXL_IO_* */
    int32_t notify;     /* the last call pushed what the device asked to be told of */
    char problem[200];  /* in words */
};

/* A replay of nothing yet, or NULL. */
struct replay *replay_new(void);
void replay_free(struct replay *replay);

/* Take a device into use, whose rings are empty; 0 or REPLAY_BROKEN. */
int32_t replay_attach(struct replay *replay, const struct replay_memory *memory);

/* Longer pauses than that are cut; 0: none is. */
void replay_set_max_gap(struct replay *replay, uint64_t nanoseconds);

/* Room for size bytes of the file, or NULL; replay_fed() tells how many were put. */
uint8_t *replay_buffer(struct replay *replay, uint64_t size);
void replay_fed(struct replay *replay, uint64_t size);
/* No more bytes will come. */
void replay_end_of_file(struct replay *replay);

/*
 * Play events up to recorded time until_ns, as far as possible: enum replay_status.
 * When the status is REPLAY_PORT the port has been written before the next call.
 */
int32_t replay_play(struct replay *replay, uint64_t until_ns);

/* Take back what the device released; how many blocks, or REPLAY_BROKEN. */
int32_t replay_collect(struct replay *replay);

const struct replay_state *replay_get_state(const struct replay *replay);

#endif /* REPLAY_H */
