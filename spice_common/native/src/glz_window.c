/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "glz_window.h"

#include <stdlib.h>

enum {
    FIRST_IMAGES = 64,
    /* Ids that may be waited for at once: each needs its slot. */
    MAX_KEPT = 1 << 20,
};

struct glz_window *
glz_window_new(uint64_t max_pixels)
{
    struct glz_window *window = calloc(1, sizeof(*window));

    if (!window)
        return NULL;
    window->max_pixels = max_pixels;
    window->mask = FIRST_IMAGES - 1;
    window->images = calloc(FIRST_IMAGES, sizeof(*window->images));
    if (!window->images) {
        free(window);
        return NULL;
    }
    return window;
}

static void
drop(struct glz_window *window, struct kept_image *image)
{
    if (!image->pixels)
        return;
    window->pixels -= image->count;
    free(image->pixels);
    image->pixels = NULL;
}

void
glz_window_clear(struct glz_window *window)
{
    for (uint64_t i = 0; i <= window->mask; i++)
        drop(window, &window->images[i]);
    window->begun = 0;
}

void
glz_window_free(struct glz_window *window)
{
    if (!window)
        return;
    glz_window_clear(window);
    free(window->images);
    free(window);
}

const struct kept_image *
glz_window_find(const struct glz_window *window, uint64_t id)
{
    const struct kept_image *image = &window->images[id & window->mask];

    return image->pixels && image->id == id ? image : NULL;
}

int
glz_window_check(const struct glz_window *window, const struct glz_header *header)
{
    uint64_t pixels = (uint64_t)header->width * header->height;

    if (header->window_head_distance > header->id)
        return GLZ_DAMAGED;
    if (window->begun &&
        (header->id < window->oldest || glz_window_find(window, header->id)))
        return GLZ_BAD_ID;
    if (header->window_head_distance >= MAX_KEPT ||
        (window->begun && header->id - window->oldest >= MAX_KEPT))
        return GLZ_BAD_ID;
    if (pixels > window->max_pixels - window->pixels)
        return GLZ_TOO_MUCH;
    return 0;
}

/* Until the slot of id is free: two images of different ids do not share one. */
static int
grow(struct glz_window *window, uint64_t id)
{
    uint64_t slots = window->mask + 1;
    struct kept_image *images;

    while (id - window->oldest >= slots)
        slots *= 2;
    if (slots == window->mask + 1)
        return 0;
    images = calloc(slots, sizeof(*images));
    if (!images)
        return -1;
    for (uint64_t i = 0; i <= window->mask; i++) {
        if (window->images[i].pixels)
            images[window->images[i].id & (slots - 1)] = window->images[i];
    }
    free(window->images);
    window->images = images;
    window->mask = slots - 1;
    return 0;
}

/*
 * Images of several channels come in any order.  What an image says is forgotten when
 * all before it are here, for one of these might repeat what it need not.
 */
static void
release(struct glz_window *window)
{
    const struct kept_image *newest;
    uint64_t head;

    while (glz_window_find(window, window->gap))
        window->gap++;
    if (window->gap == window->oldest)
        return;
    newest = glz_window_find(window, window->gap - 1);
    head = newest->id - newest->head_distance;
    for (; window->oldest < head; window->oldest++)
        drop(window, &window->images[window->oldest & window->mask]);
}

int
glz_window_add(struct glz_window *window, const struct glz_header *header,
               uint32_t *pixels)
{
    struct kept_image image = {
        .id = header->id,
        .pixels = pixels,
        .count = header->width * header->height,
        .type = header->type,
        .head_distance = header->window_head_distance,
    };

    if (!window->begun) {
        window->oldest = header->id - header->window_head_distance;
        window->gap = window->oldest;
        window->begun = 1;
    }
    if (grow(window, header->id))
        return GLZ_NO_MEMORY;
    window->images[header->id & window->mask] = image;
    window->pixels += image.count;
    release(window);
    return 0;
}
