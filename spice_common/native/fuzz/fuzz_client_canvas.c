/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The input is what a hostile server sends on a display channel: a byte of options,
 * then messages with mini headers.  A size that leaves the input means its rest, so
 * that most mutations are still messages.
 */
#include <spice/enums.h>
#include <stdlib.h>
#include <string.h>

#include "canvas.h"
#include "check.h"
#include "client_canvas_impl.h"
#include "fuzz.h"
#include "glz.h"
#include "image_encode.h"
#include "picture.h"

enum {
    OPTION_RAW = 1,         /* as they stand, to client_canvas_receive() */
    OPTION_FULL_HEADER = 2, /* with OPTION_RAW */
    OPTION_COUNT = 4,       /* paint nothing */
    MINI_HEADER = 6,
    MAX_MESSAGE = 65536,
    MAX_SIDE = 64,
    CACHE_PIXELS = 1 << 16,
};

static uint32_t
get_u16(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8;
}

static uint32_t
get_u32(const uint8_t *at)
{
    return get_u16(at) | get_u16(at + 2) << 16;
}

/* Large surfaces only take time: let their sides be at most 64. */
static void
make_small(uint32_t type, uint8_t *body, uint32_t size)
{
    uint32_t at = type == SPICE_MSG_DISPLAY_SURFACE_CREATE ? 4 : 0;

    if (type != SPICE_MSG_DISPLAY_SURFACE_CREATE && type != SPICE_MSG_DISPLAY_MODE)
        return;
    for (uint32_t end = at + 8; at < end && size >= end; at += 4) {
        if (get_u32(body + at) > MAX_SIDE)
            memset(body + at + 1, 0, 3);
        if (get_u32(body + at) > MAX_SIDE)
            body[at] &= MAX_SIDE - 1;
    }
}

/* A copy of its own, so that the sanitizer sees every byte read beyond it. */
static void
one_message(struct client_canvas *canvas, uint32_t type, const uint8_t *body,
            uint32_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    uint64_t detail;

    CHECK(copy);
    memcpy(copy, body, size);
    make_small(type, copy, size);
    if (client_canvas_takes(type)) {
        /* Twice: what failed for lack of an image may be tried again. */
        uint32_t error = client_canvas_message(canvas, type, copy, size, &detail);

        CHECK(error <= CLIENT_NO_MEMORY);
        if (error == CLIENT_NO_IMAGE || error == CLIENT_NO_GLZ_IMAGE)
            client_canvas_message(canvas, type, copy, size, &detail);
    }
    free(copy);
}

static void
framed(struct client_canvas *canvas, const uint8_t *data, size_t size)
{
    while (size >= MINI_HEADER) {
        uint32_t type = get_u16(data), length = get_u32(data + 2);
        size_t rest = size - MINI_HEADER;

        if (length > rest)
            length = (uint32_t)rest;
        one_message(canvas, type, data + MINI_HEADER, length);
        data += MINI_HEADER + length;
        size -= MINI_HEADER + length;
    }
}

/* Sizes of surfaces are not looked at here: 8192 x 8192 may happen. */
static void
raw(struct client_canvas *canvas, const uint8_t *data, size_t size, uint32_t full)
{
    uint8_t *copy = malloc(size ? size : 1);
    struct client_progress progress;

    CHECK(copy);
    memcpy(copy, data, size);
    client_canvas_receive(canvas, copy, size, full, &progress);
    CHECK(progress.consumed <= size && progress.reason <= CLIENT_FAILED);
    CHECK((progress.reason == CLIENT_FAILED) == (progress.error != CLIENT_OK));
    free(copy);
}

/* Every surface can be read, whatever was drawn. */
static void
look(struct client_canvas *canvas)
{
    struct canvas *surfaces = client_canvas_surfaces(canvas);
    struct canvas_surface_info info;
    uint32_t id = client_canvas_primary(canvas);

    client_canvas_complete(canvas);
    if (canvas_surface_info(surfaces, id, &info) == CANVAS_OK &&
        info.width <= MAX_SIDE && info.height <= MAX_SIDE) {
        uint64_t size = (uint64_t)info.width * info.height * 4;
        uint8_t *pixels = malloc(size);

        CHECK(pixels);
        CHECK(canvas_read_surface(surfaces, id, pixels, size) == CANVAS_OK);
        free(pixels);
    }
}

