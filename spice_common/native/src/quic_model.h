/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * quic_model.h: what QUIC's encoder and decoder know alike at each pixel.
 *
 * QUIC is SFALIC (R. Starosolski) for pictures in channels.  A channel's value is
 * predicted from the pixels at the left and above; the difference, folded so that small
 * ones of either sign are small numbers, is its residual.  A residual is written with
 * one of `depth` length-limited Golomb-Rice codes.  Which one: residuals fall into
 * buckets, and each bucket counts for every code how long the residuals that *followed*
 * one of the bucket's would have become; the code with the shortest sum is next.
 * Counting is dear, so the more pixels there were, the fewer are counted: pseudo-random
 * gaps of up to 0, 1, 3, 7, .. 63 pixels, one step further every 2048 pixels.
 *
 * Where the pixels at the left are alike, and those above are, too, the length of a run
 * of pixels like the left one is written instead, with an adaptive run-length code
 * (MELCODE).
 */
#ifndef QUIC_MODEL_H
#define QUIC_MODEL_H

#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
    QUIC_MAGIC = 0x43495551, /* "QUIC" */
    QUIC_VERSION = 0,        /* major 0, minor 0 */
    QUIC_CODES = 8,
    QUIC_BUCKETS = 8,
    QUIC_MAX_CODE_LENGTH = 26,
    QUIC_GAP_STEPS = 7,      /* gaps below 1, 2, 4, .. 64 pixels */
    QUIC_STEP_PIXELS = 2048, /* until the next step */
    QUIC_RUN_STATES = 32,
    QUIC_RUN_REACH =
        284, /* when the 23rd state is reached: 22 ones and 8 bits at most */
};

/* The codes of channels of one depth, 8 or 5 bits. */
struct quic_family {
    uint16_t codes[256][QUIC_CODES];   /* of a residual: bits << 8 | length */
    uint16_t lengths[256][QUIC_CODES]; /* of a residual in each code */
    uint8_t bucket[256];               /* of a residual */
    uint8_t bucket_first[QUIC_BUCKETS], bucket_size[QUIC_BUCKETS];
    /*
     * A code word begins with so many zeros and a one.  An escape begins with as many
     * zeros as only it has; the rest of escape_size bits is a residual too large for
     * the code, less escape_base.
     */
    uint8_t escape_size[QUIC_CODES], escape_base[QUIC_CODES];
    /* The next 64 bits are below this if an escape is next. */
    uint64_t escape_below[QUIC_CODES];
    uint16_t no_code[QUIC_CODES]; /* the largest counter where there is no such code */
    uint32_t depth, mask;
};

struct quic_channel {
    _Alignas(16) uint16_t counters[QUIC_BUCKETS][QUIC_CODES];
    uint8_t best[256]; /* the code that follows a residual */
};

/* When to count, and how runs are written: of channels that are coded together. */
struct quic_pace {
    uint32_t gap;       /* pixels to code before the next that is counted */
    uint32_t gap_index; /* in the pseudo-random gaps */
    uint32_t step, step_left;
    uint32_t trigger; /* counters are halved when the smallest is beyond */
    uint32_t run_state;
};

extern const uint8_t quic_gaps[256];
extern const uint16_t quic_triggers[QUIC_GAP_STEPS];
/*
 * A one says that the run goes on after 1 << quic_run_bits[state] pixels, and moves to
 * the next state; a zero and so many bits are what is left, and move to the state
 * before.
 */
extern const uint8_t quic_run_bits[QUIC_RUN_STATES];
/* Pixels that were passed when a state is reached from the first one. */
extern const uint32_t quic_run_starts[QUIC_RUN_STATES];
/* The last state that is reached by so many pixels. */
extern uint8_t quic_run_reached[QUIC_RUN_REACH];

/* The family of a depth of 5 or 8; made once. */
const struct quic_family *quic_family(uint32_t depth);

/* Channels and depth of an image type; 0 channels: no such type. */
uint32_t quic_type_channels(uint32_t type);
uint32_t quic_type_depth(uint32_t type);
uint32_t quic_type_pixel_size(uint32_t type);

void quic_channel_reset(struct quic_channel *channel, const struct quic_family *family);
void quic_pace_reset(struct quic_pace *pace);

/* How many of the next pixels of a row are in the same step. */
static inline uint32_t
quic_pace_segment(const struct quic_pace *pace, uint32_t pixels)
{
    if (pace->step == QUIC_GAP_STEPS - 1 || pixels < pace->step_left)
        return pixels;
    return pace->step_left;
}

/* So many pixels were coded or in runs. */
static inline void
quic_pace_advance(struct quic_pace *pace, uint32_t pixels)
{
    if (pace->step == QUIC_GAP_STEPS - 1)
        return;
    pace->step_left -= pixels;
    if (pace->step_left == 0) {
        pace->step_left = QUIC_STEP_PIXELS;
        pace->trigger = quic_triggers[++pace->step];
    }
}

static inline uint32_t
quic_pace_next_gap(struct quic_pace *pace)
{
    pace->gap_index = (pace->gap_index + 1) & 0xff;
    return quic_gaps[pace->gap_index] & ((1u << pace->step) - 1);
}

static inline void
quic_channel_prefer(struct quic_channel *channel, const struct quic_family *family,
                    uint32_t bucket, uint32_t code)
{
    memset(channel->best + family->bucket_first[bucket], (int)code,
           family->bucket_size[bucket]);
}

/*
 * Count residual, which came after `after`.  Of codes that are equally short the one
 * with the higher number is best.
 *
 * Each count adds 1 to 26 to each counter of a bucket, so none is ever more than 26
 * times another (and 26, by the rounding of halves): with a trigger of at most 900 all
 * stay below 26 * 926 + 26, so signed 16 bits do.
 */
static inline void
quic_channel_count(struct quic_channel *channel, const struct quic_family *family,
                   uint32_t after, uint32_t residual, uint32_t trigger)
{
    uint32_t bucket = family->bucket[after], best, shortest;
    uint16_t *counters = channel->counters[bucket];

#ifdef __SSE2__
    __m128i sums = _mm_adds_epi16(
        _mm_load_si128((const __m128i *)(const void *)counters),
        _mm_loadu_si128((const __m128i *)(const void *)family->lengths[residual]));
    __m128i low = _mm_min_epi16(sums, _mm_shuffle_epi32(sums, 0x4e));
    low = _mm_min_epi16(low, _mm_shuffle_epi32(low, 0xb1));
    low = _mm_min_epi16(low, _mm_shufflehi_epi16(_mm_shufflelo_epi16(low, 0xb1), 0xb1));
    shortest = (uint32_t)_mm_extract_epi16(low, 0);
    best = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi16(sums, low));
    best = (31 - (uint32_t)__builtin_clz(best)) / 2;
    if (shortest > trigger)
        sums = _mm_or_si128(
            _mm_srli_epi16(sums, 1),
            _mm_loadu_si128((const __m128i *)(const void *)family->no_code));
    _mm_store_si128((__m128i *)(void *)counters, sums);
#else
    best = 0;
    shortest = UINT32_MAX;
    for (uint32_t code = 0; code < family->depth; code++) {
        counters[code] = (uint16_t)(counters[code] + family->lengths[residual][code]);
        if (counters[code] <= shortest) {
            shortest = counters[code];
            best = code;
        }
    }
    for (uint32_t code = 0; code < family->depth && shortest > trigger; code++)
        counters[code] >>= 1;
#endif
    if (best != channel->best[after])
        quic_channel_prefer(channel, family, bucket, best);
}

#endif /* QUIC_MODEL_H */
