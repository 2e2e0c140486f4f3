/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest_replay.h"

#include <stdlib.h>
#include <string.h>

#include <spice/qxl_dev.h>

#include "check.h"
#include "command.h"
#include "command_batch.h"
#include "cursor_command.h"

enum {
    RAM_SLOT = 1,
    VRAM_SLOT = 2,
    ID_BITS = 8,
    MAX_ROUNDS = 1 << 20, /* more means that nothing moves any longer */
};

/* These are large, and a fuzzer makes millions of devices. */
static struct command_batch *spare_batch;
static uint8_t *spare_ram, *spare_vram;

/* spare, or new memory; the content is that of any memory. */
static uint8_t *
aligned(uint8_t **spare, size_t size)
{
    uint8_t *memory = *spare != NULL ? *spare : aligned_alloc(64, size);
    CHECK(memory != NULL);
    *spare = NULL;
    return memory;
}

static void
keep(uint8_t **spare, uint8_t *memory)
{
    free(*spare);
    *spare = memory;
}

static void
attach_ring(struct ring *ring, uint8_t *memory, uint64_t size, uint32_t num_items,
            uint32_t item_size)
{
    CHECK(ring_attach(ring, memory, size, num_items, item_size) == 0);
    ring_reset(ring);
}

void
replay_device_init(struct replay_device *device)
{
    const size_t header_size = (sizeof(QXLRam) + 63) / 64 * 64;
    *device = (struct replay_device){.bunch = 4};
    device->ram = aligned(&spare_ram, REPLAY_RAM_SIZE + header_size);
    device->vram = aligned(&spare_vram, REPLAY_VRAM_SIZE);
    uint8_t *header = device->ram + REPLAY_RAM_SIZE;
    attach_ring(&device->commands, header + offsetof(QXLRam, cmd_ring),
                sizeof(QXLCommandRing), QXL_COMMAND_RING_SIZE, sizeof(QXLCommand));
    attach_ring(&device->cursors, header + offsetof(QXLRam, cursor_ring),
                sizeof(QXLCursorRing), QXL_CURSOR_RING_SIZE, sizeof(QXLCommand));
    attach_ring(&device->releases, header + offsetof(QXLRam, release_ring),
                sizeof(QXLReleaseRing), QXL_RELEASE_RING_SIZE, sizeof(uint64_t));
    release_queue_attach(&device->queue, &device->releases);
    CHECK(memslot_init(&device->slots, ID_BITS, 8) == 0);
    CHECK(memslot_add(&device->slots, RAM_SLOT, 0, device->ram, REPLAY_RAM_SIZE) == 0);
    CHECK(memslot_add(&device->slots, VRAM_SLOT, 0, device->vram, REPLAY_VRAM_SIZE) ==
          0);
    device->batch = spare_batch != NULL ? spare_batch : command_batch_new();
    spare_batch = NULL;
    device->cursor_reader = cursor_reader_new();
    device->replay = replay_new();
    CHECK(device->batch != NULL && device->cursor_reader != NULL &&
          device->replay != NULL);
    const struct replay_memory memory = {
        .ram = device->ram,
        .ram_size = REPLAY_RAM_SIZE,
        .header_size = header_size,
        .vram = device->vram,
        .vram_size = REPLAY_VRAM_SIZE,
        .ram_slot = RAM_SLOT,
        .vram_slot = VRAM_SLOT,
        .slot_shift = 64 - ID_BITS,
    };
    CHECK(replay_attach(device->replay, &memory) == 0);
}

void
replay_device_destroy(struct replay_device *device)
{
    record_free(device->record);
    record_free(device->cursor_record);
    replay_free(device->replay);
    cursor_reader_free(device->cursor_reader);
    command_batch_clear(device->batch);
    command_batch_free(spare_batch);
    spare_batch = device->batch;
    keep(&spare_vram, device->vram);
    keep(&spare_ram, device->ram);
}

