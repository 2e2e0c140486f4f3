/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * QUIC: what is encoded comes back, whatever the picture, type, size and stride; memory
 * that is too small is left alone; damaged data and pixels that change do no harm.
 *
 * That the bits are those of others is shown by tests/vectors/spice_common/quic.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "quic.h"
#include "quic_decode_rows.h"
#include "quic_sample.h"

enum {
    MAX_PIXELS = 1 << 14,
    MAX_DATA = MAX_PIXELS * QUIC_MAX_PIXEL_SIZE + 64,
    GUARD = 64
};

static struct quic_encoder *encoder;
static struct quic_decoder *decoder, *plain_decoder;
static uint8_t pixels[MAX_PIXELS * 8], decoded[MAX_PIXELS * 8 + GUARD];
static uint8_t data[MAX_DATA + GUARD], again[MAX_DATA + GUARD];
static int64_t
encode(uint32_t type, uint32_t width, uint32_t height, int64_t stride, uint8_t *dst,
       uint64_t dst_size)
{
    uint64_t size =
        (uint64_t)llabs(stride) * (height - 1) + width * quic_sample_pixel_size(type);

    memset(dst + dst_size, 0xaa, GUARD);
    int64_t written =
        quic_encode(encoder, type, width, height, pixels, size, stride, dst, dst_size);
    for (uint32_t i = 0; i < GUARD; i++)
        CHECK(dst[dst_size + i] == 0xaa);
    return written;
}

static int
decode(struct quic_decoder *with, uint64_t size, uint32_t type, uint32_t width,
       uint32_t height)
{
    uint64_t row = (uint64_t)width * quic_sample_pixel_size(type),
             wanted = row * height;

    memset(decoded, 0x55, sizeof(decoded));
    int error = quic_decode(with, data, size, decoded, wanted, (int64_t)row, type);
    for (uint32_t i = 0; i < GUARD; i++)
        CHECK(decoded[wanted + i] == 0x55);
    return error;
}

static void
round_trip(enum quic_sample_kind kind, uint32_t type, uint32_t width, uint32_t height)
{
    int64_t stride = (int64_t)width * quic_sample_pixel_size(type) +
                     quic_sample_number(2) * quic_sample_number(9);
    uint32_t found_type, found_width, found_height;

    if (quic_sample_number(4) == 0)
        stride = -stride;
    quic_sample_draw(pixels, kind, type, width, height, stride);
    int64_t size = encode(type, width, height, stride, data,
                          (uint64_t)width * height * QUIC_MAX_PIXEL_SIZE + 64);
    CHECK(size > QUIC_HEADER_SIZE && size % 4 == 0);
    CHECK(quic_decode_header(data, (uint64_t)size, &found_type, &found_width,
                             &found_height) == QUIC_OK);
    CHECK(found_type == type && found_width == width && found_height == height);
    CHECK(decode(decoder, (uint64_t)size, type, width, height) == QUIC_OK);
    CHECK(quic_sample_same(pixels, decoded, type, width, height, stride));
    CHECK(decode(plain_decoder, (uint64_t)size, type, width, height) == QUIC_OK);
    CHECK(quic_sample_same(pixels, decoded, type, width, height, stride));
    /* The word of zeros at the end is not of the picture, what is before is. */
    CHECK(decode(decoder, (uint64_t)size - 4, type, width, height) == QUIC_OK);
    CHECK(decode(decoder, (uint64_t)size - 8, type, width, height) == QUIC_TRUNCATED);
    /* Memory may be as small as the data, but no smaller. */
    CHECK(encode(type, width, height, stride, again, (uint64_t)size) == size);
    CHECK(memcmp(data, again, (size_t)size) == 0);
    CHECK(encode(type, width, height, stride, again,
                 quic_sample_number((uint32_t)size)) == 0);
    CHECK(encode(type, width, height, stride, again, (uint64_t)size - 1) == 0);
}

static void
check_round_trips(void)
{
    for (uint32_t type = 1; type <= QUIC_IMAGE_TYPE_RGBA; type++) {
        for (uint32_t kind = 0; kind < NUM_SAMPLE_KINDS; kind++) {
            round_trip(kind, type, 1, 1);
            round_trip(kind, type, 1, 1 + quic_sample_number(200));
            round_trip(kind, type, 1 + quic_sample_number(9000), 1);
            round_trip(kind, type, 4 + quic_sample_number(200),
                       1 + quic_sample_number(60));
            for (uint32_t i = 0; i < 12; i++)
                round_trip(kind, type, 1 + quic_sample_number(70),
                           1 + quic_sample_number(20));
            /* All paces, in segments that end within rows. */
            round_trip(kind, type, 1000 + quic_sample_number(20), 16);
        }
    }
}

