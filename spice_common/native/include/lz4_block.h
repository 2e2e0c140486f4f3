/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lz4_block.h: bare LZ4 blocks, as the COMPRESSED_DATA of usbredir, port and webdav
 * channels carries them.
 */
#ifndef LZ4_BLOCK_H
#define LZ4_BLOCK_H

#include <stdint.h>

/* Pack size bytes: the bytes written to dst, 0 if they are more than dst_size. */
int64_t lz4_block_pack(const uint8_t *src, uint64_t size, uint8_t *dst,
                       uint64_t dst_size);

/*
 * Unpack a block that holds exactly dst_size bytes: 0, or -1 if it is damaged or holds
 * another number of bytes.  Nothing beyond dst_size is ever written.
 */
int lz4_block_unpack(const uint8_t *src, uint64_t size, uint8_t *dst,
                     uint64_t dst_size);

#endif /* LZ4_BLOCK_H */
