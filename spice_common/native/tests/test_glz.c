/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "glz.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "lz.h"

enum { GUARD = 64, MAX_PIXELS = 128 * 128 };

static uint32_t state = 1;
static uint32_t pixels[MAX_PIXELS], back[MAX_PIXELS];
static uint8_t image[MAX_PIXELS * 8];

static uint32_t
draw_number(void)
{
    state = state * 1664525 + 1013904223;
    return state >> 8;
}

static int64_t
encode(struct glz_dictionary *dictionary, uint32_t type, uint32_t width,
       uint32_t height, uint64_t room)
{
    return glz_encode(dictionary, type, width, height, (uint8_t *)pixels,
                      (uint64_t)width * height * 4, (int64_t)width * 4, 1, image, room);
}

static int
decode(struct glz_window *window, int64_t size, uint32_t width, uint32_t height)
{
    return glz_decode(window, image, (uint64_t)size, (uint8_t *)back,
                      (uint64_t)width * height * 4, (int64_t)width * 4);
}

static void
change_some(uint32_t count)
{
    uint32_t begin = draw_number() % MAX_PIXELS;

    for (uint32_t i = 0; i < count; i++)
        pixels[(begin + i) % MAX_PIXELS] = draw_number() & 0xf0f0f0;
}

/* Windows from tiny to large, pictures of all sizes: the ring wraps in every way. */
static void
test_sequences(void)
{
    static const uint32_t windows[] = {64, 1000, 5000, 20000, 1 << 18};

    for (uint32_t n = 0; n < sizeof(windows) / sizeof(windows[0]); n++) {
        struct glz_dictionary *dictionary = glz_dictionary_new(windows[n]);
        struct glz_window *window = glz_window_new(windows[n] + MAX_PIXELS);
        struct glz_stats stats;

        CHECK(dictionary && window);
        for (uint32_t i = 0; i < 3000; i++) {
            uint32_t limit = i % 50 == 0 ? 128 : 24;
            uint32_t width = draw_number() % limit + 1;
            uint32_t height = draw_number() % limit + 1;
            uint32_t type = i % 3 ? LZ_IMAGE_TYPE_RGB32 : LZ_IMAGE_TYPE_RGBA;
            int64_t size;

            change_some(draw_number() % 100);
            size = encode(dictionary, type, width, height,
                          i % 7 ? sizeof(image) : draw_number() % 500);
            CHECK(size >= 0);
            if (size == 0)
                continue;
            CHECK(decode(window, size, width, height) == 0);
            CHECK(!memcmp(back, pixels, 4ul * width * height));
        }
        glz_dictionary_stats(dictionary, &stats);
        CHECK(stats.window_pixels <= windows[n]);
        CHECK(stats.next_id > 0 && stats.pixels > 0 && stats.bytes > 0);
        /* The window and an image, 16 bits of table for each of them, the records. */
        CHECK(stats.memory < (windows[n] + MAX_PIXELS) * 6ull + (1 << 17));
        glz_window_free(window);
        glz_dictionary_free(dictionary);
    }
}

static void
test_room(void)
{
    struct glz_dictionary *dictionary = glz_dictionary_new(1 << 16);
    struct glz_window *window = glz_window_new(1 << 17);
    struct glz_stats before, after;
    int64_t whole;

    change_some(MAX_PIXELS / 2);
    for (uint64_t room = 0; room < 8000; room += 1 + room / 8) {
        glz_dictionary_stats(dictionary, &before);
        memset(image, 0xa5, sizeof(image));
        CHECK(encode(dictionary, LZ_IMAGE_TYPE_RGBA, 100, 100, room) == 0);
        for (uint64_t i = 0; i < GUARD; i++)
            CHECK(image[room + i] == 0xa5);
        glz_dictionary_stats(dictionary, &after);
        CHECK(before.next_id == after.next_id && before.bytes == after.bytes);
        CHECK(after.window_images == 0);
    }
    whole = encode(dictionary, LZ_IMAGE_TYPE_RGBA, 100, 100, sizeof(image));
    CHECK(decode(window, whole, 100, 100) == 0);
    CHECK(!memcmp(back, pixels, 40000));
    /* A match for each plane, whose lengths take 40 bytes. */
    CHECK(encode(dictionary, LZ_IMAGE_TYPE_RGBA, 100, 100, sizeof(image)) < 130);
    glz_window_free(window);
    glz_dictionary_free(dictionary);
}

