/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * client_draw.c: a draw message: to a command, its images to pixels, to the canvas.
 */
#include <spice/enums.h>
#include <string.h>

#include "client_canvas_impl.h"
#include "command.h"
#include "command_parse.h"
#include "message_command.h"

static int
has_palette_cached(const struct guest_image *image)
{
    return (image->palette_flags & SPICE_BITMAP_FLAGS_PAL_FROM_CACHE) != 0;
}

static int
is_reference(const struct guest_image *image)
{
    return image->kind == SPICE_IMAGE_TYPE_FROM_CACHE ||
           image->kind == SPICE_IMAGE_TYPE_FROM_CACHE_LOSSLESS;
}

static int
is_glz(const struct guest_image *image)
{
    return image->kind == SPICE_IMAGE_TYPE_GLZ_RGB ||
           image->kind == SPICE_IMAGE_TYPE_ZLIB_GLZ_RGB;
}

/* Find the colors of an image with a palette; keep the palette if that is asked for. */
static enum client_error
resolve_palette(struct client_canvas *canvas, const struct guest_image *image,
                const uint32_t **colors, uint32_t *num_colors)
{
    *colors = canvas->batch->colors + image->first_color;
    *num_colors = image->num_colors;
    if (has_palette_cached(image)) {
        const struct cached_palette *palette =
            palette_cache_find(&canvas->palettes, image->palette_unique);

        if (!palette)
            return client_fail(canvas, CLIENT_NO_PALETTE, image->palette_unique);
        *colors = palette->colors;
        *num_colors = palette->num_colors;
    } else if (image->palette_flags & SPICE_BITMAP_FLAGS_PAL_CACHE_ME && *num_colors) {
        enum client_error error = palette_cache_put(
            &canvas->palettes, image->palette_unique, *colors, *num_colors);

        return error ? client_fail(canvas, error, image->palette_unique) : CLIENT_OK;
    }
    return CLIENT_OK;
}

static enum client_error
decoding_error(struct client_canvas *canvas, enum image_status status,
               const struct guest_image *image)
{
    switch (status) {
    case IMAGE_OK:
        return CLIENT_OK;
    case IMAGE_NOT_YET:
        return client_fail(canvas, CLIENT_NO_GLZ_IMAGE, image->id);
    case IMAGE_NO_MEMORY:
        return client_fail(canvas, CLIENT_NO_MEMORY, 0);
    case IMAGE_UNSUPPORTED:
        return client_fail(canvas, CLIENT_UNSUPPORTED_IMAGE, image->kind);
    default:
        return client_fail(canvas, CLIENT_BAD_IMAGE, image->kind);
    }
}

/* Pixels in the clear: they stay where they are, in the message. */
static void
describe_bitmap(const struct client_canvas *canvas, const struct guest_image *image,
                struct decoded_image *out)
{
    out->data =
        image->num_chunks ? canvas->batch->chunks[image->first_chunk].data : NULL;
    out->width = image->width;
    out->height = image->height;
    out->stride = image->stride;
    out->format = image->format;
    out->top_down = (image->bitmap_flags & SPICE_BITMAP_FLAGS_TOP_DOWN) != 0;
}

static enum client_error
decode(struct client_canvas *canvas, const struct guest_image *image,
       struct message_image *slot)
{
    struct wire_image wire = {
        .id = image->id,
        .width = image->width,
        .height = image->height,
        .type = image->kind,
        .top_down = (image->bitmap_flags & SPICE_BITMAP_FLAGS_TOP_DOWN) != 0,
        .inner_size = image->inner_size,
        .size = image->data_size,
    };
    struct decoded_image *out = &slot->decoded;
    enum client_error error =
        resolve_palette(canvas, image, &wire.colors, &wire.num_colors);

