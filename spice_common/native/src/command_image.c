/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images of drawables: QXLImage with its palette and chunks. */
#include "bitmap.h"
#include "bitmap_source.h"
#include "command_parse.h"
#include "shared_memory.h"

bool
append_chunk(struct command_batch *batch, const uint8_t *data, uint32_t size)
{
    struct image_chunk *chunk = more_chunks(batch, 1);
    if (chunk == NULL) {
        return false;
    }
    *chunk = (struct image_chunk){.data = data, .size = size};
    batch->num_chunks++;
    return true;
}

/* The chain at first: image->data_size bytes of it, or an error. */
static enum command_error
parse_chunks(struct parser *parser, uint64_t first, struct guest_image *image)
{
    struct command_batch *batch = parser->batch;
    struct chunk_walk walk;
    enum command_error error;

    chunk_walk_start(&walk, parser->slots, first, image->data_size);
    while ((error = chunk_walk_step(&walk)) == COMMAND_OK && walk.size != 0) {
        if (!append_chunk(batch, walk.data, walk.size)) {
            error = COMMAND_NO_MEMORY;
            break;
        }
    }
    batch->bookkeeping->work += walk.steps;
    return error;
}

/* QXL_BITMAP_DIRECT: the data lie in one piece, without headers. */
static enum command_error
parse_direct(struct parser *parser, uint64_t address, struct guest_image *image)
{
    uint8_t *data = NULL;
    enum memslot_status status =
        memslot_resolve(parser->slots, address, image->data_size, &data);
    if (status != MEMSLOT_OK) {
        return command_address_error(status);
    }
    parser->batch->bookkeeping->work++;
    return append_chunk(parser->batch, data, (uint32_t)image->data_size)
               ? COMMAND_OK
               : COMMAND_NO_MEMORY;
}

static enum command_error
parse_palette(struct parser *parser, uint64_t address, uint32_t max_colors,
              struct guest_image *image)
{
    struct command_batch *batch = parser->batch;
    QXLPalette palette;
    enum command_error error =
        command_fetch(parser->slots, address, &palette, sizeof(palette));
    if (error != COMMAND_OK) {
        return error;
    }
    if (palette.num_ents == 0 || palette.num_ents > max_colors) {
        return COMMAND_BAD_PALETTE;
    }
    uint32_t *colors = more_colors(batch, palette.num_ents);
    if (colors == NULL) {
        return COMMAND_NO_MEMORY;
    }
    error = command_fetch(parser->slots, address + sizeof(palette), colors,
                          palette.num_ents * sizeof(uint32_t));
    image->palette_unique = palette.unique;
    image->first_color = batch->num_colors;
    image->num_colors = palette.num_ents;
    batch->num_colors += palette.num_ents;
    return error;
}

static enum command_error
parse_bitmap(struct parser *parser, uint64_t address, struct guest_image *image)
{
    QXLBitmap bitmap;
    enum command_error error =
        command_fetch(parser->slots, address, &bitmap, sizeof(bitmap));
    if (error != COMMAND_OK) {
        return error;
    }
    uint32_t bits = bitmap_bits_per_pixel(bitmap.format);
    uint64_t row = bitmap_row_size(bitmap.format, image->width);
    uint64_t size = (uint64_t)bitmap.stride * image->height;
    if (bits == 0 || bitmap.x != image->width || bitmap.y != image->height ||
        bitmap.stride < row) {
        return COMMAND_BAD_IMAGE;
    }
    if (size > MAX_IMAGE_DATA) {
        return COMMAND_TOO_BIG;
    }
    image->format = bitmap.format;
    image->bitmap_flags = bitmap.flags & (QXL_BITMAP_TOP_DOWN | QXL_BITMAP_UNSTABLE);
    image->stride = bitmap.stride;
    image->data_size = size;
    if (bits <= 8 && bitmap.format != SPICE_BITMAP_FMT_8BIT_A) {
        if (bitmap.palette != 0) {
            error = parse_palette(parser, bitmap.palette, 1u << bits, image);
        } else if (bits != 1) { /* masks have one bit and no palette */
            error = COMMAND_BAD_PALETTE;
        }
    }
    if (error != COMMAND_OK) {
        return error;
    }
    return bitmap.flags & QXL_BITMAP_DIRECT ? parse_direct(parser, bitmap.data, image)
                                            : parse_chunks(parser, bitmap.data, image);
}

static enum command_error
parse_quic(struct parser *parser, uint64_t address, struct guest_image *image)
{
    uint32_t data_size;
    enum command_error error =
        command_fetch(parser->slots, address, &data_size, sizeof(data_size));
    if (error != COMMAND_OK) {
        return error;
    }
    if (data_size == 0 || data_size > MAX_IMAGE_DATA) {
        return data_size == 0 ? COMMAND_BAD_IMAGE : COMMAND_TOO_BIG;
    }
    image->data_size = data_size;
    return parse_chunks(parser, address + sizeof(data_size), image);
}

static enum command_error
parse_surface_image(struct parser *parser, uint64_t address, struct guest_image *image)
{
    enum command_error error = command_fetch(parser->slots, address, &image->surface_id,
                                             sizeof(image->surface_id));
    if (error == COMMAND_OK && image->surface_id >= MAX_SURFACES) {
        error = COMMAND_BAD_SURFACE_ID;
    }
    return error;
}

enum command_error
parse_image(struct parser *parser, uint64_t address, uint32_t *index)
{
    struct command_batch *batch = parser->batch;
    QXLImageDescriptor descriptor;
    enum command_error error =
        command_fetch(parser->slots, address, &descriptor, sizeof(descriptor));
    if (error != COMMAND_OK) {
        return error;
    }
    if (descriptor.type == SPICE_IMAGE_TYPE_SURFACE) {
        descriptor.width = descriptor.height = 0; /* drivers leave them unset */
    } else if (descriptor.width == 0 || descriptor.width > MAX_IMAGE_SIDE ||
               descriptor.height == 0 || descriptor.height > MAX_IMAGE_SIDE) {
        return COMMAND_BAD_IMAGE;
    }
    struct guest_image image = {
        .id = descriptor.id,
        .width = descriptor.width,
        .height = descriptor.height,
        .kind = descriptor.type,
        .descriptor_flags =
            descriptor.flags & (QXL_IMAGE_CACHE | QXL_IMAGE_HIGH_BITS_SET),
        .first_chunk = batch->num_chunks,
    };
    uint64_t rest = address + sizeof(descriptor);
    switch (descriptor.type) {
    case SPICE_IMAGE_TYPE_BITMAP:
        error = parse_bitmap(parser, rest, &image);
        break;
    case SPICE_IMAGE_TYPE_QUIC:
        error = parse_quic(parser, rest, &image);
        break;
    case SPICE_IMAGE_TYPE_SURFACE:
        error = parse_surface_image(parser, rest, &image);
        break;
    default:
        error = COMMAND_BAD_IMAGE;
        break;
    }
    if (error != COMMAND_OK) {
        return error;
    }
    image.num_chunks = batch->num_chunks - image.first_chunk;

    struct guest_image *slot = more_images(batch, 1);
    if (slot == NULL) {
        return COMMAND_NO_MEMORY;
    }
    *slot = image;
    *index = batch->num_images++;
    return COMMAND_OK;
}

enum command_error
parse_picture(struct parser *parser, uint64_t address, uint32_t *index)
{
    enum command_error error = parse_image(parser, address, index);
    if (error == COMMAND_OK && !image_has_colors(&parser->batch->images[*index])) {
        error = COMMAND_BAD_PALETTE;
    }
    return error;
}
