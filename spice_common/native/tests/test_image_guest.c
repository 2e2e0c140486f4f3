/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest's bitmap, in pieces, of every format: what a client gets is what it shows. */
#include "image_guest.h"

#include <spice/enums.h>
#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "check.h"
#include "display_message_writer.h"
#include "image_reader.h"
#include "lz.h"
#include "picture.h"

enum { ROUNDS = 1500, MAX_CHUNKS = 4, MAX_SIDE = 90, PADDING = 8 };

static uint32_t state = 41;

/* One image, its bytes cut into chunks. */
struct guest {
    struct command_batch *batch;
    struct guest_image image;
    struct image_chunk chunks[MAX_CHUNKS];
    uint32_t colors[256];
    uint8_t *bytes;
};

/* Bytes with runs and repeats, so that packing them is worth while. */
static void
fill_bytes(uint8_t *bytes, uint32_t size)
{
    uint32_t kind = draw_random(&state) % 3;

    for (uint32_t i = 0; i < size; i++) {
        if (kind == 0)
            bytes[i] = (uint8_t)draw_random(&state);
        else
            bytes[i] = i < 64 ? (uint8_t)draw_random(&state) : bytes[i - kind * 32];
    }
}

static void
cut_chunks(struct guest *guest, uint32_t size)
{
    uint32_t count = (uint32_t)draw_number(&state, 1, MAX_CHUNKS), at = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t part = i + 1 < count
                            ? (uint32_t)draw_number(&state, 0, (int32_t)(size - at))
                            : size - at;

        guest->chunks[i] = (struct image_chunk){guest->bytes + at, part};
        at += part;
    }
    guest->image.num_chunks = count;
}

static void
guest_init(struct guest *guest, uint32_t format)
{
    struct guest_image *image = &guest->image;
    uint32_t row, size;

    memset(guest, 0, sizeof(*guest));
    image->kind = SPICE_IMAGE_TYPE_BITMAP;
    image->format = (uint8_t)format;
    image->id = draw_random(&state);
    image->width = (uint32_t)draw_number(&state, 1, MAX_SIDE);
    image->height = (uint32_t)draw_number(&state, 1, MAX_SIDE);
    image->bitmap_flags = draw_random(&state) & 1 ? SPICE_BITMAP_FLAGS_TOP_DOWN : 0;
    row = (uint32_t)bitmap_row_size(format, image->width);
    image->stride = row + (uint32_t)draw_number(&state, 0, PADDING);
    size = image->stride * image->height;
    image->data_size = size;
    image->palette_unique = draw_random(&state);
    if (format <= SPICE_BITMAP_FMT_8BIT)
        image->num_colors = format <= SPICE_BITMAP_FMT_1BIT_BE ? 2 : 256;
    for (uint32_t i = 0; i < 256; i++)
        guest->colors[i] = draw_random(&state) & 0xffffff;
    guest->bytes = malloc(size);
    guest->batch = calloc(1, sizeof(*guest->batch));
    CHECK(guest->bytes && guest->batch);
    fill_bytes(guest->bytes, size);
    cut_chunks(guest, size);
    guest->batch->chunks = guest->chunks;
    guest->batch->colors = guest->colors;
}

static void
guest_fini(struct guest *guest)
{
    free(guest->bytes);
    free(guest->batch);
}

static uint32_t
u32_at(const uint8_t *data)
{
    uint32_t value;

    memcpy(&value, data, 4);
    return value;
}

/* The palette to which the offset leads, and nothing behind it. */
static void
check_palette(const struct guest *guest, const struct display_messages *messages,
              uint32_t offset)
{
    const uint8_t *at = messages->data + message_body(messages) + offset;

    CHECK(u32_at(at) == (uint32_t)guest->image.palette_unique && u32_at(at + 4) == 0);
    CHECK((at[8] | at[9] << 8) == (int)guest->image.num_colors);
    for (uint32_t i = 0; i < guest->image.num_colors; i++)
        CHECK(u32_at(at + 10 + 4 * (size_t)i) == guest->colors[i]);
    CHECK(at + 10 + 4 * (size_t)guest->image.num_colors ==
          messages->data + messages->size);
}

/* The indexes as LZ_PLT, row by row as the guest has them. */
static void
check_lz_palette(const struct guest *guest, const struct display_messages *messages,
                 uint64_t start)
{
    const uint8_t *at = messages->data + start + 18, *data = at + 9;
    uint32_t row = (uint32_t)bitmap_row_size(guest->image.format, guest->image.width);
    uint32_t size = u32_at(at + 1);
    uint8_t *rows = malloc((size_t)row * guest->image.height);
    struct lz_header header;

    CHECK(rows && at[0] == (guest->image.bitmap_flags & SPICE_BITMAP_FLAGS_TOP_DOWN));
    CHECK(lz_decode_header(data, size, &header) == 0);
    CHECK(header.width == guest->image.width && header.height == guest->image.height);
    CHECK((header.top_down != 0) == (at[0] != 0));
    CHECK(lz_decode(data, size, rows, (uint64_t)row * guest->image.height, row,
                    header.type) == 0);
    for (uint32_t y = 0; y < guest->image.height; y++)
        CHECK(memcmp(rows + (size_t)y * row,
                     guest->bytes + (size_t)y * guest->image.stride, row) == 0);
    check_palette(guest, messages, u32_at(at + 5));
    free(rows);
}

