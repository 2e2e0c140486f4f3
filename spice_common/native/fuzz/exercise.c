/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exercise.h"

#include <stdbool.h>
#include <string.h>

#include "canvas.h"
#include "check.h"
#include "check_draw.h"
#include "command.h"
#include "cursor_command.h"
#include "message_command.h"
#include "pending.h"

enum {
    MAX_SURFACES = 1024,
    NUM_SURFACES = 32,    /* that the canvas takes: fewer to look through each time */
    STEP_BYTES = 1 << 20, /* drawn between two looks at the clock in the real worker */
    MAX_STEPS = 100000,   /* more means that a loop does not end */
};

struct host {
    struct command_batch *batch;
    struct canvas *canvas;
    struct display_messages *messages;
    struct pending *pending;
    struct cursor_reader *cursors;
    uint32_t options, bunch;
};

static bool
inside(const struct guest *guest, const uint8_t *data, uint64_t size)
{
    const uint8_t *ram = guest->ram, *vram = guest->vram;
    return (data >= ram && size <= GUEST_RAM_SIZE &&
            data <= ram + GUEST_RAM_SIZE - size) ||
           (data >= vram && size <= GUEST_VRAM_SIZE &&
            data <= vram + GUEST_VRAM_SIZE - size);
}

static bool
rect_ok(const struct draw_rect *rect)
{
    return rect->left < rect->right && rect->top < rect->bottom &&
           rect->left >= -(1 << 20) && rect->right <= 1 << 20 &&
           rect->top >= -(1 << 20) && rect->bottom <= 1 << 20;
}

static void
check_image(const struct guest *guest, const struct command_batch *batch,
            const struct guest_image *image)
{
    uint64_t size = 0;
    if (image->kind == SPICE_IMAGE_TYPE_SURFACE) {
        CHECK(image->width == 0 && image->height == 0);
    } else {
        CHECK(image->width >= 1 && image->width <= MAX_IMAGE_SIDE);
        CHECK(image->height >= 1 && image->height <= MAX_IMAGE_SIDE);
    }
    CHECK(image->first_chunk <= batch->num_chunks);
    CHECK(image->num_chunks <= batch->num_chunks - image->first_chunk);
    for (uint32_t i = 0; i < image->num_chunks; i++) {
        const struct image_chunk *chunk = &batch->chunks[image->first_chunk + i];
        CHECK(chunk->size != 0 && inside(guest, chunk->data, chunk->size));
        size += chunk->size;
    }
    CHECK(size == image->data_size && size <= 256u << 20);
    if (image->kind == SPICE_IMAGE_TYPE_BITMAP) {
        CHECK(size == (uint64_t)image->stride * image->height);
        CHECK(image->num_colors <= 256);
        CHECK(image->num_colors == 0 ||
              image->first_color + image->num_colors <= batch->num_colors);
    } else {
        CHECK(image->kind == SPICE_IMAGE_TYPE_QUIC ||
              (image->kind == SPICE_IMAGE_TYPE_SURFACE &&
               image->surface_id < MAX_SURFACES && size == 0));
    }
}

static void
check_surface(const struct guest *guest, const struct surface_command *surface)
{
    CHECK(surface->surface_id >= 1 && surface->surface_id < MAX_SURFACES);
    if (surface->type == QXL_SURFACE_CMD_CREATE) {
        uint64_t pitch = (uint64_t)(surface->stride < 0 ? -(int64_t)surface->stride
                                                        : surface->stride);
        CHECK(inside(guest, surface->data, pitch * surface->height));
    }
}

static void
check_batch(const struct guest *guest, const struct command_batch *batch,
            uint32_t taken)
{
    const struct command_bookkeeping *book = batch->bookkeeping;
    CHECK(taken <= MAX_BATCH_COMMANDS && batch->num_entries <= taken);
    CHECK(book->num_releases <= taken);
    CHECK(batch->num_images <= 3 * batch->num_draws);
    CHECK(batch->num_chunks <= 4 * 65536 && batch->num_clips <= 65536 + 32768);
    for (uint32_t i = 0; i < batch->num_images; i++) {
        check_image(guest, batch, &batch->images[i]);
    }
    for (uint32_t i = 0; i < batch->num_clips; i++) {
        CHECK(rect_ok(&batch->clips[i]));
    }
    for (uint32_t i = 0; i < batch->num_draws; i++) {
        check_draw(batch, &batch->draws[i]);
        CHECK(batch->draws[i].surface_id < MAX_SURFACES);
    }
    for (uint32_t i = 0; i < batch->num_surface_commands; i++) {
        check_surface(guest, &batch->surface_commands[i]);
    }
    for (uint32_t i = 0; i < batch->num_updates; i++) {
        CHECK(rect_ok(&batch->updates[i].area));
    }
    for (uint32_t i = 0; i < book->num_messages; i++) {
        const char *text = book->messages[i];
        CHECK(memchr(text, 0, MAX_MESSAGE_SIZE) != NULL);
        for (; *text != '\0'; text++) {
            CHECK(*text >= 0x20 && *text <= 0x7e);
        }
    }
}

/* Draw the batch, then send a client what it has to be told. */
static void
draw(struct host *host)
{
    struct display_messages *messages = host->messages;
    struct batch_position position = {0};
    uint32_t steps = 0;
    int more;
    do {
        display_messages_clear(messages);
        more = pending_draw_batch(host->canvas, host->batch, &position, &host->pending,
                                  1, messages, STEP_BYTES);
        CHECK(messages->size <= messages->capacity && ++steps < MAX_STEPS);
    } while (more);
    do {
        display_messages_clear(messages);
        more = pending_flush(host->pending, messages, STEP_BYTES, 0, 0);
        CHECK(++steps < MAX_STEPS);
    } while (more);
}

