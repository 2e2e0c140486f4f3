/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "replay_text.h"

#include <stddef.h>
#include <string.h>

void
text_start(struct replay_text *text, const uint8_t *at, const uint8_t *end)
{
    *text = (struct replay_text){.at = at, .end = end, .start = at};
}

void
text_fail(struct replay_text *text, enum text_state state, const char *expected)
{
    if (text->state == TEXT_GOOD) {
        text->state = state;
        text->expected = expected;
    }
}

/* The bytes of word, and then last. */
static void
take_word(struct replay_text *text, const char *word, char last)
{
    size_t size = strlen(word);
    size_t left = (size_t)(text->end - text->at);
    if (text->state != TEXT_GOOD) {
        return;
    }
    if (memcmp(text->at, word, left < size ? left : size) != 0 ||
        (left > size && text->at[size] != (uint8_t)last)) {
        text_fail(text, TEXT_BAD, word);
    } else if (left <= size) {
        text_fail(text, TEXT_SHORT, word);
    } else {
        text->at += size + 1;
    }
}

void
text_line(struct replay_text *text, const char *name)
{
    take_word(text, name, '\n');
}

void
text_key(struct replay_text *text, const char *name)
{
    take_word(text, name, ' ');
}

/* The digits at text->at; *at_digit is left behind them.  False: more than 64 bits. */
static bool
take_digits(const uint8_t **at_digit, const uint8_t *end, uint64_t *value)
{
    const uint8_t *at = *at_digit;
    uint64_t sum = 0;
    while (at < end && *at >= '0' && *at <= '9') {
        uint64_t digit = (uint64_t)(*at - '0');
        if (sum > (UINT64_MAX - digit) / 10) {
            return false;
        }
        sum = sum * 10 + digit;
        at++;
    }
    *at_digit = at;
    *value = sum;
    return true;
}

uint64_t
text_number(struct replay_text *text, const char *name, uint8_t terminator)
{
    const uint8_t *at = text->at;
    uint64_t value = 0;
    if (text->state != TEXT_GOOD) {
        return 0;
    }
    bool negative = at < text->end && *at == '-';
    const uint8_t *digits = at += negative;
    if (!take_digits(&at, text->end, &value)) {
        text_fail(text, TEXT_BAD, name);
        return 0;
    }
    if (at == text->end) {
        text_fail(text, TEXT_SHORT, name);
        return 0;
    }
    if (at == digits || *at != terminator) {
        text_fail(text, TEXT_BAD, name);
        return 0;
    }
    text->at = at + 1;
    return negative ? 0 - value : value;
}

uint32_t
text_number_u32(struct replay_text *text, const char *name, uint8_t terminator)
{
    uint64_t value = text_number(text, name, terminator);
    if (value > UINT32_MAX && value < (uint64_t)INT32_MIN) {
        text_fail(text, TEXT_BAD, name);
        return 0;
    }
    return (uint32_t)value;
}

uint64_t
text_u64(struct replay_text *text, const char *name)
{
    text_key(text, name);
    return text_number(text, name, '\n');
}

uint32_t
text_u32(struct replay_text *text, const char *name)
{
    text_key(text, name);
    return text_number_u32(text, name, '\n');
}

static uint32_t
text_up_to(struct replay_text *text, const char *name, uint32_t max)
{
    uint64_t value = text_u64(text, name);
    if (value > max) {
        text_fail(text, TEXT_BAD, name);
        return 0;
    }
    return (uint32_t)value;
}

uint16_t
text_u16(struct replay_text *text, const char *name)
{
    return (uint16_t)text_up_to(text, name, UINT16_MAX);
}

uint8_t
text_u8(struct replay_text *text, const char *name)
{
    return (uint8_t)text_up_to(text, name, UINT8_MAX);
}

const uint8_t *
text_binary(struct replay_text *text, const char *name, uint64_t max, uint32_t *size)
{
    *size = 0;
    text_key(text, "binary");
    /* 1 would be a block that zlib packed; no build of spice-server writes it. */
    text_key(text, "0");
    text_key(text, name);
    uint64_t bytes = text_number(text, name, ':');
    if (text->state != TEXT_GOOD) {
        return NULL;
    }
    if (bytes > max || bytes > MAX_TEXT_BINARY) {
        text_fail(text, TEXT_BAD, "a block of a size that can be");
        return NULL;
    }
    if ((uint64_t)(text->end - text->at) <= bytes) {
        text->needed = (uint64_t)(text->at - text->start) + bytes + 1;
        text_fail(text, TEXT_SHORT, name);
        return NULL;
    }
    const uint8_t *data = text->at;
    text->at += bytes;
    text_line(text, "");
    *size = (uint32_t)bytes;
    return text->state == TEXT_GOOD ? data : NULL;
}
