/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encode_pool.h"

#include <pthread.h>
#include <unistd.h>

/* One call of encode_pool_run; lives on its stack. */
struct round {
    void (*work)(void *job);
    uint8_t *jobs;
    uint64_t job_size;
    uint32_t count;
    uint32_t next; /* job to be taken */
    uint32_t unfinished;
    struct round *later; /* in the queue */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work_came = PTHREAD_COND_INITIALIZER;
static pthread_cond_t work_done = PTHREAD_COND_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct round *queue; /* rounds that have jobs to be taken */
static uint32_t num_threads;

static void
leave_queue(struct round *round)
{
    struct round **at = &queue;

    while (*at && *at != round)
        at = &(*at)->later;
    if (*at)
        *at = round->later;
}

/* Do one job of a round; the mutex is held before and after. */
static void
do_one(struct round *round)
{
    void *job = round->jobs + round->next++ * round->job_size;

    if (round->next == round->count)
        leave_queue(round);
    pthread_mutex_unlock(&mutex);
    round->work(job);
    pthread_mutex_lock(&mutex);
    if (--round->unfinished == 0)
        pthread_cond_broadcast(&work_done);
}

static void *
run_thread(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&mutex);
    for (;;) {
        while (!queue)
            pthread_cond_wait(&work_came, &mutex);
        do_one(queue);
    }
    return NULL;
}

/* A child of fork() has no threads: it does its work alone. */
static void
forget_threads(void)
{
    num_threads = 0;
    queue = NULL;
    pthread_mutex_init(&mutex, NULL);
}

static void
start_threads(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    pthread_t thread;

    pthread_atfork(NULL, NULL, forget_threads);
    while (num_threads < MAX_POOL_THREADS && (long)num_threads + 1 < processors &&
           pthread_create(&thread, NULL, run_thread, NULL) == 0) {
        pthread_detach(thread);
        num_threads++;
    }
}

uint32_t
encode_pool_threads(void)
{
    pthread_once(&once, start_threads);
    return num_threads;
}

void
encode_pool_run(void (*work)(void *job), void *jobs, uint32_t count, uint64_t job_size)
{
    struct round round = {work, jobs, job_size, count, 0, count, NULL};

    if (count == 0)
        return;
    pthread_once(&once, start_threads);
    pthread_mutex_lock(&mutex);
    round.later = queue;
    queue = &round;
    if (count > 1)
        pthread_cond_broadcast(&work_came);
    while (round.next < round.count)
        do_one(&round);
    while (round.unfinished)
        pthread_cond_wait(&work_done, &mutex);
    pthread_mutex_unlock(&mutex);
}
