/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bitmap_pixels.c: pixels of every format to ARGB words and back.
 */
#include <spice/enums.h>
#include <string.h>

#include "bitmap_source.h"

uint32_t
expand_555(uint32_t pixel)
{
    uint32_t r = pixel >> 10 & 0x1f, g = pixel >> 5 & 0x1f, b = pixel & 0x1f;

    return OPAQUE_BLACK | (r << 3 | r >> 2) << 16 | (g << 3 | g >> 2) << 8 |
           (b << 3 | b >> 2);
}

static uint32_t
expand_565(uint32_t pixel)
{
    uint32_t r = pixel >> 11 & 0x1f, g = pixel >> 5 & 0x3f, b = pixel & 0x1f;

    return OPAQUE_BLACK | (r << 3 | r >> 2) << 16 | (g << 2 | g >> 4) << 8 |
           (b << 3 | b >> 2);
}

static uint32_t
load_16(const uint8_t *src)
{
    return (uint32_t)src[0] | (uint32_t)src[1] << 8;
}

/* Indexed pixels; first counts pixels from the first bit of bytes. */
static void
decode_indexed(const uint8_t *bytes, uint32_t first, uint32_t width, uint32_t format,
               const uint32_t *palette, uint32_t *words)
{
    for (uint32_t i = 0; i < width; i++) {
        uint32_t pixel = first + i;
        uint32_t index;

        switch (format) {
        case SPICE_BITMAP_FMT_1BIT_LE:
            index = bytes[pixel / 8] >> pixel % 8 & 1;
            break;
        case SPICE_BITMAP_FMT_1BIT_BE:
            index = bytes[pixel / 8] >> (7 - pixel % 8) & 1;
            break;
        case SPICE_BITMAP_FMT_4BIT_LE:
            index = bytes[pixel / 2] >> (pixel % 2 ? 4 : 0) & 0xf;
            break;
        case SPICE_BITMAP_FMT_4BIT_BE:
            index = bytes[pixel / 2] >> (pixel % 2 ? 0 : 4) & 0xf;
            break;
        default:
            index = bytes[pixel];
            break;
        }
        words[i] = palette[index];
    }
}

static void
decode_direct(const uint8_t *bytes, uint32_t format, uint32_t width, uint32_t *words)
{
    for (uint32_t i = 0; i < width; i++) {
        switch (format) {
        case SPICE_BITMAP_FMT_8BIT_A:
            words[i] = (uint32_t)bytes[i] << 24;
            break;
        case SPICE_BITMAP_FMT_16BIT:
            words[i] = expand_555(load_16(bytes + 2 * i));
            break;
        case SPICE_BITMAP_FMT_24BIT:
            words[i] = load_16(bytes + 3 * i) | (uint32_t)bytes[3 * i + 2] << 16;
            break;
        default:
            words[i] = load_16(bytes + 4 * i) | load_16(bytes + 4 * i + 2) << 16;
            break;
        }
    }
}

void
bitmap_decode(const uint8_t *bytes, uint32_t first, uint32_t width, uint32_t format,
              const uint32_t *palette, uint32_t *words)
{
    switch (format) {
    case SPICE_BITMAP_FMT_1BIT_LE:
    case SPICE_BITMAP_FMT_1BIT_BE:
    case SPICE_BITMAP_FMT_4BIT_LE:
    case SPICE_BITMAP_FMT_4BIT_BE:
    case SPICE_BITMAP_FMT_8BIT:
        decode_indexed(bytes, first, width, format, palette, words);
        break;
    default:
        decode_direct(bytes, format, width, words);
        break;
    }
}

void
pixels_encode(const uint32_t *words, uint32_t width, uint32_t surface_format,
              uint8_t *dst)
{
    for (uint32_t i = 0; i < width; i++) {
        uint32_t argb = words[i];
        uint16_t pixel;

        switch (surface_format) {
        case SPICE_SURFACE_FMT_8_A:
            dst[i] = (uint8_t)(argb >> 24);
            break;
        case SPICE_SURFACE_FMT_16_555:
            pixel = (uint16_t)((argb >> 9 & 0x7c00) | (argb >> 6 & 0x3e0) |
                               (argb >> 3 & 0x1f));
            memcpy(dst + 2 * i, &pixel, 2);
            break;
        case SPICE_SURFACE_FMT_16_565:
            pixel = (uint16_t)((argb >> 8 & 0xf800) | (argb >> 5 & 0x7e0) |
                               (argb >> 3 & 0x1f));
            memcpy(dst + 2 * i, &pixel, 2);
            break;
        default:
            memcpy(dst + 4 * i, &argb, 4);
            break;
        }
    }
}

void
pixels_decode(const uint8_t *src, uint32_t width, uint32_t surface_format,
              uint32_t *words)
{
    for (uint32_t i = 0; i < width; i++) {
        uint16_t pixel;

        switch (surface_format) {
        case SPICE_SURFACE_FMT_8_A:
            words[i] = (uint32_t)src[i] << 24;
            break;
        case SPICE_SURFACE_FMT_16_555:
            memcpy(&pixel, src + 2 * i, 2);
            words[i] = expand_555(pixel);
            break;
        case SPICE_SURFACE_FMT_16_565:
            memcpy(&pixel, src + 2 * i, 2);
            words[i] = expand_565(pixel);
            break;
        default:
            memcpy(&words[i], src + 4 * i, 4);
            if (surface_format == SPICE_SURFACE_FMT_32_xRGB)
                words[i] |= OPAQUE_BLACK;
            break;
        }
    }
}
