/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * message_command.h: draw messages of the display channel (spice.proto, DisplayChannel)
 * to and from commands of a batch.
 */
#ifndef MESSAGE_COMMAND_H
#define MESSAGE_COMMAND_H

#include <stdint.h>

#include "command_batch.h"
#include "display_message.h"

/*
 * Append to batch, as its next draw and entry, the command that the body of a server's
 * draw message is: message_type is SPICE_MSG_DISPLAY_COPY_BITS or _DRAW_*.  The body is
 * not trusted.  Images of all SPICE_IMAGE_TYPE_* are taken; their data are one chunk
 * that points into the body, which must stay as long as the batch is used.
 * command_batch_clear() empties the batch again.
 *
 * 0, or an enum command_error and nothing appended; COMMAND_BAD_TYPE: not a draw
 * message; COMMAND_TOO_BIG: MAX_BATCH_COMMANDS are in it already, or a bound is passed.
 */
int32_t message_to_command(const uint8_t *body, uint64_t size, uint32_t message_type,
                           struct command_batch *batch);

/*
 * Append the message for draws[index] of a batch as it stands there: box and clip are
 * the command's own, images are raw or as compressed as they are (draw_message.h does
 * the same for a command that was clipped to its surface).  A source of self_bitmap
 * needs a surface and is refused.  0, or -1 and nothing appended.
 */
int32_t command_to_message(struct display_messages *messages,
                           const struct command_batch *batch, uint32_t index);

#endif /* MESSAGE_COMMAND_H */
