/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * client_messages.c: from bytes to messages, and which of them is for whom.
 */
#include <spice/enums.h>

#include "client_canvas_impl.h"

enum {
    MINI_HEADER_SIZE = 6, /* SpiceMiniDataHeader: type 16, size 32 */
    FULL_HEADER_SIZE =
        18, /* SpiceDataHeader: serial 64, type 16, size 32, sub_list 32 */
};

struct message {
    uint32_t type, size, sub_list;
    uint32_t header_size;
    const uint8_t *body;
};

static int
is_draw(uint32_t type)
{
    return type == SPICE_MSG_DISPLAY_COPY_BITS ||
           (type >= SPICE_MSG_DISPLAY_DRAW_FILL &&
            type <= SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND) ||
           type == SPICE_MSG_DISPLAY_DRAW_COMPOSITE;
}

uint32_t
client_canvas_takes(uint32_t type)
{
    switch (type) {
    case SPICE_MSG_DISPLAY_MODE:
    case SPICE_MSG_DISPLAY_MARK:
    case SPICE_MSG_DISPLAY_RESET:
    case SPICE_MSG_DISPLAY_INVAL_LIST:
    case SPICE_MSG_DISPLAY_INVAL_PALETTE:
    case SPICE_MSG_DISPLAY_INVAL_ALL_PALETTES:
    case SPICE_MSG_DISPLAY_SURFACE_CREATE:
    case SPICE_MSG_DISPLAY_SURFACE_DESTROY:
        return 1;
    default:
        return (uint32_t)is_draw(type);
    }
}

/* SpiceResourceList: a count of 16 bits, then type and id of each. */
static enum client_error
inval_list(struct client_canvas *canvas, const uint8_t *body, uint32_t size)
{
    uint32_t count;

    if (size < 2)
        return CLIENT_BAD_MESSAGE;
    count = wire_u16(body);
    if (2 + count * 9 > size)
        return CLIENT_BAD_MESSAGE;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *resource = body + 2 + i * 9;

        if (resource[0] == SPICE_RES_TYPE_PIXMAP)
            client_cache_remove(canvas->cache, wire_u64(resource + 1));
    }
    return CLIENT_OK;
}

static enum client_error
inval_palette(struct client_canvas *canvas, const uint8_t *body, uint32_t size)
{
    if (size < 8)
        return CLIENT_BAD_MESSAGE;
    palette_cache_remove(&canvas->palettes, wire_u64(body));
    return CLIENT_OK;
}

static enum client_error
handle(struct client_canvas *canvas, uint32_t type, const uint8_t *body, uint32_t size)
{
    switch (type) {
    case SPICE_MSG_DISPLAY_MODE:
        return client_set_mode(canvas, body, size);
    case SPICE_MSG_DISPLAY_MARK:
        canvas->marked = 1;
        return CLIENT_OK;
    case SPICE_MSG_DISPLAY_RESET:
        return client_reset(canvas);
    case SPICE_MSG_DISPLAY_INVAL_LIST:
        return inval_list(canvas, body, size);
    case SPICE_MSG_DISPLAY_INVAL_PALETTE:
        return inval_palette(canvas, body, size);
    case SPICE_MSG_DISPLAY_INVAL_ALL_PALETTES:
        palette_cache_clear(&canvas->palettes);
        return CLIENT_OK;
    case SPICE_MSG_DISPLAY_SURFACE_CREATE:
        return client_create_surface(canvas, body, size);
    case SPICE_MSG_DISPLAY_SURFACE_DESTROY:
        return client_destroy_surface(canvas, body, size);
    default:
        return client_draw(canvas, type, body, size);
    }
}

uint32_t
client_canvas_message(struct client_canvas *canvas, uint32_t type, const uint8_t *body,
                      uint32_t size, uint64_t *detail)
{
    enum client_error error = CLIENT_OK;

    canvas->detail = 0;
    if (canvas->paint) {
        pthread_mutex_lock(&canvas->cache->lock);
        error = handle(canvas, type, body, size);
        pthread_mutex_unlock(&canvas->cache->lock);
    }
    *detail = canvas->detail;
    return error;
}

/* The message at data; 0: it is not whole.  Its size is checked by the caller. */
static int
next_message(const uint8_t *data, uint64_t size, uint32_t full_header,
             struct message *message)
{
    const uint8_t *at = full_header ? data + 8 : data;

    message->header_size = full_header ? FULL_HEADER_SIZE : MINI_HEADER_SIZE;
    if (size < message->header_size)
        return 0;
    message->type = wire_u16(at);
    message->size = wire_u32(at + 2);
    message->sub_list = full_header ? wire_u32(at + 6) : 0;
    message->body = data + message->header_size;
    return 1;
}

static void
count(struct client_canvas *canvas, const struct message *message)
{
    struct client_counts *counts = &canvas->counts;

    if (message->type < CLIENT_MESSAGE_TYPES) {
        counts->messages[message->type]++;
        counts->bytes[message->type] += message->header_size + (uint64_t)message->size;
    }
    if (is_draw(message->type))
        client_count_image(counts, message->type, message->body, message->size);
}

static void
tell(struct client_progress *progress, enum client_reason reason,
     const struct message *message, uint32_t error)
{
    progress->reason = reason;
    progress->type = message->type;
    progress->body_size = message->size;
    progress->sub_list = message->sub_list;
    progress->error = error;
}

/* Do one message; 0: this is where to stop. */
static int
do_message(struct client_canvas *canvas, const struct message *message, uint64_t room,
           struct client_progress *progress)
{
    uint32_t error;

    if (message->size > canvas->max_message) {
        progress->detail = message->size;
        tell(progress, CLIENT_FAILED, message, CLIENT_TOO_BIG);
        return 0;
    }
    if (message->size > room)
        return 0;
    if (!client_canvas_takes(message->type) || message->sub_list) {
        count(canvas, message);
        tell(progress, CLIENT_OTHER, message, CLIENT_OK);
        return 0;
    }
    error = client_canvas_message(canvas, message->type, message->body, message->size,
                                  &progress->detail);
    if (error) {
        tell(progress, CLIENT_FAILED, message, error);
        return 0;
    }
    count(canvas, message);
    return 1;
}

void
client_canvas_receive(struct client_canvas *canvas, const uint8_t *data, uint64_t size,
                      uint32_t full_header, struct client_progress *progress)
{
    struct message message;

    *progress = (struct client_progress){.reason = CLIENT_MORE};
    while (next_message(data, size, full_header, &message)) {
        uint64_t whole = message.header_size + (uint64_t)message.size;

        if (!do_message(canvas, &message, size - message.header_size, progress))
            return;
        data += whole;
        size -= whole;
        progress->consumed += whole;
        progress->messages++;
    }
}
