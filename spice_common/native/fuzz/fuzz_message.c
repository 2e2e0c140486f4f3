/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The input is a server's draw message: its type counted from the first, and its body.
 * What is understood is written again, and must then be understood again.
 */
#include <spice/enums.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "check_draw.h"
#include "command.h"
#include "fuzz.h"
#include "guest.h"
#include "message_command.h"

enum { HEADER = 6, FIRST_TYPE = SPICE_MSG_DISPLAY_DRAW_FILL, NUM_TYPES = 20 };

/* The type that the first byte of an input means. */
static uint32_t
message_type(uint8_t byte)
{
    uint32_t number = byte % NUM_TYPES;
    return number == 0 ? SPICE_MSG_DISPLAY_COPY_BITS : FIRST_TYPE + number - 1;
}

static void
check_images(const struct command_batch *batch, const uint8_t *body, size_t size)
{
    for (uint32_t i = 0; i < batch->num_images; i++) {
        const struct guest_image *image = &batch->images[i];
        const struct image_chunk *chunk = &batch->chunks[image->first_chunk];
        CHECK(image->num_chunks <= 1 && image->width <= MAX_IMAGE_SIDE &&
              image->height <= MAX_IMAGE_SIDE);
        CHECK(image->first_chunk + image->num_chunks <= batch->num_chunks);
        CHECK(image->num_colors <= 256 &&
              image->first_color + image->num_colors <= batch->num_colors);
        if (image->num_chunks == 1) {
            CHECK(chunk->data >= body && chunk->size <= size &&
                  (size_t)(chunk->data - body) <= size - chunk->size);
            CHECK(chunk->size == image->data_size);
        }
        if (image->kind == SPICE_IMAGE_TYPE_BITMAP) {
            CHECK(image->data_size == (uint64_t)image->stride * image->height);
        }
    }
}

/* Write the command, read it back; false: this is longer than a fuzzer has time for. */
static void
write_and_read(struct display_messages *messages, const struct command_batch *batch,
               uint32_t type)
{
    struct command_batch *again = command_batch_new();
    CHECK(again != NULL);
    CHECK(command_to_message(messages, batch, 0) == 0);
    CHECK(messages->num_messages == 1 && messages->size > HEADER);
    CHECK(message_to_command(messages->data + HEADER, messages->size - HEADER, type,
                             again) == COMMAND_OK);
    check_draw(again, &again->draws[0]);
    CHECK(again->num_images == batch->num_images);
    CHECK(again->num_points == batch->num_points);
    CHECK(again->num_glyphs == batch->num_glyphs);
    CHECK(again->num_clips == batch->num_clips);
    command_batch_free(again);
}

static void
run(const uint8_t *body, size_t size, uint32_t type)
{
    static struct command_batch *batch;
    static struct display_messages *messages;
    if (batch == NULL) {
        batch = command_batch_new();
        messages = display_messages_new();
        CHECK(batch != NULL && messages != NULL);
    }
    command_batch_clear(batch);
    display_messages_clear(messages);
    if (message_to_command(body, size, type, batch) != COMMAND_OK) {
        CHECK(batch->num_draws == 0 && batch->num_entries == 0);
        CHECK(batch->num_images == 0 && batch->num_chunks == 0);
        CHECK(batch->num_clips == 0 && batch->num_points == 0);
        CHECK(batch->num_glyph_bytes == 0);
        return;
    }
    CHECK(batch->num_draws == 1 && batch->num_entries == 1);
    check_draw(batch, &batch->draws[0]);
    check_images(batch, body, size);
    write_and_read(messages, batch, type);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    /* A copy of just that size, so that a sanitizer sees the first byte outside. */
    uint8_t *body = malloc(size - 1 + (size == 1));
    CHECK(body != NULL);
    memcpy(body, data + 1, size - 1);
    run(body, size - 1, message_type(data[0]));
    free(body);
    return 0;
}

/* The number-th message of all that the guest's scenes become; its size, or 0. */
static size_t
scene_message(struct command_batch *batch, struct display_messages *messages,
              uint32_t *number, uint8_t *bytes)
{
    for (uint32_t i = 0; i < batch->num_draws; i++) {
        display_messages_clear(messages);
        if (command_to_message(messages, batch, i) != 0) {
            continue; /* self_bitmap */
        }
        if ((*number)-- == 0) {
            uint32_t type = messages->data[0] | (uint32_t)messages->data[1] << 8;
            bool moved = type == SPICE_MSG_DISPLAY_COPY_BITS;
            bytes[0] = (uint8_t)(moved ? 0 : type - FIRST_TYPE + 1);
            memcpy(bytes + 1, messages->data + HEADER, messages->size - HEADER);
            return messages->size - HEADER + 1;
        }
    }
    return 0;
}

size_t
fuzz_seed(uint32_t number, uint8_t *bytes)
{
    struct command_batch *batch = command_batch_new();
    struct display_messages *messages = display_messages_new();
    size_t size = 0;
    CHECK(batch != NULL && messages != NULL);
    for (uint32_t scene = 0; size == 0 && scene < GUEST_NUM_SCENES; scene++) {
        struct guest guest;
        int32_t notify;
        guest_init(&guest);
        guest_push_scene(&guest, scene);
        command_batch_clear(batch);
        CHECK(command_batch_drain(batch, &guest.commands, &guest.slots, 0,
                                  scene == GUEST_COMPAT_SCENE ? COMMAND_COMPAT : 0,
                                  &notify) >= 0);
        size = scene_message(batch, messages, &number, bytes);
        guest_destroy(&guest);
    }
    display_messages_free(messages);
    command_batch_free(batch);
    return size;
}
