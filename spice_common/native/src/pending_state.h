/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pending_state.h: what the parts of pending share.
 *
 *   pending.c         life, surfaces
 *   pending_add.c     commands become natives or damage
 *   pending_sweep.c   which natives are hidden
 *   pending_flush.c   natives become messages
 *   pending_damage.c  damage becomes messages
 *   pending_settle.c  damage becomes natives, because something reads it
 *   pending_image.c   a picture becomes a message
 *   pending_photos.c  several at once
 *   pending_draw.c    a batch is drawn and noted
 */
#ifndef PENDING_STATE_H
#define PENDING_STATE_H

#include "bitmap.h"
#include "canvas_draw.h"
#include "damage_split.h"
#include "image_encode.h"
#include "pending.h"
#include "pixel_hash.h"
#include "pixel_kind.h"
#include "scroll.h"
#include "shadow.h"
#include "tile_map.h"

enum {
    MAX_NATIVES = 8192,          /* commands; more than a client draws in a frame */
    MAX_NATIVE_BYTES = 1 << 20,  /* of their messages */
    MAX_NATIVE_PIXELS = 8 << 20, /* bytes of pixels kept for pictures among them */
    MAX_READS = 3,               /* surfaces a command reads: source, mask, itself */
    NUM_SURFACES = 1024,         /* QXLRom.n_surfaces */
};

enum native_kind {
    NATIVE_DRAW,    /* bytes are the message */
    NATIVE_PICTURE, /* pixels that were damage when something was to read them */
    NATIVE_CREATE,  /* the surface, by its size and format */
    NATIVE_DESTROY,
};

/* How a native changes the copy of what the client shows. */
enum shadow_change {
    SHADOW_UNKNOWN, /* the client knows, we look at the canvas afterwards */
    SHADOW_FILL,
    SHADOW_MOVE,
};

struct native_read {
    uint32_t surface_id;
    pixman_box32_t box;
};

struct native {
    uint8_t kind;   /* enum native_kind */
    uint8_t change; /* enum shadow_change */
    uint8_t opaque; /* every pixel of its rectangles is written whatever it was */
    uint8_t hidden;
    uint8_t num_reads;
    uint32_t surface_id, serial, format;
    uint32_t first_byte, num_bytes; /* DRAW: in bytes; PICTURE: in pixels */
    uint32_t first_rect, num_rects; /* in rects */
    pixman_box32_t extents;         /* CREATE, DESTROY: the whole surface */
    uint32_t color;                 /* SHADOW_FILL */
    int32_t dx, dy;                 /* SHADOW_MOVE */
    struct native_read reads[MAX_READS];
};

/* Opaque parts that do not fill a tile: the newest two of each are remembered. */
struct cover_tile {
    uint8_t count;
    pixman_box16_t boxes[2];
};

/* What later commands overwrite, while the natives are gone through backwards. */
struct cover {
    struct tile_map full;
    struct cover_tile *tiles;
    uint32_t seen;    /* the sweep it belongs to */
    uint32_t destroy; /* index of the DESTROY above, plus 1 */
    uint8_t in_use;   /* something that stays draws on the surface or reads it */
};

/* A surface as the client will know it once the natives are drawn. */
struct pending_surface {
    uint32_t id, serial;
    uint32_t width, height, format;
    struct tile_map damage;
    struct tile_map
        unknown;           /* tiles of the shadow that are not what the client shows */
    struct tile_map lossy; /* tiles that the client shows about right */
    struct shadow shadow;  /* data NULL: there is none */
};

struct picture {
    pixman_box32_t box; /* where it goes */
    const uint8_t
        *pixels; /* of box, in the surface's format; nobody else changes them */
    size_t stride;
    uint8_t kind; /* enum pixel_kind, a guess */
};

struct image_name {
    uint64_t id;
    uint32_t flags; /* SPICE_IMAGE_FLAGS_* */
    int found;      /* the client has it in its cache */
};

/* A picture on its way; pictures may be encoded by several threads between the two. */
struct picture_job {
    pixman_box32_t box;
    struct pixels pixels;
    struct image_settings settings;
    struct pixel_hash key; /* if there is a cache or somebody to share with */
    struct image_name name;
    struct encoded_info info;
    struct display_messages *encoded; /* the image, made elsewhere; NULL: not yet */
    struct image_encoder *encoder;    /* for that */
    uint8_t kind, failed;
};

