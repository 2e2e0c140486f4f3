/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * message_reader.h: taking numbers from a message's body, never from beyond it.
 *
 * What is not there reads as 0 and is remembered: a parser looks at `failed` before it
 * trusts what it read.
 */
#ifndef MESSAGE_READER_H
#define MESSAGE_READER_H

#include "command_parse.h"

struct message_reader {
    const uint8_t *body;
    uint64_t size;
    uint64_t at; /* at most size */
    bool failed;
};

/* The next size bytes, or NULL. */
static inline const uint8_t *
read_bytes(struct message_reader *reader, uint64_t size)
{
    if (size > reader->size - reader->at) {
        reader->failed = true;
    }
    if (reader->failed) {
        return NULL;
    }
    const uint8_t *bytes = reader->body + reader->at;
    reader->at += size;
    return bytes;
}

static inline uint64_t
read_number(struct message_reader *reader, uint32_t size)
{
    const uint8_t *bytes = read_bytes(reader, size);
    uint64_t value = 0;
    for (uint32_t i = size; bytes != NULL && i > 0; i--) {
        value = value << 8 | bytes[i - 1];
    }
    return value;
}

static inline uint8_t
read_u8(struct message_reader *reader)
{
    return (uint8_t)read_number(reader, 1);
}

static inline uint16_t
read_u16(struct message_reader *reader)
{
    return (uint16_t)read_number(reader, 2);
}

static inline uint32_t
read_u32(struct message_reader *reader)
{
    return (uint32_t)read_number(reader, 4);
}

static inline uint64_t
read_u64(struct message_reader *reader)
{
    return read_number(reader, 8);
}

static inline int32_t
read_i32(struct message_reader *reader)
{
    return (int32_t)read_u32(reader);
}

/* The same message from a pointer's offset on. */
static inline struct message_reader
reader_at(const struct message_reader *reader, uint32_t offset)
{
    bool outside = offset > reader->size;
    return (struct message_reader){
        .body = reader->body,
        .size = reader->size,
        .at = outside ? reader->size : offset,
        .failed = outside,
    };
}

/* Append the SpiceImage at offset. */
enum command_error read_image(const struct message_reader *reader,
                              struct command_batch *batch, uint32_t offset,
                              uint32_t *index);

/* The SpicePath and the SpiceString at offset. */
enum command_error read_path(const struct message_reader *reader,
                             struct command_batch *batch, uint32_t offset,
                             struct draw_path *path);
enum command_error read_string(const struct message_reader *reader,
                               struct command_batch *batch, uint32_t offset,
                               struct draw_string *string);

#endif /* MESSAGE_READER_H */
