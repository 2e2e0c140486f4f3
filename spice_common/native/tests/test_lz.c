/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lz.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

enum { WIDTH = 61, HEIGHT = 37, MAX_SIZE = WIDTH * HEIGHT * 4, GUARD = 64 };

static uint32_t state = 1;

static uint32_t
draw_number(void)
{
    state = state * 1664525 + 1013904223;
    return state >> 8;
}

/* Flat parts, repeated rows and noise. */
static void
draw_picture(uint8_t *pixels, uint64_t row_size, uint32_t kind)
{
    for (uint32_t y = 0; y < HEIGHT; y++) {
        uint8_t *row = pixels + y * row_size;

        for (uint64_t i = 0; i < row_size; i++) {
            if (kind == 0 || y % 4 == 0)
                row[i] = (uint8_t)(i < row_size / 3 ? 9 : draw_number());
            else
                row[i] = kind == 1 ? row[i - row_size] : (uint8_t)(i / 9);
        }
    }
}

static int
agree(uint32_t type, const uint8_t *a, const uint8_t *b, uint64_t size)
{
    for (uint64_t i = 0; i < size; i++) {
        uint8_t mask = 0xff;

        if (type == LZ_IMAGE_TYPE_RGB16 && i % 2 == 1)
            mask = 0x7f;
        if (type == LZ_IMAGE_TYPE_RGB32 && i % 4 == 3)
            mask = 0;
        if (type == LZ_IMAGE_TYPE_XXXA && i % 4 != 3)
            mask = 0;
        if ((a[i] ^ b[i]) & mask)
            return 0;
    }
    return 1;
}

static void
test_every_type_and_every_room(void)
{
    struct lz_encoder *encoder = lz_encoder_new();
    static uint8_t pixels[MAX_SIZE], back[MAX_SIZE], image[2 * MAX_SIZE + GUARD];

    CHECK(encoder != NULL);
    for (uint32_t n = 0; n < 3 * LZ_IMAGE_TYPE_A8; n++) {
        uint32_t type = n / 3 + 1;
        uint64_t row = lz_row_size(type, WIDTH), size = row * HEIGHT;
        int64_t whole, part;

        draw_picture(pixels, row, n % 3);
        whole = lz_encode(encoder, type, WIDTH, HEIGHT, pixels, size, (int64_t)row, 1,
                          image, 2 * MAX_SIZE);
        CHECK(whole > 0);
        memset(back, 0, sizeof(back));
        CHECK(lz_decode(image, (uint64_t)whole, back, size, (int64_t)row, type) == 0);
        CHECK(agree(type, pixels, back, size));
        /* Exactly enough is enough; a byte less is not, and nothing is behind it. */
        CHECK(lz_encode(encoder, type, WIDTH, HEIGHT, pixels, size, (int64_t)row, 1,
                        image, (uint64_t)whole + 8) == whole);
        for (uint64_t room = 0; room < (uint64_t)whole; room += 1 + room / 16) {
            memset(image, 0xa5, sizeof(image));
            part = lz_encode(encoder, type, WIDTH, HEIGHT, pixels, size, (int64_t)row,
                             1, image, room);
            CHECK(part == 0);
            for (uint64_t i = 0; i < GUARD; i++)
                CHECK(image[room + i] == 0xa5);
        }
    }
    lz_encoder_free(encoder);
}

static void
test_rows_upside_down(void)
{
    struct lz_encoder *encoder = lz_encoder_new();
    static uint8_t pixels[MAX_SIZE], back[MAX_SIZE], image[2 * MAX_SIZE];
    int64_t row = (int64_t)lz_row_size(LZ_IMAGE_TYPE_RGB24, WIDTH), size;

    draw_picture(pixels, (uint64_t)row, 1);
    size = lz_encode(encoder, LZ_IMAGE_TYPE_RGB24, WIDTH, HEIGHT, pixels,
                     (uint64_t)row * HEIGHT, -row, 0, image, sizeof(image));
    CHECK(size > 0);
    CHECK(lz_decode(image, (uint64_t)size, back, (uint64_t)row * HEIGHT, row,
                    LZ_IMAGE_TYPE_RGB24) == 0);
    for (int64_t y = 0; y < HEIGHT; y++)
        CHECK(!memcmp(back + y * row, pixels + (HEIGHT - 1 - y) * row, (size_t)row));
    CHECK(lz_decode(image, (uint64_t)size, back, (uint64_t)row * HEIGHT, -row,
                    LZ_IMAGE_TYPE_RGB24) == 0);
    CHECK(!memcmp(back, pixels, (size_t)row * HEIGHT));
    lz_encoder_free(encoder);
}

