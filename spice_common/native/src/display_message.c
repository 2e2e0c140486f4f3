/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "display_message.h"

#include <stdlib.h>
#include <string.h>

#include "display_message_writer.h"

enum {
    FIRST_CAPACITY = 64 * 1024,
};

struct display_messages *
display_messages_new(void)
{
    return calloc(1, sizeof(struct display_messages));
}

void
display_messages_free(struct display_messages *messages)
{
    if (!messages)
        return;
    free(messages->data);
    free(messages->starts);
    free(messages);
}

void
display_messages_clear(struct display_messages *messages)
{
    messages->size = 0;
    messages->num_messages = 0;
    messages->out_of_memory = 0;
}

/* A small run is copied, a large one given away with its memory. */
uint8_t *
display_messages_take_data(struct display_messages *messages)
{
    uint8_t *data;

    if (messages->size == 0)
        return NULL;
    if (messages->size > messages->capacity / 4) {
        data = realloc(messages->data, (size_t)messages->size);
        if (!data)
            data = messages->data;
        messages->data = NULL;
        messages->capacity = 0;
        return data;
    }
    data = malloc((size_t)messages->size);
    if (data)
        memcpy(data, messages->data, (size_t)messages->size);
    return data;
}

void
display_messages_free_data(uint8_t *data)
{
    free(data);
}

static int
reserve_bytes(struct display_messages *messages, size_t size)
{
    uint64_t capacity = messages->capacity ? messages->capacity : FIRST_CAPACITY;
    uint8_t *data;

    if (messages->size + size <= messages->capacity)
        return 0;
    while (capacity < messages->size + size)
        capacity *= 2;
    data = realloc(messages->data, (size_t)capacity);
    if (!data)
        return -1;
    messages->data = data;
    messages->capacity = capacity;
    return 0;
}

static int
reserve_start(struct display_messages *messages)
{
    uint32_t capacity = messages->cap_messages ? 2 * messages->cap_messages : 64;
    uint32_t *starts;

    if (messages->num_messages < messages->cap_messages)
        return 0;
    starts = realloc(messages->starts, (size_t)capacity * sizeof(*starts));
    if (!starts)
        return -1;
    messages->starts = starts;
    messages->cap_messages = capacity;
    return 0;
}

uint8_t *
append_bytes(struct display_messages *messages, uint64_t size)
{
    uint8_t *at;

    if (size > UINT32_MAX || reserve_bytes(messages, (size_t)size)) {
        messages->out_of_memory = 1;
        return NULL;
    }
    at = messages->data + messages->size;
    messages->size += size;
    return at;
}

void
finish_message(struct display_messages *messages)
{
    uint32_t start = messages->starts[messages->num_messages - 1];

    put_u32(messages->data + start + 2,
            (uint32_t)(messages->size - start - MINI_HEADER_SIZE));
}

void
drop_message(struct display_messages *messages)
{
    messages->size = messages->starts[--messages->num_messages];
}

uint64_t
message_body(const struct display_messages *messages)
{
    return messages->starts[messages->num_messages - 1] + (uint64_t)MINI_HEADER_SIZE;
}

/* Append the header of a message and return where its body goes; NULL: nowhere. */
uint8_t *
begin_message(struct display_messages *messages, uint32_t type, size_t size)
{
    uint8_t *at;

    if (reserve_bytes(messages, MINI_HEADER_SIZE + size) || reserve_start(messages)) {
        messages->out_of_memory = 1;
        return NULL;
    }
    at = messages->data + messages->size;
    messages->starts[messages->num_messages++] = (uint32_t)messages->size;
    messages->size += MINI_HEADER_SIZE + size;
    return put_u32(put_u16(at, type), (uint32_t)size);
}
