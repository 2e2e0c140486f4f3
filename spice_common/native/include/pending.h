/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pending.h: what one client has still to be told of a display.
 *
 * Takes the place of libspice-server's tree and of its pipe of drawables.  Two kinds of
 * things are pending: commands that the client draws itself (natives: fills, moves,
 * text, copies from surfaces), in order; and areas (damage) whose pixels are sent as
 * they are when it comes to that.  At any time this holds: a client that drew all
 * natives and was then sent all damaged tiles shows what the canvas shows.  So
 *
 *  - a bitmap that the guest copies is just damage, however often it is overwritten;
 *  - a native that newer natives or damage hide is not sent;
 *  - a client too slow for its natives is owed damage instead, which is bounded.
 *
 * The guest's commands are drawn on the canvas at once and their resources go back:
 * nothing here refers to guest memory but the canvas.
 */
#ifndef PENDING_H
#define PENDING_H

#include <stdint.h>

#include "canvas.h"
#include "command_batch.h"
#include "display_message.h"

/* How far a batch was drawn; all zero: not begun. */
struct batch_position {
    uint32_t entry;
};

struct pending;
struct glz_dictionary;
struct pixmap_cache;
struct image_share;

enum {
    NUM_IMAGE_TYPES = 12, /* see image_type_index in pending_image.c */
};

struct pending_settings {
    uint32_t compression;  /* SPICE_IMAGE_COMPRESSION_* */
    uint32_t jpeg;         /* lossy pictures may be sent first, exact ones later */
    uint32_t jpeg_quality; /* 1 .. 100 */
    uint32_t zlib_glz;     /* deflate GLZ where that is shorter */
    uint32_t lz4;          /* the client can read LZ4 */
    uint32_t composite;    /* the client can draw COMPOSITE */
    uint32_t channel;      /* of all displays that share the client's caches */
    uint32_t compare;      /* keep a copy of what the client shows; send what differs */
    uint32_t pictures;     /* the client draws pictures, one-color fills and moves of the
                              primary surface, all without clip or rop, and nothing else;
                              its surfaces are not black before they are filled */
};

struct image_counter {
    uint64_t count, bytes, pixels;
};

struct pending_counters {
    uint64_t natives;    /* commands taken in to be drawn by the client */
    uint64_t hidden;     /* of these, never sent: newer ones or damage hid them */
    uint64_t damaged;    /* commands that became damage */
    uint64_t collapses;  /* how often the natives were given up for damage */
    uint64_t same_tiles; /* damaged tiles that showed the right pixels already */
    uint64_t scrolls; /* moves that were found in damage */
    uint64_t flat;    /* pictures of one color, sent as fills */
    uint64_t cache_hits;
    struct image_counter images[NUM_IMAGE_TYPES];
};

/* Nothing is known to the client, all of canvas is pending; NULL: no memory. */
struct pending *pending_new(struct canvas *canvas);
void pending_free(struct pending *pending);

void pending_set(struct pending *pending, const struct pending_settings *settings);

/* Either may be NULL; they are borrowed until they are replaced or pending is freed. */
void pending_set_dictionary(struct pending *pending, struct glz_dictionary *dictionary);
void pending_set_cache(struct pending *pending, struct pixmap_cache *cache);
/* What several clients are sent is encoded once; NULL: there is only one. */
void pending_set_share(struct pending *pending, struct image_share *share);

/* A surface came: black, or with pixels of its own. */
void pending_surface_created(struct pending *pending, uint32_t surface_id, int black);
/* A surface went; called before the canvas forgets it. */
void pending_surface_destroyed(struct pending *pending, uint32_t surface_id);

/* Everything is damaged, for something was not told. */
void pending_damage_all(struct pending *pending);
/* What was sent lossily is damaged; how many tiles. */
uint32_t pending_damage_lossy(struct pending *pending);

/*
 * Append messages for what is pending until about max_bytes of pixels were looked at.
 * whole: the primary surface goes as one picture if it is damaged at all.  exact: no
 * lossy pictures.  1: there is more; 0: the client shows what the canvas shows, once it
 * got this.
 */
int pending_flush(struct pending *pending, struct display_messages *messages,
                  uint64_t max_bytes, int whole, int exact);

int pending_empty(const struct pending *pending);

const struct pending_counters *pending_counters(const struct pending *pending);

/*
 * Draw batch from position on until about max_bytes of pixels were written, and note it
 * for each client; scratch is memory for that.  1: there is more to do, position says
 * where; 0: done.
 */
int pending_draw_batch(struct canvas *canvas, const struct command_batch *batch,
                       struct batch_position *position, struct pending **clients,
                       uint32_t num_clients, struct display_messages *scratch,
                       uint64_t max_bytes);

#endif /* PENDING_H */
