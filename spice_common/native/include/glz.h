/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * glz.h: the images of SPICE_IMAGE_TYPE_GLZ_RGB, which may repeat earlier images.
 *
 * Both sides keep the last images, up to a number of pixels that the client chooses
 * (its "window"), and an image's header says how far back the oldest is that the
 * encoder still has.  So every image that was encoded must reach the client, each once.
 */
#ifndef GLZ_H
#define GLZ_H

#include <stdint.h>

/* What a client has seen; shared by its display channels (it has its own lock). */
struct glz_dictionary;

/*
 * Its memory grows up to window_pixels (at most 2^25) + the largest image, 4 bytes
 * each. NULL: no memory.
 */
struct glz_dictionary *glz_dictionary_new(uint32_t window_pixels);
void glz_dictionary_free(struct glz_dictionary *dictionary);

/* Use no image of before again.  The ids go on: the client knows nothing of it. */
void glz_dictionary_reset(struct glz_dictionary *dictionary);

/*
 * Encode height rows of type LZ_IMAGE_TYPE_RGB16, RGB24, RGB32 or RGBA, stride bytes
 * apart in pixels (a negative one: the first row comes last), and keep a copy of them.
 * Ids count from 0. Bytes written; 0: they are more than dst_size, or the image is
 * larger than the window (it has no id then and is not kept); -1: bad arguments or no
 * memory.
 */
int64_t glz_encode(struct glz_dictionary *dictionary, uint32_t type, uint32_t width,
                   uint32_t height, const uint8_t *pixels, uint64_t size,
                   int64_t stride, int top_down, uint8_t *dst, uint64_t dst_size);

struct glz_stats {
    uint64_t next_id;         /* images that have been encoded */
    uint64_t pixels, bytes;   /* that went in and came out */
    uint64_t matched_own;     /* pixels that repeat their own image */
    uint64_t matched_earlier; /* pixels that repeat an earlier image */
    uint32_t window_images;
    uint32_t window_pixels;
    uint64_t memory; /* bytes */
};

void glz_dictionary_stats(struct glz_dictionary *dictionary, struct glz_stats *stats);

/* What the header of an image says. */
struct glz_header {
    uint32_t type; /* LZ_IMAGE_TYPE_RGB16, RGB24, RGB32 or RGBA */
    uint32_t width, height;
    int top_down; /* 0: the first row is the picture's last one */
    uint64_t id;
    uint32_t window_head_distance; /* older images may be forgotten */
};

/* 0, or -1 if this is not the beginning of an image that can be decoded. */
int glz_decode_header(const uint8_t *data, uint64_t size, struct glz_header *header);

/* The images that a client keeps; shared by its display channels, but has no lock. */
struct glz_window;

/* max_pixels: what a hostile server can make it keep. */
struct glz_window *glz_window_new(uint64_t max_pixels);
void glz_window_free(struct glz_window *window);
void glz_window_clear(struct glz_window *window);

enum glz_error {
    GLZ_DAMAGED = -1,   /* no GLZ image, or one that contradicts itself */
    GLZ_NO_IMAGE = -2,  /* it repeats an image that is not (yet) or no longer here */
    GLZ_TOO_MUCH = -3,  /* the window would become larger than allowed */
    GLZ_BAD_ID = -4,    /* there is such an image already, or its time is over */
    GLZ_NO_MEMORY = -5, /* ours */
};

/*
 * Decode an image to 32-bit pixels (RGBA: with alpha, otherwise 0 there), keep it, and
 * forget what its header says.  dst: rows in the order of the data, stride bytes
 * apart (a negative one: the first comes last).
 * 0, or an enum glz_error, and nothing has changed but dst.  An image that got
 * GLZ_NO_IMAGE may be tried again when another channel's have been decoded.
 */
int glz_decode(struct glz_window *window, const uint8_t *data, uint64_t size,
               uint8_t *dst, uint64_t dst_size, int64_t stride);

#endif /* GLZ_H */
