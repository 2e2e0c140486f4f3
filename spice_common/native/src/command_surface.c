/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* QXLSurfaceCmd: off-screen surfaces. */
#include "command_parse.h"

/* Bits of a pixel in a SPICE_SURFACE_FMT_*, 0 if there is no such format. */
static uint32_t
surface_format_bits(uint32_t format)
{
    switch (format) {
    case SPICE_SURFACE_FMT_1_A:
        return 1;
    case SPICE_SURFACE_FMT_8_A:
        return 8;
    case SPICE_SURFACE_FMT_16_555:
    case SPICE_SURFACE_FMT_16_565:
        return 16;
    case SPICE_SURFACE_FMT_32_xRGB:
    case SPICE_SURFACE_FMT_32_ARGB:
        return 32;
    default:
        return 0;
    }
}

static enum command_error
parse_surface_create(struct parser *parser, const QXLSurface *from,
                     struct surface_command *to)
{
    uint32_t bits = surface_format_bits(from->format);
    if (bits == 0 || from->width == 0 || from->width > MAX_IMAGE_SIDE ||
        from->height == 0 || from->height > MAX_IMAGE_SIDE) {
        return COMMAND_BAD_SURFACE;
    }
    int64_t stride = from->stride;
    uint64_t pitch = (uint64_t)(stride < 0 ? -stride : stride);
    uint64_t row = ((uint64_t)from->width * bits + 7) / 8;
    uint64_t size = pitch * from->height;
    if (pitch < row) {
        return COMMAND_BAD_SURFACE;
    }
    if (size > MAX_IMAGE_DATA) {
        return COMMAND_TOO_BIG;
    }
    enum memslot_status status =
        memslot_resolve(parser->slots, from->data, size, &to->data);
    if (status != MEMSLOT_OK) {
        return command_address_error(status);
    }
    /* The canvas works on 32-bit words; so do all drivers. */
    if (pitch % 4 != 0 || (uintptr_t)to->data % 4 != 0) {
        return COMMAND_BAD_SURFACE;
    }
    to->format = from->format;
    to->width = from->width;
    to->height = from->height;
    to->stride = from->stride;
    return COMMAND_OK;
}

enum command_error
parse_surface(struct parser *parser, const QXLSurfaceCmd *from,
              struct surface_command *to)
{
    *to = (struct surface_command){
        .surface_id = from->surface_id,
        .type = from->type,
        .flags = from->flags & QXL_SURF_FLAG_KEEP_DATA,
    };
    /* Surface 0 is the primary: QXL_IO_CREATE_PRIMARY makes it. */
    if (from->surface_id == 0 || from->surface_id >= MAX_SURFACES) {
        return COMMAND_BAD_SURFACE_ID;
    }
    if (from->type == QXL_SURFACE_CMD_CREATE) {
        const QXLSurface create = from->u.surface_create;
        return parse_surface_create(parser, &create, to);
    }
    return from->type == QXL_SURFACE_CMD_DESTROY ? COMMAND_OK : COMMAND_BAD_TYPE;
}
