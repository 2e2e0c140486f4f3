/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any pixels in any mode become an image that decodes to them; pixels that change while
 * they are encoded become an image of the right size at most.
 *
 * The input is a row of pictures, each a few bytes that say how and its pixels.  What
 * changes pixels here is the encoder itself: they lie where it writes, in memory that
 * is mapped twice.
 */
#define _GNU_SOURCE
#include <spice/enums.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bitmap.h"
#include "bitmap_source.h"
#include "check.h"
#include "display_message_writer.h"
#include "fuzz.h"
#include "glz.h"
#include "image_encode.h"
#include "image_reader.h"

enum {
    HEAD_SIZE = 6,
    MAX_SIDE = 128,
    MAX_IMAGES = 16,
    MAX_DATA_SIZE = 4 * MAX_SIDE * MAX_SIDE,
    RUN_SIZE = 4 * MAX_DATA_SIZE, /* more than a run of one picture takes */
    WINDOW = 1 << 15,             /* pixels: small, so that images leave it */
};

static const uint32_t formats[] = {SPICE_SURFACE_FMT_8_A, SPICE_SURFACE_FMT_16_555,
                                   SPICE_SURFACE_FMT_16_565, SPICE_SURFACE_FMT_32_xRGB,
                                   SPICE_SURFACE_FMT_32_ARGB};

struct fuzzed {
    struct image_encoder *encoder;
    struct display_messages *messages;
    struct glz_dictionary *dictionary;
    struct glz_window *window;
    const uint8_t *data;
    size_t size;
};

/* Pixels from the input, repeated where it is short. */
static void
fill(struct fuzzed *fuzzed, uint8_t *to, size_t size)
{
    size_t have = fuzzed->size < size ? fuzzed->size : size;

    memcpy(to, fuzzed->data, have);
    fuzzed->data += have;
    fuzzed->size -= have;
    if (have == 0)
        memset(to, 0x77, have = size < 4 ? size : 4);
    for (size_t i = have; i < size; i++)
        to[i] = to[i - have];
}

/* The picture shows the same as its image. */
static void
compare(const struct pixels *pixels, const struct decoded_image *image)
{
    uint32_t before[MAX_SIDE], after[MAX_SIDE], mask = 0xffffff;

    if (image->format == SPICE_BITMAP_FMT_RGBA)
        mask = 0xffffffff;
    else if (image->format == SPICE_BITMAP_FMT_8BIT_A)
        mask = 0xff000000;
    CHECK(image->width == pixels->width && image->height == pixels->height);
    for (uint32_t y = 0; y < pixels->height; y++) {
        pixels_decode(pixels->data + (int64_t)y * pixels->stride, pixels->width,
                      pixels->format, before);
        bitmap_decode(image->pixels + (size_t)y * image->stride, 0, image->width,
                      image->format, NULL, after);
        for (uint32_t x = 0; x < pixels->width; x++)
            CHECK(((before[x] ^ after[x]) & mask) == 0);
    }
}

static void
check_image(struct fuzzed *fuzzed, const struct pixels *pixels, uint64_t start,
            const struct encoded_info *info)
{
    struct display_messages *messages = fuzzed->messages;
    struct decoded_image image =
        decode_checked(messages->data + start, messages->size - start, fuzzed->window);

    if (!info->lossy)
        compare(pixels, &image);
    decoded_image_free(&image);
}

static struct image_settings
take_settings(const uint8_t *head)
{
    struct image_settings settings = {head[0] % 8, head[0] >> 3 & 1, 1 + head[1] % 100,
                                      head[0] >> 4 & 1, head[0] >> 5 & 1};

    return settings;
}

/* The same memory at two addresses: of the run, and of pixels. */
static uint8_t *views[2];

