"""The live header at the start of BAR2: what we tell the guest, what it tells us."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spice_common.atomics import AtomicU32
from vm_transport.ivshmem import header
from vm_transport.ivshmem.header import Feature, GuestStatus, QxlIvshmemHeader

if TYPE_CHECKING:
    from vm_transport.guest_memory import GuestMemory
    from vm_transport.ivshmem.layout import Layout

__all__ = ["SharedHeader"]


class SharedHeader:
    """Written by us, except for the guest's two fields; never read back otherwise."""

    def __init__(self, memory: GuestMemory, layout: Layout) -> None:
        """Use the start of *memory*, which *layout* describes; nothing is written."""
        self._view = memory.view
        self._layout = layout
        self._magic = self._word("magic")
        self._epoch = self._word("server_epoch")
        self._guest_features = self._word("guest_features")
        self._guest_status = self._word("guest_status")

    @property
    def driver_bound(self) -> bool:
        """Whether the guest says that a driver serves the displays; any thread."""
        return bool(self._guest_status.load() & GuestStatus.DRIVER)

    def clear_guest(self) -> None:
        """Forget what the guest said."""
        self._guest_features.store(0)
        self._guest_status.store(0)

    def write(
        self,
        *,
        epoch: int,
        peer_id: int,
        irq_base: int,
        features: Feature = Feature.IO_RING,
    ) -> None:
        """Write what the host says; the guest's fields keep their values.

        A running guest may look at any moment: the epoch changes before vectors and
        peer do, and magic comes last.
        """
        page = self._layout.header(features=features)
        page.vdi_irq_vector = irq_base + self._layout.vdi_irq
        page.server_epoch = epoch
        page.server_peer_id = peer_id
        self._epoch.store(epoch)
        for k, descriptor in enumerate(self._layout.descriptors(irq_base)):
            descriptor.pack_into(self._view, header.DESC_OFFSET + k * descriptor.SIZE)
        data = page.pack()
        first, guest, after = map(
            QxlIvshmemHeader.offset, ("version_major", "guest_features", "vdi_offset")
        )
        self._view[first:guest] = data[first:guest]
        self._view[after : len(data)] = data[after:]
        self._magic.store(header.MAGIC)

    def _word(self, field: str) -> AtomicU32:
        return AtomicU32(self._view, QxlIvshmemHeader.offset(field))
