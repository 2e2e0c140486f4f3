/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "quic_model.h"

#include <pthread.h>

#include "quic.h"

/* The low 6 bits of the format's pseudo-random numbers: gaps never need more. */
const uint8_t quic_gaps[256] = {
    2,  23, 19, 21, 7,  18, 40, 14, 12, 32, 47, 44, 36, 6,  18, 11, 4,  19, 42, 29,
    16, 63, 57, 51, 16, 3,  5,  14, 15, 30, 20, 9,  36, 45, 3,  57, 61, 0,  8,  5,
    41, 14, 43, 27, 43, 59, 31, 35, 39, 60, 42, 38, 13, 54, 62, 1,  26, 3,  11, 61,
    52, 34, 7,  48, 4,  59, 22, 12, 22, 8,  50, 4,  10, 6,  44, 8,  11, 46, 31, 51,
    53, 17, 1,  43, 46, 60, 36, 54, 10, 27, 39, 44, 22, 41, 23, 2,  44, 0,  40, 53,
    40, 48, 16, 43, 32, 28, 33, 12, 20, 2,  56, 62, 55, 58, 18, 20, 13, 55, 38, 29,
    57, 19, 49, 33, 47, 63, 59, 0,  35, 61, 19, 25, 46, 38, 60, 4,  35, 1,  26, 40,
    28, 10, 5,  14, 25, 18, 48, 49, 20, 59, 62, 34, 46, 7,  33, 52, 34, 58, 9,  29,
    8,  55, 62, 60, 37, 36, 37, 50, 6,  3,  10, 28, 48, 24, 26, 61, 57, 30, 11, 54,
    2,  6,  50, 47, 7,  17, 35, 53, 32, 12, 23, 17, 5,  21, 49, 55, 51, 45, 52, 27,
    39, 25, 39, 63, 22, 24, 42, 52, 56, 38, 41, 41, 56, 32, 13, 24, 26, 51, 27, 56,
    58, 37, 24, 42, 15, 28, 17, 30, 31, 15, 16, 23, 25, 54, 33, 34, 1,  29, 31, 50,
    53, 21, 49, 15, 47, 9,  0,  58, 37, 45, 30, 13, 9,  45, 63, 21,
};

const uint16_t quic_triggers[QUIC_GAP_STEPS] = {110, 550, 900, 800, 550, 400, 350};

const uint8_t quic_run_bits[QUIC_RUN_STATES] = {
    0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,  2,  3,  3,  3,  3,
    4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15,
};

const uint32_t quic_run_starts[QUIC_RUN_STATES] = {
    0,  1,  2,  3,   4,   6,   8,   10,  12,  16,  20,   24,   28,   36,   44,    52,
    60, 76, 92, 124, 156, 220, 284, 412, 540, 796, 1308, 2332, 4380, 8476, 16668, 33052,
};

uint8_t quic_run_reached[QUIC_RUN_REACH];

static struct quic_family families[2];
static pthread_once_t tables_made = PTHREAD_ONCE_INIT;

static uint32_t
bits_for(uint32_t values)
{
    uint32_t bits = 0;

    while ((1u << bits) < values)
        bits++;
    return bits;
}

static void
make_code(struct quic_family *family, uint32_t code)
{
    uint32_t values = 1u << family->depth, zeros = QUIC_MAX_CODE_LENGTH - family->depth;

    if (zeros > (values >> code) - 1)
        zeros = (values >> code) - 1;
    uint32_t base = zeros << code, bits = bits_for(values - base);
    family->escape_size[code] = (uint8_t)(zeros + bits);
    family->escape_base[code] = (uint8_t)base;
    family->escape_below[code] = 1ull << (64 - zeros);
    for (uint32_t residual = 0; residual < values; residual++) {
        uint32_t length = zeros + bits, word = residual - base;
        if (residual < base) {
            length = (residual >> code) + 1 + code;
            word = 1u << code | (residual & ((1u << code) - 1));
        }
        family->codes[residual][code] = (uint16_t)(word << 8 | length);
        family->lengths[residual][code] = (uint16_t)length;
    }
}

/* Buckets of 1, 2, 4, .. residuals; what is left at the end is the last one's. */
static void
make_buckets(struct quic_family *family)
{
    uint32_t values = 1u << family->depth, first = 0;

    for (uint32_t bucket = 0; bucket < family->depth; bucket++) {
        uint32_t size = bucket + 1 < family->depth ? 1u << bucket : values - first;
        family->bucket_first[bucket] = (uint8_t)first;
        family->bucket_size[bucket] = (uint8_t)size;
        memset(family->bucket + first, (int)bucket, size);
        first += size;
    }
}

static void
make_run_table(void)
{
    uint8_t state = 0;

    for (uint32_t pixels = 0; pixels < QUIC_RUN_REACH; pixels++) {
        while (quic_run_starts[state + 1] <= pixels)
            state++;
        quic_run_reached[pixels] = state;
    }
}

static void
make_tables(void)
{
    make_run_table();
    for (uint32_t i = 0; i < 2; i++) {
        struct quic_family *family = &families[i];
        family->depth = i == 0 ? 5 : 8;
        family->mask = (1u << family->depth) - 1;
        for (uint32_t code = 0; code < QUIC_CODES; code++) {
            if (code < family->depth)
                make_code(family, code);
            else
                family->no_code[code] = INT16_MAX;
        }
        make_buckets(family);
    }
}

const struct quic_family *
quic_family(uint32_t depth)
{
    pthread_once(&tables_made, make_tables);
    return &families[depth == 8];
}

uint32_t
quic_type_channels(uint32_t type)
{
    switch (type) {
    case QUIC_IMAGE_TYPE_GRAY:
        return 1;
    case QUIC_IMAGE_TYPE_RGB16:
    case QUIC_IMAGE_TYPE_RGB24:
    case QUIC_IMAGE_TYPE_RGB32:
        return 3;
    case QUIC_IMAGE_TYPE_RGBA:
        return 4;
    default:
        return 0;
    }
}

uint32_t
quic_type_depth(uint32_t type)
{
    return type == QUIC_IMAGE_TYPE_RGB16 ? 5 : 8;
}

uint32_t
quic_type_pixel_size(uint32_t type)
{
    switch (type) {
    case QUIC_IMAGE_TYPE_GRAY:
        return 1;
    case QUIC_IMAGE_TYPE_RGB16:
        return 2;
    case QUIC_IMAGE_TYPE_RGB24:
        return 3;
    case QUIC_IMAGE_TYPE_RGB32:
    case QUIC_IMAGE_TYPE_RGBA:
        return 4;
    default:
        return 0;
    }
}

void
quic_channel_reset(struct quic_channel *channel, const struct quic_family *family)
{
    for (uint32_t bucket = 0; bucket < QUIC_BUCKETS; bucket++)
        memcpy(channel->counters[bucket], family->no_code, sizeof(family->no_code));
    memset(channel->best, (int)family->depth - 1, sizeof(channel->best));
}

void
quic_pace_reset(struct quic_pace *pace)
{
    *pace = (struct quic_pace){0, 0xff, 0, QUIC_STEP_PIXELS, quic_triggers[0], 0};
}
