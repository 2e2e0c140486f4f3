/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every mode, kind of picture and format: what comes out decodes to what went in. */
#include <spice/enums.h>
#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "bitmap_source.h"
#include "check.h"
#include "display_message_writer.h"
#include "glz.h"
#include "image_encode.h"
#include "image_reader.h"
#include "picture.h"

enum { ROUNDS = 4, MAX_LOSS = 40 };

static const uint32_t formats[] = {SPICE_SURFACE_FMT_8_A, SPICE_SURFACE_FMT_16_555,
                                   SPICE_SURFACE_FMT_16_565, SPICE_SURFACE_FMT_32_xRGB,
                                   SPICE_SURFACE_FMT_32_ARGB};
static const uint32_t modes[] = {
    SPICE_IMAGE_COMPRESSION_OFF,      SPICE_IMAGE_COMPRESSION_QUIC,
    SPICE_IMAGE_COMPRESSION_LZ,       SPICE_IMAGE_COMPRESSION_GLZ,
    SPICE_IMAGE_COMPRESSION_LZ4,      SPICE_IMAGE_COMPRESSION_AUTO_LZ,
    SPICE_IMAGE_COMPRESSION_AUTO_GLZ, 99};

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

static uint32_t state = 17;
static struct glz_dictionary *dictionary;
static struct glz_window *window;

/* A row of a decoded image as ARGB words. */
static void
decoded_row(const struct decoded_image *image, uint32_t y, uint32_t *words)
{
    static const uint32_t no_palette[256];

    bitmap_decode(image->pixels + (size_t)y * image->stride, 0, image->width,
                  image->format, no_palette, words);
}

static uint32_t
channel_loss(uint32_t a, uint32_t b)
{
    uint32_t loss = 0;

    for (int shift = 0; shift < 32; shift += 8) {
        int difference = (int)(a >> shift & 0xff) - (int)(b >> shift & 0xff);

        loss = (uint32_t)abs(difference) > loss ? (uint32_t)abs(difference) : loss;
    }
    return loss;
}

/* The greatest difference of a channel between the picture and its image. */
static uint32_t
loss_of(const struct pixels *pixels, const struct decoded_image *image)
{
    uint32_t *before = malloc((size_t)pixels->width * 4);
    uint32_t *after = malloc((size_t)pixels->width * 4), loss = 0;
    int has_alpha = image->format == SPICE_BITMAP_FMT_RGBA ||
                    image->format == SPICE_BITMAP_FMT_8BIT_A;
    uint32_t mask = has_alpha ? 0xffffffff : 0xffffff;

    CHECK(before && after);
    for (uint32_t y = 0; y < pixels->height; y++) {
        pixels_decode(picture_row(pixels, (int32_t)y), pixels->width, pixels->format,
                      before);
        decoded_row(image, y, after);
        for (uint32_t x = 0; x < pixels->width; x++) {
            uint32_t here = channel_loss(before[x] & mask, after[x] & mask);

            loss = here > loss ? here : loss;
        }
    }
    free(before);
    free(after);
    return loss;
}

static void
check_size(const struct pixels *pixels, const struct encoded_info *info, uint64_t size)
{
    uint64_t row =
        (uint64_t)pixels->width * surface_pixel_size(message_format(pixels->format));

    CHECK(info->size == size);
    CHECK(info->raw_size == row * pixels->height);
    CHECK(size <= 36 + ((row + 3) & ~UINT64_C(3)) * pixels->height);
}

static uint32_t
encode_one(struct image_encoder *encoder, struct display_messages *messages,
           const struct image_settings *settings, const struct pixels *pixels)
{
    uint64_t id = (uint64_t)draw_random(&state) << 32 | draw_random(&state);
    uint64_t start;
    struct encoded_info info;
    struct decoded_image image;

    display_messages_clear(messages);
    CHECK(begin_message(messages, SPICE_MSG_DISPLAY_DRAW_COPY, 0));
    start = messages->size;
    CHECK(image_encode(encoder, settings, dictionary, pixels, id,
                       SPICE_IMAGE_FLAGS_CACHE_ME, messages, &info) == 0);
    check_size(pixels, &info, messages->size - start);
    image = decode_checked(messages->data + start, messages->size - start, window);
    CHECK(image.id == id && image.flags == SPICE_IMAGE_FLAGS_CACHE_ME);
    CHECK(image.type == info.type);
    CHECK(image.width == pixels->width && image.height == pixels->height);
    CHECK(loss_of(pixels, &image) <= (info.lossy ? MAX_LOSS : 0));
    CHECK(!info.lossy || settings->jpeg);
    decoded_image_free(&image);
    return info.type;
}

