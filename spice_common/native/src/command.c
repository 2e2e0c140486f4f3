/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

#include <stdlib.h>

struct command_batch *
command_batch_new(void)
{
    return calloc(1, sizeof(struct command_batch));
}

void
command_batch_free(struct command_batch *batch)
{
    free(batch);
}
