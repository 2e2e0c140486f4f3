/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The input is the guest's memory: rings, commands, images, surfaces. */
#include "exercise.h"
#include "fuzz.h"

size_t
fuzz_seed(uint32_t number, uint8_t *bytes)
{
    return exercise_seed(number, bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct guest guest;
    exercise(&guest, exercise_load(&guest, data, size));
    guest_destroy(&guest);
    return 0;
}