static void
take_commands(struct replay_device *device)
{
    int32_t notify, count;
    while ((count = command_batch_drain(device->batch, &device->commands,
                                        &device->slots, 0, 0, &notify)) != 0) {
        CHECK(count > 0);
        device->taken += (uint32_t)count;
        device->bad += (uint32_t)count - device->batch->num_entries;
        if (device->record != NULL) {
            CHECK(record_batch(device->record, device->batch, 1) == 0);
        }
        CHECK(release_batch(&device->queue, &device->slots, device->batch,
                            device->bunch) >= 0);
    }
}

static void
take_cursors(struct replay_device *device)
{
    int32_t found;
    while ((found = cursor_reader_pop(device->cursor_reader, &device->cursors,
                                      &device->slots, &device->queue, device->bunch)) !=
           0) {
        CHECK(found > 0);
        device->taken++;
        if (device->cursor_record != NULL) {
            CHECK(record_cursor(device->cursor_record, &device->cursor_reader->command,
                                1) == 0);
        }
    }
}

void
replay_device_serve(struct replay_device *device)
{
    take_commands(device);
    take_cursors(device);
}

static void
record_port(struct replay_device *device, uint32_t port)
{
    QXLSurfaceCreate create;
    uint8_t *memory = NULL;
    memcpy(&create, device->ram + REPLAY_RAM_SIZE + offsetof(QXLRam, create_surface),
           sizeof(create));
    switch (port) {
    case QXL_IO_CREATE_PRIMARY: {
        uint64_t size = (uint64_t)llabs((long long)create.stride) * create.height;
        CHECK(memslot_resolve(&device->slots, create.mem, size, &memory) == MEMSLOT_OK);
        const struct record_surface surface = {
            .width = create.width,
            .height = create.height,
            .stride = create.stride,
            .format = create.format,
            .flags = create.flags,
            .data = memory,
            .size = size,
        };
        CHECK(record_create_primary(device->record, &surface, 1) == 0);
        break;
    }
    case QXL_IO_DESTROY_PRIMARY:
        CHECK(record_message(device->record, RECORD_DESTROY_PRIMARY, 1) == 0);
        break;
    default:
        CHECK(port == QXL_IO_DESTROY_ALL_SURFACES);
        CHECK(record_message(device->record, RECORD_DESTROY_SURFACES, 1) == 0);
        break;
    }
}

static void
write_port(struct replay_device *device, uint32_t port)
{
    CHECK(ring_length(&device->commands) == 0 && ring_length(&device->cursors) == 0);
    if (device->record != NULL) {
        record_port(device, port);
    }
    device->ports[device->num_ports++ % 8] = port;
}

/* The next piece; false: there is none. */
static void
feed(struct replay_device *device, const uint8_t **data, size_t *left, size_t piece)
{
    size_t size = *left < piece ? *left : piece;
    if (size == 0) {
        replay_end_of_file(device->replay);
        return;
    }
    uint8_t *room = replay_buffer(device->replay, size);
    CHECK(room != NULL);
    memcpy(room, *data, size);
    replay_fed(device->replay, size);
    *data += size;
    *left -= size;
}

int32_t
replay_device_play(struct replay_device *device, const uint8_t *data, size_t size,
                   size_t piece)
{
    const struct replay_state *state = replay_get_state(device->replay);
    for (uint32_t round = 0; round < MAX_ROUNDS; round++) {
        int32_t status = replay_play(device->replay, UINT64_MAX);
        switch (status) {
        case REPLAY_MORE:
            feed(device, &data, &size, piece);
            break;
        case REPLAY_NO_ROOM:
            replay_device_serve(device);
            CHECK(release_flush(&device->queue) >= 0);
            break;
        case REPLAY_RING_FULL:
        case REPLAY_BUSY:
            replay_device_serve(device);
            break;
        case REPLAY_PORT:
            write_port(device, state->port);
            break;
        default:
            CHECK(status == REPLAY_END || status == REPLAY_BAD);
            do {
                replay_device_serve(device);
                CHECK(release_flush(&device->queue) >= 0);
            } while (replay_collect(device->replay) > 0);
            CHECK(state->in_flight == 0);
            return status;
        }
    }
    abort(); /* nothing moves any longer */
}
