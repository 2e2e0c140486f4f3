/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * canvas_blend.c: ALPHA_BLEND and COMPOSITE, pixman's operators on surfaces.
 */
#include <spice/enums.h>
#include <string.h>

#include "canvas_compose.h"

static void
compose_visible(struct painter *painter, const struct composition *composition,
                pixman_format_code_t format, int clears)
{
    const struct draw_plan *plan = painter->plan;

    for (uint32_t i = 0; i < plan->num_rects; i++)
        compose_target(painter, composition, format, clears, plan->rects[i]);
}

/* An image without bounds that only has this alpha. */
static pixman_image_t *
plain_alpha(uint8_t alpha)
{
    pixman_color_t color = {0, 0, 0, (uint16_t)(alpha * 0x101)};

    return pixman_image_create_solid_fill(&color);
}

void
paint_blend(struct painter *painter)
{
    const struct draw_command *command = painter->command;
    int is_xrgb = painter->target.format == SPICE_SURFACE_FMT_32_xRGB;
    int has_alpha = (command->alpha_flags & SPICE_ALPHA_FLAGS_DEST_HAS_ALPHA) != 0;
    pixman_format_code_t format = surface_pixman_format(painter->target.format);
    struct composition composition = {.op = PIXMAN_OP_OVER,
                                      .source = &painter->sampling};

    if (is_xrgb && has_alpha)
        format = PIXMAN_a8r8g8b8;
    if (painter->source.kind == PICTURE_SURFACE &&
        painter->source.format == PIXMAN_x8r8g8b8 &&
        (command->alpha_flags & SPICE_ALPHA_FLAGS_SRC_SURFACE_HAS_ALPHA))
        painter->sampling.format = PIXMAN_a8r8g8b8;
    if (command->alpha != 0xff)
        composition.plain_mask = plain_alpha(command->alpha);
    if (command->alpha == 0xff || composition.plain_mask)
        compose_visible(painter, &composition, format, is_xrgb && !has_alpha);
    if (composition.plain_mask)
        pixman_image_unref(composition.plain_mask);
}

/* count bits of a composite's flags from first on. */
static uint32_t
flag_bits(const struct draw_command *command, uint32_t first, uint32_t count)
{
    return command->composite.flags >> first & ((1u << count) - 1);
}

static void
set_transform(struct sampling *sampling, const int32_t *numbers)
{
    pixman_transform_init_identity(&sampling->matrix);
    for (int i = 0; i < 6; i++)
        sampling->matrix.matrix[i / 3][i % 3] = numbers[i];
    sampling->has_matrix = 1;
}

static void
sample_composite_source(struct painter *painter)
{
    const struct draw_command *command = painter->command;
    struct sampling *sampling = &painter->sampling;

    sampling->x += command->composite.src_origin_x;
    sampling->y += command->composite.src_origin_y;
    sampling->filter = (pixman_filter_t)flag_bits(command, 8, 3);
    sampling->repeat = (pixman_repeat_t)flag_bits(command, 14, 2);
    if (command->composite.has_src_transform)
        set_transform(sampling, command->composite.src_transform);
    if (painter->source.kind == PICTURE_SURFACE &&
        painter->source.format == PIXMAN_a8r8g8b8 &&
        (command->composite.flags & SPICE_COMPOSITE_SOURCE_OPAQUE))
        sampling->format = PIXMAN_x8r8g8b8;
}

static void
sample_composite_mask(const struct draw_command *command, struct sampling *sampling,
                      const struct picture *picture)
{
    sampling_init(sampling, picture);
    sampling->x = command->composite.mask_origin_x - command->bbox.left;
    sampling->y = command->composite.mask_origin_y - command->bbox.top;
    sampling->filter = (pixman_filter_t)flag_bits(command, 11, 3);
    sampling->repeat = (pixman_repeat_t)flag_bits(command, 16, 2);
    sampling->component_alpha = (uint8_t)flag_bits(command, 18, 1);
    if (command->composite.has_mask_transform)
        set_transform(sampling, command->composite.mask_transform);
}

/* The mask lies in the brush's place: a composite has none. */
void
paint_composite(struct painter *painter)
{
    const struct draw_command *command = painter->command;
    struct picture *picture = &painter->brush.pattern;
    struct composition composition = {.op = (pixman_op_t)flag_bits(command, 0, 8),
                                      .source = &painter->sampling};
    pixman_box32_t box = {command->bbox.left, command->bbox.top, command->bbox.right,
                          command->bbox.bottom};
    struct sampling mask;

    sample_composite_source(painter);
    memset(&mask, 0, sizeof(mask));
    if (painter->brush.is_pattern) {
        sample_composite_mask(command, &mask, picture);
        composition.mask = &mask;
    }
    if (sampling_is_possible(&painter->sampling, box) &&
        (!composition.mask || sampling_is_possible(&mask, box)))
        compose_visible(painter, &composition,
                        surface_pixman_format(painter->target.format), 0);
    sampling_fini(&mask);
}
