/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guest_replay_samples.h"

#include <stddef.h>

#define FILE_START "SPICE_REPLAY 1\n"

#define EVENT(number, what, type)                                                      \
    "event " number " " what " " type " 340395823993" number "\n"

#define PRIMARY(number)                                                                \
    EVENT(number, "1", "20")                                                           \
    "4 2 -16 32\n0 1 0 0\nbinary 0 data 32:0123456789abcdef0123456789abcdef\n"

#define NO_CLIP "type 0\n"

#define DRAWABLE_ON(number, surface, clip, type)                                       \
    EVENT(number, "0", "1")                                                            \
    "drawable\nrect bbox 0 0 2 4\n" clip                                               \
    "effect 1\nmm_time 3404058\nself_bitmap 0\nrect self_bitmap_area 0 0 0 0\n"        \
    "surface_id " surface "\n"                                                         \
    "surfaces_dest -1\nrect surfaces_rects 0 0 0 0\n"                                  \
    "surfaces_dest -1\nrect surfaces_rects 0 0 0 0\n"                                  \
    "surfaces_dest -1\nrect surfaces_rects 0 0 0 0\n"                                  \
    "type " type "\n"

#define DRAWABLE(number, type) DRAWABLE_ON(number, "0", NO_CLIP, type)

#define DESCRIPTOR(type, width, height)                                                \
    "image 1\ndescriptor.id 8589934593\ndescriptor.type " type                         \
    "\ndescriptor.flags 1\ndescriptor.width " width "\ndescriptor.height " height "\n"

#define BITMAP_32(flags)                                                               \
    DESCRIPTOR("0", "2", "2")                                                          \
    "bitmap.format 8\nbitmap.flags " flags                                             \
    "\nbitmap.x 2\nbitmap.y 2\nbitmap.stride 8\nhas_palette 0\n"

#define CHUNKED                                                                        \
    BITMAP_32("4")                                                                     \
    "data_chunks 1 16\nbinary 0 bitmap.data 6:abcdef\n"                                \
    "binary 0 bitmap.data 10:ghijklmnop\n"

#define FLAT BITMAP_32("5") "binary 0 image_data_flat 16:abcdefghijklmnop\n"

#define PALETTED                                                                       \
    DESCRIPTOR("0", "4", "2")                                                          \
    "bitmap.format 5\nbitmap.flags 4\nbitmap.x 4\nbitmap.y 2\nbitmap.stride 4\n"       \
    "has_palette 1\nqp.num_ents 2\nunique 18446744073709551615\nents 255\n"            \
    "ents -16777216\ndata_chunks 0 8\nbinary 0 bitmap.data 8:\1\1\1\1\1\1\1\1\n"

#define MASK_BITMAP                                                                    \
    DESCRIPTOR("0", "4", "2")                                                          \
    "bitmap.format 2\nbitmap.flags 4\nbitmap.x 4\nbitmap.y 2\nbitmap.stride 4\n"       \
    "has_palette 0\ndata_chunks 0 8\nbinary 0 bitmap.data 8:abcdefgh\n"

#define OF_SURFACE DESCRIPTOR("104", "0", "0") "surface_image.surface_id 5\n"

#define QUIC                                                                           \
    DESCRIPTOR("1", "4", "4")                                                          \
    "quic.data_size 6\ndata_chunks 1 6\nbinary 0 quic.data 4:QUIC\n"                   \
    "binary 0 quic.data 2:ab\n"

#define SOLID "type 1\nu.color -1\n"
#define NO_BRUSH "type 0\n"
#define PATTERN "type 2\n" CHUNKED "point 1 -1\n"
#define NO_MASK "flags 0\npoint 0 0\nimage 0\n"
#define MASK "flags 1\npoint 0 0\n" MASK_BITMAP
#define SOURCE(image) image "rect src_area 0 0 2 2\n"
#define PUT "rop_descriptor 8\n"
#define SCALE "scale_mode 0\n"
#define MODES "fore_mode 8\nback_mode 8\n"

#define CREATE(number, id, format, flags, data)                                        \
    EVENT(number, "0", "5")                                                            \
    "surface_cmd\nsurface_id " id "\ntype 0\nflags " flags                             \
    "\nu.surface_create.format " format                                                \
    "\nu.surface_create.width 4\nu.surface_create.height 2\n"                          \
    "u.surface_create.stride -16\n" data
#define DESTROY(number, id)                                                            \
    EVENT(number, "0", "5") "surface_cmd\nsurface_id " id "\ntype 1\nflags 0\n"

#define FILL(number) DRAWABLE(number, "1") SOLID PUT NO_MASK

