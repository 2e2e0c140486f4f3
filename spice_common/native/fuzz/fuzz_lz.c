/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * LZ images: any bytes as an image, and any pixels to an image and back.
 *
 * An input is options, a type and two sides, then an image or pixels.  All memory is
 * exactly as large as what is said of it.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "fuzz.h"
#include "lz.h"

enum {
    OPTION_ENCODE = 1,    /* the rest are pixels */
    OPTION_RGB32 = 2,     /* decode to it */
    OPTION_GAPS = 4,      /* rows are further apart than they are long */
    OPTION_SMALL_DST = 8, /* the encoder gets too little room */
    OPTIONS_SIZE = 4,
    MAX_PIXELS = 1 << 14, /* small pictures show all there is, and many a second */
};

static struct lz_encoder *encoder;

static void *
allocate(uint64_t size)
{
    /* Never 0 bytes, never NULL. */
    void *memory = malloc(size ? size : 1);

    CHECK(memory != NULL);
    memset(memory, 0x55, size);
    return memory;
}

static uint64_t
stride_of(uint32_t type, uint32_t width, uint32_t options)
{
    return lz_row_size(type, width) + (options & OPTION_GAPS ? 5 : 0);
}

/* Bytes of a picture without what may follow its last row. */
static uint64_t
size_of(uint32_t type, uint32_t width, uint32_t height, uint32_t options)
{
    return stride_of(type, width, options) * (height - 1) + lz_row_size(type, width);
}

static int
decode(const uint8_t *data, size_t size, uint32_t options, uint8_t **pixels)
{
    struct lz_header header;
    uint8_t *copy = allocate(size), *dst;
    uint32_t want;
    uint64_t dst_size;
    int result = -1;

    *pixels = NULL;
    memcpy(copy, data, size);
    if (!lz_decode_header(copy, size, &header) &&
        (uint64_t)header.width * header.height <= MAX_PIXELS) {
        want = options & OPTION_RGB32 ? LZ_IMAGE_TYPE_RGB32 : header.type;
        dst_size = size_of(want, header.width, header.height, options);
        dst = allocate(dst_size);
        result = lz_decode(copy, size, dst, dst_size,
                           (int64_t)stride_of(want, header.width, options), want);
        CHECK(lz_decode(copy, size, dst, dst_size - 1,
                        (int64_t)stride_of(want, header.width, options), want));
        *pixels = dst;
    }
    free(copy);
    return result;
}

/* The bits of byte i of a row that an image keeps. */
static uint8_t
kept_bits(uint32_t type, uint64_t i)
{
    if (type == LZ_IMAGE_TYPE_RGB16)
        return i % 2 == 1 ? 0x7f : 0xff;
    if (type == LZ_IMAGE_TYPE_RGB32)
        return i % 4 == 3 ? 0 : 0xff;
    if (type == LZ_IMAGE_TYPE_XXXA)
        return i % 4 == 3 ? 0xff : 0;
    return 0xff;
}

static void
encode(const uint8_t *data, size_t size, uint32_t options, uint32_t type,
       uint32_t width, uint32_t height)
{
    uint64_t row_size = lz_row_size(type, width);
    uint64_t stride = stride_of(type, width, options);
    uint64_t bytes = size_of(type, width, height, options);
    uint64_t room = options & OPTION_SMALL_DST ? bytes / 2 : 2 * bytes + 64;
    uint8_t *pixels = allocate(bytes), *dst = allocate(room), *back;
    int64_t written;

    for (uint64_t i = 0; i < bytes; i++)
        pixels[i] = data[i % size];
    written = lz_encode(encoder, type, width, height, pixels, bytes, (int64_t)stride,
                        options & 1, dst, room);
    CHECK(written >= 0 && (uint64_t)written <= room);
    CHECK(written > 0 || options & OPTION_SMALL_DST);
    if (written > 0) {
        CHECK(decode(dst, (size_t)written, options & ~(uint32_t)OPTION_RGB32, &back) ==
              0);
        for (uint64_t i = 0; i < bytes; i++) {
            uint8_t mask = i % stride < row_size ? kept_bits(type, i % stride) : 0;

            if ((pixels[i] ^ back[i]) & mask)
                abort();
        }
        free(back);
    }
    free(dst);
    free(pixels);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t type;
    uint8_t *pixels;

    if (!encoder)
        encoder = lz_encoder_new();
    CHECK(encoder != NULL);
    if (size <= OPTIONS_SIZE)
        return 0;
    type = data[1] % LZ_IMAGE_TYPE_A8 + 1u;
    if (data[0] & OPTION_ENCODE) {
        encode(data + OPTIONS_SIZE, size - OPTIONS_SIZE, data[0], type,
               data[2] % 64 + 1u, data[3] % 16 + 1u);
    } else {
        decode(data + OPTIONS_SIZE, size - OPTIONS_SIZE, data[0], &pixels);
        free(pixels);
    }
    return 0;
}

/* A picture of every type, as pixels and as an image. */
size_t
fuzz_seed(uint32_t number, uint8_t *bytes)
{
    uint32_t type = number / 2 + 1, width = 23, height = 9;
    uint8_t pixels[23 * 9 * 4];
    uint64_t row_size = lz_row_size(type, width);
    int64_t written;

    if (type > LZ_IMAGE_TYPE_A8)
        return 0;
    for (uint32_t i = 0; i < sizeof(pixels); i++)
        pixels[i] = (uint8_t)(i % 40 < 20 ? 7 : i % 37 * (i / 97));
    bytes[0] = number & 1 ? OPTION_ENCODE : 0;
    bytes[1] = (uint8_t)(type - 1);
    bytes[2] = (uint8_t)(width - 1);
    bytes[3] = (uint8_t)(height - 1);
    if (number & 1) {
        memcpy(bytes + OPTIONS_SIZE, pixels, 64);
        return OPTIONS_SIZE + 64;
    }
    encoder = encoder ? encoder : lz_encoder_new();
    CHECK(encoder != NULL);
    written = lz_encode(encoder, type, width, height, pixels, sizeof(pixels),
                        (int64_t)row_size, 1, bytes + OPTIONS_SIZE, FUZZ_MAX_SIZE / 2);
    CHECK(written > 0);
    return OPTIONS_SIZE + (size_t)written;
}