    if (error)
        return error;
    if (image->kind == SPICE_IMAGE_TYPE_BITMAP) {
        describe_bitmap(canvas, image, out);
        out->colors = wire.colors;
        out->num_colors = wire.num_colors;
        return CLIENT_OK;
    }
    /* The window would not take it twice. */
    if (slot->kept)
        return CLIENT_OK;
    if (image->num_chunks)
        wire.data = canvas->batch->chunks[image->first_chunk].data;
    error = decoding_error(
        canvas,
        image_decode(canvas->decoder, canvas->cache->window, &wire, &slot->buffer, out),
        image);
    slot->kept = !error && is_glz(image);
    return error;
}

static enum client_error
find_cached(struct client_canvas *canvas, const struct guest_image *image,
            struct decoded_image *out)
{
    const struct cached_image *cached = client_cache_find(
        canvas->cache, image->id, image->kind == SPICE_IMAGE_TYPE_FROM_CACHE_LOSSLESS);

    if (!cached)
        return client_fail(canvas, CLIENT_NO_IMAGE, image->id);
    *out = cached->image;
    return CLIENT_OK;
}

/* What alpha is meant is the canvas's business, but for a cached image: it loses the
 * flags it came with. */
static enum client_error
keep_image(struct client_canvas *canvas, const struct guest_image *image,
           const struct decoded_image *decoded)
{
    uint32_t keep = SPICE_IMAGE_FLAGS_CACHE_ME | SPICE_IMAGE_FLAGS_CACHE_REPLACE_ME;
    int lossy = image->kind == SPICE_IMAGE_TYPE_JPEG ||
                image->kind == SPICE_IMAGE_TYPE_JPEG_ALPHA;
    int high_bits = (image->descriptor_flags & SPICE_IMAGE_FLAGS_HIGH_BITS_SET) != 0;
    enum client_error error;

    if (!(image->descriptor_flags & keep))
        return CLIENT_OK;
    error = client_cache_put(canvas->cache, image->id, decoded, lossy, high_bits);
    return error ? client_fail(canvas, error, image->id) : CLIENT_OK;
}

static enum client_error
resolve_image(struct client_canvas *canvas, const struct guest_image *image,
              struct message_image *slot)
{
    enum client_error error;

    slot->inline_palette = !is_reference(image) && !has_palette_cached(image);
    if (image->kind == SPICE_IMAGE_TYPE_SURFACE) {
        if (!canvas_find(canvas->surfaces, image->surface_id))
            return client_fail(canvas, CLIENT_NO_SURFACE, image->surface_id);
        return CLIENT_OK;
    }
    if (is_reference(image))
        return find_cached(canvas, image, &slot->decoded);
    error = decode(canvas, image, slot);
    if (error)
        return error;
    return keep_image(canvas, image, &slot->decoded);
}

/* Let image be the decoded pixels instead of what came; an inline palette stays. */
static enum client_error
replace_image(struct client_canvas *canvas, struct guest_image *image,
              const struct message_image *slot)
{
    const struct decoded_image *decoded = &slot->decoded;
    struct command_batch *batch = canvas->batch;
    uint64_t size = (uint64_t)decoded->stride * decoded->height;

    if (!reserve((void **)&batch->chunks, &batch->cap_chunks, batch->num_chunks, 1,
                 sizeof(*batch->chunks)) ||
        !reserve((void **)&batch->colors, &batch->cap_colors, batch->num_colors,
                 decoded->num_colors, sizeof(*batch->colors)))
        return client_fail(canvas, CLIENT_NO_MEMORY, 0);
    image->kind = SPICE_IMAGE_TYPE_BITMAP;
    image->width = decoded->width;
    image->height = decoded->height;
    image->stride = decoded->stride;
    image->format = decoded->format;
    image->bitmap_flags = decoded->top_down ? SPICE_BITMAP_FLAGS_TOP_DOWN : 0;
    image->palette_flags = 0;
    image->data_size = size;
    image->first_chunk = batch->num_chunks;
    image->num_chunks = 1;
    batch->chunks[batch->num_chunks].data = decoded->data;
    batch->chunks[batch->num_chunks++].size = (uint32_t)size;
    if (slot->inline_palette)
        return CLIENT_OK;
    image->first_color = batch->num_colors;
    image->num_colors = decoded->num_colors;
    if (decoded->num_colors)
        memcpy(batch->colors + batch->num_colors, decoded->colors,
               decoded->num_colors * sizeof(*batch->colors));
    batch->num_colors += decoded->num_colors;
    return CLIENT_OK;
}