static void
check_conversions(void)
{
    uint64_t size;
    uint32_t pixel, wanted;

    quic_sample_draw(pixels, SAMPLE_NOISE, QUIC_IMAGE_TYPE_RGB16, 9, 3, 18);
    size = (uint64_t)encode(QUIC_IMAGE_TYPE_RGB16, 9, 3, 18, data, MAX_DATA);
    CHECK(decode(decoder, size, QUIC_IMAGE_TYPE_RGB32, 9, 3) == QUIC_OK);
    for (uint32_t i = 0; i < 27; i++) {
        uint32_t from = (uint32_t)pixels[2 * i] | (uint32_t)pixels[2 * i + 1] << 8;
        uint32_t r = from >> 10 & 31, g = from >> 5 & 31, b = from & 31;
        memcpy(&pixel, decoded + 4 * i, 4);
        wanted = (r << 3 | r >> 2) << 16 | (g << 3 | g >> 2) << 8 | (b << 3 | b >> 2);
        CHECK(pixel == wanted);
    }
    CHECK(decode(decoder, size, QUIC_IMAGE_TYPE_RGB24, 9, 3) == QUIC_BAD_ARGUMENT);
    quic_sample_draw(pixels, SAMPLE_NOISE, QUIC_IMAGE_TYPE_RGB24, 9, 3, 27);
    size = (uint64_t)encode(QUIC_IMAGE_TYPE_RGB24, 9, 3, 27, data, MAX_DATA);
    CHECK(decode(decoder, size, QUIC_IMAGE_TYPE_RGB32, 9, 3) == QUIC_OK);
    for (uint32_t i = 0; i < 27; i++)
        CHECK(memcmp(decoded + 4 * i, pixels + 3 * i, 3) == 0 &&
              decoded[4 * i + 3] == 0);
    CHECK(decode(decoder, size, QUIC_IMAGE_TYPE_RGBA, 9, 3) == QUIC_BAD_ARGUMENT);
    CHECK(decode(decoder, size, QUIC_IMAGE_TYPE_GRAY, 9, 3) == QUIC_BAD_ARGUMENT);
}