/* Each command as a message; what a client is told must be what a client may read. */
static void
write_messages(struct host *host)
{
    struct display_messages *messages = host->messages;
    for (uint32_t i = 0; i < host->batch->num_draws; i++) {
        const struct draw_command *command = &host->batch->draws[i];
        display_messages_clear(messages);
        int32_t status = command_to_message(messages, host->batch, i);
        bool self = command->self_bitmap && command->image == NO_IMAGE;
        CHECK(status == 0 || self);
        CHECK(messages->num_messages == (status == 0));
    }
}

static void
replace_slots(struct guest *guest)
{
    memslot_add(&guest->slots, 1, 0, guest->ram, GUEST_RAM_SIZE);
    memslot_delete(&guest->slots, 2);
    memslot_add(&guest->slots, 2, GUEST_VRAM_GENERATION, guest->vram, GUEST_VRAM_SIZE);
}

static void
take_commands(struct host *host, struct guest *guest)
{
    uint32_t flags = host->options & EXERCISE_COMPAT ? COMMAND_COMPAT : 0;
    uint32_t max = host->options & EXERCISE_SINGLE ? 1 : 0;
    for (uint32_t i = 0; i < 2 * QXL_COMMAND_RING_SIZE; i++) {
        int32_t notify;
        int32_t taken = command_batch_drain(host->batch, &guest->commands,
                                            &guest->slots, max, flags, &notify);
        if (taken <= 0) {
            CHECK(taken == 0 || taken == RING_BROKEN);
            CHECK(host->batch->bookkeeping->num_releases == 0);
            return;
        }
        check_batch(guest, host->batch, (uint32_t)taken);
        draw(host);
        write_messages(host);
        if (host->options & EXERCISE_REPLACE_SLOT) {
            replace_slots(guest);
        }
        release_batch(&guest->queue, &guest->slots, host->batch, host->bunch);
    }
}

static void
take_cursors(struct host *host, struct guest *guest)
{
    const struct cursor_command *command = &host->cursors->command;
    for (uint32_t i = 0; i < 2 * QXL_CURSOR_RING_SIZE; i++) {
        int32_t found = cursor_reader_pop(host->cursors, &guest->cursors, &guest->slots,
                                          &guest->queue, host->bunch);
        if (found != 1) {
            CHECK(found == 0 || found == RING_BROKEN);
            return;
        }
        if (command->data_size != 0) {
            CHECK(command->type == QXL_CURSOR_SET);
            CHECK(command->width <= MAX_CURSOR_SIDE);
            CHECK(command->height <= MAX_CURSOR_SIDE);
            CHECK(command->data_size <= 4u * MAX_CURSOR_SIDE * MAX_CURSOR_SIDE * 2);
            volatile uint8_t last = command->data[command->data_size - 1];
            (void)last;
        }
    }
}

/* What costs time to make anew is kept from one input to the next, empty. */
static struct host *
get_host(uint32_t options)
{
    static struct host host;
    if (host.batch == NULL) {
        host.batch = command_batch_new();
        host.canvas = canvas_new(NUM_SURFACES);
        host.messages = display_messages_new();
        host.cursors = cursor_reader_new();
        CHECK(host.batch && host.canvas && host.messages && host.cursors);
    }
    host.options = options;
    host.bunch = options & EXERCISE_SMALL_BUNCHES ? 1 : 32;
    command_batch_clear(host.batch);
    display_messages_clear(host.messages);
    return &host;
}

static void
destroy_surfaces(struct canvas *canvas)
{
    uint32_t ids[NUM_SURFACES];
    uint32_t count = canvas_surface_ids(canvas, ids, NUM_SURFACES);
    for (uint32_t i = 0; i < count; i++) {
        CHECK(canvas_destroy_surface(canvas, ids[i]) == CANVAS_OK);
    }
}

void
exercise(struct guest *guest, uint32_t options)
{
    struct host *host = get_host(options);
    CHECK(canvas_create_surface(host->canvas, 0, SPICE_SURFACE_FMT_32_xRGB, 32, 32, 128,
                                guest->vram, 4096, 0) == CANVAS_OK);
    host->pending = pending_new(host->canvas);
    CHECK(host->pending);
    pending_set(host->pending, &(struct pending_settings){
                                   .compression = 1 + options % 7,
                                   .composite = 1,
                                   .lz4 = 1,
                                   .compare = 1,
                               });
    take_commands(host, guest);
    take_cursors(host, guest);
    release_flush(&guest->queue);
    pending_free(host->pending);
    destroy_surfaces(host->canvas);
}

size_t
exercise_seed(uint32_t number, uint8_t *bytes)
{
    struct guest guest;
    if (number >= 2 * GUEST_NUM_SCENES) {
        return 0;
    }
    guest_init(&guest);
    guest_push_scene(&guest, number % GUEST_NUM_SCENES);
    if (number >= GUEST_NUM_SCENES) {
        guest_push_scene(&guest, (number + 1) % GUEST_NUM_SCENES);
    }
    guest_save(&guest, bytes);
    guest_destroy(&guest);
    uint8_t options =
        number >= GUEST_NUM_SCENES ? EXERCISE_REPLACE_SLOT | EXERCISE_SMALL_BUNCHES : 0;
    if (number % GUEST_NUM_SCENES == GUEST_COMPAT_SCENE) {
        options |= EXERCISE_COMPAT;
    }
    bytes[GUEST_SIZE] = options;
    return GUEST_SIZE + 1;
}

uint32_t
exercise_load(struct guest *guest, const uint8_t *data, size_t size)
{
    guest_init(guest);
    guest_load(guest, data, size);
    return size > GUEST_SIZE ? data[GUEST_SIZE] : 0;
}
