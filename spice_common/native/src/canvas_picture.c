/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "canvas_picture.h"

#include <spice/enums.h>
#include <stdlib.h>
#include <string.h>

#include "bitmap.h"

pixman_format_code_t
surface_pixman_format(uint32_t format)
{
    switch (format) {
    case SPICE_SURFACE_FMT_8_A:
        return PIXMAN_a8;
    case SPICE_SURFACE_FMT_16_555:
        return PIXMAN_x1r5g5b5;
    case SPICE_SURFACE_FMT_16_565:
        return PIXMAN_r5g6b5;
    case SPICE_SURFACE_FMT_32_ARGB:
        return PIXMAN_a8r8g8b8;
    default:
        return PIXMAN_x8r8g8b8;
    }
}

static int
is_32_bit(uint32_t surface_format)
{
    return surface_format == SPICE_SURFACE_FMT_32_xRGB ||
           surface_format == SPICE_SURFACE_FMT_32_ARGB;
}

int
same_pixels(uint32_t format, uint32_t other)
{
    return format == other || (is_32_bit(format) && is_32_bit(other));
}

static void
set_layout(struct picture *picture, uint32_t layout, int has_alpha)
{
    picture->layout = layout;
    picture->pixel_size = surface_pixel_size(layout);
    picture->format = surface_pixman_format(layout);
    if (is_32_bit(layout))
        picture->format = has_alpha ? PIXMAN_a8r8g8b8 : PIXMAN_x8r8g8b8;
}

/* The format in which a bitmap keeps its colors and its alpha. */
static uint32_t
original_layout(uint32_t bitmap_format, uint32_t surface_format)
{
    switch (bitmap_format) {
    case SPICE_BITMAP_FMT_8BIT_A:
        return SPICE_SURFACE_FMT_8_A;
    case SPICE_BITMAP_FMT_16BIT:
        return SPICE_SURFACE_FMT_16_555;
    case SPICE_BITMAP_FMT_24BIT:
    case SPICE_BITMAP_FMT_32BIT:
    case SPICE_BITMAP_FMT_RGBA:
        return SPICE_SURFACE_FMT_32_xRGB;
    default: /* palettes are made for the surface */
        return surface_format;
    }
}

int
bitmap_is_portable(const struct guest_image *image, uint32_t surface_format)
{
    uint32_t wanted = 0;

    switch (image->format) {
    case SPICE_BITMAP_FMT_1BIT_BE:
    case SPICE_BITMAP_FMT_4BIT_BE:
    case SPICE_BITMAP_FMT_8BIT:
        wanted = 1u << bitmap_bits_per_pixel(image->format);
        return image->num_colors >= wanted &&
               (is_32_bit(surface_format) ||
                surface_format == SPICE_SURFACE_FMT_16_555);
    case SPICE_BITMAP_FMT_1BIT_LE:
    case SPICE_BITMAP_FMT_4BIT_LE:
        return 0;
    default:
        return 1;
    }
}

static enum picture_status
use_bitmap(struct picture *picture, const struct draw_plan *plan,
           const struct guest_image *image, enum picture_use use)
{
    uint32_t layout = plan->surface->format;

    if ((bitmap_is_indexed(image->format) && image->num_colors == 0) ||
        bitmap_source_init(&picture->bitmap, picture->scratch, plan->batch, image))
        return PICTURE_BAD;
    if (use == PICTURE_AS_ORIGINAL)
        layout = original_layout(image->format, plan->surface->format);
    picture->kind = PICTURE_BITMAP;
    picture->width = image->width;
    picture->height = image->height;
    picture->portable = (uint8_t)bitmap_is_portable(image, plan->surface->format);
    /* The colors of an original palette are pixels of the surface, alpha and all. */
    set_layout(picture, layout,
               image->format == SPICE_BITMAP_FMT_RGBA ||
                   (use == PICTURE_AS_ORIGINAL && bitmap_is_indexed(image->format) &&
                    layout == SPICE_SURFACE_FMT_32_ARGB));
    return PICTURE_OK;
}

static enum picture_status
use_surface(struct picture *picture, const struct surface *surface, pixman_box32_t box)
{
    pixman_box32_t whole = {0, 0, (int32_t)surface->width, (int32_t)surface->height};

    if (box.x1 < 0 || box.y1 < 0 || box.x1 >= box.x2 || box.y1 >= box.y2 ||
        box.x2 > whole.x2 || box.y2 > whole.y2)
        return PICTURE_BAD;
    picture->kind = PICTURE_SURFACE;
    picture->surface = surface;
    picture->box = box;
    picture->width = box_width(box);
    picture->height = box_height(box);
    picture->line_0 = surface->line_0 + (ptrdiff_t)box.y1 * surface->stride +
                      (size_t)box.x1 * surface->pixel_size;
    picture->stride = surface->stride;
    set_layout(picture, surface->format, surface->format == SPICE_SURFACE_FMT_32_ARGB);
    return PICTURE_OK;
}

