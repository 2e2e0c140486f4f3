/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * replay_text.h: the lines and binary blocks of a "SPICE_REPLAY 1" file.
 *
 * The first thing that is not as it has to be stops the reading: from then on every
 * function here returns 0, and state tells why.  So a parser reads all fields of an
 * event one after the other and looks at the end.
 */
#ifndef REPLAY_TEXT_H
#define REPLAY_TEXT_H

#include <stdbool.h>
#include <stdint.h>

enum {
    /* Bytes of a line; the longest has five numbers of 20 digits. */
    MAX_TEXT_LINE = 256,
    /* Bytes of one binary block: what an image may have (command_parse.h). */
    MAX_TEXT_BINARY = 256 << 20,
};

enum text_state {
    TEXT_GOOD = 0,
    TEXT_SHORT, /* the bytes end too early */
    TEXT_BAD,   /* expected says what should have been there */
    TEXT_FULL,  /* memory is too small for what was read (replay_block.h) */
};

struct replay_text {
    const uint8_t *at, *end;
    enum text_state state;
    const char *expected;
    const uint8_t *start;
    uint64_t needed; /* SHORT: so many bytes from start on, if it is known */
};

void text_start(struct replay_text *text, const uint8_t *at, const uint8_t *end);
void text_fail(struct replay_text *text, enum text_state state, const char *expected);

/* The line "name". */
void text_line(struct replay_text *text, const char *name);

/* "name " at the start of a line, then its numbers; the last is ended by a newline. */
void text_key(struct replay_text *text, const char *name);
uint64_t text_number(struct replay_text *text, const char *name, uint8_t terminator);

/* "name number" lines.  u32 takes negative numbers, too: that is how they are written
 * by "%d". */
uint64_t text_u64(struct replay_text *text, const char *name);
uint32_t text_u32(struct replay_text *text, const char *name);
uint16_t text_u16(struct replay_text *text, const char *name);
uint8_t text_u8(struct replay_text *text, const char *name);

/* number as 32 bits, signed or not. */
uint32_t text_number_u32(struct replay_text *text, const char *name,
                         uint8_t terminator);

/* "binary 0 name size:" and size bytes, at most max; NULL if there are none. */
const uint8_t *text_binary(struct replay_text *text, const char *name, uint64_t max,
                           uint32_t *size);

#endif /* REPLAY_TEXT_H */
