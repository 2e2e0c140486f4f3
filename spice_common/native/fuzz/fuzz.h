/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fuzz.h: what a fuzz target gives to libFuzzer and to standalone.c. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Write good input number `number`; its size, 0 beyond the last.  For standalone.c. */
enum { FUZZ_MAX_SIZE = 65536 };
size_t fuzz_seed(uint32_t number, uint8_t *bytes);

#endif /* FUZZ_H */
