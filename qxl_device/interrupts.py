"""QXLRam.int_pending and int_mask, and the interrupt line they make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spice_common.atomics import AtomicU32
from spice_protocol.qxl_dev import QXLRam

if TYPE_CHECKING:
    from collections.abc import Callable

    from spice_protocol.qxl_dev import QxlInterrupt

__all__ = ["Interrupts"]


class Interrupts:
    """Tells the guest of events.

    The guest takes int_pending with an exchange while we set bits in it, so setting
    is an atomic OR.
    """

    def __init__(
        self, ram_header: memoryview, raise_interrupt: Callable[[], None]
    ) -> None:
        """Use the words of *ram_header*; *raise_interrupt* reaches the guest."""
        self._pending = AtomicU32(ram_header, QXLRam.offset("int_pending"))
        self._mask = AtomicU32(ram_header, QXLRam.offset("int_mask"))
        self._raise_interrupt = raise_interrupt

    @property
    def mask(self) -> int:
        """QXLRam.int_mask at this moment: the events that the guest wants."""
        return self._mask.load()

    def send(self, events: QxlInterrupt) -> None:
        """Make *events* pending and interrupt the guest unless it masks all of them.

        Also when they were pending already: on message-signalled interrupts the
        earlier one may have met a closed mask.
        """
        self._pending.fetch_or(int(events))
        self.update()

    def update(self) -> None:
        """Interrupt again if something the guest wants is pending (UPDATE_IRQ)."""
        if self._pending.load() & self._mask.load():
            self._raise_interrupt()
