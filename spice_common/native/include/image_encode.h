/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * image_encode.h: a rectangle of pixels, or a guest's bitmap, as a SpiceImage.
 *
 * What is appended is the SpiceImage of spice.proto: the descriptor, then what its type
 * says.  Every mode has a fallback; whatever is as large as the pixels goes as BITMAP.
 */
#ifndef IMAGE_ENCODE_H
#define IMAGE_ENCODE_H

#include <stdint.h>

#include "display_message.h"
#include "pixels.h"

struct image_settings {
    uint32_t compression;  /* SPICE_IMAGE_COMPRESSION_* */
    uint32_t jpeg;         /* photos may be lossy */
    uint32_t jpeg_quality; /* 1 .. 100 */
    uint32_t zlib_glz;     /* deflate over GLZ where it is smaller */
    uint32_t lz4;          /* the client knows LZ4: what LZ4 mode falls back from */
};

/* What became of an image. */
struct encoded_info {
    uint32_t type; /* SPICE_IMAGE_TYPE_* */
    uint32_t lossy;
    uint64_t size;     /* bytes appended, the descriptor included */
    uint64_t raw_size; /* bytes of the pixels without padding */
};

enum {
    /* Rows and columns: what every client's decoders take. */
    MAX_ENCODE_SIDE = 32767,
};

struct image_encoder;
struct glz_dictionary; /* glz.h */

/* The memory of all codecs; used by one thread at a time.  NULL: no memory. */
struct image_encoder *image_encoder_new(void);
void image_encoder_free(struct image_encoder *encoder);

/*
 * Append pixels as an image to the last message of out, whose header's size stays the
 * caller's business.  pixels do not change meanwhile as far as the picture should be
 * right; if they do, the picture is wrong and nothing else.  dictionary may be NULL:
 * no GLZ.  descriptor_flags are SPICE_IMAGE_FLAGS_*.  info may be NULL.
 * 0, or -1 for no memory or bad arguments: nothing was appended.
 */
int image_encode(struct image_encoder *encoder, const struct image_settings *settings,
                 struct glz_dictionary *dictionary, const struct pixels *pixels,
                 uint64_t id, uint32_t descriptor_flags, struct display_messages *out,
                 struct encoded_info *info);

#endif /* IMAGE_ENCODE_H */
