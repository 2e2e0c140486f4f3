/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * client_canvas.h: a display as a SPICE client has it: what a server's messages do to
 * surfaces and caches, many messages in one call.
 *
 * The messages are not trusted: every length is checked, every table has a bound, and
 * what cannot be drawn is an error that says why.
 */
#ifndef CLIENT_CANVAS_H
#define CLIENT_CANVAS_H

#include <stdint.h>

struct canvas;
struct client_cache;
struct client_canvas;

enum client_error {
    CLIENT_OK = 0,
    CLIENT_BAD_MESSAGE,    /* its fields do not fit into it; detail: a command_error */
    CLIENT_TOO_BIG,        /* detail: the size in its header */
    CLIENT_NO_SURFACE,     /* detail: surface id */
    CLIENT_SURFACE_EXISTS, /* detail: surface id */
    CLIENT_BAD_SURFACE,    /* format or size; detail: surface id */
    CLIENT_NO_IMAGE,       /* not in the cache; detail: image id */
    CLIENT_NO_GLZ_IMAGE,   /* not in the GLZ window; detail: id of the image in need */
    CLIENT_NO_PALETTE,     /* not in the cache; detail: palette id */
    CLIENT_BAD_IMAGE,      /* it cannot be decoded; detail: SPICE_IMAGE_TYPE_* */
    CLIENT_UNSUPPORTED_IMAGE, /* detail: SPICE_IMAGE_TYPE_* */
    CLIENT_REJECTED,     /* its numbers do not fit the surfaces; detail: surface id */
    CLIENT_UNSUPPORTED,  /* nothing here draws this; detail: surface id */
    CLIENT_LIMIT_IMAGES, /* more in the cache than was offered */
    CLIENT_LIMIT_PALETTES,
    CLIENT_LIMIT_SURFACES,
    CLIENT_NO_MEMORY,
};

/* Why client_canvas_receive() came back. */
enum client_reason {
    CLIENT_MORE = 0,  /* what is left is no whole message */
    CLIENT_OTHER = 1, /* the next message is none of pictures: the caller's to handle */
    CLIENT_FAILED = 2, /* the next message is wrong: error and detail */
};

struct client_progress {
    uint64_t consumed; /* bytes of messages done with, headers included */
    uint32_t messages; /* how many these were */
    uint32_t reason;   /* enum client_reason; what follows is about the next message */
    uint32_t type;     /* its id */
    uint32_t body_size;
    uint32_t sub_list; /* offset of its sub-messages in its body, 0: none */
    uint32_t error;    /* enum client_error */
    uint64_t detail;
};

enum {
    CLIENT_MESSAGE_TYPES = 512, /* ids of display messages are below this */
    CLIENT_IMAGE_TYPES = 128,   /* SPICE_IMAGE_TYPE_* are below this */
    CLIENT_SURFACES = 1024,     /* QXL devices have at most as many */
};

/* What came so far: messages with their headers; images by the message they are in. */
struct client_counts {
    uint64_t messages[512], bytes[512]; /* CLIENT_MESSAGE_TYPES */
    uint64_t images[128], image_bytes[128], image_pixels[128]; /* CLIENT_IMAGE_TYPES */
    uint64_t draws; /* messages that changed a surface */
};

/*
 * What the display channels of one session share: cached images and the GLZ window,
 * both offered to the server in pixels.  NULL: no memory.  Free it after its canvases.
 */
struct client_cache *client_cache_new(uint64_t image_pixels, uint32_t window_pixels);
void client_cache_free(struct client_cache *cache);
void client_cache_forget_images(struct client_cache *cache);
uint64_t client_cache_image_bytes(struct client_cache *cache);
uint32_t client_cache_num_images(struct client_cache *cache);

/*
 * One display channel.  paint: 0 counts messages and draws nothing.  max_message is the
 * largest body that is taken.  NULL: no memory.
 */
struct client_canvas *client_canvas_new(struct client_cache *cache, uint32_t paint,
                                        uint32_t max_message);
void client_canvas_free(struct client_canvas *canvas);

/*
 * Do what the messages in data say, until one is not whole, not of pictures, or wrong;
 * progress says which.  full_header: SpiceDataHeader before each, otherwise
 * SpiceMiniDataHeader.  A message that failed for lack of an image can be tried again.
 */
void client_canvas_receive(struct client_canvas *canvas, const uint8_t *data,
                           uint64_t size, uint32_t full_header,
                           struct client_progress *progress);

/* One message without a header; a client_error, *detail as in struct client_progress.
 */
uint32_t client_canvas_message(struct client_canvas *canvas, uint32_t type,
                               const uint8_t *body, uint32_t size, uint64_t *detail);

/* Whether client_canvas_message() would take messages of this type. */
uint32_t client_canvas_takes(uint32_t type);

/* Its surfaces, for canvas.h's functions that look and do not change. */
struct canvas *client_canvas_surfaces(struct client_canvas *canvas);

/* Copy a surface's pixels to dst in rows without padding; 0, or -1: no such surface, or
 * size is not theirs. */
int client_canvas_read(struct client_canvas *canvas, uint32_t surface_id, uint8_t *dst,
                       uint64_t size);

/* The surface that is the screen; CLIENT_SURFACES: none. */
uint32_t client_canvas_primary(const struct client_canvas *canvas);
/* The server said that the screen may be shown. */
uint32_t client_canvas_marked(const struct client_canvas *canvas);
/* Every pixel of the screen was drawn at least once; 0 also if that is not known. */
uint32_t client_canvas_complete(const struct client_canvas *canvas);

void client_canvas_forget_palettes(struct client_canvas *canvas);
const struct client_counts *client_canvas_counts(const struct client_canvas *canvas);

#endif /* CLIENT_CANVAS_H */
