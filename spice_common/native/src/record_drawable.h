/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* record_drawable.h: a drawable of a batch as text. */
#ifndef RECORD_DRAWABLE_H
#define RECORD_DRAWABLE_H

#include "command_batch.h"
#include "record_text.h"

/* What follows the "event" line. */
void note_drawable(struct record_text *text, const struct command_batch *batch,
                   const struct draw_command *draw);

/* image: an index of the batch, or NO_IMAGE. */
void note_image(struct record_text *text, const struct command_batch *batch,
                uint32_t image);

#endif /* RECORD_DRAWABLE_H */
