/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cache against a list that does the same slowly, and what is special about it. */
#include <spice/enums.h>
#include <string.h>

#include "check.h"
#include "picture.h"
#include "pixmap_cache.h"

enum { ROUNDS = 20000, MAX_PIXELS = 40000, NUM_KEYS = 300, MAX_ITEMS = 400 };

static uint32_t state = 33;

/* The name of a picture that there is not. */
static struct pixel_hash
key_of(uint64_t number)
{
    return (struct pixel_hash){.low = number * 0x9e3779b97f4a7c15, .high = number};
}

/* What a client holds: newest last. */
struct model {
    struct {
        uint64_t key, id, pixels;
        uint32_t lossy;
    } items[MAX_ITEMS];
    uint32_t count;
    uint64_t pixels;
};

static uint32_t
model_find(const struct model *model, uint64_t key)
{
    for (uint32_t i = 0; i < model->count; i++)
        if (model->items[i].key == key)
            return i;
    return MAX_ITEMS;
}

static void
model_remove(struct model *model, uint32_t at)
{
    model->pixels -= model->items[at].pixels;
    memmove(&model->items[at], &model->items[at + 1],
            (model->count - at - 1) * sizeof(model->items[0]));
    model->count--;
}

static void
model_touch(struct model *model, uint32_t at)
{
    struct model before = *model;

    model_remove(model, at);
    model->items[model->count++] = before.items[at];
    model->pixels = before.pixels;
}

static void
model_add(struct model *model, uint64_t key, uint64_t pixels, uint32_t lossy,
          const struct pixmap_change *change)
{
    uint32_t at = model_find(model, key);

    CHECK(change->replaces == (at != MAX_ITEMS));
    if (at != MAX_ITEMS) {
        CHECK(change->id == model->items[at].id && change->num_evicted == 0);
        model->items[at].lossy = lossy;
        model_touch(model, at);
        return;
    }
    for (uint32_t i = 0; i < change->num_evicted; i++) {
        CHECK(model->pixels + pixels > MAX_PIXELS);
        CHECK(model->items[0].id == change->evicted[i]);
        model_remove(model, 0);
    }
    for (uint32_t i = 0; i < model->count; i++)
        CHECK(model->items[i].id != change->id);
    model->pixels += pixels;
    CHECK(model->pixels <= MAX_PIXELS && model->count < MAX_ITEMS);
    model->items[model->count].key = key;
    model->items[model->count].id = change->id;
    model->items[model->count].pixels = pixels;
    model->items[model->count++].lossy = lossy;
}

static void
one_step(struct pixmap_cache *cache, struct model *model, uint64_t serial)
{
    uint64_t key = draw_random(&state) % NUM_KEYS, pixels;
    struct pixmap_use use = {serial, draw_random(&state) % 3};
    uint32_t at = model_find(model, key), lossless = draw_random(&state) & 1, lossy;
    struct pixmap_item item;
    struct pixmap_change change;
    enum pixmap_found found =
        pixmap_cache_find(cache, key_of(key), lossless, use, &item);

    CHECK((found == PIXMAP_MISSING) == (at == MAX_ITEMS));
    if (found != PIXMAP_MISSING) {
        CHECK(item.id == model->items[at].id && item.lossy == model->items[at].lossy);
        CHECK(found == (item.lossy && lossless ? PIXMAP_LOSSY : PIXMAP_FOUND));
        CHECK(item.inserted.serial < serial);
    }
    if (found == PIXMAP_FOUND) {
        model_touch(model, at);
        return;
    }
    pixels = 256 + draw_random(&state) % 2000;
    lossy = !lossless && draw_random(&state) % 2;
    CHECK(pixmap_cache_add(cache, key_of(key), pixels, lossy, use, &change) == 0);
    model_add(model, key, pixels, lossy, &change);
}

