/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* check_draw.h: what canvas and messages may rely on in a draw command. */
#ifndef CHECK_DRAW_H
#define CHECK_DRAW_H

#include "command_batch.h"

/* Abort unless every index is inside its array and every number inside its bound. */
void check_draw(const struct command_batch *batch, const struct draw_command *draw);

#endif /* CHECK_DRAW_H */
