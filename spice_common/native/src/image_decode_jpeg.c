/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image_decode_jpeg.c: JPEG, and JPEG with a plane of alpha (spice.proto,
 * JPEGAlphaData).
 *
 * The library's plain settings (accurate DCT, smooth upsampling) are what other clients
 * decode images with: pixels come out the same.
 */
#include <spice/enums.h>

#include "image_decoders.h"

/* The library goes on after damage and calls it a warning; a server's picture is whole.
 */
static enum image_status
decompress(struct image_decoder *decoder, const struct wire_image *image,
           const uint8_t *data, uint64_t size, uint8_t *pixels)
{
    int width, height, subsampling, color_space;

    if (!decoder->jpeg && !(decoder->jpeg = tjInitDecompress()))
        return IMAGE_NO_MEMORY;
    if (tjDecompressHeader3(decoder->jpeg, data, (unsigned long)size, &width, &height,
                            &subsampling, &color_space))
        return IMAGE_BAD;
    if (width != (int64_t)image->width || height != (int64_t)image->height)
        return IMAGE_BAD;
    if (tjDecompress2(decoder->jpeg, data, (unsigned long)size, pixels, width, 0,
                      height, TJPF_BGRX, TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS))
        return IMAGE_BAD;
    return IMAGE_OK;
}

enum image_status
decode_jpeg(struct image_decoder *decoder, const struct wire_image *image,
            struct pixel_buffer *buffer, struct decoded_image *out)
{
    enum image_status status =
        begin_pixels(image, SPICE_BITMAP_FMT_32BIT, 4, buffer, out);

    if (status)
        return status;
    return decompress(decoder, image, image->data, image->size, buffer->data);
}

enum image_status
decode_jpeg_alpha(struct image_decoder *decoder, const struct wire_image *image,
                  struct pixel_buffer *buffer, struct decoded_image *out)
{
    enum image_status status =
        begin_pixels(image, SPICE_BITMAP_FMT_RGBA, 4, buffer, out);

    if (status)
        return status;
    if (image->inner_size > image->size)
        return IMAGE_BAD;
    status = decompress(decoder, image, image->data, image->inner_size, buffer->data);
    if (status)
        return status;
    return decode_alpha_plane(decoder, image, image->data + image->inner_size,
                              image->size - image->inner_size, buffer->data);
}