static void
map_views(void)
{
    int memory = memfd_create("fuzz", MFD_CLOEXEC);

    CHECK(memory >= 0 && ftruncate(memory, RUN_SIZE) == 0);
    for (int i = 0; i < 2; i++) {
        views[i] = mmap(NULL, RUN_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
        CHECK(views[i] != MAP_FAILED);
    }
    CHECK(close(memory) == 0);
}

static void
one_picture(struct fuzzed *fuzzed)
{
    static uint8_t own[MAX_DATA_SIZE];
    const uint8_t *head = fuzzed->data;
    struct image_settings settings = take_settings(head);
    struct pixels pixels = {own, 1 + head[2] % MAX_SIDE, 1 + head[3] % MAX_SIDE, 0,
                            formats[head[4] % 5]};
    int changes = head[5] & 1;
    uint8_t *memory = own;
    struct encoded_info info;
    uint64_t start;
    size_t size;

    display_messages_clear(fuzzed->messages);
    CHECK(begin_message(fuzzed->messages, SPICE_MSG_DISPLAY_DRAW_COPY, 0));
    start = fuzzed->messages->size;
    pixels.stride = (int64_t)pixels.width * surface_pixel_size(pixels.format);
    size = (size_t)pixels.stride * pixels.height;
    if (changes)
        memory = views[1] + start + (head[5] >> 1);
    fuzzed->data += HEAD_SIZE;
    fuzzed->size -= HEAD_SIZE;
    fill(fuzzed, memory, size);
    pixels.data = memory;
    if (!changes && head[5] & 2) { /* bottom up */
        pixels.data = memory + size - (size_t)pixels.stride;
        pixels.stride = -pixels.stride;
    }
    CHECK(image_encode(fuzzed->encoder, &settings, fuzzed->dictionary, &pixels, 1, 0,
                       fuzzed->messages, &info) == 0);
    CHECK(info.size == fuzzed->messages->size - start && info.size <= 4 * size + 200);
    if (!changes)
        check_image(fuzzed, &pixels, start, &info);
    else if (info.type == SPICE_IMAGE_TYPE_GLZ_RGB ||
             info.type == SPICE_IMAGE_TYPE_ZLIB_GLZ_RGB)
        /* What the window has is what was sent, whatever the pixels are by now. */
        decoded_image_free(&(struct decoded_image){
            .pixels = decode_checked(fuzzed->messages->data + start, info.size,
                                     fuzzed->window)
                          .pixels});
}

size_t
fuzz_seed(uint32_t number, uint8_t *bytes)
{
    size_t size = 0;

    if (number >= 16)
        return 0;
    for (uint32_t i = 0; i < 3; i++) {
        uint8_t head[HEAD_SIZE] = {
            (uint8_t)(number + 8 * i), 85, 60, 40, (uint8_t)(number / 4 + i),
            (uint8_t)(number / 8)};

        memcpy(bytes + size, head, HEAD_SIZE);
        size += HEAD_SIZE;
        for (uint32_t j = 0; j < 2000; j++)
            bytes[size++] = (uint8_t)(number % 3 == 0   ? j / 9
                                      : number % 3 == 1 ? (j * 7) ^ (j >> 5)
                                                        : (j % 50) * number);
    }
    return size;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct image_encoder *encoder;
    struct fuzzed fuzzed = {.data = data, .size = size};

    if (!encoder)
        map_views();
    if (!encoder)
        encoder = image_encoder_new();
    fuzzed.encoder = encoder;
    fuzzed.messages = display_messages_new();
    fuzzed.dictionary = glz_dictionary_new(WINDOW);
    fuzzed.window = glz_window_new(4 * WINDOW);
    CHECK(encoder && fuzzed.messages && fuzzed.dictionary && fuzzed.window);
    fuzzed.messages->data = views[0];
    fuzzed.messages->capacity = RUN_SIZE;
    for (int i = 0; i < MAX_IMAGES && fuzzed.size >= HEAD_SIZE; i++)
        one_picture(&fuzzed);
    CHECK(fuzzed.messages->data == views[0]);
    fuzzed.messages->data = NULL;
    display_messages_free(fuzzed.messages);
    glz_dictionary_free(fuzzed.dictionary);
    glz_window_free(fuzzed.window);
    return 0;
}
