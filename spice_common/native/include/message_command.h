/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * message_command.h: draw messages of the display channel (spice.proto, DisplayChannel)
 * from commands of a batch.
 */
#ifndef MESSAGE_COMMAND_H
#define MESSAGE_COMMAND_H

#include <stdint.h>

#include "command_batch.h"
#include "display_message.h"

/*
 * Append the message for draws[index] of a batch as it stands there: box and clip are
 * the command's own, images are raw or as compressed as they are (draw_message.h does
 * the same for a command that was clipped to its surface).  A source of self_bitmap
 * needs a surface and is refused.  0, or -1 and nothing appended.
 */
int32_t command_to_message(struct display_messages *messages,
                           const struct command_batch *batch, uint32_t index);

#endif /* MESSAGE_COMMAND_H */
