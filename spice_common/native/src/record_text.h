/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * record_text.h: the lines and binary blocks of a "SPICE_REPLAY 1" file.
 *
 * 32-bit numbers are written as "%d" does, as spice-server writes and reads them.
 * Beyond the limit, or without memory for more, everything is left out, and failed is
 * set.
 */
#ifndef RECORD_TEXT_H
#define RECORD_TEXT_H

#include <stdbool.h>
#include <stdint.h>

struct draw_rect;

struct record_text {
    uint8_t *data;
    uint64_t size, capacity, limit;
    bool failed;
};

void note_word(struct record_text *text, const char *word);
/* "number", and " number" */
void note_signed(struct record_text *text, uint32_t number);
void note_number(struct record_text *text, uint32_t number);
void note_number_u64(struct record_text *text, uint64_t number);
void note_end(struct record_text *text);

/* "name number\n" */
void note_line(struct record_text *text, const char *name, uint32_t number);
void note_line_u64(struct record_text *text, const char *name, uint64_t number);
/* "name x y\n" */
void note_pair(struct record_text *text, const char *name, int32_t x, int32_t y);
void note_rect(struct record_text *text, const char *name,
               const struct draw_rect *rect);

/* "binary 0 name size:" and room for size bytes, then "\n"; NULL without memory.  The
 * room is good until more is put. */
uint8_t *note_binary(struct record_text *text, const char *name, uint64_t size);

/* "data_chunks 0 size" and one such block. */
uint8_t *note_chunk(struct record_text *text, const char *name, uint64_t size);

#endif /* RECORD_TEXT_H */