static void
check_arguments(void)
{
    static const struct {
        uint32_t type, width, height;
        uint64_t size;
        int64_t stride;
        int good;
    } cases[] = {
        {QUIC_IMAGE_TYPE_RGB32, 4, 4, 64, 16, 1},
        {QUIC_IMAGE_TYPE_RGB32, 4, 4, 64, -16, 1},
        {QUIC_IMAGE_TYPE_RGB32, 4, 1, 16, INT64_MIN, 1},
        {QUIC_IMAGE_TYPE_RGB32, 4, 4, 63, 16, 0},
        {QUIC_IMAGE_TYPE_RGB32, 4, 4, 64, 17, 0},
        {QUIC_IMAGE_TYPE_RGB32, 4, 4, 64, 15, 0},
        {QUIC_IMAGE_TYPE_RGB32, 4, 4, 64, 0, 0},
        {QUIC_IMAGE_TYPE_RGB32, 4, 4, 64, INT64_MIN, 0},
        {QUIC_IMAGE_TYPE_RGB32, 4, 4, UINT64_MAX, INT64_MAX, 0},
        {QUIC_IMAGE_TYPE_RGB32, 0, 4, 64, 16, 0},
        {QUIC_IMAGE_TYPE_RGB32, 4, 0, 64, 16, 0},
        {QUIC_IMAGE_TYPE_RGB32, QUIC_MAX_SIDE + 1, 1, UINT64_MAX, 0, 0},
        {QUIC_IMAGE_TYPE_INVALID, 4, 4, 64, 16, 0},
        {QUIC_IMAGE_TYPE_RGBA + 1, 4, 4, 64, 16, 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t written =
            quic_encode(encoder, cases[i].type, cases[i].width, cases[i].height, pixels,
                        cases[i].size, cases[i].stride, data, MAX_DATA);
        CHECK(cases[i].good ? written > 0 : written == QUIC_BAD_ARGUMENT);
    }
    int64_t size = encode(QUIC_IMAGE_TYPE_RGB32, 4, 4, 16, data, MAX_DATA);
    CHECK(decode(decoder, (uint64_t)size, QUIC_IMAGE_TYPE_RGB32, 4, 4) == QUIC_OK);
    CHECK(quic_decode(decoder, data, (uint64_t)size, decoded, 63, 16,
                      QUIC_IMAGE_TYPE_RGB32) == QUIC_BAD_ARGUMENT);
    CHECK(quic_decode(decoder, data, (uint64_t)size, decoded, 64, 8,
                      QUIC_IMAGE_TYPE_RGB32) == QUIC_BAD_ARGUMENT);
}

/* Any error will do; what counts is that guards and sanitizers find nothing. */
static void
check_damage(void)
{
    for (uint32_t round = 0; round < 3000; round++) {
        uint32_t type = 1 + quic_sample_number(5), width = 1 + quic_sample_number(90);
        uint32_t height = 1 + quic_sample_number(12);
        int64_t stride = (int64_t)width * quic_sample_pixel_size(type);
        quic_sample_draw(pixels, quic_sample_number(NUM_SAMPLE_KINDS), type, width,
                         height, stride);
        uint32_t size = (uint32_t)encode(type, width, height, stride, data, MAX_DATA);
        for (uint32_t i = quic_sample_number(6) + 1; i > 0; i--)
            data[QUIC_HEADER_SIZE + quic_sample_number(size - QUIC_HEADER_SIZE)] =
                (uint8_t)quic_sample_number(256);
        size = round % 2 ? size : quic_sample_number(size);
        int error = decode(decoder, size, type, width, height);
        CHECK(error == QUIC_OK || error == QUIC_CORRUPT || error == QUIC_TRUNCATED);
        CHECK(decode(plain_decoder, size, type, width, height) == error);
    }
    data[8] = 0;
    CHECK(decode(decoder, 100, 1, 1, 1) == QUIC_CORRUPT);
    CHECK(decode(decoder, QUIC_HEADER_SIZE - 1, 1, 1, 1) == QUIC_TRUNCATED);
}

static int stop_changing;

static void *
change_pixels(void *unused)
{
    uint32_t number = 1;

    while (!__atomic_load_n(&stop_changing, __ATOMIC_RELAXED)) {
        number = number * 1664525 + 1013904223;
        __atomic_store_n(&pixels[(number >> 8) % (256 * 4 * 16)],
                         number & 1 ? 0 : (uint8_t)(number >> 24), __ATOMIC_RELAXED);
    }
    return unused;
}

#if defined(__clang__) || defined(__GNUC__)
__attribute__((no_sanitize("thread")))
#endif
static void
check_changing_pixels(void)
{
    pthread_t thread;

    quic_sample_draw(pixels, SAMPLE_FLAT, QUIC_IMAGE_TYPE_RGBA, 256, 16, 1024);
    CHECK(pthread_create(&thread, NULL, change_pixels, NULL) == 0);
    for (uint32_t round = 0; round < 600; round++) {
        uint32_t type = 1 + round % 5;
        int64_t size = encode(type, 256, 16, 1024, data, MAX_DATA);
        CHECK(size > 0);
        CHECK(decode(decoder, (uint64_t)size, type, 256, 16) == QUIC_OK);
        size = encode(type, 256, 16, 1024, data, 100 + quic_sample_number(5000));
        CHECK(size >= 0);
    }
    __atomic_store_n(&stop_changing, 1, __ATOMIC_RELAXED);
    CHECK(pthread_join(thread, NULL) == 0);
}

int
main(void)
{
    encoder = quic_encoder_new();
    decoder = quic_decoder_new();
    plain_decoder = quic_decoder_new();
    CHECK(encoder != NULL && decoder != NULL && plain_decoder != NULL);
    quic_decoder_be_plain(plain_decoder);
    check_round_trips();
    check_conversions();
    check_arguments();
    check_damage();
    check_changing_pixels();
    quic_encoder_free(encoder);
    quic_decoder_free(decoder);
    quic_decoder_free(plain_decoder);
    quic_encoder_free(NULL);
    quic_decoder_free(NULL);
    return 0;
}
