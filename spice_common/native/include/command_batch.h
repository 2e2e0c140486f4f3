/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * command_batch.h: one batch of the command ring after it left guest memory.
 *
 * command.c fills it: every structure was fetched from guest memory once, checked and
 * bounded; what stands here is trusted.  canvas.c and display_message.c read it.  Only
 * pixel bytes still lie in guest memory (image_chunk.data): they may change at any
 * time, so whoever reads them reads each byte once and draws no conclusion from it
 * that a length, an index or a bound depends on.
 */
#ifndef COMMAND_BATCH_H
#define COMMAND_BATCH_H

#include <stdint.h>

enum {
    MAX_BATCH_COMMANDS = 64, /* twice QXL_COMMAND_RING_SIZE */
    MAX_IMAGE_SIDE = 32767,  /* rows and columns; what spice-server accepts too */
};

/* Same order as QXLRect and SpiceRect. */
struct draw_rect {
    int32_t top, left, bottom, right;
};

/* A contiguous piece of image data inside a guest memory slot. */
struct image_chunk {
    const uint8_t *data;
    uint32_t size;
};

/*
 * A QXLImage, whose kind is SPICE_IMAGE_TYPE_BITMAP, _QUIC or _SURFACE, nothing else;
 * or (message_command.h) a server's SpiceImage of any kind.
 */
struct guest_image {
    uint64_t id;
    uint32_t width, height; /* 1 .. MAX_IMAGE_SIDE; SURFACE: 0, as the surface knows */
    uint32_t stride;        /* BITMAP: bytes per row, at least a row of pixels */
    uint32_t surface_id;    /* SURFACE */
    uint64_t data_size;     /* sum of the chunks; BITMAP: at least stride * height */
    uint64_t palette_unique;
    uint32_t first_chunk, num_chunks; /* in command_batch.chunks */
    uint32_t first_color, num_colors; /* in command_batch.colors; 0 = no palette */
    uint8_t kind;
    uint8_t descriptor_flags; /* QXL_IMAGE_* */
    uint8_t format;           /* BITMAP: SPICE_BITMAP_FMT_* */
    uint8_t bitmap_flags;     /* BITMAP: QXL_BITMAP_TOP_DOWN, QXL_BITMAP_UNSTABLE */
    /* A server's images only. */
    uint8_t palette_flags; /* BITMAP, LZ_PLT: SPICE_BITMAP_FLAGS_PAL_*; with _FROM_CACHE
                              palette_unique names the palette and num_colors is 0 */
    uint32_t inner_size; /* ZLIB_GLZ_RGB: bytes of GLZ when unpacked; JPEG_ALPHA: bytes
                            of JPEG, behind which the alpha plane follows */
};

#define NO_IMAGE UINT32_MAX

struct draw_brush {
    uint32_t type; /* SPICE_BRUSH_TYPE_* */
    uint32_t color;
    uint32_t image; /* PATTERN: index in command_batch.images */
    int32_t pos_x, pos_y;
};

struct draw_mask {
    uint32_t image; /* index, or NO_IMAGE */
    int32_t pos_x, pos_y;
    uint8_t flags;
};

/* A point in FIXED28_4: sixteenths of a pixel. */
struct fixed_point {
    int32_t x, y;
};

/* One SpicePathSeg. */
struct path_segment {
    uint32_t first_point, num_points; /* in command_batch.points */
    uint8_t flags;                    /* SPICE_PATH_* */
};

/* STROKE: SpicePath and SpiceLineAttr. */
struct draw_path {
    uint32_t first_segment, num_segments; /* in command_batch.segments */
    uint32_t first_style, num_styles;     /* FIXED28_4, in command_batch.styles */
    uint8_t line_flags;                   /* SPICE_LINE_FLAGS_* */
};

/* One SpiceRasterGlyph; its rows, padded to bytes, lie in command_batch.glyph_bytes. */
struct draw_glyph {
    int32_t render_x, render_y;
    int32_t origin_x, origin_y;
    uint32_t width, height; /* 1 .. MAX_IMAGE_SIDE; guests' blanks are left out */
    uint32_t first_byte, num_bytes;
};

/* TEXT: SpiceString. */
struct draw_string {
    uint32_t first_glyph, num_glyphs; /* in command_batch.glyphs */
    uint8_t flags; /* exactly one SPICE_STRING_FLAGS_RASTER_*, _TOP_DOWN */
};

