/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lz4_block.h"

#include <limits.h>
#include <lz4.h>

int64_t
lz4_block_pack(const uint8_t *src, uint64_t size, uint8_t *dst, uint64_t dst_size)
{
    if (size > LZ4_MAX_INPUT_SIZE || dst_size > INT_MAX) {
        return 0;
    }
    return LZ4_compress_default((const char *)src, (char *)dst, (int)size,
                                (int)dst_size);
}

int
lz4_block_unpack(const uint8_t *src, uint64_t size, uint8_t *dst, uint64_t dst_size)
{
    if (size > INT_MAX || dst_size > INT_MAX) {
        return -1;
    }
    int written = LZ4_decompress_safe((const char *)src, (char *)dst, (int)size,
                                      (int)dst_size);
    return written >= 0 && (uint64_t)written == dst_size ? 0 : -1;
}
