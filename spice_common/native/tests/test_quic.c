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

enum { MAX_PIXELS = 1 << 14, MAX_DATA = MAX_PIXELS * QUIC_MAX_PIXEL_SIZE + 64, GUARD = 64 };

static struct quic_encoder *encoder;
static struct quic_decoder *decoder, *plain_decoder;
static uint8_t pixels[MAX_PIXELS * 8], decoded[MAX_PIXELS * 8 + GUARD];
static uint8_t data[MAX_DATA + GUARD], again[MAX_DATA + GUARD];
static uint32_t state = 1;

static uint32_t
draw_number(uint32_t below)
{
    state = state * 1664525 + 1013904223;
    return (state >> 8) % below;
}

static uint32_t
pixel_size(uint32_t type)
{
    static const uint32_t sizes[] = {0, 1, 2, 3, 4, 4};

    return sizes[type];
}

enum kind { NOISE, GRADIENT, FLAT, FEW_COLORS, EXTREMES, PHOTO, BLOCKS, NUM_KINDS };

static uint8_t
draw_byte(enum kind kind, uint32_t x, uint32_t y, uint32_t channel)
{
    static const uint8_t few[] = {0, 255, 17, 200, 16, 128, 7, 99};

    switch (kind) {
    case NOISE:
        return (uint8_t)draw_number(256);
    case GRADIENT:
        return (uint8_t)(x * (channel + 1) + y / (channel + 1));
    case FLAT:
        return (uint8_t)(90 + channel);
    case FEW_COLORS:
        return few[draw_number(5) == 0 ? channel : 4 + channel];
    case EXTREMES:
        return draw_number(2) ? 255 : 0;
    case PHOTO:
        return (uint8_t)(x * 2 + y * 3 + draw_number(6));
    default:
        return few[(x / 13 + y / 5) % 2 * 4 + channel];
    }
}

/* Fill pixels, and what is between rows with noise. */
static void
draw_picture(enum kind kind, uint32_t type, uint32_t width, uint32_t height, int64_t stride)
{
    uint64_t step = (uint64_t)llabs(stride), size = pixel_size(type);

    for (uint64_t i = 0; i < step * height; i++)
        pixels[i] = (uint8_t)draw_number(256);
    for (uint32_t y = 0; y < height; y++) {
        uint8_t *row = pixels + step * (stride < 0 ? height - 1 - y : y);
        uint32_t alike = draw_number(4) == 0 ? draw_number(width) : 0;
        for (uint32_t x = 0; x < width; x++) {
            for (uint32_t c = 0; c < size; c++)
                row[x * size + c] =
                    x < alike && x > 0 ? row[c] : draw_byte(kind, x, y, c);
        }
    }
}

/* Whether rows are what was drawn, as far as the type keeps it. */
static int
same_pictures(uint32_t type, uint32_t width, uint32_t height, int64_t stride)
{
    uint64_t step = (uint64_t)llabs(stride), size = pixel_size(type);

    for (uint32_t y = 0; y < height; y++) {
        const uint8_t *from = pixels + step * (stride < 0 ? height - 1 - y : y);
        const uint8_t *to = decoded + size * width * y;
        for (uint64_t i = 0; i < size * width; i++) {
            uint8_t wanted = from[i];
            if (type == QUIC_IMAGE_TYPE_RGB16 && i % 2 == 1)
                wanted &= 0x7f;
            if (type == QUIC_IMAGE_TYPE_RGB32 && i % 4 == 3)
                wanted = 0;
            if (to[i] != wanted)
                return 0;
        }
    }
    return 1;
}

static int64_t
encode(uint32_t type, uint32_t width, uint32_t height, int64_t stride, uint8_t *dst,
       uint64_t dst_size)
{
    uint64_t size = (uint64_t)llabs(stride) * (height - 1) + width * pixel_size(type);

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
    uint64_t row = (uint64_t)width * pixel_size(type), wanted = row * height;

    memset(decoded, 0x55, sizeof(decoded));
    int error = quic_decode(with, data, size, decoded, wanted, (int64_t)row, type);
    for (uint32_t i = 0; i < GUARD; i++)
        CHECK(decoded[wanted + i] == 0x55);
    return error;
}

static void
round_trip(enum kind kind, uint32_t type, uint32_t width, uint32_t height)
{
    int64_t stride = (int64_t)width * pixel_size(type) + draw_number(2) * draw_number(9);
    uint32_t found_type, found_width, found_height;

    if (draw_number(4) == 0)
        stride = -stride;
    draw_picture(kind, type, width, height, stride);
    int64_t size = encode(type, width, height, stride, data,
                          (uint64_t)width * height * QUIC_MAX_PIXEL_SIZE + 64);
    CHECK(size > QUIC_HEADER_SIZE && size % 4 == 0);
    CHECK(quic_decode_header(data, (uint64_t)size, &found_type, &found_width,
                             &found_height) == QUIC_OK);
    CHECK(found_type == type && found_width == width && found_height == height);
    CHECK(decode(decoder, (uint64_t)size, type, width, height) == QUIC_OK);
    CHECK(same_pictures(type, width, height, stride));
    CHECK(decode(plain_decoder, (uint64_t)size, type, width, height) == QUIC_OK);
    CHECK(same_pictures(type, width, height, stride));
    /* The word of zeros at the end is not of the picture, what is before is. */
    CHECK(decode(decoder, (uint64_t)size - 4, type, width, height) == QUIC_OK);
    CHECK(decode(decoder, (uint64_t)size - 8, type, width, height) == QUIC_TRUNCATED);
    /* Memory may be as small as the data, but no smaller. */
    CHECK(encode(type, width, height, stride, again, (uint64_t)size) == size);
    CHECK(memcmp(data, again, (size_t)size) == 0);
    CHECK(encode(type, width, height, stride, again, draw_number((uint32_t)size)) == 0);
    CHECK(encode(type, width, height, stride, again, (uint64_t)size - 1) == 0);
}

