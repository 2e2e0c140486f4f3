/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * command.h: from the command ring to a command_batch.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdint.h>

#include "command_batch.h"
#include "memslot.h"
#include "ring.h"

/* An empty batch, or NULL. */
struct command_batch *command_batch_new(void);
void command_batch_free(struct command_batch *batch);

#endif /* COMMAND_H */
