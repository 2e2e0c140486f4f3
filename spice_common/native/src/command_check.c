/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What must hold of a command's parts, whether a guest or a server sent them.  Some of
 * it is only there because clients abort or read outside their memory without it: what
 * a guest says must not reach them.
 */
#include "bitmap_source.h"
#include "command_parse.h"

bool
coordinate_ok(int32_t coordinate)
{
    return coordinate >= -MAX_COORDINATE && coordinate <= MAX_COORDINATE;
}

bool
point_ok(int32_t x, int32_t y)
{
    return coordinate_ok(x) && coordinate_ok(y);
}

bool
rect_ok(const struct draw_rect *rect)
{
    return point_ok(rect->left, rect->top) && point_ok(rect->right, rect->bottom) &&
           rect->top < rect->bottom && rect->left < rect->right;
}

/* Whether a segment may follow; *current: there is a point that it can start from. */
static bool
segment_ok(const struct command_batch *batch, const struct path_segment *segment,
           bool *current)
{
    const int32_t limit = MAX_COORDINATE * 16;
    const struct fixed_point *points = batch->points + segment->first_point;
    uint32_t starts = segment->flags & SPICE_PATH_BEGIN ? 1 : 0;

    if (segment->num_points == 0) {
        return false; /* clients take the first point for granted */
    }
    for (uint32_t i = 0; i < segment->num_points; i++) {
        if (points[i].x < -limit || points[i].x > limit || points[i].y < -limit ||
            points[i].y > limit) {
            return false;
        }
    }
    /* Each three points of Bezier curves follow a current point. */
    if (segment->flags & SPICE_PATH_BEZIER &&
        ((segment->num_points - starts) % 3 != 0 || (!starts && !*current))) {
        return false;
    }
    *current = !(segment->flags & SPICE_PATH_END);
    return true;
}

bool
path_ok(const struct command_batch *batch, const struct draw_path *path)
{
    bool current = false;
    for (uint32_t i = 0; i < path->num_segments; i++) {
        if (!segment_ok(batch, &batch->segments[path->first_segment + i], &current)) {
            return false;
        }
    }
    return true;
}

bool
line_style_ok(const struct command_batch *batch, const struct draw_path *path)
{
    enum { LONGEST_DASH = 255 << 4 }; /* clients keep whole pixels in a byte */
    const int32_t *styles = batch->styles + path->first_style;
    int32_t pixels = 0;

    for (uint32_t i = 0; i < path->num_styles; i++) {
        if (styles[i] < 0 || styles[i] > LONGEST_DASH) {
            return false;
        }
        pixels += (styles[i] + 7) >> 4; /* as clients round */
    }
    /* Dashes and gaps of no length would never come to the line's end. */
    return !(path->line_flags & SPICE_LINE_FLAGS_STYLED) || pixels > 0;
}

uint32_t
glyph_bits(uint32_t string_flags)
{
    switch (string_flags &
            (SPICE_STRING_FLAGS_RASTER_A1 | SPICE_STRING_FLAGS_RASTER_A4 |
             SPICE_STRING_FLAGS_RASTER_A8)) {
    case SPICE_STRING_FLAGS_RASTER_A1:
        return 1;
    case SPICE_STRING_FLAGS_RASTER_A4:
        return 4;
    case SPICE_STRING_FLAGS_RASTER_A8:
        return 8;
    default:
        return 0;
    }
}

static bool
glyph_ok(const struct draw_glyph *glyph)
{
    return point_ok(glyph->render_x, glyph->render_y) &&
           point_ok(glyph->origin_x, glyph->origin_y) &&
           glyph->width <= MAX_IMAGE_SIDE && glyph->height <= MAX_IMAGE_SIDE;
}

static void
extend(int32_t *low, int32_t *high, int32_t from, uint32_t size)
{
    *low = from < *low ? from : *low;
    *high = from + (int32_t)size > *high ? from + (int32_t)size : *high;
}

/* Clients make a mask that is as large as all glyphs together. */
bool
string_ok(const struct command_batch *batch, const struct draw_string *string)
{
    const struct draw_glyph *glyphs = batch->glyphs + string->first_glyph;
    int32_t left = INT32_MAX, right = INT32_MIN, top = INT32_MAX, bottom = INT32_MIN;

    if (glyph_bits(string->flags) == 0) {
        return false;
    }
    for (uint32_t i = 0; i < string->num_glyphs; i++) {
        if (!glyph_ok(&glyphs[i])) {
            return false;
        }
        extend(&left, &right, glyphs[i].render_x + glyphs[i].origin_x, glyphs[i].width);
        extend(&top, &bottom, glyphs[i].render_y + glyphs[i].origin_y,
               glyphs[i].height);
    }
    return left < right && top < bottom &&
           (int64_t)(right - left) * (bottom - top) <= MAX_STRING_PIXELS;
}

bool
composite_flags_ok(uint32_t flags)
{
    enum {
        OPERATOR = 0xff,
        SRC_FILTER = 8,
        MASK_FILTER = 11,
        FILTER = 7,
        BILINEAR = 4
    };
    uint32_t operator = flags & OPERATOR;

    /* Filters beyond pixman's PIXMAN_FILTER_BILINEAR need parameters that nobody sends.
     */
    return (operator <= QXL_OP_SATURATE ||
            (operator >= QXL_OP_MULTIPLY && operator <= QXL_OP_HSL_LUMINOSITY)) &&
           (flags >> SRC_FILTER & FILTER) <= BILINEAR &&
           (flags >> MASK_FILTER & FILTER) <= BILINEAR;
}

bool
operation_ok(uint32_t rop_descriptor, uint32_t scale_mode)
{
    return (rop_descriptor & ~(uint32_t)SPICE_ROPD_MASK) == 0 &&
           scale_mode < SPICE_IMAGE_SCALE_MODE_ENUM_END;
}

bool
image_has_colors(const struct guest_image *image)
{
    bool indexed = image->kind == SPICE_IMAGE_TYPE_BITMAP &&
                   image->format != SPICE_BITMAP_FMT_8BIT_A &&
                   bitmap_bits_per_pixel(image->format) <= 8;
    return (!indexed && image->kind != SPICE_IMAGE_TYPE_LZ_PLT) ||
           image->num_colors != 0 ||
           image->palette_flags & SPICE_BITMAP_FLAGS_PAL_FROM_CACHE;
}

bool
image_is_mask(const struct guest_image *image)
{
    return image->kind == SPICE_IMAGE_TYPE_BITMAP &&
           (image->format == SPICE_BITMAP_FMT_1BIT_LE ||
            image->format == SPICE_BITMAP_FMT_1BIT_BE);
}

bool
image_is_cached(const struct guest_image *image)
{
    return image->kind == SPICE_IMAGE_TYPE_FROM_CACHE ||
           image->kind == SPICE_IMAGE_TYPE_FROM_CACHE_LOSSLESS;
}

bool
source_area_ok(const struct guest_image *image, const struct draw_rect *area)
{
    bool known = image->kind != SPICE_IMAGE_TYPE_SURFACE && !image_is_cached(image);
    int32_t width = known ? (int32_t)image->width : MAX_IMAGE_SIDE;
    int32_t height = known ? (int32_t)image->height : MAX_IMAGE_SIDE;
    return area->left >= 0 && area->top >= 0 && area->right <= width &&
           area->bottom <= height;
}