static enum picture_status
use_surface_image(struct picture *picture, struct canvas *canvas,
                  const struct draw_plan *plan, const struct guest_image *image)
{
    const struct surface *surface = canvas_find(canvas, image->surface_id);
    pixman_box32_t whole;

    if (!surface)
        return PICTURE_BAD;
    whole.x1 = whole.y1 = 0;
    whole.x2 = (int32_t)surface->width;
    whole.y2 = (int32_t)surface->height;
    /* Clients copy a surface onto itself from the top left, whatever lies where. */
    picture->portable =
        surface != plan->surface && same_pixels(surface->format, plan->surface->format);
    return use_surface(picture, surface, whole);
}

/* Clients see the picture of a surface that is not sent to them. */
static enum picture_status
use_self(struct picture *picture, const struct draw_plan *plan)
{
    const struct draw_rect *area = &plan->command->self_bitmap_area;
    pixman_box32_t box = {area->left, area->top, area->right, area->bottom};

    if (!plan->command->self_bitmap)
        return PICTURE_BAD;
    return use_surface(picture, plan->surface, box);
}

static enum picture_status
use_quic(struct picture *picture, const struct draw_plan *plan,
         const struct guest_image *image, enum picture_use use,
         enum picture_reading reading)
{
    struct quic_picture decoded;
    enum picture_status status =
        quic_picture_decode(&decoded, plan->batch, image, plan->surface->format,
                            use == PICTURE_AS_ORIGINAL, reading);

    if (status != PICTURE_OK)
        return status;
    picture->kind = PICTURE_DECODED;
    picture->owned = decoded.pixels;
    picture->line_0 = decoded.pixels;
    picture->stride = decoded.stride;
    picture->width = image->width;
    picture->height = image->height;
    picture->portable = 1;
    set_layout(picture, decoded.layout, decoded.has_alpha);
    return PICTURE_OK;
}

enum picture_status
picture_init(struct picture *picture, struct canvas *canvas,
             struct bitmap_scratch *scratch, const struct draw_plan *plan,
             uint32_t image, enum picture_use use, enum picture_reading reading)
{
    const struct guest_image *guest;

    picture->owned = NULL;
    picture->surface = NULL;
    picture->scratch = scratch;
    picture->portable = 0;
    if (image == NO_IMAGE)
        return use_self(picture, plan);
    guest = &plan->batch->images[image];
    switch (guest->kind) {
    case SPICE_IMAGE_TYPE_BITMAP:
        return use_bitmap(picture, plan, guest, use);
    case SPICE_IMAGE_TYPE_SURFACE:
        return use_surface_image(picture, canvas, plan, guest);
    case SPICE_IMAGE_TYPE_QUIC:
        return use_quic(picture, plan, guest, use, reading);
    default:
        return PICTURE_UNKNOWN;
    }
}

void
picture_fini(struct picture *picture)
{
    free(picture->owned);
    picture->owned = NULL;
}

void
picture_read(const struct picture *picture, struct bitmap_part part, uint8_t *dst,
             ptrdiff_t dst_stride)
{
    size_t count = (size_t)part.width * picture->pixel_size;

    if (picture->kind == PICTURE_BITMAP) {
        bitmap_source_read(&picture->bitmap, picture->scratch, part, picture->layout,
                           dst, dst_stride);
        return;
    }
    for (uint32_t i = 0; i < part.height; i++)
        memmove(dst + (ptrdiff_t)i * dst_stride,
                picture->line_0 + (ptrdiff_t)(part.y + i) * picture->stride +
                    (size_t)part.x * picture->pixel_size,
                count);
}

void
picture_read_row(const struct picture *picture, struct canvas *canvas, uint32_t x,
                 uint32_t y, uint32_t width, uint32_t layout, uint8_t *dst)
{
    struct bitmap_part part = {x, y, width, 1};

    if (same_pixels(picture->layout, layout)) {
        picture_read(picture, part, dst, 0);
        return;
    }
    picture_read(picture, part, canvas->row, 0);
    pixels_decode(canvas->row, width, picture->layout, canvas->scratch.words);
    pixels_encode(canvas->scratch.words, width, layout, dst);
}
