/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <spice/enums.h>

#include "record_drawable.h"
#include "shared_memory.h"

static void
note_chunks(struct record_text *text, const struct command_batch *batch,
            const struct guest_image *image, const char *name)
{
    const struct image_chunk *chunks = batch->chunks + image->first_chunk;
    uint32_t count = image->num_chunks;
    if (count == 0) { /* there is always a first one */
        note_chunk(text, name, 0);
        return;
    }
    note_word(text, "data_chunks");
    note_number(text, count - 1);
    note_number_u64(text, image->data_size);
    note_end(text);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *room = note_binary(text, name, chunks[i].size);
        if (room != NULL) {
            fetch(room, chunks[i].data, chunks[i].size);
        }
    }
}

static void
note_bitmap(struct record_text *text, const struct command_batch *batch,
            const struct guest_image *image)
{
    note_line(text, "bitmap.format", image->format);
    note_line(text, "bitmap.flags", image->bitmap_flags);
    note_line(text, "bitmap.x", image->width);
    note_line(text, "bitmap.y", image->height);
    note_line(text, "bitmap.stride", image->stride);
    note_line(text, "has_palette", image->num_colors != 0);
    if (image->num_colors != 0) {
        note_line(text, "qp.num_ents", image->num_colors);
        note_line_u64(text, "unique", image->palette_unique);
        for (uint32_t i = 0; i < image->num_colors; i++) {
            note_line(text, "ents", batch->colors[image->first_color + i]);
        }
    }
    note_chunks(text, batch, image, "bitmap.data");
}

void
note_image(struct record_text *text, const struct command_batch *batch, uint32_t index)
{
    note_line(text, "image", index != NO_IMAGE);
    if (index == NO_IMAGE) {
        return;
    }
    const struct guest_image *image = &batch->images[index];
    note_line_u64(text, "descriptor.id", image->id);
    note_line(text, "descriptor.type", image->kind);
    note_line(text, "descriptor.flags", image->descriptor_flags);
    note_line(text, "descriptor.width", image->width);
    note_line(text, "descriptor.height", image->height);
    switch (image->kind) {
    case SPICE_IMAGE_TYPE_BITMAP:
        note_bitmap(text, batch, image);
        break;
    case SPICE_IMAGE_TYPE_SURFACE:
        note_line(text, "surface_image.surface_id", image->surface_id);
        break;
    case SPICE_IMAGE_TYPE_QUIC:
    default:
        note_line(text, "quic.data_size", (uint32_t)image->data_size);
        note_chunks(text, batch, image, "quic.data");
        break;
    }
}
