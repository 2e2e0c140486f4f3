/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

#include <stddef.h>

#include "command_parse.h"
#include "ring.h"
#include "shared_memory.h"

_Static_assert(sizeof(((struct command_bookkeeping *)0)->releases) /
                       sizeof(struct command_release) ==
                   MAX_BATCH_COMMANDS,
               "a release for every command");
_Static_assert(sizeof(((struct command_bookkeeping *)0)->messages) ==
                   MAX_BATCH_COMMANDS * MAX_MESSAGE_SIZE,
               "a message for every command");
_Static_assert(sizeof(((struct command_bookkeeping *)0)->errors) ==
                   NUM_COMMAND_ERRORS * sizeof(uint32_t),
               "a counter for every error");

/* The drawable at address, in the layout of today. */
static enum command_error
fetch_drawable(const struct parser *parser, uint64_t address, bool compat,
               QXLDrawable *drawable)
{
    QXLCompatDrawable old;
    if (!compat) {
        return command_fetch(parser->slots, address, drawable, sizeof(*drawable));
    }
    enum command_error error = command_fetch(parser->slots, address, &old, sizeof(old));
    if (error == COMMAND_OK) {
        convert_compat_drawable(&old, drawable);
    }
    return error;
}

static enum command_error
take_drawable(struct parser *parser, uint64_t address, bool compat)
{
    struct command_batch *batch = parser->batch;
    QXLDrawable drawable;
    enum command_error error = fetch_drawable(parser, address, compat, &drawable);
    if (error != COMMAND_OK) {
        return error;
    }
    if (drawable.type == QXL_DRAW_NOP) {
        return COMMAND_OK;
    }
    error = parse_drawable(parser, &drawable, &batch->draws[batch->num_draws]);
    if (error == COMMAND_OK) {
        add_entry(batch, BATCH_DRAW, batch->num_draws++);
    }
    return error;
}

static enum command_error
take_update(struct parser *parser, uint64_t address, bool compat)
{
    struct command_batch *batch = parser->batch;
    struct update_command *update = &batch->updates[batch->num_updates];
    QXLUpdateCmd command = {.surface_id = 0}; /* all that a compat update knows */
    _Static_assert(offsetof(QXLUpdateCmd, surface_id) == sizeof(QXLCompatUpdateCmd),
                   "an old update is the start of a new one");
    enum command_error error =
        command_fetch(parser->slots, address, &command,
                      compat ? sizeof(QXLCompatUpdateCmd) : sizeof(command));
    if (error != COMMAND_OK) {
        return error;
    }
    const QXLRect area = command.area;
    if (!parse_rect(&update->area, &area)) {
        return COMMAND_BAD_RECT;
    }
    if (command.surface_id >= MAX_SURFACES) {
        return COMMAND_BAD_SURFACE_ID;
    }
    update->update_id = command.update_id;
    update->surface_id = command.surface_id;
    add_entry(batch, BATCH_UPDATE, batch->num_updates++);
    return COMMAND_OK;
}

static enum command_error
take_surface(struct parser *parser, uint64_t address)
{
    struct command_batch *batch = parser->batch;
    QXLSurfaceCmd command;
    enum command_error error =
        command_fetch(parser->slots, address, &command, sizeof(command));
    if (error == COMMAND_OK) {
        error = parse_surface(parser, &command,
                              &batch->surface_commands[batch->num_surface_commands]);
    }
    if (error == COMMAND_OK) {
        add_entry(batch, BATCH_SURFACE, batch->num_surface_commands++);
    }
    return error;
}

/* Only printable ASCII reaches a log; a line's end is the log's own business. */
static void
sanitize(char *text, uint64_t size)
{
    uint64_t length = 0;
    while (length < size && text[length] != '\0') {
        unsigned char byte = (unsigned char)text[length];
        if (byte < 0x20 || byte > 0x7e) {
            text[length] = byte == '\n' || byte == '\t' ? ' ' : '?';
        }
        length++;
    }
    while (length > 0 && text[length - 1] == ' ') {
        length--;
    }
    text[length] = '\0';
}

static enum command_error
take_message(struct parser *parser, uint64_t address)
{
    struct command_batch *batch = parser->batch;
    struct command_bookkeeping *book = batch->bookkeeping;
    const uint64_t text_at = offsetof(QXLMessage, data);
    char *text = book->messages[book->num_messages];
    uint8_t *message = NULL;
    enum memslot_status status =
        memslot_resolve(parser->slots, address, text_at, &message);
    if (status != MEMSLOT_OK) {
        return command_address_error(status);
    }
    uint64_t size = memslot_room(parser->slots, address) - text_at;
    if (size > MAX_MESSAGE_SIZE - 1) {
        size = MAX_MESSAGE_SIZE - 1;
    }
    fetch(text, message + text_at, size);
    sanitize(text, size);
    add_entry(batch, BATCH_MESSAGE, book->num_messages++);
    return COMMAND_OK;
}

