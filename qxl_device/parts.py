"""What a QXL device consists of, and what several ports do to all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qxl_device.monitors import MAX_HEADS

if TYPE_CHECKING:
    from qxl_device.command_ring import CommandRing, CursorRing
    from qxl_device.fault_log import FaultLog
    from qxl_device.interrupts import Interrupts
    from qxl_device.memslot import Memslots
    from qxl_device.ram import Ram
    from qxl_device.release_ring import ReleaseRing
    from qxl_device.rom import Rom
    from vd_interfaces.qxl import MonitorsConfig, PrimarySurface, QXLWorker

__all__ = ["DeviceParts"]


@dataclass(slots=True)
class DeviceParts:
    """The parts of one device and the state that outlives a single port write."""

    rom: Rom
    ram: Ram
    memslots: Memslots
    interrupts: Interrupts
    faults: FaultLog
    commands: CommandRing
    cursors: CursorRing
    releases: ReleaseRing
    attached_worker: QXLWorker | None = None
    primary: PrimarySurface | None = None
    """What the worker was told to show."""
    monitors: MonitorsConfig | None = None
    """What the driver told last."""
    max_heads: int = MAX_HEADS
    """Monitors that clients are told of, and that a driver is asked for."""

    @property
    def worker(self) -> QXLWorker:
        """The worker; ports are only served while there is one."""
        assert self.attached_worker is not None
        return self.attached_worker

    def show_primary(self, primary: PrimarySurface) -> None:
        """Let the worker show *primary*."""
        self.worker.create_primary_surface(primary)
        self.primary = primary

    def reset(self) -> None:
        """Forget all that the guest set up (``QXL_IO_RESET``, a machine reset).

        The worker lets go of guest memory first; what it took and has not given back
        belongs to a driver that is gone and is never released.
        """
        if self.attached_worker is not None:
            self.attached_worker.reset_cursor()
            self.attached_worker.reset_image_cache()
            self.attached_worker.destroy_surfaces()
        self.primary = self.monitors = None
        self.memslots.reset()
        self.rom.reset()
        self.ram.reset()
        self.releases.reset()
        self.interrupts.update()