static const char *const samples[] = {
    FILE_START EVENT("0", "1", "22") EVENT("1", "1", "19") PRIMARY("2") FILL("3")
        EVENT("4", "1", "9"),

    /* every draw type, with every kind of image */
    FILE_START PRIMARY("0") CREATE("1", "5", "32", "0", "") DRAWABLE("2", "1")
        PATTERN PUT MASK DRAWABLE("3", "2") SOURCE(CHUNKED)
            SOLID PUT SCALE NO_MASK DRAWABLE("4", "3") SOURCE(FLAT)
                PUT SCALE NO_MASK DRAWABLE("5", "4") "point 1 1\n" DRAWABLE("6", "5")
                    SOURCE(PALETTED) PUT SCALE MASK DRAWABLE("7", "6")
                        NO_MASK DRAWABLE("8", "7") MASK DRAWABLE("9", "8") NO_MASK,
    FILE_START PRIMARY("0") CREATE("1", "5", "32", "0", "") DRAWABLE("2", "9")
        SOURCE(OF_SURFACE) SOLID "rop3 204\n" SCALE NO_MASK DRAWABLE("3", "12")
            SOURCE(CHUNKED) "src_color 1\ntrue_color -2\n" DRAWABLE(
                "4", "13") "alpha_flags 1\nalpha 128\n" SOURCE(CHUNKED)
                DRAWABLE("5", "3") SOURCE(QUIC) PUT SCALE NO_MASK DRAWABLE("6", "0"),
    FILE_START PRIMARY("0") DRAWABLE(
        "1",
        "10") "data_chunks 1 24\nbinary 0 path 12:\3\1\1\1\2\1\1\1abcd\n"
              "binary 0 path 12:efghijklmnop\n"
              "attr.flags 8\nattr.style_nseg 2\nbinary 0 style 8:abcdefgh\n" SOLID MODES
                  DRAWABLE("2",
                           "11") "data_size 21\nlength 1\nflags 1\ndata_chunks 0 21\n"
                                 "binary 0 string 21:abcdefghijklmnop\1\1\1\1q\n"
                                 "rect back_area 0 0 2 4\n" SOLID NO_BRUSH MODES,
    FILE_START PRIMARY("0") CREATE("1", "5", "96", "0", "") DRAWABLE(
        "2", "14") "flags 3\n" OF_SURFACE
                   "src_transform 1\nbinary 0 transform 24:abcdefghijklmnopqrstuvwx\n"
                   "mask 1\n" OF_SURFACE
                   "mask_transform 0\nsrc_origin 1 -1\nmask_origin 0 0\n" DRAWABLE(
                       "3", "14") "flags 3\n" OF_SURFACE
                                  "src_transform 0\nmask 0\nmask_transform "
                                  "0\nsrc_origin 0 0\nmask_origin 0 0\n",

    /* a clip whose rectangles straddle chunks */
    FILE_START PRIMARY("0") DRAWABLE_ON("1", "0",
                                        "type 1\nnum_rects 1\ndata_chunks 1 16\n"
                                        "binary 0 clip_rects 7:\1\1\1\1\1\1\1\n"
                                        "binary 0 clip_rects 9:\1\1\1\1\1\1\1\1\1\n",
                                        "1") SOLID PUT NO_MASK,

    /* surfaces: kept data, made again without an end, ended, and all of them */
    FILE_START PRIMARY("0") CREATE(
        "1", "5", "32", "1", "binary 0 data 32:0123456789abcdef0123456789abcdef\n")
        DRAWABLE_ON("2", "5", NO_CLIP, "1") SOLID PUT NO_MASK CREATE("3", "5", "96",
                                                                     "0", "")
            CREATE("4", "1023", "8", "0", "") DESTROY("5", "5") DESTROY("6", "7")
                EVENT("7", "1", "19") PRIMARY("8") PRIMARY("9") EVENT("10", "1", "21"),

    /* cursors, a message, an update; a primary surface that was refused */
    FILE_START EVENT("0", "1", "29") PRIMARY("1") EVENT(
        "2", "0",
        "3") "cursor_cmd\ntype 0\npoint16 -4 4\nu.set.visible 1\nheader.unique 7\n"
             "header.type 0\nheader.width 2\nheader.height 2\nheader.hot_spot_x 1\n"
             "header.hot_spot_y 1\ndata_size 16\ndata_chunks 1 16\n"
             "binary 0 cursor 8:abcdefgh\nbinary 0 cursor 8:ijklmnop\n" EVENT("3", "0", "3") "cursor_cmd\ntype 1\npoint16 32767 -32768\n" EVENT(
                 "4", "0",
                 "3") "cursor_cmd\ntype 2\n" EVENT("5", "0",
                                                   "3") "cursor_cmd\ntype "
                                                        "3\nu.trail.length "
                                                        "3\nu.trail.frequency "
                                                        "2\n" EVENT("6", "0",
                                                                    "4") "binary 0 "
                                                                         "message "
                                                                         "5:"
                                                                         "hello"
                                                                         "\n" EVENT("7",
                                                                                    "0",
                                                                                    "2") "update\nrect area 0 0 2 4\nupdate_id 3\nsurface_id 0\n" EVENT("8",
                                                                                                                                                        "0",
                                                                                                                                                        "7")
                                                                             EVENT(
                                                                                 "9",
                                                                                 "1",
                                                                                 "20"),

    FILE_START,
};

const char *
guest_replay_sample(uint32_t number)
{
    return number < sizeof(samples) / sizeof(samples[0]) ? samples[number] : NULL;
}
