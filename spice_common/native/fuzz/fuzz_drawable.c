/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The input is one drawable and what it leads to: where it lies, a byte of flags, the
 * memory.  It is only parsed and written as a message, so there is time for many.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "check_draw.h"
#include "command.h"
#include "fuzz.h"
#include "guest.h"
#include "message_command.h"

enum { SLOT = 1, MESSAGE_HEADER = 6, PREFIX = 3, COMPAT = 1 };

static const uint64_t slot_base = UINT64_C(1) << 56;

struct host {
    struct command_batch *batch, *again;
    struct display_messages *messages;
    struct memslot_table slots;
    struct ring ring;
    uint8_t ring_memory[RING_HEADER_SIZE + 32 * sizeof(QXLCommand)];
};

static struct host *
get_host(void)
{
    static struct host host;
    if (host.batch == NULL) {
        host.batch = command_batch_new();
        host.again = command_batch_new();
        host.messages = display_messages_new();
        CHECK(host.batch && host.again && host.messages);
        CHECK(memslot_init(&host.slots, 8, 8) == 0);
        CHECK(ring_attach(&host.ring, host.ring_memory, sizeof(host.ring_memory), 32,
                          sizeof(QXLCommand)) == 0);
        ring_reset(&host.ring);
    }
    return &host;
}

/* What a client is told is what a client understands. */
static void
write_and_read(struct host *host)
{
    struct display_messages *messages = host->messages;
    display_messages_clear(messages);
    if (command_to_message(messages, host->batch, 0) != 0) {
        CHECK(host->batch->draws[0].self_bitmap && messages->num_messages == 0);
        return;
    }
    uint32_t type = messages->data[0] | (uint32_t)messages->data[1] << 8;
    command_batch_clear(host->again);
    CHECK(message_to_command(messages->data + MESSAGE_HEADER,
                             messages->size - MESSAGE_HEADER, type,
                             host->again) == COMMAND_OK);
    check_draw(host->again, &host->again->draws[0]);
}

static void
check_batch(const struct command_batch *batch, const uint8_t *memory, size_t size)
{
    for (uint32_t i = 0; i < batch->num_chunks; i++) {
        const struct image_chunk *chunk = &batch->chunks[i];
        CHECK(chunk->size != 0 && chunk->data >= memory && chunk->size <= size);
        CHECK((size_t)(chunk->data - memory) <= size - chunk->size);
    }
    if (batch->num_draws == 0) {
        CHECK(batch->num_images == 0 && batch->num_chunks == 0);
        CHECK(batch->num_clips == 0 && batch->num_segments == 0);
        CHECK(batch->num_glyphs == 0 && batch->num_glyph_bytes == 0);
    } else {
        check_draw(batch, &batch->draws[0]);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct host *host = get_host();
    int32_t notify;
    if (size <= PREFIX) {
        return 0;
    }
    const QXLCommand command = {
        .type = QXL_CMD_DRAW,
        .data = slot_base | data[0] | (uint64_t)data[1] << 8,
    };
    size -= PREFIX;
    uint8_t *memory = malloc(size);
    CHECK(memory != NULL);
    memcpy(memory, data + PREFIX, size);
    CHECK(memslot_add(&host->slots, SLOT, 0, memory, size) == 0);
    CHECK(ring_push(&host->ring, (const uint8_t *)&command, 1, &notify) == 1);
    command_batch_clear(host->batch);
    CHECK(command_batch_drain(host->batch, &host->ring, &host->slots, 0,
                              data[2] & COMPAT ? COMMAND_COMPAT : 0, &notify) == 1);
    check_batch(host->batch, memory, size);
    if (host->batch->num_draws == 1) {
        write_and_read(host);
    }
    memslot_delete(&host->slots, SLOT);
    free(memory);
    return 0;
}

/* A scene whose heap begins at 0, its rings being elsewhere, and the number-th drawable
 * of it; 0: it has no more. */
static size_t
scene_drawable(uint32_t scene, uint32_t *number, uint8_t *bytes)
{
    uint8_t ring_memory[RING_HEADER_SIZE + 32 * sizeof(QXLCommand)];
    QXLCommand commands[32];
    struct guest guest;
    uint32_t index;
    size_t size = 0;

    guest_init(&guest);
    CHECK(ring_attach(&guest.commands, ring_memory, sizeof(ring_memory), 32,
                      sizeof(QXLCommand)) == 0);
    ring_reset(&guest.commands);
    guest.used = 0;
    if (scene != GUEST_CURSOR_SCENE) {
        guest_push_scene(&guest, scene);
    }
    int32_t count = ring_peek(&guest.commands, (uint8_t *)commands, 32, &index);
    for (int32_t i = 0; i < count && size == 0; i++) {
        if (commands[i].type == QXL_CMD_DRAW && (*number)-- == 0) {
            bytes[0] = (uint8_t)commands[i].data;
            bytes[1] = (uint8_t)(commands[i].data >> 8);
            bytes[2] = scene == GUEST_COMPAT_SCENE ? COMPAT : 0;
            memcpy(bytes + PREFIX, guest.ram, guest.used);
            size = PREFIX + guest.used;
        }
    }
    guest_destroy(&guest);
    return size;
}

size_t
fuzz_seed(uint32_t number, uint8_t *bytes)
{
    size_t size = 0;
    for (uint32_t scene = 0; size == 0 && scene < GUEST_NUM_SCENES; scene++) {
        size = scene_drawable(scene, &number, bytes);
    }
    return size;
}