/* COMPOSITE: QXLComposite.  A transform is 2 x 3 numbers in FIXED16.16. */
struct draw_composite {
    uint32_t flags; /* SPICE_COMPOSITE_* */
    uint32_t mask;  /* index in command_batch.images, or NO_IMAGE */
    int32_t src_transform[6], mask_transform[6];
    uint8_t has_src_transform, has_mask_transform;
    int16_t src_origin_x, src_origin_y;
    int16_t mask_origin_x, mask_origin_y;
};

/* One QXLDrawable.  type says which members of the union-like tail are meant. */
struct draw_command {
    uint32_t surface_id;
    uint32_t mm_time;
    struct draw_rect bbox;
    uint32_t first_clip,
        num_clips;     /* in command_batch.clips; used if clip_type is RECTS */
    uint8_t clip_type; /* SPICE_CLIP_TYPE_* */
    uint8_t type;      /* QXL_DRAW_* */
    uint8_t effect;    /* QXL_EFFECT_* */
    uint8_t self_bitmap;
    struct draw_rect self_bitmap_area;
    int32_t surfaces_dest[3];
    struct draw_rect surfaces_rects[3];
    /* FILL, OPAQUE, COPY, BLEND, BLACKNESS, WHITENESS, INVERS, ROP3 ... */
    struct draw_brush brush;
    struct draw_mask mask;
    uint32_t image; /* COPY, OPAQUE, BLEND, ...: index, or NO_IMAGE */
    struct draw_rect src_area;
    uint16_t rop_descriptor;
    uint8_t scale_mode;
    int32_t src_x, src_y;           /* COPY_BITS */
    uint8_t rop3;                   /* ROP3 */
    uint8_t alpha;                  /* ALPHA_BLEND */
    uint16_t alpha_flags;           /* ALPHA_BLEND: SPICE_ALPHA_FLAGS_* */
    uint32_t src_color, true_color; /* TRANSPARENT */
    /* STROKE, TEXT and COMPOSITE only; otherwise not even initialised. */
    uint16_t fore_mode, back_mode; /* STROKE, TEXT: SPICE_ROPD_* */
    struct draw_path path;         /* STROKE; its brush is brush */
    struct draw_string string;     /* TEXT; its fore_brush is brush */
    struct draw_brush back_brush;  /* TEXT */
    struct draw_rect back_area;    /* TEXT; empty: none */
    struct draw_composite composite;
};

/* One QXLSurfaceCmd. */
struct surface_command {
    uint32_t surface_id;
    uint8_t type; /* QXL_SURFACE_CMD_CREATE or _DESTROY */
    uint32_t flags;
    uint32_t format, width, height;
    int32_t stride;
    uint8_t *data; /* CREATE: |stride| * height bytes inside a guest slot */
};

enum batch_kind {
    BATCH_DRAW = 1,    /* index into draws */
    BATCH_SURFACE = 2, /* index into surface_commands */
    BATCH_UPDATE = 3,  /* index into updates */
    BATCH_MESSAGE = 4, /* text of the guest's log, index into messages */
};

/* The commands in ring order; a rejected one has no entry, only a count in errors. */
struct batch_entry {
    enum batch_kind kind;
    uint32_t index;
};

/* One QXLUpdateCmd: "draw surface_id inside area". */
struct update_command {
    struct draw_rect area;
    uint32_t update_id;
    uint32_t surface_id;
};

struct command_batch {
    struct batch_entry entries[MAX_BATCH_COMMANDS];
    uint32_t num_entries;
    struct draw_command draws[MAX_BATCH_COMMANDS];
    uint32_t num_draws;
    struct surface_command surface_commands[MAX_BATCH_COMMANDS];
    uint32_t num_surface_commands;
    struct update_command updates[MAX_BATCH_COMMANDS];
    uint32_t num_updates;
    /* Growing arrays, bounded by command.c; they keep their capacity between batches.
     */
    struct guest_image *images;
    uint32_t num_images, cap_images;
    struct image_chunk *chunks;
    uint32_t num_chunks, cap_chunks;
    struct draw_rect *clips;
    uint32_t num_clips, cap_clips;
    uint32_t *colors;
    uint32_t num_colors, cap_colors;
    struct path_segment *segments;
    uint32_t num_segments, cap_segments;
    struct fixed_point *points;
    uint32_t num_points, cap_points;
    int32_t *styles;
    uint32_t num_styles, cap_styles;
    struct draw_glyph *glyphs;
    uint32_t num_glyphs, cap_glyphs;
    uint8_t *glyph_bytes;
    uint32_t num_glyph_bytes, cap_glyph_bytes;
    /* ... command.c keeps its own bookkeeping (releases, errors, messages) below this
     * line; canvas.c and display_message.c do not look at it. */
    struct command_bookkeeping *bookkeeping;
};

#endif /* COMMAND_BATCH_H */