static void
test_bad_arguments(void)
{
    struct glz_dictionary *dictionary = glz_dictionary_new(UINT32_MAX);
    struct glz_header header;
    uint8_t *bytes = (uint8_t *)pixels;

    CHECK(dictionary != NULL);
    CHECK(glz_encode(dictionary, 5, 4, 4, bytes, 64, 16, 1, image, 999) == -1);
    CHECK(glz_encode(dictionary, 11, 4, 4, bytes, 64, 16, 1, image, 999) == -1);
    CHECK(glz_encode(dictionary, 8, 0, 4, bytes, 64, 16, 1, image, 999) == -1);
    CHECK(glz_encode(dictionary, 8, 4, 4, bytes, 63, 16, 1, image, 999) == -1);
    CHECK(glz_encode(dictionary, 8, 4, 4, bytes, 64, 15, 1, image, 999) == -1);
    CHECK(glz_encode(dictionary, 8, 4, 4, bytes, 64, -16, 0, image, 999) > 0);
    CHECK(glz_decode_header(image, 33, &header) == 0);
    CHECK(header.type == 8 && header.width == 4 && header.height == 4);
    CHECK(header.top_down == 0 && header.id == 0 && header.window_head_distance == 0);
    CHECK(glz_decode_header(image, 32, &header) == -1);
    glz_dictionary_free(dictionary);
}

static void *
encode_many(void *dictionary)
{
    static const uint32_t colors[64] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    uint8_t own[1024];

    for (uint32_t i = 0; i < 500; i++)
        CHECK(glz_encode(dictionary, LZ_IMAGE_TYPE_RGB32, 8, 8, (const uint8_t *)colors,
                         256, 32, 1, own, sizeof(own)) > 0);
    return NULL;
}

static void
test_threads(void)
{
    struct glz_dictionary *dictionary = glz_dictionary_new(1000);
    struct glz_stats stats;
    pthread_t threads[3];

    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, encode_many, dictionary) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    glz_dictionary_stats(dictionary, &stats);
    CHECK(stats.next_id == 1500 && stats.window_images == 1000 / 64);
    glz_dictionary_free(dictionary);
}

static int stop;

/* The race is the purpose. */
__attribute__((no_sanitize("thread"))) static void *
flip_pixels(void *unused)
{
    volatile uint32_t *words = pixels;
    uint32_t number = 1;

    (void)unused;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        number = number * 1664525 + 1013904223;
        words[(number >> 8) % MAX_PIXELS] = number >> 30;
    }
    return NULL;
}

/* What is encoded is one state of them: later images repeat what the client has. */
static void
test_pixels_that_change_meanwhile(void)
{
    struct glz_dictionary *dictionary = glz_dictionary_new(1 << 16);
    struct glz_window *window = glz_window_new(1 << 17);
    pthread_t thread;

    CHECK(pthread_create(&thread, NULL, flip_pixels, NULL) == 0);
    for (uint32_t n = 0; n < 300; n++) {
        uint64_t room = n % 2 ? 200 + n * 100 : sizeof(image) - GUARD;
        int64_t size;

        memset(image + room, 0xa5, GUARD);
        size = encode(dictionary, LZ_IMAGE_TYPE_RGBA, 128, 100, room);
        CHECK(size >= 0 && (uint64_t)size <= room);
        for (uint64_t i = 0; i < GUARD; i++)
            CHECK(image[room + i] == 0xa5);
        CHECK(size == 0 || decode(window, size, 128, 100) == 0);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    CHECK(pthread_join(thread, NULL) == 0);
    glz_window_free(window);
    glz_dictionary_free(dictionary);
}

int
main(void)
{
    test_sequences();
    test_room();
    test_bad_arguments();
    test_threads();
    test_pixels_that_change_meanwhile();
    return 0;
}