static void
test_bad_arguments(void)
{
    struct lz_encoder *encoder = lz_encoder_new();
    uint8_t pixels[64] = {0}, image[256];

    CHECK(lz_encode(encoder, 0, 4, 4, pixels, 64, 16, 1, image, 256) == -1);
    CHECK(lz_encode(encoder, 12, 4, 4, pixels, 64, 16, 1, image, 256) == -1);
    CHECK(lz_encode(encoder, 8, 0, 4, pixels, 64, 16, 1, image, 256) == -1);
    CHECK(lz_encode(encoder, 8, 4, 4, pixels, 63, 16, 1, image, 256) == -1);
    CHECK(lz_encode(encoder, 8, 4, 4, pixels, 64, 15, 1, image, 256) == -1);
    CHECK(lz_encode(encoder, 8, 4, 4, pixels, 64, 0, 1, image, 256) == -1);
    CHECK(lz_encode(encoder, 8, 4, 4, pixels, 64, INT64_MIN, 1, image, 256) == -1);
    CHECK(lz_encode(encoder, 8, UINT32_MAX, UINT32_MAX, pixels, 64, INT64_MAX, 1, image,
                    256) == -1);
    CHECK(lz_encode(encoder, 8, 4, 4, pixels, 64, 16, 1, image, 256) > 0);
    lz_encoder_free(encoder);
}

/* The table lives on between pictures: its places must not. */
static void
test_many_pictures(void)
{
    struct lz_encoder *encoder = lz_encoder_new();
    uint8_t pixels[8 * 8 * 4], back[8 * 8 * 4], image[1024];

    for (uint32_t n = 0; n < 20000; n++) {
        int64_t size;

        for (uint32_t i = 0; i < sizeof(pixels); i++)
            pixels[i] = (uint8_t)(i % 4 == 3 ? 0 : (i / 4 % (n % 7 + 1)) * n);
        size = lz_encode(encoder, LZ_IMAGE_TYPE_RGB32, 8, 8, pixels, sizeof(pixels), 32,
                         1, image, sizeof(image));
        CHECK(size > 0);
        CHECK(!lz_decode(image, (uint64_t)size, back, sizeof(back), 32,
                         LZ_IMAGE_TYPE_RGB32));
        CHECK(!memcmp(back, pixels, sizeof(pixels)));
    }
    lz_encoder_free(encoder);
}

static uint8_t shared_pixels[256 * 64 * 4];
static int stop;

/* The race is the purpose. */
__attribute__((no_sanitize("thread"))) static void *
flip_pixels(void *unused)
{
    volatile uint8_t *bytes = shared_pixels;
    uint32_t number = 1;

    (void)unused;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        number = number * 1664525 + 1013904223;
        bytes[(number >> 8) % sizeof(shared_pixels)] = (uint8_t)(number >> 30);
    }
    return NULL;
}

static void
test_pixels_that_change_meanwhile(void)
{
    static const uint32_t types[] = {LZ_IMAGE_TYPE_RGB32, LZ_IMAGE_TYPE_RGB16,
                                     LZ_IMAGE_TYPE_PLT8, LZ_IMAGE_TYPE_RGBA};
    struct lz_encoder *encoder = lz_encoder_new();
    static uint8_t image[sizeof(shared_pixels) * 2];
    pthread_t thread;

    __atomic_store_n(&stop, 0, __ATOMIC_SEQ_CST);
    CHECK(pthread_create(&thread, NULL, flip_pixels, NULL) == 0);
    for (uint32_t n = 0; n < 400; n++) {
        uint32_t type = types[n % 4];
        uint64_t row = lz_row_size(type, 256), room = 40 + n * 191 % (row * 64);
        int64_t size;

        memset(image + room, 0xa5, GUARD);
        size = lz_encode(encoder, type, 256, 64, shared_pixels, row * 64, (int64_t)row,
                         1, image, room);
        CHECK(size >= 0 && (uint64_t)size <= room);
        for (uint64_t i = 0; i < GUARD; i++)
            CHECK(image[room + i] == 0xa5);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    CHECK(pthread_join(thread, NULL) == 0);
    lz_encoder_free(encoder);
}

int
main(void)
{
    test_every_type_and_every_room();
    test_rows_upside_down();
    test_bad_arguments();
    test_many_pictures();
    test_pixels_that_change_meanwhile();
    return 0;
}
