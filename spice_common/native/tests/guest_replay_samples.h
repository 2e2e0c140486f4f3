/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* guest_replay_samples.h: small files, as spice-server writes them, of every event. */
#ifndef GUEST_REPLAY_SAMPLES_H
#define GUEST_REPLAY_SAMPLES_H

#include <stdint.h>

/* A file without NUL bytes; NULL beyond the last. */
const char *guest_replay_sample(uint32_t number);

#endif /* GUEST_REPLAY_SAMPLES_H */