static void
check_type(const struct image_settings *settings, enum picture_kind kind,
           const struct pixels *pixels, uint32_t type)
{
    int is_large = pixels->width >= 32 && pixels->height >= 32;

    if (settings->compression == SPICE_IMAGE_COMPRESSION_OFF ||
        settings->compression == 99 || pixels->width * pixels->height < 10)
        CHECK(type == SPICE_IMAGE_TYPE_BITMAP);
    else if (settings->compression == SPICE_IMAGE_COMPRESSION_LZ4 && is_large &&
             kind < PICTURE_GRADIENT && pixels->format != SPICE_SURFACE_FMT_8_A)
        CHECK(type == (settings->lz4 ? SPICE_IMAGE_TYPE_LZ4 : SPICE_IMAGE_TYPE_LZ_RGB));
    else if (kind == PICTURE_PHOTO && is_large &&
             pixels->format >= SPICE_SURFACE_FMT_32_xRGB &&
             settings->compression >= SPICE_IMAGE_COMPRESSION_AUTO_GLZ &&
             settings->compression <= SPICE_IMAGE_COMPRESSION_AUTO_LZ)
        CHECK(settings->jpeg
                  ? type == SPICE_IMAGE_TYPE_JPEG || type == SPICE_IMAGE_TYPE_JPEG_ALPHA
                  : type == SPICE_IMAGE_TYPE_QUIC || type == SPICE_IMAGE_TYPE_GLZ_RGB);
}

static void
encode_all(struct image_encoder *encoder, struct display_messages *messages,
           enum picture_kind kind, const struct pixels *pixels)
{
    for (uint32_t i = 0; i < LENGTH(modes); i++) {
        for (uint32_t lossy = 0; lossy < 2; lossy++) {
            struct image_settings settings = {modes[i], lossy, 85, i & 1, i & 1};

            settings.lz4 = lossy;
            check_type(&settings, kind, pixels,
                       encode_one(encoder, messages, &settings, pixels));
        }
    }
}

/* Rows from the last one on: a negative stride. */
static struct pixels
upside_down(const struct pixels *pixels)
{
    struct pixels turned = *pixels;

    turned.data += (int64_t)(pixels->height - 1) * pixels->stride;
    turned.stride = -pixels->stride;
    return turned;
}

static void
bad_arguments(struct image_encoder *encoder, struct display_messages *messages)
{
    struct image_settings settings = {SPICE_IMAGE_COMPRESSION_LZ, 0, 85, 0, 0};
    struct pixels pixels = picture_new(&state, PICTURE_UI, formats[3], 8, 8);
    struct pixels bad[3] = {pixels, pixels, pixels};

    bad[0].width = 0;
    bad[1].height = MAX_ENCODE_SIDE + 1;
    bad[2].format = 7;
    display_messages_clear(messages);
    for (int i = 0; i < 3; i++)
        CHECK(image_encode(encoder, &settings, NULL, &bad[i], 1, 0, messages, NULL) ==
              -1);
    CHECK(messages->size == 0 && !messages->out_of_memory);
    CHECK(image_encode(encoder, &settings, NULL, &pixels, 1, 0, messages, NULL) == 0);
    picture_free(&pixels);
}

int
main(void)
{
    struct image_encoder *encoder = image_encoder_new();
    struct display_messages *messages = display_messages_new();

    dictionary = glz_dictionary_new(1 << 20);
    window = glz_window_new(1 << 22);
    CHECK(encoder && messages && dictionary && window);
    for (int i = 0; i < ROUNDS * NUM_PICTURE_KINDS * (int)LENGTH(formats); i++) {
        enum picture_kind kind = (enum picture_kind)(i % NUM_PICTURE_KINDS);
        uint32_t format = formats[i / NUM_PICTURE_KINDS % (int)LENGTH(formats)];
        int32_t largest = i % 3 == 0 ? 8 : 120;
        struct pixels pixels =
            picture_new(&state, kind, format, (uint32_t)draw_number(&state, 1, largest),
                        (uint32_t)draw_number(&state, 1, largest));
        struct pixels turned = upside_down(&pixels);

        encode_all(encoder, messages, kind, &pixels);
        encode_all(encoder, messages, kind, &turned);
        picture_free(&pixels);
    }
    bad_arguments(encoder, messages);
    image_encoder_free(encoder);
    glz_dictionary_free(dictionary);
    glz_window_free(window);
    display_messages_free(messages);
    return 0;
}
