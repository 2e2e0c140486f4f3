/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * encode_pool.h: several processors for work that came all at once.
 *
 * One pool for the process, made when first needed: a thread for each processor but the
 * caller's, which works, too.
 */
#ifndef ENCODE_POOL_H
#define ENCODE_POOL_H

#include <stdint.h>

enum {
    MAX_POOL_THREADS = 7,
};

/*
 * Call work(job) for each of count jobs, job_size bytes apart, from several threads;
 * returns when all is done.  Jobs share nothing that one of them changes.
 */
void encode_pool_run(void (*work)(void *job), void *jobs, uint32_t count,
                     uint64_t job_size);

/* Threads beside the caller's; 0: the caller does it all. */
uint32_t encode_pool_threads(void);

#endif /* ENCODE_POOL_H */