enum { MAX_PHOTOS = 8 };

struct photos {
    struct picture_job jobs[MAX_PHOTOS];
    uint32_t count;
    uint64_t pixels;
    struct display_messages *encoded[MAX_PHOTOS]; /* made when first needed */
    struct image_encoder *encoders[MAX_PHOTOS];
};

struct pending {
    struct canvas *canvas;
    struct pending_settings settings;
    struct glz_dictionary *dictionary;
    struct pixmap_cache *cache;
    struct pending_surface *surfaces[NUM_SURFACES];
    struct cover *covers[NUM_SURFACES]; /* made when first needed */
    uint32_t
        shown[NUM_SURFACES]; /* serial of the surface the client was sent; 0: none */
    struct native *natives;
    uint32_t num_natives, cap_natives;
    pixman_box32_t *rects;
    uint32_t num_rects, cap_rects;
    uint8_t *bytes;
    uint32_t num_bytes, cap_bytes;
    uint8_t *pixels;
    uint32_t num_pixels, cap_pixels; /* bytes */
    struct image_encoder *encoder;
    struct damage_split split;
    uint8_t *scratch; /* pixels of a surface that has no shadow */
    size_t cap_scratch;
    uint32_t sweep;
    struct image_share *share; /* NULL: there is no other client */
    struct photos photos;
    uint64_t uses; /* pictures looked for in the cache */
    struct scroll_finder finder;
    uint32_t vain_searches, scroll_pause; /* flushes */
    uint8_t exact;                        /* no lossy pictures now */
    uint8_t broken;                       /* memory was short: natives may be missing */
    struct pending_counters counters;
};

/* pending.c */
struct pending_surface *pending_find(const struct pending *pending,
                                     uint32_t surface_id);
/* Give the natives up: what they draw is damage from now on. */
void pending_collapse(struct pending *pending);

/* pending_add.c */
/* A new last native, all zero but for these; NULL: too many, they collapsed. */
struct native *pending_append(struct pending *pending, enum native_kind kind,
                              const struct pending_surface *surface,
                              const pixman_box32_t *rects, uint32_t num_rects);
/* Before the canvas changes: what a command reads elsewhere is not left to damage. */
void pending_before_draw(struct pending *pending, const struct draw_plan *plan);
/* message: what the client draws it by, made when first needed. */
void pending_after_draw(struct pending *pending, const struct command_batch *batch,
                        const struct draw_plan *plan, struct display_messages *message);

/* pending_sweep.c: mark natives whose result nobody will see. */
void pending_sweep(struct pending *pending);
void pending_covers_free(struct pending *pending);

/* pending_settle.c */
/* Damage that touches box becomes pictures among the natives, if there is room. */
void pending_settle(struct pending *pending, struct pending_surface *surface,
                    pixman_box32_t box);

/* pending_damage.c */
/* 1: there is more, max_bytes of pixels were done. */
int pending_send_damage(struct pending *pending, struct pending_surface *surface,
                        struct display_messages *messages, uint64_t *max_bytes,
                        int whole);

/* pending_image.c */
void pending_prepare_picture(struct pending *pending,
                             const struct pending_surface *surface,
                             const struct picture *picture, struct picture_job *job,
                             struct display_messages *messages);
/* 1 if the client will show it inexactly. */
int pending_finish_picture(struct pending *pending,
                           const struct pending_surface *surface,
                           struct picture_job *job, struct display_messages *messages);

/* pending_photos.c: pictures that several processors can encode at once. */

/* Whether picture is one. */
int pending_is_photo(const struct pending *pending, const struct picture *picture);
void pending_add_photo(struct pending *pending, struct pending_surface *surface,
                       const struct picture *picture,
                       struct display_messages *messages);
/* Encode and append those that were added. */
void pending_send_photos(struct pending *pending, struct pending_surface *surface,
                         struct display_messages *messages);
void pending_photos_free(struct pending *pending);

/* Append what shows picture on surface; 1 if the client will show it inexactly. */
int pending_send_picture(struct pending *pending, const struct pending_surface *surface,
                         const struct picture *picture,
                         struct display_messages *messages);

/* Make room for `more` items behind `used` of an array; 0 or -1. */
int pending_reserve(void **array, uint32_t *capacity, uint32_t used, uint32_t more,
                    size_t item_size);

#endif /* PENDING_STATE_H */
