/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * client_canvas_impl.h: what the files of a client's canvas share.
 */
#ifndef CLIENT_CANVAS_IMPL_H
#define CLIENT_CANVAS_IMPL_H

#include "canvas_draw.h"
#include "client_cache.h"
#include "client_canvas.h"
#include "command_batch.h"

enum {
    /* A message has at most a source, two brushes and a mask. */
    MAX_MESSAGE_IMAGES = 8,
    /* What was drawn is noted as long as it is no more rectangles than that. */
    MAX_DRAWN_RECTS = 2048,
};

#define MAX_SURFACE_BYTES (UINT64_C(256) << 20) /* 8192 x 8192 of 32 bits */
#define MAX_TOTAL_BYTES (UINT64_C(1) << 30)     /* four of these */

/* An image of the message at hand. */
struct message_image {
    struct pixel_buffer buffer;
    struct decoded_image decoded;
    uint8_t kept;           /* GLZ, decoded when the message was tried before */
    uint8_t inline_palette; /* its colors are the batch's */
};

struct client_canvas {
    struct client_cache *cache;
    struct canvas *surfaces;
    uint8_t *pixels[CLIENT_SURFACES];
    uint64_t sizes[CLIENT_SURFACES];
    uint64_t total_size;
    struct command_batch *batch;
    struct image_decoder *decoder;
    struct message_image images[MAX_MESSAGE_IMAGES];
    struct palette_cache palettes;
    uint32_t primary; /* CLIENT_SURFACES: none */
    uint32_t marked;
    pixman_region32_t drawn; /* of the primary, while count_drawn */
    uint32_t count_drawn;
    uint32_t paint, max_message;
    uint64_t detail; /* of the error being returned */
    struct client_counts counts;
};

/* Draw messages, with the lock of the cache held; a client_error. */
enum client_error client_draw(struct client_canvas *canvas, uint32_t type,
                              const uint8_t *body, uint32_t size);

/* Messages that make and end surfaces. */
enum client_error client_create_surface(struct client_canvas *canvas,
                                        const uint8_t *body, uint32_t size);
enum client_error client_destroy_surface(struct client_canvas *canvas,
                                         const uint8_t *body, uint32_t size);
enum client_error client_set_mode(struct client_canvas *canvas, const uint8_t *body,
                                  uint32_t size);
enum client_error client_reset(struct client_canvas *canvas);
void client_free_surfaces(struct client_canvas *canvas);

/* Note the image in a draw message, without looking at more of it than that takes. */
void client_count_image(struct client_counts *counts, uint32_t type,
                        const uint8_t *body, uint32_t size);

static inline enum client_error
client_fail(struct client_canvas *canvas, enum client_error error, uint64_t detail)
{
    canvas->detail = detail;
    return error;
}

static inline uint32_t
wire_u16(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8;
}

static inline uint32_t
wire_u32(const uint8_t *at)
{
    return wire_u16(at) | wire_u16(at + 2) << 16;
}

static inline uint64_t
wire_u64(const uint8_t *at)
{
    return wire_u32(at) | (uint64_t)wire_u32(at + 4) << 32;
}

#endif /* CLIENT_CANVAS_IMPL_H */