static enum client_error
resolve_images(struct client_canvas *canvas)
{
    struct command_batch *batch = canvas->batch;
    enum client_error error = CLIENT_OK;

    if (batch->num_images > MAX_MESSAGE_IMAGES)
        return client_fail(canvas, CLIENT_BAD_MESSAGE, COMMAND_TOO_BIG);
    for (uint32_t i = 0; i < batch->num_images && !error; i++)
        error = resolve_image(canvas, &batch->images[i], &canvas->images[i]);
    if (error)
        return error;
    for (uint32_t i = 0; i < batch->num_images && !error; i++) {
        struct guest_image *image = &batch->images[i];
        int as_it_is =
            image->kind == SPICE_IMAGE_TYPE_SURFACE ||
            (image->kind == SPICE_IMAGE_TYPE_BITMAP && !has_palette_cached(image));

        if (!as_it_is)
            error = replace_image(canvas, image, &canvas->images[i]);
    }
    return error;
}

/* Note that the plan's area of the screen shows something. */
static void
note_drawn(struct client_canvas *canvas, const struct draw_plan *plan)
{
    const struct surface *surface = plan->surface;
    pixman_box32_t all = {0, 0, (int32_t)surface->width, (int32_t)surface->height};

    if (surface->id != canvas->primary || !canvas->count_drawn)
        return;
    if (pixman_region32_contains_rectangle(&canvas->drawn, &all) == PIXMAN_REGION_IN)
        return;
    pixman_region32_union(&canvas->drawn, &canvas->drawn, &canvas->surfaces->clip);
    if (pixman_region32_n_rects(&canvas->drawn) > MAX_DRAWN_RECTS)
        canvas->count_drawn = 0;
}

static enum client_error
draw(struct client_canvas *canvas, const struct draw_command *command)
{
    struct canvas *surfaces = canvas->surfaces;
    const struct canvas_counters *counters = &surfaces->counters;
    uint64_t rejected = counters->rejected, not_drawn = counters->not_drawn;
    struct draw_plan plan;

    if (!canvas_find(surfaces, command->surface_id))
        return client_fail(canvas, CLIENT_NO_SURFACE, command->surface_id);
    draw_plan_init(&plan, surfaces, canvas->batch, command);
    if (counters->rejected != rejected)
        return client_fail(canvas, CLIENT_REJECTED, command->surface_id);
    if (counters->not_drawn != not_drawn)
        return client_fail(canvas, CLIENT_UNSUPPORTED, command->surface_id);
    if (plan.kind != DRAW_NOT_AT_ALL) {
        note_drawn(canvas, &plan);
        draw_plan_execute(&plan, surfaces);
    }
    canvas->counts.draws++;
    return CLIENT_OK;
}

enum client_error
client_draw(struct client_canvas *canvas, uint32_t type, const uint8_t *body,
            uint32_t size)
{
    enum client_error error;
    int32_t status;

    command_batch_clear(canvas->batch);
    status = message_to_command(body, size, type, canvas->batch);
    if (status)
        return client_fail(canvas, CLIENT_BAD_MESSAGE, (uint64_t)status);
    error = resolve_images(canvas);
    if (error == CLIENT_NO_IMAGE || error == CLIENT_NO_GLZ_IMAGE)
        return error; /* it may come again: what was decoded is kept */
    for (uint32_t i = 0; i < MAX_MESSAGE_IMAGES; i++)
        canvas->images[i].kept = 0;
    return error ? error : draw(canvas, &canvas->batch->draws[0]);
}
