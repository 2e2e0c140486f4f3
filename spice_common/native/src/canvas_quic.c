/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas_quic.c: QUIC images that a guest sends.
 */
#include <spice/enums.h>
#include <spice/qxl_dev.h>
#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "canvas_picture.h"
#include "quic.h"

/*
 * A few bytes may say that a picture of any size has one color.  No screen is larger
 * than 8192 x 4096.
 */
enum { MAX_QUIC_PIXELS = 1 << 25 };

/* The image's bytes in one piece, fetched once; NULL: no memory. */
static uint8_t *
gather(const struct command_batch *batch, const struct guest_image *image)
{
    const struct image_chunk *chunks = batch->chunks + image->first_chunk;
    uint8_t *bytes = malloc((size_t)image->data_size);
    uint64_t done = 0;

    for (uint32_t i = 0; bytes && i < image->num_chunks; i++) {
        uint64_t rest = image->data_size - done;
        uint64_t count = chunks[i].size < rest ? chunks[i].size : rest;

        memcpy(bytes + done, chunks[i].data, (size_t)count);
        done += count;
    }
    if (bytes && done < image->data_size)
        memset(bytes + done, 0, (size_t)(image->data_size - done));
    return bytes;
}

/* As what to decode, which is what the clients do; 0 or -1. */
static int
choose_layout(struct quic_picture *decoded, uint32_t type, uint32_t surface_format,
              int original, uint32_t *want_type)
{
    int is_32_bit = surface_format == SPICE_SURFACE_FMT_32_xRGB ||
                    surface_format == SPICE_SURFACE_FMT_32_ARGB;

    decoded->layout = SPICE_SURFACE_FMT_32_xRGB;
    decoded->has_alpha = type == QUIC_IMAGE_TYPE_RGBA;
    *want_type = decoded->has_alpha ? QUIC_IMAGE_TYPE_RGBA : QUIC_IMAGE_TYPE_RGB32;
    if (type == QUIC_IMAGE_TYPE_RGB16 && (original || !is_32_bit)) {
        decoded->layout = SPICE_SURFACE_FMT_16_555;
        *want_type = QUIC_IMAGE_TYPE_RGB16;
    }
    return type == QUIC_IMAGE_TYPE_RGB16 || type == QUIC_IMAGE_TYPE_RGB24 ||
                   type == QUIC_IMAGE_TYPE_RGB32 || type == QUIC_IMAGE_TYPE_RGBA
               ? 0
               : -1;
}

static int
decode(struct quic_picture *decoded, const struct guest_image *image,
       const uint8_t *bytes, uint32_t want_type)
{
    uint32_t pixel_size = surface_pixel_size(decoded->layout);
    struct quic_decoder *decoder = quic_decoder_new();
    size_t size;
    int failed;

    decoded->stride = ((ptrdiff_t)image->width * pixel_size + 3) / 4 * 4;
    size = (size_t)decoded->stride * image->height;
    decoded->pixels = malloc(size);
    failed = !decoder || !decoded->pixels ||
             quic_decode(decoder, bytes, image->data_size, decoded->pixels, size,
                         decoded->stride, want_type);
    quic_decoder_free(decoder);
    if (failed) {
        free(decoded->pixels);
        decoded->pixels = NULL;
    }
    return failed ? -1 : 0;
}

static void
set_high_bits(struct quic_picture *decoded, const struct guest_image *image)
{
    size_t size = (size_t)decoded->stride * image->height;

    for (size_t i = 3; i < size; i += 4)
        decoded->pixels[i] = 0xff;
}

/* Bring all of the picture to the surface's format, as the clients do at first. */
static int
convert(struct quic_picture *decoded, const struct guest_image *image, uint32_t layout)
{
    uint32_t from = decoded->has_alpha ? SPICE_SURFACE_FMT_32_ARGB : decoded->layout;
    ptrdiff_t stride =
        ((ptrdiff_t)image->width * surface_pixel_size(layout) + 3) / 4 * 4;
    uint32_t *words = malloc((size_t)image->width * sizeof(*words));
    uint8_t *pixels = malloc((size_t)stride * image->height);
    int failed = !words || !pixels;

    for (uint32_t y = 0; !failed && y < image->height; y++) {
        pixels_decode(decoded->pixels + (ptrdiff_t)y * decoded->stride, image->width,
                      from, words);
        pixels_encode(words, image->width, layout, pixels + (ptrdiff_t)y * stride);
    }
    free(words);
    free(decoded->pixels);
    decoded->pixels = pixels;
    decoded->stride = stride;
    decoded->layout = layout;
    return failed ? -1 : 0;
}

enum picture_status
quic_picture_decode(struct quic_picture *decoded, const struct command_batch *batch,
                    const struct guest_image *image, uint32_t surface_format,
                    int original, enum picture_reading reading)
{
    uint32_t type, width, height, want_type;
    enum picture_status status = PICTURE_BAD;
    uint8_t *bytes;

    decoded->pixels = NULL;
    decoded->stride = 0;
    if ((uint64_t)image->width * image->height > MAX_QUIC_PIXELS)
        return PICTURE_BAD;
    bytes = gather(batch, image);
    if (!bytes)
        return PICTURE_BAD;
    if (quic_decode_header(bytes, image->data_size, &type, &width, &height) == 0 &&
        width == image->width && height == image->height &&
        choose_layout(decoded, type, surface_format, original, &want_type) == 0)
        status = PICTURE_OK;
    if (status == PICTURE_OK && reading == PICTURE_TO_READ &&
        decode(decoded, image, bytes, want_type))
        status = PICTURE_BAD;
    if (decoded->pixels && decoded->layout == SPICE_SURFACE_FMT_32_xRGB &&
        !decoded->has_alpha && (image->descriptor_flags & QXL_IMAGE_HIGH_BITS_SET))
        set_high_bits(decoded, image);
    free(bytes);
    if (decoded->pixels && !original && !same_pixels(decoded->layout, surface_format) &&
        convert(decoded, image, surface_format))
        status = PICTURE_BAD;
    return status;
}