static void
check_round_trips(void)
{
    for (uint32_t type = 1; type <= QUIC_IMAGE_TYPE_RGBA; type++) {
        for (uint32_t kind = 0; kind < NUM_KINDS; kind++) {
            round_trip(kind, type, 1, 1);
            round_trip(kind, type, 1, 1 + draw_number(200));
            round_trip(kind, type, 1 + draw_number(9000), 1);
            round_trip(kind, type, 4 + draw_number(200), 1 + draw_number(60));
            for (uint32_t i = 0; i < 12; i++)
                round_trip(kind, type, 1 + draw_number(70), 1 + draw_number(20));
            /* All paces, in segments that end within rows. */
            round_trip(kind, type, 1000 + draw_number(20), 16);
        }
    }
}

static void
check_conversions(void)
{
    uint64_t size;
    uint32_t pixel, wanted;

    draw_picture(NOISE, QUIC_IMAGE_TYPE_RGB16, 9, 3, 18);
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
    draw_picture(NOISE, QUIC_IMAGE_TYPE_RGB24, 9, 3, 27);
    size = (uint64_t)encode(QUIC_IMAGE_TYPE_RGB24, 9, 3, 27, data, MAX_DATA);
    CHECK(decode(decoder, size, QUIC_IMAGE_TYPE_RGB32, 9, 3) == QUIC_OK);
    for (uint32_t i = 0; i < 27; i++)
        CHECK(memcmp(decoded + 4 * i, pixels + 3 * i, 3) == 0 && decoded[4 * i + 3] == 0);
    CHECK(decode(decoder, size, QUIC_IMAGE_TYPE_RGBA, 9, 3) == QUIC_BAD_ARGUMENT);
    CHECK(decode(decoder, size, QUIC_IMAGE_TYPE_GRAY, 9, 3) == QUIC_BAD_ARGUMENT);
}

static int64_t
encode_as(uint32_t type, uint32_t width, uint32_t height, uint64_t size, int64_t stride)
{
    return quic_encode(encoder, type, width, height, pixels, size, stride, data, MAX_DATA);
}

static void
check_arguments(void)
{
    const uint32_t type = QUIC_IMAGE_TYPE_RGB32;

    CHECK(encode_as(type, 4, 4, 64, 16) > 0);
    CHECK(encode_as(type, 4, 4, 64, -16) > 0);
    CHECK(encode_as(type, 4, 4, 63, 16) == QUIC_BAD_ARGUMENT);
    CHECK(encode_as(type, 4, 4, 64, 17) == QUIC_BAD_ARGUMENT);
    CHECK(encode_as(type, 4, 4, 64, 15) == QUIC_BAD_ARGUMENT);
    CHECK(encode_as(type, 4, 4, 64, 0) == QUIC_BAD_ARGUMENT);
    CHECK(encode_as(type, 4, 4, 64, INT64_MIN) == QUIC_BAD_ARGUMENT);
    CHECK(encode_as(type, 4, 4, UINT64_MAX, INT64_MAX) == QUIC_BAD_ARGUMENT);
    CHECK(encode_as(type, 4, 1, 16, INT64_MIN) > 0);
    CHECK(encode_as(type, 0, 4, 64, 16) == QUIC_BAD_ARGUMENT);
    CHECK(encode_as(type, 4, 0, 64, 16) == QUIC_BAD_ARGUMENT);
    CHECK(encode_as(type, QUIC_MAX_SIDE + 1, 1, UINT64_MAX, 0) == QUIC_BAD_ARGUMENT);
    CHECK(encode_as(0, 4, 4, 64, 16) == QUIC_BAD_ARGUMENT);
    CHECK(encode_as(6, 4, 4, 64, 16) == QUIC_BAD_ARGUMENT);
    int64_t size = encode_as(type, 4, 4, 64, 16);
    CHECK(quic_decode(decoder, data, (uint64_t)size, decoded, 63, 16, type) ==
          QUIC_BAD_ARGUMENT);
    CHECK(quic_decode(decoder, data, (uint64_t)size, decoded, 64, 8, type) ==
          QUIC_BAD_ARGUMENT);
}

/* Any error will do; what counts is that guards and sanitizers find nothing. */
static void
check_damage(void)
{
    for (uint32_t round = 0; round < 3000; round++) {
        uint32_t type = 1 + draw_number(5), width = 1 + draw_number(90);
        uint32_t height = 1 + draw_number(12);
        int64_t stride = (int64_t)width * pixel_size(type);
        draw_picture(draw_number(NUM_KINDS), type, width, height, stride);
        uint32_t size = (uint32_t)encode(type, width, height, stride, data, MAX_DATA);
        for (uint32_t i = draw_number(6) + 1; i > 0; i--)
            data[QUIC_HEADER_SIZE + draw_number(size - QUIC_HEADER_SIZE)] =
                (uint8_t)draw_number(256);
        size = round % 2 ? size : draw_number(size);
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

    draw_picture(FLAT, QUIC_IMAGE_TYPE_RGBA, 256, 16, 1024);
    CHECK(pthread_create(&thread, NULL, change_pixels, NULL) == 0);
    for (uint32_t round = 0; round < 600; round++) {
        uint32_t type = 1 + round % 5;
        int64_t size = encode(type, 256, 16, 1024, data, MAX_DATA);
        CHECK(size > 0);
        CHECK(decode(decoder, (uint64_t)size, type, 256, 16) == QUIC_OK);
        size = encode(type, 256, 16, 1024, data, 100 + draw_number(5000));
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
