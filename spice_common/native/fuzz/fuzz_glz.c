/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GLZ images: sequences of pictures there and back through a window, and damaged ones.
 *
 * An input is the window's size and then steps of a kind, three numbers and a byte that
 * colors the picture; what follows a step of the kind STEP_BYTES is taken as an image.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "fuzz.h"
#include "glz.h"
#include "lz.h"

enum step {
    STEP_PICTURE,   /* encode, decode, compare */
    STEP_SMALL_DST, /* encode to too little room: as if it had not been */
    STEP_DAMAGE,    /* decode a damaged copy elsewhere, then the picture */
    STEP_RESET,     /* the encoder forgets */
    STEP_BYTES,     /* the input's rest as an image */
    STEP_COUNT,
    STEP_SIZE = 6,
    MAX_SIDE = 24,
    MAX_PICTURE = MAX_SIDE * MAX_SIDE * 4,
    MAX_IMAGE = 2 * MAX_PICTURE + 64,
    MAX_WINDOW_PIXELS = 1 << 20,
    MAX_STEPS = 24,
};

struct peers {
    struct glz_dictionary *dictionary;
    struct glz_window *window, *other;
    uint8_t pixels[MAX_PICTURE];
};

struct picture {
    uint32_t type, width, height;
    uint64_t stride, size;
};

/* Change a part of the picture before: much of it repeats. */
static struct picture
draw(struct peers *peers, const uint8_t *step)
{
    static const uint32_t types[] = {LZ_IMAGE_TYPE_RGB32, LZ_IMAGE_TYPE_RGBA,
                                     LZ_IMAGE_TYPE_RGB16, LZ_IMAGE_TYPE_RGB24};
    struct picture picture = {types[step[1] % 4], step[2] % MAX_SIDE + 1u,
                              step[3] % MAX_SIDE + 1u, 0, 0};
    uint32_t begin = step[4] * 9u, state = step[5] * 2654435761u + 1;

    picture.stride = lz_row_size(picture.type, picture.width);
    picture.size = picture.stride * picture.height;
    for (uint32_t i = 0; i < (step[5] & 63) * 2u; i++) {
        state = state * 1664525 + 1013904223;
        peers->pixels[(begin + i) % MAX_PICTURE] = (uint8_t)(state >> 24 & 0x83);
    }
    return picture;
}

static uint32_t
kept_unit(const uint8_t *pixels, uint32_t type, uint64_t i)
{
    uint32_t unit = 0;

    if (type == LZ_IMAGE_TYPE_RGB16) {
        memcpy(&unit, pixels + 2 * i, 2);
        uint32_t r = unit >> 10 & 31, g = unit >> 5 & 31, b = unit & 31;

        return (r << 3 | r >> 2) << 16 | (g << 3 | g >> 2) << 8 | (b << 3 | b >> 2);
    }
    memcpy(&unit, pixels + i * (type == LZ_IMAGE_TYPE_RGB24 ? 3 : 4),
           type == LZ_IMAGE_TYPE_RGB24 ? 3 : 4);
    return type == LZ_IMAGE_TYPE_RGBA ? unit : unit & 0xffffff;
}

/* Decode from and to memory that is exactly as large as it is said to be. */
static int
decode(struct glz_window *window, const uint8_t *data, size_t size, uint8_t **pixels)
{
    struct glz_header header;
    uint8_t *copy = malloc(size ? size : 1);
    int result = GLZ_DAMAGED;

    CHECK(copy != NULL);
    memcpy(copy, data, size);
    *pixels = NULL;
    if (!glz_decode_header(copy, size, &header) &&
        (uint64_t)header.width * header.height <= MAX_PICTURE) {
        uint64_t stride = (uint64_t)header.width * 4;

        *pixels = malloc(stride * header.height);
        CHECK(*pixels != NULL);
        result = glz_decode(window, copy, size, *pixels, stride * header.height,
                            (int64_t)stride);
    }
    free(copy);
    return result;
}

static void
damage(struct peers *peers, const uint8_t *image, int64_t size, const uint8_t *step)
{
    uint8_t damaged[MAX_IMAGE], *pixels;
    uint32_t at = step[4] | (uint32_t)step[0] >> 3 << 8;

    memcpy(damaged, image, (size_t)size);
    damaged[at % (uint64_t)size] ^= (uint8_t)(step[5] | 1);
    decode(peers->other, damaged, (size_t)size - (step[1] >> 6), &pixels);
    free(pixels);
}