static enum command_error
dispatch(struct parser *parser, const QXLCommand *command, uint32_t flags)
{
    bool compat = flags & COMMAND_COMPAT;
    switch (command->type) {
    case QXL_CMD_DRAW:
        return take_drawable(parser, command->data, compat);
    case QXL_CMD_UPDATE:
        return take_update(parser, command->data, compat);
    case QXL_CMD_MESSAGE:
        return take_message(parser, command->data);
    case QXL_CMD_SURFACE:
        return take_surface(parser, command->data);
    default:
        return COMMAND_BAD_TYPE;
    }
}

/* Every command starts with a QXLReleaseInfo; one that is cut short or not understood
 * may still have that much.  This is the only look at the id. */
static void
collect_release(struct parser *parser, uint64_t address)
{
    struct command_bookkeeping *book = parser->batch->bookkeeping;
    struct command_release *release = &book->releases[book->num_releases];
    if (command_fetch(parser->slots, address, &release->id, sizeof(release->id)) ==
        COMMAND_OK) {
        release->address = address;
        release->serial = memslot_serial(parser->slots, address);
        book->num_releases++;
    }
}

/* One command: an entry, or a count and nothing left behind in the arrays. */
static void
take_command(struct parser *parser, const QXLCommand *command, uint32_t flags)
{
    struct command_bookkeeping *book = parser->batch->bookkeeping;

    if (command->type == QXL_CMD_NOP) {
        return; /* has no data, hence nothing to release */
    }
    collect_release(parser, command->data);
    const struct batch_mark mark = batch_mark(parser->batch);
    enum command_error error = dispatch(parser, command, flags);
    if (error != COMMAND_OK) {
        book->errors[error]++;
        batch_rewind(parser->batch, &mark);
    }
}

/* Up to max commands from the ring into items, parsed until the batch is full. */
static int32_t
take_commands(struct parser *parser, const struct ring *ring, uint32_t max,
              uint32_t flags, int32_t *notify)
{
    struct command_bookkeeping *book = parser->batch->bookkeeping;
    QXLCommand commands[MAX_BATCH_COMMANDS];
    uint32_t index = 0;
    int32_t count = ring_peek(ring, (uint8_t *)commands, max, &index);
    if (count <= 0) {
        return count;
    }
    while (book->taken < (uint32_t)count && book->work < MAX_BATCH_WORK) {
        take_command(parser, &commands[book->taken++], flags);
    }
    *notify = ring_consume(ring, index, book->taken);
    return (int32_t)book->taken;
}

int32_t
command_batch_drain(struct command_batch *batch, const struct ring *ring,
                    const struct memslot_table *slots, uint32_t max, uint32_t flags,
                    int32_t *notify)
{
    struct parser parser = {.slots = slots, .batch = batch};
    *notify = 0;
    if (batch->bookkeeping->num_releases != 0) {
        return BATCH_NOT_RELEASED;
    }
    if (ring->item_size != sizeof(QXLCommand)) {
        return RING_BAD_LAYOUT;
    }
    command_batch_clear(batch);
    if (max == 0 || max > MAX_BATCH_COMMANDS) {
        max = MAX_BATCH_COMMANDS;
    }
    int32_t taken = take_commands(&parser, ring, max, flags, notify);
    if (taken != 0) {
        return taken;
    }
    int32_t empty = ring_cons_wait(ring);
    if (empty != 0) {
        return empty < 0 ? empty : 0;
    }
    /* Something came between the look and the wish; never 0 now. */
    return take_commands(&parser, ring, max, flags, notify);
}

const char *
command_error_name(uint32_t error)
{
    static const char *const names[NUM_COMMAND_ERRORS] = {
        [COMMAND_OK] = "ok",
        [COMMAND_BAD_SLOT] = "bad memory slot",
        [COMMAND_BAD_GENERATION] = "bad slot generation",
        [COMMAND_OUT_OF_RANGE] = "outside the memory slot",
        [COMMAND_BAD_TYPE] = "bad command type",
        [COMMAND_BAD_SURFACE_ID] = "bad surface id",
        [COMMAND_BAD_SURFACE] = "bad surface",
        [COMMAND_BAD_DRAWABLE] = "bad drawable",
        [COMMAND_BAD_RECT] = "bad rectangle",
        [COMMAND_BAD_CLIP] = "bad clip",
        [COMMAND_BAD_BRUSH] = "bad brush",
        [COMMAND_BAD_MASK] = "bad mask",
        [COMMAND_BAD_IMAGE] = "bad image",
        [COMMAND_BAD_PALETTE] = "bad palette",
        [COMMAND_BAD_PATH] = "bad path",
        [COMMAND_BAD_STRING] = "bad string",
        [COMMAND_BAD_CURSOR] = "bad cursor",
        [COMMAND_CHUNKS_SHORT] = "chunks too short",
        [COMMAND_CHUNKS_LONG] = "too many chunks",
        [COMMAND_TOO_BIG] = "too big",
        [COMMAND_NO_MEMORY] = "out of memory",
        [COMMAND_MESSAGE_SHORT] = "message too short",
    };
    return error < NUM_COMMAND_ERRORS ? names[error] : NULL;
}
