/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * quic_encode.c: pictures to QUIC.
 *
 * Each row is copied, so each pixel is read once.  Code words go to memory that holds
 * the longest possible row, and from there to the caller's if they fit.
 */
#include <stdlib.h>
#include <string.h>

#include "quic.h"
#include "quic_encode_rows.h"
#include "quic_rows.h"

enum {
    BYTE_ROWS = 4, /* of each plane, and bits: see place_plane() */
    BIT_ROWS = 3,
    PIXEL_MEMORY = BYTE_ROWS * (4 + 1) + (2 * BIT_ROWS + 7) / 8 + QUIC_MAX_PIXEL_SIZE,
    FIXED_MEMORY = 2 * BYTE_ROWS * QUIC_ROW_MARGIN + QUIC_ROW_MARGIN,
};

struct quic_encoder {
    struct quic_channel channels[4];
    struct quic_encode_plane colors, alpha; /* alpha: of GRAY, too */
    uint8_t *memory, *out;
    uint32_t width; /* that memory is for */
};

struct quic_encoder *
quic_encoder_new(void)
{
    return calloc(1, sizeof(struct quic_encoder));
}

void
quic_encoder_free(struct quic_encoder *encoder)
{
    if (encoder == NULL)
        return;
    free(encoder->memory);
    free(encoder);
}

static uint8_t *
place_plane(struct quic_encode_plane *plane, uint32_t pixel_size, size_t width,
            uint8_t *memory)
{
    uint8_t **rows[] = {&plane->row, &plane->above, &plane->residuals,
                        &plane->contexts};
    uint64_t **bits[] = {&plane->same, &plane->starts, &plane->above_same};

    for (size_t i = 0; i < BYTE_ROWS; i++) {
        *rows[i] = memory + QUIC_ROW_MARGIN;
        memory += width * pixel_size + QUIC_ROW_MARGIN;
    }
    for (size_t i = 0; i < BIT_ROWS; i++) {
        *bits[i] = (uint64_t *)(void *)memory;
        memory += width / 8;
    }
    plane->pixel_size = pixel_size;
    return memory;
}

static int
make_room(struct quic_encoder *encoder, uint32_t width)
{
    size_t columns = ((size_t)width + 63) / 64 * 64;

    if (width <= encoder->width)
        return 0;
    free(encoder->memory);
    encoder->width = 0;
    encoder->memory = calloc(1, columns * PIXEL_MEMORY + FIXED_MEMORY);
    if (encoder->memory == NULL)
        return -1;
    encoder->out =
        place_plane(&encoder->alpha, 1, columns,
                    place_plane(&encoder->colors, 4, columns, encoder->memory));
    encoder->width = width;
    return 0;
}

static void
start(struct quic_encoder *encoder, uint32_t type)
{
    const struct quic_family *family = quic_family(quic_type_depth(type));

    for (uint32_t i = 0; i < 4; i++)
        quic_channel_reset(&encoder->channels[i], family);
    encoder->colors.family = encoder->alpha.family = family;
    encoder->colors.channels = encoder->channels;
    encoder->alpha.channels = &encoder->channels[type == QUIC_IMAGE_TYPE_GRAY ? 0 : 3];
    quic_pace_reset(&encoder->colors.pace);
    quic_pace_reset(&encoder->alpha.pace);
}

/* Bytes that do not fit change nothing but the size, which is then too large. */
static uint64_t
append(uint8_t *dst, uint64_t dst_size, uint64_t size, const uint8_t *src,
       size_t src_size)
{
    if (size <= dst_size && src_size <= dst_size - size)
        memcpy(dst + size, src, src_size);
    return size + src_size;
}

int64_t
quic_encode(struct quic_encoder *encoder, uint32_t type, uint32_t width,
            uint32_t height, const uint8_t *pixels, uint64_t size, int64_t stride,
            uint8_t *dst, uint64_t dst_size)
{
    const uint32_t header[] = {QUIC_MAGIC, QUIC_VERSION, type, width, height};
    struct quic_layout layout;
    struct quic_writer out = {0};
    uint64_t written = 0;

    if (quic_layout_init(&layout, type, width, height, size, stride) != 0)
        return QUIC_BAD_ARGUMENT;
    if (make_room(encoder, width) != 0)
        return QUIC_NO_MEMORY;
    start(encoder, type);
    out.next = encoder->out;
    for (size_t i = 0; i < sizeof(header) / sizeof(header[0]); i++)
        quic_put(&out, header[i], 32);
    for (uint32_t y = 0; y < height && written <= dst_size; y++) {
        quic_read_row(type, pixels + quic_layout_row(&layout, y), width,
                      (uint32_t *)(void *)encoder->colors.row, encoder->alpha.row);
        if (type != QUIC_IMAGE_TYPE_GRAY)
            quic_encode_row(&encoder->colors, &out, width, y == 0);
        if (type == QUIC_IMAGE_TYPE_GRAY || type == QUIC_IMAGE_TYPE_RGBA)
            quic_encode_row(&encoder->alpha, &out, width, y == 0);
        written = append(dst, dst_size, written, encoder->out,
                         (size_t)(out.next - encoder->out));
        out.next = encoder->out;
    }
    /* A word of zeros is for decoders that read ahead. */
    if (out.count != 0)
        quic_put(&out, 0, 32 - out.count);
    quic_put(&out, 0, 32);
    written =
        append(dst, dst_size, written, encoder->out, (size_t)(out.next - encoder->out));
    return written <= dst_size ? (int64_t)written : 0;
}