/* Direct colors: the picture that bitmap.h makes of the guest's bytes. */
static void
check_direct(const struct guest *guest, const struct display_messages *messages,
             uint64_t start)
{
    struct read_pixels {
        uint32_t word[MAX_SIDE];
    } *rows = calloc(guest->image.height, sizeof(*rows)), row;
    struct bitmap_view view = {.data = guest->bytes,
                               .size = guest->image.data_size,
                               .width = guest->image.width,
                               .height = guest->image.height,
                               .stride = guest->image.stride,
                               .format = guest->image.format,
                               .top_down = guest->image.bitmap_flags};
    struct decoded_image image =
        decode_checked(messages->data + start, messages->size - start, NULL);
    uint32_t mask = image.format == SPICE_BITMAP_FMT_RGBA ? 0xffffffff : 0xffffff;

    CHECK(rows && image.width == view.width && image.height == view.height);
    if (image.format == SPICE_BITMAP_FMT_8BIT_A)
        mask = 0xff000000;
    CHECK(bitmap_convert(&view, 0, 0, view.width, view.height,
                         SPICE_SURFACE_FMT_32_ARGB, (uint8_t *)rows,
                         view.height * sizeof(*rows), sizeof(*rows)) == 0);
    for (uint32_t y = 0; y < view.height; y++) {
        bitmap_decode(image.pixels + (size_t)y * image.stride, 0, view.width,
                      image.format, NULL, row.word);
        for (uint32_t x = 0; x < view.width; x++)
            CHECK(((row.word[x] ^ rows[y].word[x]) & mask) == 0);
    }
    decoded_image_free(&image);
    free(rows);
}

static void
one_round(struct image_packer *packer, struct display_messages *messages, int round)
{
    uint32_t format = 1 + (uint32_t)round % SPICE_BITMAP_FMT_8BIT_A;
    struct guest guest;
    uint64_t start;
    uint32_t type;

    guest_init(&guest, format);
    packer->settings.compression = (uint32_t)draw_number(
        &state, SPICE_IMAGE_COMPRESSION_OFF, SPICE_IMAGE_COMPRESSION_LZ4);
    display_messages_clear(messages);
    CHECK(begin_message(messages, SPICE_MSG_DISPLAY_DRAW_COPY, 0));
    start = messages->size;
    CHECK(write_packed_image(packer, messages, guest.batch, &guest.image,
                             IMAGE_SOURCE) == 0);
    type = messages->data[start + 8];
    CHECK(u32_at(messages->data + start) == guest.image.id);
    if (guest.image.num_colors == 0)
        check_direct(&guest, messages, start);
    else if (type == SPICE_IMAGE_TYPE_LZ_PLT)
        check_lz_palette(&guest, messages, start);
    else
        CHECK(type == SPICE_IMAGE_TYPE_BITMAP);
    guest_fini(&guest);
}

/* A large indexed picture with repeats is packed, a mask never is. */
static void
what_is_packed(struct image_packer *packer, struct display_messages *messages)
{
    struct guest guest;
    uint64_t start;

    do {
        guest_init(&guest, SPICE_BITMAP_FMT_8BIT);
        if (guest.image.width > 60 && guest.image.height > 60)
            break;
        guest_fini(&guest);
    } while (1);
    memset(guest.bytes, 7, (size_t)guest.image.data_size);
    packer->settings.compression = SPICE_IMAGE_COMPRESSION_AUTO_GLZ;
    for (int mask = 0; mask < 2; mask++) {
        display_messages_clear(messages);
        CHECK(begin_message(messages, SPICE_MSG_DISPLAY_DRAW_COPY, 0));
        start = messages->size;
        CHECK(write_packed_image(packer, messages, guest.batch, &guest.image,
                                 mask ? IMAGE_MASK : IMAGE_SOURCE) == 0);
        CHECK(messages->data[start + 8] ==
              (mask ? SPICE_IMAGE_TYPE_BITMAP : SPICE_IMAGE_TYPE_LZ_PLT));
    }
    guest_fini(&guest);
}

int
main(void)
{
    struct image_packer packer = {image_encoder_new(), {0, 0, 85, 0, 1}, NULL, NULL};
    struct display_messages *messages = display_messages_new();

    CHECK(packer.encoder && messages);
    for (int i = 0; i < ROUNDS; i++)
        one_round(&packer, messages, i);
    what_is_packed(&packer, messages);
    image_encoder_free(packer.encoder);
    display_messages_free(messages);
    return 0;
}