/* Making a canvas takes longer than most inputs: the next one gets it as if new. */
static void
reset(struct client_canvas *canvas, uint32_t options)
{
    client_free_surfaces(canvas);
    client_canvas_forget_palettes(canvas);
    client_cache_forget_images(canvas->cache);
    glz_window_clear(canvas->cache->window);
    for (uint32_t i = 0; i < MAX_MESSAGE_IMAGES; i++)
        canvas->images[i].kept = 0;
    canvas->marked = 0;
    canvas->paint = !(options & OPTION_COUNT);
    CHECK(canvas->total_size == 0 && canvas->primary == CLIENT_SURFACES);
    CHECK(canvas->cache->bytes == 0 && canvas->cache->num_images == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct client_canvas *canvas;
    uint32_t options = size ? data[0] : 0;

    if (!canvas) {
        struct client_cache *cache = client_cache_new(CACHE_PIXELS, CACHE_PIXELS);

        CHECK(cache);
        canvas = client_canvas_new(cache, 1, MAX_MESSAGE);
        CHECK(canvas);
    }
    reset(canvas, options);
    if (size && options & OPTION_RAW)
        raw(canvas, data + 1, size - 1, options & OPTION_FULL_HEADER);
    else if (size)
        framed(canvas, data + 1, size - 1);
    look(canvas);
    return 0;
}

/* -- good inputs ------------------------------------------------------------------- */

struct seed {
    uint8_t *bytes;
    size_t size;
    size_t body; /* of the message being written */
};

static void
add(struct seed *seed, uint64_t value, size_t bytes)
{
    CHECK(seed->size + bytes <= FUZZ_MAX_SIZE);
    for (size_t i = 0; i < bytes; i++)
        seed->bytes[seed->size++] = (uint8_t)(i < 8 ? value >> 8 * i : 0);
}

static void
begin(struct seed *seed, uint32_t type)
{
    add(seed, type, 2);
    add(seed, 0, 4);
    seed->body = seed->size;
}

static void
end(struct seed *seed)
{
    size_t size = seed->size, length = size - seed->body;

    seed->size = seed->body - 4;
    add(seed, length, 4);
    seed->size = size;
}

static void
create(struct seed *seed, uint32_t id, uint32_t format, uint32_t flags)
{
    begin(seed, SPICE_MSG_DISPLAY_SURFACE_CREATE);
    add(seed, id, 4);
    add(seed, 48, 4);
    add(seed, 32, 4);
    add(seed, format, 4);
    add(seed, flags, 4);
    end(seed);
}

static void
rectangle(struct seed *seed, uint32_t left, uint32_t top, uint32_t right,
          uint32_t bottom)
{
    add(seed, top, 4);
    add(seed, left, 4);
    add(seed, bottom, 4);
    add(seed, right, 4);
}

/* SpiceMsgDisplayBase, with two clip rectangles if that is wanted. */
static void
base(struct seed *seed, uint32_t surface, int clipped)
{
    add(seed, surface, 4);
    rectangle(seed, 0, 0, 24, 16);
    add(seed, clipped ? SPICE_CLIP_TYPE_RECTS : SPICE_CLIP_TYPE_NONE, 1);
    if (!clipped)
        return;
    add(seed, 2, 4);
    rectangle(seed, 1, 1, 9, 9);
    rectangle(seed, 12, 1, 23, 14);
}

static void
no_mask(struct seed *seed)
{
    add(seed, 0, 1 + 8 + 4);
}

/* Append an image; its offset goes to the field at `field`. */
static void
append(struct seed *seed, size_t field, const struct display_messages *image)
{
    size_t offset = seed->size - seed->body, size = seed->size;

    seed->size = field;
    add(seed, offset, 4);
    seed->size = size;
    for (uint64_t i = 0; i < image->size; i++)
        add(seed, image->data[i], 1);
}

/* The image of a picture, in the n-th way that an encoder knows. */
static void
encode(struct display_messages *out, struct glz_dictionary *dictionary, uint32_t n)
{
    static const uint32_t formats[] = {SPICE_SURFACE_FMT_32_xRGB,
                                       SPICE_SURFACE_FMT_32_ARGB,
                                       SPICE_SURFACE_FMT_16_555, SPICE_SURFACE_FMT_8_A};
    struct image_settings settings = {
        .compression = 1 + n % SPICE_IMAGE_COMPRESSION_LZ4,
        .jpeg = n / SPICE_IMAGE_COMPRESSION_LZ4 % 2,
        .jpeg_quality = 85,
        .zlib_glz = n / SPICE_IMAGE_COMPRESSION_LZ4 % 2,
        .lz4 = 1,
    };
    struct image_encoder *encoder = image_encoder_new();
    uint32_t state = 1 + n;
    struct pixels picture = picture_new(&state, n % 2 ? PICTURE_PHOTO : PICTURE_UI,
                                        formats[n / 7 % 4], 24, 16);

    CHECK(encoder);
    CHECK(image_encode(encoder, &settings, dictionary, &picture, 100 + n,
                       SPICE_IMAGE_FLAGS_CACHE_ME, out, NULL) == 0);
    picture_free(&picture);
    image_encoder_free(encoder);
}

static void
from_cache(struct seed *seed, size_t field, uint64_t id)
{
    size_t offset = seed->size - seed->body, size = seed->size;

    seed->size = field;
    add(seed, offset, 4);
    seed->size = size;
    add(seed, id, 8);
    add(seed, SPICE_IMAGE_TYPE_FROM_CACHE, 1);
    add(seed, 0, 1);
    add(seed, 24, 4);
    add(seed, 16, 4);
}

/* Where the offset of the source stands; the rest of the message is behind it. */
static size_t
source_message(struct seed *seed, uint32_t type, uint32_t surface, uint32_t n)
{
    size_t field;

    begin(seed, type);
    base(seed, surface, n % 3 == 0);
    if (type == SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND)
        add(seed, 0x8000, 2);
    if (type == SPICE_MSG_DISPLAY_DRAW_COMPOSITE)
        add(seed, 3, 4);
    field = seed->size;
    add(seed, 0, 4);
    switch (type) {
    case SPICE_MSG_DISPLAY_DRAW_COMPOSITE:
        add(seed, 0, 4 + 8); /* no mask, origins */
        break;
    case SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND:
        rectangle(seed, 0, 0, 24, 16);
        break;
    case SPICE_MSG_DISPLAY_DRAW_TRANSPARENT:
        rectangle(seed, 0, 0, 24, 16);
        add(seed, 0x123456, 4);
        add(seed, 0x123456, 4);
        break;
    case SPICE_MSG_DISPLAY_DRAW_ROP3:
    case SPICE_MSG_DISPLAY_DRAW_OPAQUE:
        rectangle(seed, 0, 0, n % 2 ? 24 : 12, 16);
        add(seed, SPICE_BRUSH_TYPE_SOLID, 1);
        add(seed, 0x654321, 4);
        add(seed, type == SPICE_MSG_DISPLAY_DRAW_ROP3 ? 0xcc : 8,
            type == SPICE_MSG_DISPLAY_DRAW_ROP3 ? 1 : 2);
        add(seed, 0, 1);
        no_mask(seed);
        break;
    default:
        rectangle(seed, 0, 0, n % 2 ? 24 : 12, 16);
        add(seed, SPICE_ROPD_OP_PUT, 2);
        add(seed, 0, 1);
        no_mask(seed);
        break;
    }
    return field;
}

static void
others(struct seed *seed)
{
    begin(seed, SPICE_MSG_DISPLAY_DRAW_FILL);
    base(seed, 0, 1);
    add(seed, SPICE_BRUSH_TYPE_SOLID, 1);
    add(seed, 0xffffff, 4);
    add(seed, SPICE_ROPD_OP_XOR, 2);
    no_mask(seed);
    end(seed);
    begin(seed, SPICE_MSG_DISPLAY_COPY_BITS);
    base(seed, 0, 0);
    add(seed, 3, 4);
    add(seed, 5, 4);
    end(seed);
    begin(seed, SPICE_MSG_DISPLAY_DRAW_INVERS);
    base(seed, 1, 0);
    no_mask(seed);
    end(seed);
    begin(seed, SPICE_MSG_DISPLAY_INVAL_LIST);
    add(seed, 1, 2);
    add(seed, SPICE_RES_TYPE_PIXMAP, 1);
    add(seed, 100, 8);
    end(seed);
}

size_t
fuzz_seed(uint32_t number, uint8_t *bytes)
{
    static const uint32_t types[] = {
        SPICE_MSG_DISPLAY_DRAW_COPY,        SPICE_MSG_DISPLAY_DRAW_BLEND,
        SPICE_MSG_DISPLAY_DRAW_OPAQUE,      SPICE_MSG_DISPLAY_DRAW_ROP3,
        SPICE_MSG_DISPLAY_DRAW_TRANSPARENT, SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND,
        SPICE_MSG_DISPLAY_DRAW_COMPOSITE,
    };
    struct seed seed = {.bytes = bytes};
    struct glz_dictionary *dictionary = glz_dictionary_new(1 << 16);
    uint32_t type = types[number % 7];

    if (number >= 56) {
        glz_dictionary_free(dictionary);
        return 0;
    }
    CHECK(dictionary);
    add(&seed, 0, 1);
    create(&seed, 0, SPICE_SURFACE_FMT_32_xRGB, SPICE_SURFACE_FLAGS_PRIMARY);
    create(&seed, 1, SPICE_SURFACE_FMT_32_ARGB, 0);
    for (uint32_t i = 0; i < 2; i++) {
        struct display_messages *image = display_messages_new();
        size_t field = source_message(&seed, type, i, number);

        CHECK(image);
        encode(image, dictionary, number);
        append(&seed, field, image);
        end(&seed);
        display_messages_free(image);
    }
    from_cache(&seed, source_message(&seed, type, 0, number + 1), 100 + number);
    end(&seed);
    others(&seed);
    glz_dictionary_free(dictionary);
    return seed.size;
}
