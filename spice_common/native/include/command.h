/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * command.h: from the command ring to a command_batch, in one call.
 *
 * command_batch_drain() takes commands from the ring and parses them.  Each structure
 * is fetched from guest memory once, checked, and then trusted.  A command that breaks
 * a rule gets no entry in the batch; it is counted, and its release info is collected
 * as that of any other, so that the guest gets its memory back.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdint.h>

struct command_batch;
struct memslot_table;
struct ring;

enum { BATCH_NOT_RELEASED = -16 }; /* the last batch's resources are still held */

enum command_flags {
    COMMAND_COMPAT = 1, /* QXL_COMMAND_FLAG_COMPAT: a mode set by QXL_IO_SET_MODE */
};

/* What was wrong with a command; command_error_name() has the words. */
enum command_error {
    COMMAND_OK = 0,
    COMMAND_BAD_SLOT,       /* an address names no active slot */
    COMMAND_BAD_GENERATION, /* or one that was replaced */
    COMMAND_OUT_OF_RANGE,   /* or something that leaves it */
    COMMAND_BAD_TYPE,       /* of the QXLCommand, surface or cursor command */
    COMMAND_BAD_SURFACE_ID,
    COMMAND_BAD_SURFACE,  /* format, size, stride or alignment */
    COMMAND_BAD_DRAWABLE, /* draw type, effect, rop, scale mode */
    COMMAND_BAD_RECT,     /* empty, reversed or absurdly far away */
    COMMAND_BAD_CLIP,
    COMMAND_BAD_BRUSH,
    COMMAND_BAD_MASK,
    COMMAND_BAD_IMAGE, /* type, format, size, stride, or the source area outside it */
    COMMAND_BAD_PALETTE,
    COMMAND_BAD_PATH,   /* STROKE: segments cut short, or points too far away */
    COMMAND_BAD_STRING, /* TEXT: glyphs cut short, or not as many as announced */
    COMMAND_BAD_CURSOR,
    COMMAND_CHUNKS_SHORT,  /* a chain of chunks ends before its data does */
    COMMAND_CHUNKS_LONG,   /* or has more pieces than anybody needs, e.g. a cycle */
    COMMAND_TOO_BIG,       /* data or a count beyond its bound */
    COMMAND_NO_MEMORY,     /* ours */
    COMMAND_MESSAGE_SHORT, /* message_command.h: it ends before its parts do */
    NUM_COMMAND_ERRORS,
};

enum {
    QXL_NUM_DRAW_TYPES = 15, /* QXL_DRAW_NOP .. QXL_DRAW_COMPOSITE */
    MAX_MESSAGE_SIZE = 512,  /* bytes of a QXLMessage that are kept; drivers' lines
                                are shorter than that */
};

/* One resource to give back, as captured when its command was fetched. */
struct command_release {
    uint64_t id;      /* QXLReleaseInfo.id */
    uint64_t address; /* QXLPHYSICAL of the QXLReleaseInfo */
    uint32_t serial;  /* of the slot it lies in */
};

struct command_bookkeeping {
    struct command_release releases[64]; /* MAX_BATCH_COMMANDS, in ring order */
    uint32_t num_releases;
    uint32_t taken; /* commands the last drain took from the ring */
    uint32_t work;  /* chunks, rectangles, points ... the last drain walked over */
    uint32_t num_messages;
    uint32_t errors[22];    /* NUM_COMMAND_ERRORS, since the owner last cleared them */
    char messages[64][512]; /* MAX_BATCH_COMMANDS of MAX_MESSAGE_SIZE; printable
                               ASCII, NUL-terminated */
};

/* An empty batch, or NULL. */
struct command_batch *command_batch_new(void);
void command_batch_free(struct command_batch *batch);

/* Forget entries and releases (the guest does not get these back); errors stay. */
void command_batch_clear(struct command_batch *batch);

/*
 * Refill the batch with up to max commands.  How many were taken from the ring, good
 * and bad; 0: the ring is empty and the guest has been asked to notify.  RING_BROKEN,
 * or BATCH_NOT_RELEASED: nothing was taken.  *notify is 1 if the guest waits for room
 * in the ring and asked to be told.
 */
int32_t command_batch_drain(struct command_batch *batch, const struct ring *ring,
                            const struct memslot_table *slots, uint32_t max,
                            uint32_t flags, int32_t *notify);

/* A word for an error, NULL beyond the last. */
const char *command_error_name(uint32_t error);

#endif /* COMMAND_H */
