"""The border between a byte stream of the guest's and the channel that serves it.

A VDI port in shared memory and a character device of QEMU's look the same from here.
Everything happens in the main thread; names follow spice-char.h where it has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["GuestPort", "PortHandler"]


class PortHandler(Protocol):
    """Who serves a port; nothing here raises, whatever the guest sends."""

    def port_opened(self) -> None:
        """Somebody in the guest opened it; what comes is the start of a stream."""

    def port_closed(self) -> None:
        """Nobody in the guest holds it any more; a message cut off stays cut off."""

    def port_data(self, data: bytes) -> None:
        """Take what the guest wrote: any number of bytes, cut anywhere."""

    def port_writable(self) -> None:
        """Take it that more can be written, after ``write`` had said no."""


class GuestPort(Protocol):
    """A stream of bytes to and from the guest."""

    @property
    def name(self) -> str:
        """What the guest calls it: ``com.redhat.spice.0``."""

    @property
    def opened(self) -> bool:
        """Whether somebody in the guest holds it open."""

    def attach(self, handler: PortHandler | None) -> None:
        """Let *handler* serve it from now on; ``None``: nobody.

        If it is open the new handler is told so, soon after.
        """

    def write(self, data: ReadableBuffer) -> bool:
        """Give *data* to the guest, all of it and in order.

        Dropped while nobody holds the port open.  False: as much waits as should;
        the caller writes again after ``port_writable``.
        """

    def pause(self) -> None:
        """Take nothing from the guest, which then has to wait, until ``resume``."""

    def resume(self) -> None:
        """Take what the guest writes again."""
