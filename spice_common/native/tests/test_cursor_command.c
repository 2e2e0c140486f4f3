/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "command.h"
#include "cursor_command.h"
#include "guest.h"

static struct guest guest;
static struct cursor_reader *reader;

static int32_t
pop(void)
{
    return cursor_reader_pop(reader, &guest.cursors, &guest.slots, &guest.queue, 32);
}

static void
restart(void)
{
    guest_destroy(&guest);
    guest_init(&guest);
    memset(reader->errors, 0, sizeof(reader->errors));
}

static void
test_good(void)
{
    guest_push_scene(&guest, 3);
    CHECK(pop() == 1);
    const struct cursor_command *command = &reader->command;
    CHECK(command->type == QXL_CURSOR_SET && command->visible == 1);
    CHECK(command->x == 3 && command->y == 4 && command->unique == 99);
    CHECK(command->width == 8 && command->hot_spot_x == 1);
    CHECK(command->data_size == 256 && command->data[255] == 0x55);
    CHECK(pop() == 1 && command->type == QXL_CURSOR_MOVE && command->y == 4);
    CHECK(command->data_size == 0);
    CHECK(pop() == 1 && command->type == QXL_CURSOR_HIDE);
    CHECK(pop() == 1 && command->type == QXL_CURSOR_TRAIL);
    CHECK(command->trail_length == 3 && command->trail_frequency == 4);
    CHECK(pop() == 0 && guest.queue.pending == 4);
    restart();
}

static QXLCursor *
set_cursor(uint16_t type, uint16_t width, uint16_t height, uint32_t size)
{
    uint64_t address, shape;
    QXLCursorCmd *command = guest_alloc(&guest, sizeof(QXLCursorCmd), &address);
    QXLCursor *cursor = guest_alloc(&guest, (uint32_t)sizeof(QXLCursor) + size, &shape);
    command->release_info.id = guest.next_id++;
    command->type = QXL_CURSOR_SET;
    command->u.set.shape = shape;
    cursor->header.type = type;
    cursor->header.width = width;
    cursor->header.height = height;
    cursor->data_size = size;
    cursor->chunk.data_size = size;
    guest_push(&guest, &guest.cursors, QXL_CMD_CURSOR, address);
    return cursor;
}

static void
expect(enum command_error error)
{
    CHECK(pop() == (error == COMMAND_OK));
    CHECK(reader->errors[error] == (error != COMMAND_OK));
    CHECK(guest.queue.pending == 1);
    restart();
}

static void
test_sizes(void)
{
    const struct {
        uint16_t type;
        uint32_t size;
    } types[] = {
        {SPICE_CURSOR_TYPE_ALPHA, 9 * 3 * 4},
        {SPICE_CURSOR_TYPE_MONO, 2 * 2 * 3},
        {SPICE_CURSOR_TYPE_COLOR4, 5 * 3 + 64 + 2 * 3},
        {SPICE_CURSOR_TYPE_COLOR8, 9 * 3 + 1024 + 2 * 3},
        {SPICE_CURSOR_TYPE_COLOR16, 9 * 3 * 2 + 2 * 3},
        {SPICE_CURSOR_TYPE_COLOR24, 9 * 3 * 3 + 2 * 3},
        {SPICE_CURSOR_TYPE_COLOR32, 9 * 3 * 4 + 2 * 3},
    };
    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        set_cursor(types[i].type, 9, 3, types[i].size - 1);
        expect(COMMAND_BAD_CURSOR);
        set_cursor(types[i].type, 9, 3, types[i].size + 100);
        CHECK(pop() == 1 && reader->command.data_size == types[i].size);
        restart();
    }
}

static void
test_bad(void)
{
    set_cursor(SPICE_CURSOR_TYPE_ALPHA, 0, 8, 256);
    expect(COMMAND_BAD_CURSOR);
    set_cursor(SPICE_CURSOR_TYPE_ALPHA, MAX_CURSOR_SIDE + 1, 8, 256);
    expect(COMMAND_BAD_CURSOR);
    set_cursor(SPICE_CURSOR_TYPE_ENUM_END, 8, 8, 256);
    expect(COMMAND_BAD_CURSOR);
    set_cursor(SPICE_CURSOR_TYPE_ALPHA, 8, 8, 256)->header.hot_spot_y = 8;
    expect(COMMAND_BAD_CURSOR);
    set_cursor(SPICE_CURSOR_TYPE_ALPHA, 512, 512, 256)->data_size = 1 << 20;
    expect(COMMAND_CHUNKS_SHORT);
    set_cursor(SPICE_CURSOR_TYPE_ALPHA, 8, 8, 256)->chunk.data_size = UINT32_MAX;
    expect(COMMAND_OUT_OF_RANGE);
    uint64_t address;
    guest_drawable(&guest, QXL_DRAW_FILL, &address);
    guest_push(&guest, &guest.cursors, QXL_CMD_DRAW, address);
    expect(COMMAND_BAD_TYPE);
}

/* A producer as fast as we are cannot hold us: one ring of bad ones is enough. */
static void
test_ring_of_bad(void)
{
    for (int i = 0; i < QXL_CURSOR_RING_SIZE; i++) {
        guest_push(&guest, &guest.cursors, QXL_CMD_CURSOR, 0);
    }
    CHECK(pop() == 0 && ring_length(&guest.cursors) == 0);
    QXLRam *header = guest_header(&guest);
    CHECK(header->cursor_ring.notify_on_prod == header->cursor_ring.prod + 1);
    header->cursor_ring.prod += 33;
    CHECK(pop() == RING_BROKEN);
    CHECK(cursor_reader_pop(reader, &guest.releases, &guest.slots, &guest.queue, 1) ==
          RING_BAD_LAYOUT);
    restart();
}

int
main(void)
{
    guest_init(&guest);
    reader = cursor_reader_new();
    CHECK(reader != NULL);
    test_good();
    test_sizes();
    test_bad();
    test_ring_of_bad();
    cursor_reader_free(reader);
    guest_destroy(&guest);
    return 0;
}
