"""A batch of commands out of the guest's command ring, parsed in one C call.

::

    batch = CommandBatch()
    while batch.drain(command_ring, slots):
        if batch.notify:
            raise_interrupt(QXL_INTERRUPT_DISPLAY)
        canvas.draw(batch)
        if release_ring.release(batch, slots):
            raise_interrupt(QXL_INTERRUPT_DISPLAY)

A command that breaks a rule is dropped and counted; it never raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spice_common._c import ffi, lib
from spice_common.ipc_ring import checked

if TYPE_CHECKING:
    from spice_common.borrowed import Borrowed
    from spice_common.ipc_ring import Consumer
    from spice_common.memslot import MemslotTable

__all__ = ["MAX_BATCH_COMMANDS", "CommandBatch", "error_names"]

MAX_BATCH_COMMANDS: int = lib.MAX_BATCH_COMMANDS
"""More than this a batch cannot hold."""


class CommandBatch:
    """Commands that left guest memory, until their resources are released.

    The pixels of images still lie in guest memory; a batch keeps that memory mapped,
    also when its slot is deleted meanwhile.
    """

    def __init__(self) -> None:
        """Make an empty batch.

        Raises:
            MemoryError: there is no memory for it.

        """
        batch = lib.command_batch_new()
        if not batch:
            raise MemoryError
        self.cdata: Any = ffi.gc(batch, lib.command_batch_free)
        """``struct command_batch *``, for the other wrappers of this package."""
        self.buffers: dict[int, Borrowed] = {}
        """What keeps the guest memory mapped that the batch points into."""
        self.notify = False
        """The guest waits for room in the ring: raise ``QXL_INTERRUPT_DISPLAY``."""
        self._notify: Any = ffi.new("int32_t *")

    def drain(
        self,
        ring: Consumer,
        slots: MemslotTable,
        *,
        max_commands: int = MAX_BATCH_COMMANDS,
        compat: bool = False,
    ) -> int:
        """Replace the content by up to *max_commands* commands from *ring*.

        Args:
            ring: the command ring (items of 16 bytes: QXLCommand).
            slots: where addresses lead.
            max_commands: take no more than that.
            compat: the guest set its mode by ``QXL_IO_SET_MODE``: its drawables have
                the layout of the first QXL (``QXLCompatDrawable``).

        Returns:
            How many commands were taken, good and bad (:attr:`num_entries` are good).
            0: the ring is empty and the guest has been asked to notify.

        Raises:
            RingBrokenError: the guest broke the ring's indexes; nothing was taken.
            RuntimeError: the former content was not released.

        """
        taken = lib.command_batch_drain(
            self.cdata,
            ring.cdata,
            slots.cdata,
            max_commands,
            lib.COMMAND_COMPAT if compat else 0,
            self._notify,
        )
        if taken == lib.BATCH_NOT_RELEASED:
            raise RuntimeError("a batch was drained again before it was released")
        self.buffers = slots.buffers
        self.notify = bool(self._notify[0])
        return checked(taken)

    def clear(self) -> None:
        """Forget the content; resources not released are not given back (reset)."""
        lib.command_batch_clear(self.cdata)
        self.buffers = {}

    @property
    def num_entries(self) -> int:
        """How many good commands there are, surface and update commands included."""
        count: int = self.cdata.num_entries
        return count

    @property
    def num_draws(self) -> int:
        """How many of them are drawables."""
        count: int = self.cdata.num_draws
        return count

    @property
    def messages(self) -> list[str]:
        """What the guest's driver logged (QXLMessage), as printable ASCII."""
        book = self.cdata.bookkeeping
        return [
            ffi.string(book.messages[index]).decode("ascii")  # type: ignore[union-attr]
            for index in range(book.num_messages)
        ]

    def take_errors(self) -> dict[str, int]:
        """Return how many commands were dropped since the last call, by reason."""
        return take_error_counts(self.cdata.bookkeeping.errors)


def error_names() -> list[str]:
    """Return the word for each ``enum command_error``, by number."""
    names: list[str] = []
    while pointer := lib.command_error_name(len(names)):
        names.append(ffi.string(pointer).decode("ascii"))  # type: ignore[union-attr]
    return names


# Asked for at every look at an empty cursor ring: do not build it anew.
_ERROR_NAMES = tuple(error_names())


def take_error_counts(counts: Any) -> dict[str, int]:  # noqa: ANN401 - cffi's
    """Return the counters of a C array that are not 0, by name, and set them to 0."""
    errors = {}
    for number, name in enumerate(_ERROR_NAMES):
        if counts[number]:
            errors[name] = counts[number]
            counts[number] = 0
    return errors
