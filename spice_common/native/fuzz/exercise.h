/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * exercise.h: everything the host does with a guest's memory, and what must hold then.
 */
#ifndef EXERCISE_H
#define EXERCISE_H

#include <stdint.h>

#include "guest.h"

enum exercise_options {
    EXERCISE_COMPAT = 1,        /* the guest set its mode in the old way */
    EXERCISE_REPLACE_SLOT = 2,  /* slots are replaced while a batch is held */
    EXERCISE_SINGLE = 4,        /* one command per batch */
    EXERCISE_SMALL_BUNCHES = 8, /* release one by one */
};

/*
 * Drain, check, draw, marshal, refresh and release what lies in the rings, and pop the
 * cursors.  Aborts if a batch holds anything that canvas and messages may not trust.
 */
void exercise(struct guest *guest, uint32_t options);

/* The good inputs: a guest's memory for each scene and option; see fuzz_seed(). */
size_t exercise_seed(uint32_t number, uint8_t *bytes);

/* A guest with the memory of a fuzz input; the options that follow it. */
uint32_t exercise_load(struct guest *guest, const uint8_t *data, size_t size);

#endif /* EXERCISE_H */
