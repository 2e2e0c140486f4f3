/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The clip of a QXLDrawable. */
#include "command_parse.h"

#include <stddef.h>

#include "shared_memory.h"

/* Append the rectangles of a chain; a rectangle may straddle two chunks. */
static enum command_error
parse_clip_chunks(struct parser *parser, uint64_t first, uint32_t num_rects)
{
    struct command_batch *batch = parser->batch;
    uint8_t *to = (uint8_t *)(batch->clips + batch->num_clips);
    struct chunk_walk walk;
    enum command_error error;

    _Static_assert(sizeof(QXLRect) == sizeof(struct draw_rect), "same layout");
    chunk_walk_start(&walk, parser->slots, first,
                     (uint64_t)num_rects * sizeof(struct draw_rect));
    while ((error = chunk_walk_step(&walk)) == COMMAND_OK && walk.size != 0) {
        fetch(to, walk.data, walk.size);
        to += walk.size;
    }
    batch->bookkeeping->work += walk.steps + num_rects;
    return error;
}

enum command_error
parse_clip(struct parser *parser, const QXLClip *from, struct draw_command *to)
{
    struct command_batch *batch = parser->batch;
    uint32_t num_rects;

    to->clip_type = (uint8_t)from->type;
    to->first_clip = batch->num_clips;
    if (from->type != SPICE_CLIP_TYPE_RECTS) {
        return from->type == SPICE_CLIP_TYPE_NONE ? COMMAND_OK : COMMAND_BAD_CLIP;
    }
    enum command_error error =
        command_fetch(parser->slots, from->data, &num_rects, sizeof(num_rects));
    if (error != COMMAND_OK) {
        return error;
    }
    if (num_rects > MAX_CLIP_RECTS) {
        return COMMAND_TOO_BIG;
    }
    if (more_clips(batch, num_rects) == NULL) {
        return COMMAND_NO_MEMORY;
    }
    error = parse_clip_chunks(parser, from->data + offsetof(QXLClipRects, chunk),
                              num_rects);
    if (error != COMMAND_OK) {
        return error;
    }
    /* Empty rectangles clip everything away; they are left out, not refused. */
    const struct draw_rect *rects = batch->clips + batch->num_clips;
    for (uint32_t i = 0; i < num_rects; i++) {
        const QXLRect rect = {rects[i].top, rects[i].left, rects[i].bottom,
                              rects[i].right};
        if (parse_rect(&batch->clips[batch->num_clips], &rect)) {
            batch->num_clips++;
        }
    }
    to->num_clips = batch->num_clips - to->first_clip;
    return COMMAND_OK;
}
