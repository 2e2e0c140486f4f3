/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A producer and a consumer that sleep until notified, as driver and device do.  A
 * lost notification would leave both asleep for ever. */
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>

#include "check.h"
#include "ring.h"

enum { ITEMS = 8, ROUNDS = 200000 };

static uint32_t memory[5 + ITEMS * 2];
static struct ring ring;
static sem_t to_consumer, to_producer;

static void *
produce(void *unused)
{
    (void)unused;
    for (uint64_t value = 0; value < ROUNDS;) {
        uint64_t values[3] = {value, value + 1, value + 2};
        uint32_t count = ROUNDS - value < 3 ? (uint32_t)(ROUNDS - value) : 3;
        int32_t notify;
        int32_t pushed = ring_push(&ring, (const uint8_t *)values, count, &notify);
        CHECK(pushed >= 0);
        value += (uint64_t)pushed;
        if (notify) {
            sem_post(&to_consumer);
        }
        if (pushed == 0 && ring_prod_wait(&ring) == 1) {
            sem_wait(&to_producer);
        }
    }
    return NULL;
}

static void *
consume(void *unused)
{
    (void)unused;
    uint64_t expected = 0;
    while (expected < ROUNDS) {
        uint64_t values[5];
        int32_t notify;
        int32_t popped = ring_pop(&ring, (uint8_t *)values, 5, &notify);
        CHECK(popped >= 0);
        for (int32_t i = 0; i < popped; i++) {
            CHECK(values[i] == expected++);
        }
        if (notify) {
            sem_post(&to_producer);
        }
        if (popped == 0 && ring_cons_wait(&ring) == 1) {
            sem_wait(&to_consumer);
        }
    }
    return NULL;
}

int
main(void)
{
    pthread_t producer, consumer;
    CHECK(ring_attach(&ring, (uint8_t *)memory, sizeof(memory), ITEMS, 8) == 0);
    ring_reset(&ring);
    CHECK(sem_init(&to_consumer, 0, 0) == 0 && sem_init(&to_producer, 0, 0) == 0);
    CHECK(pthread_create(&producer, NULL, produce, NULL) == 0);
    CHECK(pthread_create(&consumer, NULL, consume, NULL) == 0);
    CHECK(pthread_join(producer, NULL) == 0 && pthread_join(consumer, NULL) == 0);
    CHECK(ring_length(&ring) == 0);
    return 0;
}
