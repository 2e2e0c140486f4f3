"""A VDI port in shared memory: ``struct qxl_ivshmem_vdi`` of qxl_ivshmem.h.

That header is the contract and tells how the port works.  The structure takes its names
from the VDIPortRam of the old spice/vdi_dev.h, and its rings are ``SPICE_RING_DECLARE``
of spice/ipc_ring.h with bytes as elements.
"""

from __future__ import annotations

import enum
from typing import Annotated, Final

from spice_protocol.wire import Array, Bytes, WireStruct, u32

__all__ = [
    "VDI_PORT_MAGIC",
    "VDI_PORT_NAME",
    "VDI_PORT_RING_SIZE",
    "VDIPortInterrupt",
    "VDIPortRam",
    "VDIPortRing",
]

VDI_PORT_MAGIC: Final = 0x50494456
"""``VDIP`` in memory."""
VDI_PORT_RING_SIZE: Final = 64 << 10
"""Bytes that a ring holds, a power of two."""
VDI_PORT_NAME: Final = "com.redhat.spice.0"
"""What the agent's port is called on every carrier."""


class VDIPortInterrupt(enum.IntFlag):
    """Bits of ``int_pending`` and ``int_mask``."""

    PORT = 1 << 0


class VDIPortRing(WireStruct):
    """A ring of bytes."""

    num_items: u32
    prod: u32
    notify_on_prod: u32
    cons: u32
    notify_on_cons: u32
    items: Annotated[bytes, Bytes(VDI_PORT_RING_SIZE)]


class VDIPortRam(WireStruct):
    """All of a port."""

    magic: u32
    generation: u32
    int_pending: u32
    int_mask: u32
    guest_open: u32
    host_open: u32
    reserved: Annotated[tuple[int, ...], Array(u32, 10)]
    input: VDIPortRing
    output: VDIPortRing
