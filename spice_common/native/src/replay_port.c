/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device messages: the ports of a QXL device that they were. */
#include "replay_parts.h"

#include <stddef.h>
#include <string.h>

/* Numbers of RedWorkerMessage; the others change nothing that is shown, or what they
 * change was not recorded, or spice-server's own replayer leaves them out, too. */
enum {
    MESSAGE_DESTROY_SURFACES = 19,
    MESSAGE_CREATE_PRIMARY = 20,
    MESSAGE_DESTROY_PRIMARY = 21,
    MESSAGE_CREATE_PRIMARY_ASYNC = 29,
};

/*
 * The event's picture goes to VRAM, and a port follows.  *again: first another port,
 * for there is a primary surface still, whose end was asynchronous.
 */
static void
create_primary(struct replay *replay, struct replay_text *text, bool *again)
{
    struct event_reader reader = {.text = *text};
    const uint8_t *data = NULL;
    uint32_t size = 0;
    event_primary(&reader, &replay->create, &data, &size);
    *text = reader.text;
    if (text->state != TEXT_GOOD) {
        return;
    }
    *again = replay->surfaces[0].live;
    if (*again) {
        replay->port = QXL_IO_DESTROY_PRIMARY;
        return;
    }
    uint64_t extent = extent_take(&replay->extents, size);
    if (extent == NO_EXTENT) {
        text_fail(text, TEXT_BAD, "a primary surface that fits VRAM");
        return;
    }
    memcpy(replay->memory.vram + extent, data, size);
    replay->create.mem = replay_slot_address(replay, replay->memory.vram_slot, extent);
    replay->next_primary = (struct live_surface){.extent = extent, .live = true};
    replay->port = QXL_IO_CREATE_PRIMARY;
}

/* Whether an "event" line follows at once; if so or not, text is left where it is. */
static bool
event_follows(const struct replay *replay, struct replay_text *text)
{
    struct replay_text look = *text;
    text_key(&look, "event");
    if (look.state == TEXT_SHORT) {
        bool at_end = replay->complete && text->at == text->end;
        if (!at_end) {
            text_fail(text, TEXT_SHORT, "event");
        }
        return at_end;
    }
    return look.state == TEXT_GOOD;
}

void
replay_device_message(struct replay *replay, struct replay_text *text, uint32_t type,
                      bool *again)
{
    switch (type) {
    case MESSAGE_CREATE_PRIMARY:
    case MESSAGE_CREATE_PRIMARY_ASYNC:
        /* A surface that was refused has no picture here. */
        if (!event_follows(replay, text)) {
            create_primary(replay, text, again);
        }
        break;
    case MESSAGE_DESTROY_PRIMARY:
        if (replay->surfaces[0].live) {
            replay->port = QXL_IO_DESTROY_PRIMARY;
        }
        break;
    case MESSAGE_DESTROY_SURFACES:
        replay->port = QXL_IO_DESTROY_ALL_SURFACES;
        break;
    default:
        break;
    }
}

static void
forget_surface(struct replay *replay, struct live_surface *surface)
{
    if (surface->live) {
        extent_give_back(&replay->extents, surface->extent);
        surface->live = false;
    }
}

/* The device has done what the port asks for. */
static void
port_done(struct replay *replay)
{
    switch (replay->port) {
    case QXL_IO_CREATE_PRIMARY:
        replay->surfaces[0] = replay->next_primary;
        break;
    case QXL_IO_DESTROY_PRIMARY:
        forget_surface(replay, &replay->surfaces[0]);
        break;
    default:
        for (uint32_t id = 0; id < MAX_SURFACES; id++) {
            forget_surface(replay, &replay->surfaces[id]);
        }
        break;
    }
    replay->port = NO_PORT;
    replay->port_given = false;
}

int32_t
replay_next_port(struct replay *replay)
{
    if (replay->port_given) {
        port_done(replay);
    }
    if (replay->port == NO_PORT) {
        return PLAYED;
    }
    if (ring_prod_drain(&replay->commands) != 0 ||
        ring_prod_drain(&replay->cursors) != 0) {
        return REPLAY_BUSY;
    }
    if (replay->port == QXL_IO_CREATE_PRIMARY) {
        memcpy(replay_ram_header(replay) + offsetof(QXLRam, create_surface),
               &replay->create, sizeof(replay->create));
    }
    replay->state.port = replay->port;
    replay->port_given = true;
    return REPLAY_PORT;
}
