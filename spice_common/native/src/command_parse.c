/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command_parse.h"

#include "shared_memory.h"

enum command_error
command_address_error(enum memslot_status status)
{
    switch (status) {
    case MEMSLOT_OK:
        return COMMAND_OK;
    case MEMSLOT_BAD_GENERATION:
        return COMMAND_BAD_GENERATION;
    case MEMSLOT_OUT_OF_RANGE:
        return COMMAND_OUT_OF_RANGE;
    case MEMSLOT_BAD_ID:
    default:
        return COMMAND_BAD_SLOT;
    }
}

enum command_error
command_fetch(const struct memslot_table *slots, uint64_t address, void *to,
              uint64_t size)
{
    uint8_t *from = NULL;
    enum memslot_status status = memslot_resolve(slots, address, size, &from);
    if (status == MEMSLOT_OK) {
        fetch(to, from, size);
    }
    return command_address_error(status);
}

void
chunk_walk_start(struct chunk_walk *walk, const struct memslot_table *slots,
                 uint64_t first, uint64_t need)
{
    uint64_t limit = MIN_CHAIN + need / MIN_CHUNK;
    *walk = (struct chunk_walk){
        .slots = slots,
        .next = first,
        .need = need,
        .limit = limit > MAX_CHAIN ? MAX_CHAIN : (uint32_t)limit,
    };
}

enum command_error
chunk_walk_step(struct chunk_walk *walk)
{
    walk->size = 0;
    while (walk->need != 0 && walk->size == 0) {
        QXLDataChunk chunk;
        if (walk->next == 0) {
            return COMMAND_CHUNKS_SHORT;
        }
        if (walk->steps == walk->limit) {
            return COMMAND_CHUNKS_LONG;
        }
        walk->steps++;
        enum command_error error =
            command_fetch(walk->slots, walk->next, &chunk, sizeof(chunk));
        if (error != COMMAND_OK) {
            return error;
        }
        enum memslot_status status = memslot_resolve(
            walk->slots, walk->next + sizeof(chunk), chunk.data_size, &walk->data);
        if (status != MEMSLOT_OK) {
            return command_address_error(status);
        }
        walk->size =
            chunk.data_size < walk->need ? chunk.data_size : (uint32_t)walk->need;
        walk->need -= walk->size;
        walk->next = chunk.next_chunk;
    }
    return COMMAND_OK;
}

enum command_error
fetch_chain(struct parser *parser, uint64_t first, uint32_t max, uint32_t *size)
{
    struct chunk_walk walk;
    enum command_error error;

    chunk_walk_start(&walk, parser->slots, first, (uint64_t)max + 1);
    *size = 0;
    while ((error = chunk_walk_step(&walk)) == COMMAND_OK && walk.size != 0) {
        uint8_t *to = more_glyph_bytes(parser->batch, *size + walk.size);
        if (to == NULL) {
            error = COMMAND_NO_MEMORY;
            break;
        }
        fetch(to + *size, walk.data, walk.size);
        *size += walk.size;
    }
    parser->batch->bookkeeping->work += walk.steps + *size / BYTES_PER_WORK;
    if (error == COMMAND_CHUNKS_SHORT) {
        return COMMAND_OK; /* it ends, as it may */
    }
    return error == COMMAND_OK ? COMMAND_TOO_BIG : error;
}

bool
parse_rect(struct draw_rect *to, const QXLRect *from)
{
    *to = (struct draw_rect){from->top, from->left, from->bottom, from->right};
    return rect_ok(to);
}
