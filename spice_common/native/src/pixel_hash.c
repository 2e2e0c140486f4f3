/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pixel_hash.c: two lanes, each a sum of products of keyed words (64 x 64 -> 128 bits).
 *
 * A product of two words, each combined with a secret, depends on both in a way that
 * who does not know the secrets cannot steer.  The running sum is part of the next
 * product, so that the order of the words matters.
 */
#include "pixel_hash.h"

#include <pthread.h>
#include <spice/enums.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "bitmap.h"

enum {
    LANES = 4,          /* products that do not wait for each other */
    BLOCK = LANES * 16, /* bytes */
};

/* unsigned __int128 is no standard C. */
__extension__ typedef unsigned __int128 product;

static uint64_t secrets[2 * LANES + 4];
static pthread_once_t secrets_once = PTHREAD_ONCE_INIT;

static void
make_secrets(void)
{
    uint64_t mix =
        (uint64_t)time(NULL) * 0x9e3779b97f4a7c15 ^ (uint64_t)(uintptr_t)&mix;

    if (getrandom(secrets, sizeof(secrets), 0) == (ssize_t)sizeof(secrets))
        return;
    /* A kernel without randomness: still different in each process. */
    for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++) {
        mix = mix * 6364136223846793005 + 1442695040888963407;
        secrets[i] = mix ^ mix >> 29;
    }
}

static inline uint64_t
multiply(uint64_t a, uint64_t b)
{
    product full = (product)a * b;

    return (uint64_t)full ^ (uint64_t)(full >> 64);
}

struct state {
    uint64_t lanes[LANES];
    uint64_t mask; /* the bits of 8 bytes that belong to the picture */
};

static inline void
absorb(struct state *state, const uint64_t words[2 * LANES])
{
    for (int i = 0; i < LANES; i++)
        state->lanes[i] = multiply((words[2 * i] & state->mask) ^ secrets[2 * i],
                                   (words[2 * i + 1] & state->mask) ^
                                       secrets[2 * i + 1] ^ state->lanes[i]) +
                          state->lanes[i];
}

static void
absorb_row(struct state *state, const uint8_t *row, size_t size)
{
    uint64_t words[2 * LANES];

    for (; size >= BLOCK; row += BLOCK, size -= BLOCK) {
        memcpy(words, row, BLOCK);
        absorb(state, words);
    }
    if (size > 0) {
        memset(words, 0, BLOCK);
        memcpy(words, row, size);
        absorb(state, words);
    }
}

/* Both halves depend on all lanes. */
static struct pixel_hash
finish(const struct state *state, uint64_t what, uint64_t kind)
{
    const uint64_t *end = secrets + 2 * LANES;
    uint64_t a = multiply(state->lanes[0] ^ end[0], state->lanes[1] ^ end[1]) ^ what;
    uint64_t b = multiply(state->lanes[2] ^ end[2], state->lanes[3] ^ end[3]) ^ kind;
    struct pixel_hash hash;

    hash.low = multiply(a ^ end[1], b ^ end[2]);
    hash.high = multiply(a ^ end[3], b ^ end[0] ^ state->lanes[0]) + state->lanes[2];
    return hash;
}

struct pixel_hash
pixel_hash(const struct pixels *pixels)
{
    struct state state = {{1, 2, 3, 4}, UINT64_MAX};
    size_t row_size = (size_t)pixels->width * surface_pixel_size(pixels->format);

    pthread_once(&secrets_once, make_secrets);
    if (pixels->format == SPICE_SURFACE_FMT_32_xRGB)
        state.mask = 0x00ffffff00ffffff;
    for (uint32_t y = 0; y < pixels->height; y++)
        absorb_row(&state, pixels->data + (int64_t)y * pixels->stride, row_size);
    return finish(&state, (uint64_t)pixels->width << 32 | pixels->height,
                  pixels->format);
}