static void
like_a_list(void)
{
    struct pixmap_cache *cache = pixmap_cache_new(MAX_PIXELS);
    static struct model model;

    CHECK(cache);
    for (uint64_t serial = 1; serial <= ROUNDS; serial++)
        one_step(cache, &model, serial);
    pixmap_cache_free(cache);
}

/* What one message uses is not thrown out for another image of it. */
static void
bounds(void)
{
    struct pixmap_cache *cache = pixmap_cache_new(1000);
    struct pixmap_use first = {1, 0}, second = {2, 0};
    struct pixmap_change change;
    struct pixmap_item item;

    CHECK(pixmap_cache_add(cache, key_of(1), 1001, 0, first, &change) == -1);
    CHECK(pixmap_cache_add(cache, key_of(1), 600, 0, first, &change) == 0);
    CHECK(pixmap_cache_add(cache, key_of(2), 600, 0, first, &change) == -1);
    CHECK(pixmap_cache_find(cache, key_of(1), 1, first, &item) == PIXMAP_FOUND);
    CHECK(pixmap_cache_add(cache, key_of(2), 600, 0, second, &change) == 0);
    CHECK(change.num_evicted == 1 && change.evicted[0] == item.id);
    CHECK(change.id != item.id);
    pixmap_cache_free(cache);
    cache = pixmap_cache_new(256 * 1024);
    for (uint64_t i = 0; i < 1000; i++)
        CHECK(pixmap_cache_add(cache, key_of(i), 1, 0, first, &change) == 0);
    /* Too many would have to go at once. */
    CHECK(pixmap_cache_add(cache, key_of(5000), 200 * 1024, 0, second, &change) ==
          -1);
    for (uint64_t i = 0; i < 1000; i++)
        CHECK(pixmap_cache_find(cache, key_of(i), 1, second, &item) == PIXMAP_FOUND);
    pixmap_cache_free(cache);
    pixmap_cache_free(NULL);
}

static void
several_channels(void)
{
    struct pixmap_cache *cache = pixmap_cache_new(10000);
    struct pixmap_use uses[3] = {{7, 0}, {3, 1}, {5, 15}};
    struct pixmap_change change;
    struct pixmap_item item;

    CHECK(pixmap_cache_add(cache, key_of(1), 600, 0, uses[0], &change) == 0);
    CHECK(pixmap_cache_find(cache, key_of(1), 1, uses[1], &item) == PIXMAP_FOUND);
    CHECK(item.inserted.channel == 0 && item.inserted.serial == 7);
    CHECK(pixmap_cache_find(cache, key_of(1), 1, uses[2], &item) == PIXMAP_FOUND);
    CHECK(item.inserted.channel == 0 && item.inserted.serial == 7);
    pixmap_cache_free(cache);
}

static int
same(struct pixel_hash a, struct pixel_hash b)
{
    return a.low == b.low && a.high == b.high;
}

/* Each pixel counts, what pads them does not, nor where they lie. */
static void
names(void)
{
    struct pixels a =
        picture_new(&state, PICTURE_FLAT, SPICE_SURFACE_FMT_32_xRGB, 37, 23);
    struct pixels b = picture_copy(&a), half = a;
    struct pixel_hash name = pixel_hash(&a);

    for (int32_t y = 0; y < 23; y++) {
        for (uint32_t x = 0; x < 37; x++) {
            picture_row(&b, y)[4 * x + 3] ^= 0x5a;
            CHECK(same(pixel_hash(&b), name));
            picture_row(&b, y)[4 * x + 1] ^= 1;
            CHECK(!same(pixel_hash(&b), name));
            picture_row(&b, y)[4 * x + 1] ^= 1;
        }
    }
    half.height = 22;
    CHECK(!same(pixel_hash(&half), name));
    b.format = SPICE_SURFACE_FMT_32_ARGB;
    CHECK(!same(pixel_hash(&b), name));
    picture_free(&a);
    picture_free(&b);
}

int
main(void)
{
    like_a_list();
    bounds();
    several_channels();
    names();
    return 0;
}
