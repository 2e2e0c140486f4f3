/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <spice/enums.h>

#include "image_decoders.h"
#include "quic.h"

struct target {
    uint32_t type; /* what to decode to */
    uint8_t format;
    uint8_t pixel_size; /* 0: no client draws such an image */
};

static struct target
target_of(uint32_t type)
{
    switch (type) {
    case QUIC_IMAGE_TYPE_RGB16:
        return (struct target){QUIC_IMAGE_TYPE_RGB16, SPICE_BITMAP_FMT_16BIT, 2};
    case QUIC_IMAGE_TYPE_RGB24:
    case QUIC_IMAGE_TYPE_RGB32:
        return (struct target){QUIC_IMAGE_TYPE_RGB32, SPICE_BITMAP_FMT_32BIT, 4};
    case QUIC_IMAGE_TYPE_RGBA:
        return (struct target){QUIC_IMAGE_TYPE_RGBA, SPICE_BITMAP_FMT_RGBA, 4};
    default:
        return (struct target){0, 0, 0};
    }
}

enum image_status
decode_quic(struct image_decoder *decoder, const struct wire_image *image,
            struct pixel_buffer *buffer, struct decoded_image *out)
{
    uint32_t type, width, height;
    enum image_status status;
    struct target target;

    if (!decoder->quic && !(decoder->quic = quic_decoder_new()))
        return IMAGE_NO_MEMORY;
    if (quic_decode_header(image->data, image->size, &type, &width, &height) ||
        width != image->width || height != image->height)
        return IMAGE_BAD;
    target = target_of(type);
    if (!target.pixel_size)
        return IMAGE_BAD;
    status = begin_pixels(image, target.format, target.pixel_size, buffer, out);
    if (status)
        return status;
    switch (quic_decode(decoder->quic, image->data, image->size, buffer->data,
                        (uint64_t)out->stride * out->height, out->stride,
                        target.type)) {
    case QUIC_OK:
        return IMAGE_OK;
    case QUIC_NO_MEMORY:
        return IMAGE_NO_MEMORY;
    default:
        return IMAGE_BAD;
    }
}
