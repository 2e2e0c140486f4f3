/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * QUIC: any bytes as data, and any bytes as pixels.
 *
 * The first byte says which, and the type; the next two are the sides.  Data get a good
 * header, so that what follows is looked at; pixels must come back, and the data that
 * they became is decoded cut off and with the rest of the input over it.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "fuzz.h"
#include "quic.h"
#include "quic_decode_rows.h"

enum {
    HEAD = 3,
    MAX_SIDE = 256,
    FEW_PIXELS = 256,   /* most of the time: there are more inputs a second */
    MAX_PIXELS = 16384, /* more than it takes for all paces */
    MAX_DATA = MAX_PIXELS * QUIC_MAX_PIXEL_SIZE + 64,
    PIXELS = 0x80, /* in the first byte */
    PLAIN = 0x40,
    WHOLE = 0x20, /* the rest has a header, or the memory is exactly as large */
    LARGE = 0x18,
};

static struct quic_encoder *encoder;
static struct quic_decoder *decoder, *plain_decoder;

static const uint32_t pixel_sizes[] = {0, 1, 2, 3, 4, 4};

static uint32_t
type_of(const uint8_t *head)
{
    return 1 + (head[0] & 7u) % 5;
}

static uint32_t
width_of(const uint8_t *head)
{
    return head[1] + 1u;
}

static uint32_t
height_of(const uint8_t *head)
{
    uint32_t most = (head[0] & LARGE) == LARGE ? MAX_PIXELS : FEW_PIXELS;

    return 1 + head[2] % (most / width_of(head));
}

static void
put_header(uint8_t *data, uint32_t type, uint32_t width, uint32_t height)
{
    const uint32_t header[] = {0x43495551, 0, type, width, height};

    memcpy(data, header, sizeof(header));
}

static void
decode_any(struct quic_decoder *with, const uint8_t *data, size_t size)
{
    uint32_t type, width, height;

    if (quic_decode_header(data, size, &type, &width, &height) != QUIC_OK ||
        width > MAX_SIDE || height > MAX_SIDE)
        return;
    size_t row = (size_t)width * pixel_sizes[type];
    uint8_t *pixels = malloc(row * height);
    CHECK(pixels != NULL);
    (void)quic_decode(with, data, size, pixels, row * height, (int64_t)row, type);
    free(pixels);
}

static void
fuzz_data(struct quic_decoder *with, const uint8_t *head, const uint8_t *rest,
          size_t size)
{
    size_t header = head[0] & WHOLE ? 0 : QUIC_HEADER_SIZE;
    uint8_t *data = malloc(header + size);

    CHECK(data != NULL || size == 0);
    if (size != 0)
        memcpy(data + header, rest, size);
    if (header != 0)
        put_header(data, type_of(head), width_of(head), height_of(head));
    decode_any(with, data, header + size);
    free(data);
}

/* Rows of the input, over and over. */
static void
fuzz_pixels(struct quic_decoder *with, const uint8_t *head, const uint8_t *rest,
            size_t size)
{
    static uint8_t pixels[MAX_PIXELS * 4], decoded[MAX_PIXELS * 4], whole[MAX_DATA];
    uint32_t type = type_of(head), width = width_of(head), height = height_of(head);
    size_t row = (size_t)width * pixel_sizes[type], bytes = row * height;

    for (size_t i = 0; i < bytes; i++)
        pixels[i] = size == 0 ? 0 : rest[i % size];
    int64_t wanted = quic_encode(encoder, type, width, height, pixels, bytes,
                                 (int64_t)row, whole, sizeof(whole));
    CHECK(wanted > 0);
    CHECK(quic_decode(with, whole, (uint64_t)wanted, decoded, bytes, (int64_t)row,
                      type) == QUIC_OK);
    for (size_t i = 0; i < bytes; i++) {
        uint8_t kept = type == QUIC_IMAGE_TYPE_RGB16 && i % 2        ? pixels[i] & 0x7f
                       : type == QUIC_IMAGE_TYPE_RGB32 && i % 4 == 3 ? 0
                                                                     : pixels[i];
        CHECK(decoded[i] == kept);
    }
    /* Memory that is just enough, or not: the sanitizer sees what is beyond. */
    uint64_t room =
        head[0] & WHOLE ? (uint64_t)wanted : (uint64_t)wanted * head[1] / 256;
    uint8_t *dst = malloc(room + 1);
    CHECK(dst != NULL);
    int64_t written = quic_encode(encoder, type, width, height, pixels, bytes,
                                  (int64_t)row, dst + 1, room);
    CHECK(written == (room < (uint64_t)wanted ? 0 : wanted));
    free(dst);
    for (size_t i = QUIC_HEADER_SIZE; i < size && i < (size_t)wanted; i += 1u + rest[i])
        whole[i] ^= rest[i];
    decode_any(with, whole, (size_t)wanted);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD)
        return 0;
    if (encoder == NULL) {
        encoder = quic_encoder_new();
        decoder = quic_decoder_new();
        plain_decoder = quic_decoder_new();
        CHECK(encoder != NULL && decoder != NULL && plain_decoder != NULL);
        quic_decoder_be_plain(plain_decoder);
    }
    struct quic_decoder *with = data[0] & PLAIN ? plain_decoder : decoder;
    if (data[0] & PIXELS)
        fuzz_pixels(with, data, data + HEAD, size - HEAD);
    else
        fuzz_data(with, data, data + HEAD, size - HEAD);
    return 0;
}

static size_t
seed_pixels(uint32_t kind, uint8_t *bytes)
{
    const uint32_t size = 16 * 12 * 4;
    uint32_t state = kind + 1;

    for (uint32_t i = 0; i < size; i++) {
        uint32_t x = i / 4 % 16, y = i / 64;
        state = state * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(kind == 0   ? 77
                             : kind == 1 ? x * 5 + y * 3 + i % 4
                             : kind == 2 ? x / 7 * 100 + y / 5 * 30
                                         : state >> 24);
    }
    return size;
}

/* Pixels of four kinds of each type, each also encoded. */
size_t
fuzz_seed(uint32_t number, uint8_t *bytes)
{
    uint32_t type = number % 5, kind = number / 5 % 4;
    uint8_t pixels[16 * 12 * 4];

    if (number >= 40)
        return 0;
    size_t size = seed_pixels(kind, pixels);
    bytes[0] =
        (uint8_t)(type | (number % 2 ? PLAIN : 0) | (number >= 20 ? WHOLE : PIXELS));
    bytes[1] = 15;
    bytes[2] = 11;
    if (number < 20) {
        memcpy(bytes + HEAD, pixels, size);
        return HEAD + size;
    }
    struct quic_encoder *with = quic_encoder_new();
    CHECK(with != NULL);
    uint32_t row = 16 * pixel_sizes[type + 1];
    int64_t written = quic_encode(with, type + 1, 16, 12, pixels, row * 12, row,
                                  bytes + HEAD, FUZZ_MAX_SIZE - HEAD);
    quic_encoder_free(with);
    CHECK(written > 0);
    return HEAD + (size_t)written;
}