static void
there_and_back(struct peers *peers, const uint8_t *step)
{
    struct picture picture = draw(peers, step);
    uint64_t room = step[0] % STEP_COUNT == STEP_SMALL_DST ? picture.size / 3
                                                           : picture.size * 2 + 64;
    uint8_t *image = malloc(room ? room : 1), *pixels;
    struct glz_stats before, after;
    int64_t size;

    CHECK(image != NULL);
    glz_dictionary_stats(peers->dictionary, &before);
    size = glz_encode(peers->dictionary, picture.type, picture.width, picture.height,
                      peers->pixels, picture.size, (int64_t)picture.stride, 1, image,
                      room);
    glz_dictionary_stats(peers->dictionary, &after);
    CHECK(size >= 0 && (uint64_t)size <= room);
    CHECK(after.next_id == before.next_id + (size > 0));
    if (size > 0) {
        if (step[0] % STEP_COUNT == STEP_DAMAGE)
            damage(peers, image, size, step);
        CHECK(decode(peers->window, image, (size_t)size, &pixels) == 0);
        for (uint64_t i = 0; i < (uint64_t)picture.width * picture.height; i++) {
            uint32_t pixel;

            memcpy(&pixel, pixels + 4 * i, 4);
            if (pixel != kept_unit(peers->pixels, picture.type, i))
                abort();
        }
        free(pixels);
    }
    free(image);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct peers peers;
    const uint8_t *end = data + size;
    uint8_t *pixels;

    if (size < 2)
        return 0;
    memset(peers.pixels, data[1], sizeof(peers.pixels));
    peers.dictionary = glz_dictionary_new(data[0] * 16u);
    peers.window = glz_window_new(MAX_WINDOW_PIXELS);
    peers.other = glz_window_new(MAX_WINDOW_PIXELS);
    CHECK(peers.dictionary && peers.window && peers.other);
    data += 2;
    for (int i = 0; i < MAX_STEPS && end - data >= STEP_SIZE; i++, data += STEP_SIZE) {
        if (data[0] % STEP_COUNT == STEP_RESET) {
            glz_dictionary_reset(peers.dictionary);
        } else if (data[0] % STEP_COUNT == STEP_BYTES) {
            decode(peers.other, data + 1, (size_t)(end - data) - 1, &pixels);
            free(pixels);
        } else {
            there_and_back(&peers, data);
        }
    }
    glz_dictionary_free(peers.dictionary);
    glz_window_free(peers.window);
    glz_window_free(peers.other);
    return 0;
}

/* Sequences of pictures of each type and mixed, and one image as bytes. */
size_t
fuzz_seed(uint32_t number, uint8_t *bytes)
{
    size_t size = 2;

    if (number >= 8)
        return 0;
    bytes[0] = (uint8_t)(number < 4 ? 200 : 20);
    bytes[1] = (uint8_t)number;
    for (uint8_t i = 0; i < 8; i++, size += STEP_SIZE) {
        bytes[size] = (uint8_t)(number < 5 ? 0 : i % 4);
        bytes[size + 1] = (uint8_t)(number < 4 ? number : i);
        bytes[size + 2] = (uint8_t)(8 + i % 3);
        bytes[size + 3] = (uint8_t)(6 + i % 2);
        bytes[size + 4] = (uint8_t)(3 * i);
        bytes[size + 5] = (uint8_t)(i * 29);
    }
    if (number == 7) {
        struct glz_dictionary *dictionary = glz_dictionary_new(4096);
        uint8_t pixels[16 * 16 * 4];

        CHECK(dictionary != NULL);
        for (uint32_t i = 0; i < sizeof(pixels); i++)
            pixels[i] = (uint8_t)(i % 24 * (i / 100));
        bytes[2] = STEP_BYTES;
        size = 3 + (size_t)glz_encode(dictionary, LZ_IMAGE_TYPE_RGBA, 16, 16, pixels,
                                      sizeof(pixels), 64, 1, bytes + 3, 2000);
        glz_dictionary_free(dictionary);
    }
    return size;
}
