/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * guest.h: a guest's memory and the good commands its driver would put there.
 *
 * The memory is QXLRam, then a heap in RAM (slot 1, generation 0), then VRAM (slot 2,
 * generation 5).  Each piece is its own allocation, so that a sanitizer sees the first
 * byte outside.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdint.h>

#include <spice/qxl_dev.h>

#include "memslot.h"
#include "release.h"
#include "ring.h"

enum {
    GUEST_RAM_SIZE = 16384,
    GUEST_VRAM_SIZE = 8192,
    GUEST_SIZE = GUEST_RAM_SIZE + GUEST_VRAM_SIZE,
    GUEST_VRAM_GENERATION = 5,
};

struct guest {
    uint8_t *ram, *vram;
    uint32_t used; /* bytes of RAM that hold something */
    uint64_t next_id;
    struct memslot_table slots;
    struct ring commands, cursors, releases;
    struct release_queue queue;
};

/* Fresh memory with empty rings. */
void guest_init(struct guest *guest);
void guest_destroy(struct guest *guest);

/* The whole memory from or to GUEST_SIZE bytes. */
void guest_load(struct guest *guest, const uint8_t *bytes, uint64_t size);
void guest_save(const struct guest *guest, uint8_t *bytes);

QXLRam *guest_header(const struct guest *guest);

/* Room in RAM; its address through *address. */
void *guest_alloc(struct guest *guest, uint32_t size, uint64_t *address);
uint64_t guest_vram(uint32_t offset);

/* Put a command into a ring. */
void guest_push(struct guest *guest, const struct ring *ring, uint32_t type,
                uint64_t address);

/* A bitmap of width x height 32-bit pixels in chunks of chunk_size bytes. */
uint64_t guest_bitmap(struct guest *guest, uint32_t width, uint32_t height,
                      uint32_t chunk_size);
uint64_t guest_palette_bitmap(struct guest *guest, uint8_t format, uint32_t width,
                              uint32_t height, uint16_t num_colors);
uint64_t guest_surface_image(struct guest *guest, uint32_t surface_id);
uint64_t guest_quic_image(struct guest *guest);

/* size bytes of some data in chunks, whose first header is where `first` points; and
 * other bytes in the same chunks. */
void guest_fill_chunks(struct guest *guest, QXLDataChunk *first, uint32_t size,
                       uint32_t chunk_size);
void guest_store_chunks(const struct guest *guest, QXLDataChunk *first,
                        const uint8_t *bytes);

/* A QXLPath: a line and a curve. */
uint64_t guest_path(struct guest *guest, uint32_t chunk_size);

/* A QXLString of three glyphs, 5 x 7. */
uint64_t guest_string(struct guest *guest, uint16_t flags, uint32_t chunk_size);
uint64_t guest_transform(struct guest *guest);

/* A drawable of that type on surface 0, bbox 8 x 8 at (0, 0), nothing else set. */
QXLDrawable *guest_drawable(struct guest *guest, uint8_t type, uint64_t *address);
QXLCompatDrawable *guest_compat_drawable(struct guest *guest, uint8_t type,
                                         uint64_t *address);

/* Good drawables with all their parts: a dashed path, glyphs, transforms. */
QXLDrawable *guest_stroke(struct guest *guest, uint64_t *address);
QXLDrawable *guest_text(struct guest *guest, uint16_t flags, uint64_t *address);
QXLDrawable *guest_composite(struct guest *guest, uint64_t mask, uint64_t *address);
QXLSurfaceCmd *guest_surface(struct guest *guest, uint32_t surface_id, uint8_t type,
                             uint64_t *address);

/* Each kind of good command there is, in both rings; the surface commands too. */
void guest_push_scene(struct guest *guest, uint32_t scene);
enum { GUEST_CURSOR_SCENE = 3, GUEST_COMPAT_SCENE = 5, GUEST_NUM_SCENES = 6 };

/* Two of the scenes: strokes, texts, composites; what a driver sends after
 * QXL_IO_SET_MODE, in the layouts of the first QXL. */
void guest_push_shapes(struct guest *guest);
void guest_push_compat(struct guest *guest);

#endif /* GUEST_H */
