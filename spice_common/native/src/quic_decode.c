/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * quic_decode.c: QUIC to pictures.
 *
 * The data may be anything.  Sizes are checked before memory is used; every residual,
 * run and row after that is within the decoder's own rows, and what no encoder writes
 * ends it.
 */
#include <stdlib.h>

#include "quic.h"
#include "quic_decode_rows.h"
#include "quic_rows.h"

enum {
    NUM_ROWS = 3, /* of each plane, and one of bits: see place_rows() */
    PIXEL_MEMORY = NUM_ROWS * (4 + 1) + 1,
    FIXED_MEMORY = 2 * (NUM_ROWS * QUIC_ROW_MARGIN + 8),
};

struct quic_decoder {
    struct quic_channel channels[4];
    struct quic_decode_plane colors, alpha; /* alpha: of GRAY, too */
    quic_row_decoder *decode_row;
    uint8_t *memory;
    uint32_t width; /* that memory is for */
};

struct quic_decoder *
quic_decoder_new(void)
{
    struct quic_decoder *decoder = calloc(1, sizeof(*decoder));

    if (decoder == NULL)
        return NULL;
    decoder->decode_row = quic_decode_row;
#if QUIC_HAVE_BMI2
    if (quic_can_use_bmi2())
        decoder->decode_row = quic_decode_row_bmi2;
#endif
    return decoder;
}

void
quic_decoder_be_plain(struct quic_decoder *decoder)
{
    decoder->decode_row = quic_decode_row;
}

void
quic_decoder_free(struct quic_decoder *decoder)
{
    if (decoder == NULL)
        return;
    free(decoder->memory);
    free(decoder);
}

int
quic_decode_header(const uint8_t *data, uint64_t size, uint32_t *type, uint32_t *width,
                   uint32_t *height)
{
    if (size < QUIC_HEADER_SIZE)
        return QUIC_TRUNCATED;
    *type = quic_load_word(data + 8);
    *width = quic_load_word(data + 12);
    *height = quic_load_word(data + 16);
    if (quic_load_word(data) != QUIC_MAGIC ||
        quic_load_word(data + 4) != QUIC_VERSION || quic_type_channels(*type) == 0 ||
        *width == 0 || *height == 0 || *width > QUIC_MAX_SIDE ||
        *height > QUIC_MAX_SIDE)
        return QUIC_CORRUPT;
    return QUIC_OK;
}

static int
can_become(uint32_t type, uint32_t want)
{
    switch (want) {
    case QUIC_IMAGE_TYPE_RGB24:
        return type == QUIC_IMAGE_TYPE_RGB24 || type == QUIC_IMAGE_TYPE_RGB32;
    case QUIC_IMAGE_TYPE_RGB32:
        return type == QUIC_IMAGE_TYPE_RGB16 || type == QUIC_IMAGE_TYPE_RGB24 ||
               type == QUIC_IMAGE_TYPE_RGB32;
    default:
        return type == want;
    }
}

static int
make_room(struct quic_decoder *decoder, uint32_t width)
{
    size_t columns = ((size_t)width + 63) / 64 * 64;

    if (width <= decoder->width)
        return 0;
    free(decoder->memory);
    decoder->width = 0;
    decoder->memory = calloc(1, columns * PIXEL_MEMORY + FIXED_MEMORY);
    if (decoder->memory == NULL)
        return -1;
    decoder->width = width;
    return 0;
}

static uint8_t *
place_rows(struct quic_decode_plane *plane, uint8_t *memory, size_t columns)
{
    union quic_row *rows[NUM_ROWS] = {&plane->rows.row, &plane->rows.above,
                                      &plane->rows.contexts};

    for (size_t i = 0; i < NUM_ROWS; i++) {
        rows[i]->bytes = memory + QUIC_ROW_MARGIN;
        memory += columns * (plane->colors ? 4 : 1) + QUIC_ROW_MARGIN;
    }
    plane->above_same = (uint64_t *)(void *)memory;
    return memory + columns / 8 + 8; /* 8 more may be read */
}

static void
start(struct quic_decoder *decoder, uint32_t type)
{
    const struct quic_family *family = quic_family(quic_type_depth(type));
    size_t columns = ((size_t)decoder->width + 63) / 64 * 64;

    for (uint32_t i = 0; i < 4; i++)
        quic_channel_reset(&decoder->channels[i], family);
    decoder->colors = (struct quic_decode_plane){
        .family = family, .channels = decoder->channels, .colors = 1};
    decoder->alpha = (struct quic_decode_plane){
        .family = family,
        .channels = &decoder->channels[type == QUIC_IMAGE_TYPE_GRAY ? 0 : 3]};
    quic_pace_reset(&decoder->colors.pace);
    quic_pace_reset(&decoder->alpha.pace);
    place_rows(&decoder->alpha, place_rows(&decoder->colors, decoder->memory, columns),
               columns);
}

static int
decode_rows(struct quic_decoder *decoder, struct quic_reader *in,
            const struct quic_layout *layout, uint32_t type, uint8_t *dst)
{
    for (uint32_t y = 0; y < layout->height; y++) {
        int error = QUIC_OK;
        decoder->colors.top = decoder->alpha.top = y == 0;
        if (type != QUIC_IMAGE_TYPE_GRAY)
            error = decoder->decode_row(&decoder->colors, in, layout->width);
        if (error == QUIC_OK &&
            (type == QUIC_IMAGE_TYPE_GRAY || type == QUIC_IMAGE_TYPE_RGBA))
            error = decoder->decode_row(&decoder->alpha, in, layout->width);
        if (error != QUIC_OK)
            return error;
        quic_write_row(layout->type, type, dst + quic_layout_row(layout, y),
                       layout->width, decoder->colors.rows.above.colors,
                       decoder->alpha.rows.above.bytes);
    }
    return QUIC_OK;
}

int
quic_decode(struct quic_decoder *decoder, const uint8_t *data, uint64_t size,
            uint8_t *dst, uint64_t dst_size, int64_t stride, uint32_t want_type)
{
    struct quic_reader in = {.next = data + QUIC_HEADER_SIZE, .end = data + size};
    struct quic_layout layout;
    uint32_t type, width, height;
    int error = quic_decode_header(data, size, &type, &width, &height);

    if (error != QUIC_OK)
        return error;
    if (!can_become(type, want_type) ||
        quic_layout_init(&layout, want_type, width, height, dst_size, stride) != 0)
        return QUIC_BAD_ARGUMENT;
    if (make_room(decoder, width) != 0)
        return QUIC_NO_MEMORY;
    start(decoder, type);
    quic_refill(&in);
    error = decode_rows(decoder, &in, &layout, type, dst);
    /* Zeros after the end must not have become pixels. */
    return error == QUIC_OK && 32 * in.beyond > in.count ? QUIC_TRUNCATED : error;
}
