/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every job is done once, whoever calls from where, also in a child of fork(). */
#include "encode_pool.h"

#include <pthread.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum {
    CALLERS = 3,
    ROUNDS = 2000,
    MAX_JOBS = 20,
};

struct job {
    uint64_t seed, result;
    uint32_t done;
};

static void
work(void *opaque)
{
    struct job *job = opaque;
    uint64_t value = job->seed;

    for (uint32_t i = 0; i < job->seed % 300; i++)
        value = value * 6364136223846793005u + 1;
    job->result = value;
    job->done++;
}

static void
one_round(uint64_t seed)
{
    struct job jobs[MAX_JOBS] = {{0, 0, 0}};
    uint32_t count = (uint32_t)(seed % (MAX_JOBS + 1));

    for (uint32_t i = 0; i < count; i++)
        jobs[i].seed = seed * 31 + i;
    encode_pool_run(work, jobs, count, sizeof(jobs[0]));
    for (uint32_t i = 0; i < MAX_JOBS; i++) {
        struct job again = {jobs[i].seed, 0, 0};

        CHECK(jobs[i].done == (i < count));
        work(&again);
        CHECK(i >= count || jobs[i].result == again.result);
    }
}

static void *
call(void *opaque)
{
    uint64_t first = *(uint64_t *)opaque;

    for (uint64_t i = 0; i < ROUNDS; i++)
        one_round(first + i);
    return NULL;
}

static void
several_callers(void)
{
    pthread_t threads[CALLERS];
    uint64_t firsts[CALLERS];

    for (uint64_t i = 0; i < CALLERS; i++) {
        firsts[i] = i * 1000003;
        CHECK(pthread_create(&threads[i], NULL, call, &firsts[i]) == 0);
    }
    for (uint32_t i = 0; i < CALLERS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

static void
in_a_child(void)
{
    int status;
    pid_t child = fork();

    CHECK(child >= 0);
    if (child == 0) {
        for (uint64_t i = 0; i < 100; i++)
            one_round(i);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int
main(void)
{
    several_callers();
    in_a_child();
    one_round(7);
    return 0;
}
