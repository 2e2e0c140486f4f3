/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record_text.h"

#include <stdlib.h>
#include <string.h>

#include "command_batch.h"

enum { MAX_DIGITS = 20 }; /* of 64 bits */

/* size bytes more, or NULL. */
static uint8_t *
grow(struct record_text *text, uint64_t size)
{
    if (text->failed || size > text->limit - text->size) {
        text->failed = true;
        return NULL;
    }
    if (text->capacity - text->size < size) {
        uint64_t capacity = (text->size + size) * 3 / 2 + 4096;
        uint8_t *data = realloc(text->data, capacity);
        if (data == NULL) {
            text->failed = true;
            return NULL;
        }
        text->data = data;
        text->capacity = capacity;
    }
    uint8_t *room = text->data + text->size;
    text->size += size;
    return room;
}

void
note_word(struct record_text *text, const char *word)
{
    size_t size = strlen(word);
    uint8_t *room = grow(text, size);
    if (room != NULL) {
        memcpy(room, word, size);
    }
}

static void
note_byte(struct record_text *text, char byte)
{
    uint8_t *room = grow(text, 1);
    if (room != NULL) {
        *room = (uint8_t)byte;
    }
}

static void
note_digits(struct record_text *text, uint64_t number)
{
    char digits[MAX_DIGITS + 1];
    char *first = digits + sizeof(digits) - 1;
    *first = '\0';
    do {
        *--first = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    note_word(text, first);
}

void
note_signed(struct record_text *text, uint32_t number)
{
    if (number > INT32_MAX) {
        note_byte(text, '-');
        number = 0 - number;
    }
    note_digits(text, number);
}

void
note_number(struct record_text *text, uint32_t number)
{
    note_byte(text, ' ');
    note_signed(text, number);
}

void
note_number_u64(struct record_text *text, uint64_t number)
{
    note_byte(text, ' ');
    note_digits(text, number);
}

void
note_end(struct record_text *text)
{
    note_byte(text, '\n');
}

void
note_line(struct record_text *text, const char *name, uint32_t number)
{
    note_word(text, name);
    note_number(text, number);
    note_end(text);
}

void
note_line_u64(struct record_text *text, const char *name, uint64_t number)
{
    note_word(text, name);
    note_number_u64(text, number);
    note_end(text);
}

void
note_pair(struct record_text *text, const char *name, int32_t x, int32_t y)
{
    note_word(text, name);
    note_number(text, (uint32_t)x);
    note_number(text, (uint32_t)y);
    note_end(text);
}

void
note_rect(struct record_text *text, const char *name, const struct draw_rect *rect)
{
    note_word(text, "rect ");
    note_word(text, name);
    note_number(text, (uint32_t)rect->top);
    note_number(text, (uint32_t)rect->left);
    note_number(text, (uint32_t)rect->bottom);
    note_number(text, (uint32_t)rect->right);
    note_end(text);
}

uint8_t *
note_binary(struct record_text *text, const char *name, uint64_t size)
{
    note_word(text, "binary 0 ");
    note_word(text, name);
    note_number_u64(text, size);
    note_byte(text, ':');
    uint8_t *room = grow(text, size + 1);
    if (room != NULL) {
        room[size] = '\n';
    }
    return room;
}

uint8_t *
note_chunk(struct record_text *text, const char *name, uint64_t size)
{
    note_word(text, "data_chunks 0");
    note_number_u64(text, size);
    note_end(text);
    return note_binary(text, name, size);
}
