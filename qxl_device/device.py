"""A QXL device: wires the parts and answers transport and display worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qxl_device.command_ring import CommandRing, CursorRing
from qxl_device.fault_log import FaultLog
from qxl_device.guest_bug import GuestBugLatch
from qxl_device.interrupts import Interrupts
from qxl_device.io_handlers import IoHandlers
from qxl_device.io_port import IoPorts
from qxl_device.memslot import Memslots
from qxl_device.mode import Mode
from qxl_device.monitors import MAX_HEADS
from qxl_device.parts import DeviceParts
from qxl_device.ram import Ram
from qxl_device.release_ring import ReleaseRing
from qxl_device.rom import Rom, RomParameters
from spice_protocol.qxl_dev import QxlInterrupt

if TYPE_CHECKING:
    import asyncio

    from spice_common.command_batch import CommandBatch
    from spice_common.cursor_command import CursorCommand
    from vd_interfaces.qxl import MonitorsConfig, QXLWorker
    from vm_transport.transport import DeviceTransport

__all__ = ["QXLDevice"]

ALL_INTERRUPTS = 0xFFFFFFFF


class QXLDevice:
    """One QXL display of a guest.

    It is the :class:`~vd_interfaces.qxl.QXLInterface` of a display worker and the
    :class:`~vm_transport.transport.TransportHandler` of a transport, and lives wholly
    in the worker's thread.
    """

    def __init__(
        self,
        transport: DeviceTransport,
        parameters: RomParameters | int = 0,
        *,
        heads: int = MAX_HEADS,
    ) -> None:
        """Build ROM and RAM in *transport*'s memory.

        Args:
            transport: reaches the guest; not started before :meth:`attach`.
            parameters: what the ROM says, or the display's number alone: the sizes
                then follow from the transport's windows.
            heads: monitors that there can be on it.

        Raises:
            WindowError: a window is too small.

        """
        memory = transport.memory
        if isinstance(parameters, int):
            parameters = RomParameters.for_ram(parameters, memory.ram.size)
        self._transport = transport
        ram = Ram(memory.ram, parameters.ram_header_offset)
        faults = FaultLog(parameters.display_id)
        interrupts = Interrupts(ram.header, transport.raise_interrupt)
        self._bug = GuestBugLatch(interrupts, faults)
        memslots = Memslots(memory)
        rings = (ram, memslots, interrupts, faults, self._bug)
        self._parts = DeviceParts(
            rom=Rom(memory.rom.view, parameters),
            ram=ram,
            memslots=memslots,
            interrupts=interrupts,
            faults=faults,
            commands=CommandRing(*rings),
            cursors=CursorRing(*rings),
            releases=ReleaseRing(ram, memslots, interrupts, self._bug),
            max_heads=heads,
        )
        handlers = IoHandlers(self._parts).table()
        self._ports = IoPorts(handlers, interrupts, faults, self._bug)
        self._parts.reset()

    @property
    def id(self) -> int:
        """Number of the display."""
        return self._parts.rom.parameters.display_id

    @property
    def mode(self) -> Mode:
        """Who draws."""
        return self._ports.mode

    @property
    def guest_bug(self) -> bool:
        """Whether the driver broke the rules and has not reset since."""
        return self._bug.is_set

    @property
    def parts(self) -> DeviceParts:
        """The parts, for statistics and tests."""
        return self._parts

    # ---- TransportHandler

    def notify(self) -> None:
        """Let the worker look at the rings."""
        self._parts.worker.wakeup()

    def io_write(self, port: int, value: int) -> bool:
        """Carry out an I/O request; False if it was illegal."""
        return self._ports.write(port, value)

    def guest_reset(self) -> None:
        """Become as new: the machine was reset and all memory reads as zero."""
        self._ports.reset()
        self._parts.reset()

    # ---- QXLInterface

    def attach(self, worker: QXLWorker, loop: asyncio.AbstractEventLoop) -> None:
        """Serve *worker*; it is told the primary surface and monitors there are."""
        self._parts.attached_worker = worker
        if self._parts.primary is not None:
            worker.create_primary_surface(self._parts.primary)
        if self._parts.monitors is not None:
            worker.monitors_config(self._parts.monitors)
        self._transport.start(loop, self)

    def detach(self) -> None:
        """Stop calling the worker; the guest's requests wait."""
        self._transport.stop()
        self._parts.attached_worker = None

    def get_commands(self, batch: CommandBatch) -> int:
        """Refill *batch* from the command ring."""
        if self._ports.mode is Mode.VGA:
            batch.clear()
            return 0
        compat = self._ports.mode is Mode.COMPAT
        return self._parts.commands.drain(batch, compat=compat)

    def release_commands(self, batch: CommandBatch) -> None:
        """Give the resources of *batch* back to the guest."""
        self._parts.releases.release(batch)

    def get_cursor_command(self) -> CursorCommand | None:
        """Take one cursor command."""
        if self._ports.mode is Mode.VGA:
            return None
        return self._parts.cursors.pop(self._parts.releases)

    def flush_resources(self) -> int:
        """Push the releases that are held back."""
        return self._parts.releases.flush()

    def set_client_capabilities(self, present: bool, capabilities: bytes) -> None:  # noqa: FBT001 - as spice-qxl.h
        """Tell the guest what all display clients can do."""
        rom = self._parts.rom
        rom.set_client_capabilities(present=present, capabilities=capabilities)
        self._parts.interrupts.send(QxlInterrupt.CLIENT)

    def client_monitors_config(self, config: MonitorsConfig | None) -> bool:
        """Ask the guest for a monitor layout; False if its driver cannot.

        A mask of all ones is an old Windows driver that knows nothing of this event.
        Heads beyond those that there can be are left out; what the guest has been
        asked for already is not asked for again.
        """
        mask = self._parts.interrupts.mask
        if mask == ALL_INTERRUPTS or not mask & QxlInterrupt.CLIENT_MONITORS_CONFIG:
            return False
        if config is not None:
            parts = self._parts
            heads = [head for head in config.heads if head.id < parts.max_heads]
            if heads and parts.rom.set_client_monitors_config(heads):
                parts.interrupts.send(QxlInterrupt.CLIENT_MONITORS_CONFIG)
        return True
