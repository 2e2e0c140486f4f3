/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The device that is replayed to: its rings, and what memory they hold. */
#include "replay_parts.h"

#include <stddef.h>
#include <string.h>

uint8_t *
replay_ram_header(const struct replay *replay)
{
    return replay->memory.ram + replay->memory.ram_size;
}

int32_t
replay_attach(struct replay *replay, const struct replay_memory *memory)
{
    if (memory->header_size < sizeof(QXLRam) || memory->ram_size % ALIGNMENT != 0) {
        return REPLAY_BROKEN;
    }
    replay->memory = *memory;
    replay->blocks.size = memory->ram_size;
    replay->extents.size = memory->vram_size;
    uint8_t *header = replay_ram_header(replay);
    if (ring_attach(&replay->commands, header + offsetof(QXLRam, cmd_ring),
                    sizeof(QXLCommandRing), QXL_COMMAND_RING_SIZE,
                    sizeof(QXLCommand)) != 0 ||
        ring_attach(&replay->cursors, header + offsetof(QXLRam, cursor_ring),
                    sizeof(QXLCursorRing), QXL_CURSOR_RING_SIZE,
                    sizeof(QXLCommand)) != 0 ||
        ring_attach(&replay->releases, header + offsetof(QXLRam, release_ring),
                    sizeof(QXLReleaseRing), QXL_RELEASE_RING_SIZE,
                    sizeof(uint64_t)) != 0) {
        return REPLAY_BROKEN;
    }
    return 0;
}

QXLPHYSICAL
replay_slot_address(const struct replay *replay, uint32_t slot, uint64_t offset)
{
    return (QXLPHYSICAL)slot << replay->memory.slot_shift | offset;
}

uint64_t
replay_in_flight(const struct replay *replay)
{
    return replay->blocks.next - replay->blocks.first;
}

/* Blocks are named by their number, from 1 on: 0 ends a chain. */
static uint64_t
release_block(struct replay *replay, uint64_t id)
{
    uint64_t next = 0;
    struct queued_block *block = block_find(&replay->blocks, id - 1);
    if (block == NULL) {
        return 0;
    }
    memcpy(&next, replay->memory.ram + block->release_offset, sizeof(next));
    block->released = true;
    if (block->extent != NO_EXTENT) {
        extent_give_back(&replay->extents, block->extent);
    }
    replay->state.released += block->recorded;
    return next;
}

int32_t
replay_collect(struct replay *replay)
{
    uint64_t before = replay->state.released;
    uint64_t chain = 0;
    int32_t notify, count;
    while ((count = ring_pop(&replay->releases, (uint8_t *)&chain, 1, &notify)) > 0) {
        while (chain != 0) {
            chain = release_block(replay, chain);
        }
    }
    block_shrink(&replay->blocks);
    replay->state.in_flight = replay_in_flight(replay);
    return count < 0 ? REPLAY_BROKEN : (int32_t)(replay->state.released - before);
}

int32_t
replay_push(struct replay *replay, const struct block_writer *written, uint32_t type,
            QXLPHYSICAL address, uint64_t freed, bool recorded)
{
    const struct ring *ring =
        type == QXL_CMD_CURSOR ? &replay->cursors : &replay->commands;
    uint64_t start = (uint64_t)(written->base - replay->memory.ram);
    struct queued_block block = {
        .start = start,
        .end = (start + written->used + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT,
        .release_offset = address - written->address + start,
        .extent = freed,
        .recorded = recorded,
    };
    uint64_t id = replay->blocks.next + 1;
    memcpy(replay->memory.ram + block.release_offset, &id, sizeof(id));
    block_push(&replay->blocks, &block);

    QXLCommand command = {.data = address, .type = type};
    int32_t notify = 0;
    int32_t pushed = ring_push(ring, (const uint8_t *)&command, 1, &notify);
    replay->state.notify |= notify;
    return pushed == 1 ? 0 : REPLAY_BROKEN;
}
