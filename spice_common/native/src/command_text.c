/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* QXL_DRAW_TEXT: a string of raster glyphs. */
#include "command_parse.h"

#include <stddef.h>
#include <string.h>

#include "shared_memory.h"

/* Fetch the size bytes of a string's glyphs to the end of glyph_bytes. */
static enum command_error
fetch_glyphs(struct parser *parser, uint64_t first, uint32_t size)
{
    struct command_batch *batch = parser->batch;
    uint8_t *to = more_glyph_bytes(batch, size);
    struct chunk_walk walk;
    enum command_error error;

    if (to == NULL) {
        return COMMAND_NO_MEMORY;
    }
    chunk_walk_start(&walk, parser->slots, first, size);
    while ((error = chunk_walk_step(&walk)) == COMMAND_OK && walk.size != 0) {
        fetch(to, walk.data, walk.size);
        to += walk.size;
    }
    batch->bookkeeping->work += walk.steps + size / BYTES_PER_WORK;
    return error;
}

/* The next glyph of those fetched, which lie from *at to end in glyph_bytes. */
static enum command_error
parse_glyph(struct command_batch *batch, uint32_t bits, uint32_t *at, uint32_t end)
{
    struct draw_glyph *glyph = more_glyphs(batch, 1);
    QXLRasterGlyph header;

    if (glyph == NULL) {
        return COMMAND_NO_MEMORY;
    }
    if (end - *at < sizeof(header)) {
        return COMMAND_BAD_STRING;
    }
    memcpy(&header, batch->glyph_bytes + *at, sizeof(header));
    *at += (uint32_t)sizeof(header);
    uint64_t size = ((uint64_t)header.width * bits + 7) / 8 * header.height;
    if (size > end - *at) {
        return COMMAND_BAD_STRING;
    }
    *glyph = (struct draw_glyph){
        .render_x = header.render_pos.x,
        .render_y = header.render_pos.y,
        .origin_x = header.glyph_origin.x,
        .origin_y = header.glyph_origin.y,
        .width = header.width,
        .height = header.height,
        .first_byte = *at,
        .num_bytes = (uint32_t)size,
    };
    *at += (uint32_t)size;
    batch->num_glyphs += size != 0; /* a blank without pixels draws nothing */
    return COMMAND_OK;
}

static enum command_error
parse_string(struct parser *parser, uint64_t address, struct draw_string *to)
{
    struct command_batch *batch = parser->batch;
    uint32_t at = batch->num_glyph_bytes;
    QXLString string;
    enum command_error error =
        command_fetch(parser->slots, address, &string, sizeof(string));
    if (error == COMMAND_OK && string.data_size > MAX_STRING_SIZE) {
        error = COMMAND_TOO_BIG;
    }
    if (error == COMMAND_OK) {
        error = fetch_glyphs(parser, address + offsetof(QXLString, chunk),
                             string.data_size);
    }
    to->flags = string.flags & SPICE_STRING_FLAGS_MASK;
    to->first_glyph = batch->num_glyphs;
    for (uint32_t i = 0; error == COMMAND_OK && i < string.length; i++) {
        error = parse_glyph(batch, glyph_bits(to->flags), &at,
                            batch->num_glyph_bytes + string.data_size);
    }
    if (error != COMMAND_OK) {
        return error;
    }
    to->num_glyphs = batch->num_glyphs - to->first_glyph;
    bool all = at == batch->num_glyph_bytes + string.data_size;
    batch->num_glyph_bytes = at;
    return all && string_ok(batch, to) ? COMMAND_OK : COMMAND_BAD_STRING;
}

/* What the background covers; an empty area, however it is written, is none. */
static enum command_error
parse_back_area(const QXLRect *from, struct draw_rect *to)
{
    if (from->left >= from->right || from->top >= from->bottom) {
        *to = (struct draw_rect){0, 0, 0, 0};
        return COMMAND_OK;
    }
    return parse_rect(to, from) ? COMMAND_OK : COMMAND_BAD_RECT;
}

enum command_error
parse_text(struct parser *parser, const QXLDrawable *from, struct draw_command *to)
{
    const QXLText *text = &from->u.text;
    const QXLRect back_area = text->back_area;
    to->fore_mode = text->fore_mode;
    to->back_mode = text->back_mode;
    to->back_brush = (struct draw_brush){.image = NO_IMAGE};
    if (!operation_ok(to->fore_mode, 0) || !operation_ok(to->back_mode, 0)) {
        return COMMAND_BAD_DRAWABLE;
    }
    enum command_error error = parse_string(parser, text->str, &to->string);
    if (error == COMMAND_OK) {
        error = parse_back_area(&back_area, &to->back_area);
    }
    if (error == COMMAND_OK) {
        error = parse_brush(parser, &text->fore_brush, &to->brush);
    }
    return error == COMMAND_OK ? parse_brush(parser, &text->back_brush, &to->back_brush)
                               : error;
}
