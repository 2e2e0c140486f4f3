/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "quic_sample.h"

#include <stdlib.h>

#include "quic.h"

static uint32_t state = 1;

uint32_t
quic_sample_number(uint32_t below)
{
    state = state * 1664525 + 1013904223;
    return (state >> 8) % below;
}

uint32_t
quic_sample_pixel_size(uint32_t type)
{
    static const uint32_t sizes[] = {0, 1, 2, 3, 4, 4};

    return sizes[type];
}

static uint8_t
draw_byte(enum quic_sample_kind kind, uint32_t x, uint32_t y, uint32_t channel)
{
    static const uint8_t few[] = {0, 255, 17, 200, 16, 128, 7, 99};

    switch (kind) {
    case SAMPLE_NOISE:
        return (uint8_t)quic_sample_number(256);
    case SAMPLE_GRADIENT:
        return (uint8_t)(x * (channel + 1) + y / (channel + 1));
    case SAMPLE_FLAT:
        return (uint8_t)(90 + channel);
    case SAMPLE_FEW_COLORS:
        return few[quic_sample_number(5) == 0 ? channel : 4 + channel];
    case SAMPLE_EXTREMES:
        return quic_sample_number(2) ? 255 : 0;
    case SAMPLE_PHOTO:
        return (uint8_t)(x * 2 + y * 3 + quic_sample_number(6));
    default:
        return few[(x / 13 + y / 5) % 2 * 4 + channel];
    }
}

void
quic_sample_draw(uint8_t *pixels, enum quic_sample_kind kind, uint32_t type,
                 uint32_t width, uint32_t height, int64_t stride)
{
    uint64_t step = (uint64_t)llabs(stride), size = quic_sample_pixel_size(type);

    for (uint64_t i = 0; i < step * height; i++)
        pixels[i] = (uint8_t)quic_sample_number(256);
    for (uint32_t y = 0; y < height; y++) {
        uint8_t *row = pixels + step * (stride < 0 ? height - 1 - y : y);
        uint32_t alike = quic_sample_number(4) == 0 ? quic_sample_number(width) : 0;
        for (uint32_t x = 0; x < width; x++) {
            for (uint32_t c = 0; c < size; c++)
                row[x * size + c] =
                    x < alike && x > 0 ? row[c] : draw_byte(kind, x, y, c);
        }
    }
}

int
quic_sample_same(const uint8_t *pixels, const uint8_t *rows, uint32_t type,
                 uint32_t width, uint32_t height, int64_t stride)
{
    uint64_t step = (uint64_t)llabs(stride), size = quic_sample_pixel_size(type);

    for (uint32_t y = 0; y < height; y++) {
        const uint8_t *from = pixels + step * (stride < 0 ? height - 1 - y : y);
        const uint8_t *to = rows + size * width * y;
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
