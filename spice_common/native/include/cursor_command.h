/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cursor_command.h: commands of the cursor ring, one at a time, copied out whole.
 */
#ifndef CURSOR_COMMAND_H
#define CURSOR_COMMAND_H

#include <stdint.h>

struct memslot_table;
struct release_queue;
struct ring;

enum { MAX_CURSOR_SIDE = 512 }; /* QEMU's cursor_alloc() refuses larger ones */

/* One QXLCursorCmd. */
struct cursor_command {
    uint8_t type;    /* QXL_CURSOR_SET, _MOVE, _HIDE or _TRAIL */
    uint8_t visible; /* SET */
    int16_t x, y;    /* SET, MOVE */
    uint16_t trail_length, trail_frequency;
    /* SET: QXLCursor */
    uint64_t unique;
    uint16_t shape_type; /* SPICE_CURSOR_TYPE_* */
    uint16_t width, height, hot_spot_x, hot_spot_y;
    uint32_t data_size; /* what shape_type, width and height ask for */
    uint8_t *data;
};

struct cursor_reader {
    struct cursor_command command; /* valid until the next call */
    uint32_t data_capacity;
    uint32_t errors[22];    /* NUM_COMMAND_ERRORS, since the owner last cleared them */
    int32_t notify;         /* the last call made room the guest waits for */
    int32_t release_result; /* RELEASE_* bits of the last call, or RING_BROKEN */
};

/* A reader, or NULL. */
struct cursor_reader *cursor_reader_new(void);
void cursor_reader_free(struct cursor_reader *reader);

/*
 * Take one good command into reader->command and release it (everything was copied);
 * bad ones before it are counted and released.  1: there is one; 0: the ring is empty
 * and the guest has been asked to notify, or it holds a whole ring of bad commands and
 * the rest waits for the next notification; RING_BROKEN.
 */
int32_t cursor_reader_pop(struct cursor_reader *reader, const struct ring *ring,
                          const struct memslot_table *slots,
                          struct release_queue *queue, uint32_t bunch);

#endif /* CURSOR_COMMAND_H */
