/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * record.h: what a guest draws, as the text of a "SPICE_REPLAY 1" file.
 *
 * Events are appended to a buffer, each whole or not at all; the owner takes the buffer
 * and writes it somewhere.  Functions return 0, or -1 if there is no room: images of a
 * guest can overlap, so that one ring of commands may be larger as text than all of the
 * guest's memory.  ns is a time of CLOCK_MONOTONIC.
 */
#ifndef RECORD_H
#define RECORD_H

#include <stdint.h>

struct command_batch;
struct cursor_command;

struct record;

/* RedWorkerMessage of spice-server: what a device asks its worker for. */
enum record_message_type {
    RECORD_UPDATE = 1,
    RECORD_OOM = 3,
    RECORD_START = 8,
    RECORD_STOP = 9,
    RECORD_DESTROY_SURFACES = 19,
    RECORD_CREATE_PRIMARY = 20,
    RECORD_DESTROY_PRIMARY = 21,
    RECORD_RESET_CURSOR = 22,
    RECORD_RESET_IMAGE_CACHE = 23,
    RECORD_DESTROY_SURFACE_WAIT = 24,
    RECORD_FLUSH_SURFACES = 32,
    RECORD_MONITORS_CONFIG = 35,
};

/* A primary surface with its picture: |stride| * height bytes. */
struct record_surface {
    uint32_t width, height;
    int32_t stride;
    uint32_t format, flags;
    const uint8_t *data;
    uint64_t size;
};

/* A record that begins a file, or NULL.  Never more than max_size bytes wait in it. */
struct record *record_new(uint64_t max_size);
void record_free(struct record *record);

/* The commands of a batch that were found good; pixels are read from guest memory. */
int32_t record_batch(struct record *record, const struct command_batch *batch,
                     uint64_t ns);
int32_t record_cursor(struct record *record, const struct cursor_command *command,
                      uint64_t ns);
int32_t record_message(struct record *record, uint32_t type, uint64_t ns);
int32_t record_create_primary(struct record *record,
                              const struct record_surface *surface, uint64_t ns);

/* Bytes that wait to be taken. */
uint64_t record_size(const struct record *record);

/* The bytes, for record_free_data(); NULL if there are none. */
uint8_t *record_take(struct record *record, uint64_t *size);
void record_free_data(uint8_t *data);

#endif /* RECORD_H */
