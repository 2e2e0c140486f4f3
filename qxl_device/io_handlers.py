"""What each I/O port does, once it is known to be legal in the device's mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qxl_device.errors import GuestBug, GuestError
from qxl_device.monitors import limited, read_monitors_config
from qxl_device.primary import check_primary, compat_primary
from spice_protocol.qxl_dev import QxlIo
from vd_interfaces.qxl import Rect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from qxl_device.parts import DeviceParts

__all__ = ["IoHandlers"]


class IoHandlers:
    """One method per port; the argument is the value written.

    A method raises GuestError or GuestBug before it changed anything.
    """

    def __init__(self, parts: DeviceParts) -> None:
        """Work on *parts*; its worker is attached whenever a port is written."""
        self._parts = parts
        self._n_surfaces = parts.rom.parameters.n_surfaces

    def table(self) -> Mapping[QxlIo, Callable[[int], None]]:
        """Return the handler of every port.

        An ``*_ASYNC`` port does what its synchronous twin does: our worker has
        finished when it returns.
        """
        return {
            QxlIo.NOTIFY_CMD: self.notify,
            QxlIo.NOTIFY_CURSOR: self.notify,
            QxlIo.UPDATE_AREA: self.update_area,
            QxlIo.UPDATE_AREA_ASYNC: self.update_area,
            QxlIo.UPDATE_IRQ: self.update_irq,
            QxlIo.NOTIFY_OOM: self.notify_oom,
            QxlIo.RESET: self.reset,
            QxlIo.SET_MODE: self.set_mode,
            QxlIo.LOG: self.log,
            QxlIo.MEMSLOT_ADD: self.memslot_add,
            QxlIo.MEMSLOT_ADD_ASYNC: self.memslot_add,
            QxlIo.MEMSLOT_DEL: self.memslot_del,
            QxlIo.CREATE_PRIMARY: self.create_primary,
            QxlIo.CREATE_PRIMARY_ASYNC: self.create_primary,
            QxlIo.DESTROY_PRIMARY: self.destroy_primary,
            QxlIo.DESTROY_PRIMARY_ASYNC: self.destroy_primary,
            QxlIo.DESTROY_SURFACE_WAIT: self.destroy_surface,
            QxlIo.DESTROY_SURFACE_ASYNC: self.destroy_surface,
            QxlIo.DESTROY_ALL_SURFACES: self.destroy_all_surfaces,
            QxlIo.DESTROY_ALL_SURFACES_ASYNC: self.destroy_all_surfaces,
            QxlIo.FLUSH_SURFACES_ASYNC: self.flush_surfaces,
            QxlIo.FLUSH_RELEASE: self.flush_release,
            QxlIo.MONITORS_CONFIG_ASYNC: self.monitors_config,
        }

    def notify(self, _value: int) -> None:
        """Let the worker take commands (NOTIFY_CMD, NOTIFY_CURSOR)."""
        self._parts.worker.wakeup()

    def update_area(self, _value: int) -> None:
        """Bring an area of a surface up to date in guest memory."""
        surface_id, area = self._parts.ram.update_area()
        if surface_id >= self._n_surfaces:
            raise GuestBug(f"surface {surface_id} of {self._n_surfaces}")
        text = f"area {area.left}, {area.top} to {area.right}, {area.bottom}"
        if area.left == area.right or area.top == area.bottom:
            raise GuestError(f"{text} is empty")  # old drivers do that
        if not (0 <= area.left < area.right and 0 <= area.top < area.bottom):
            raise GuestBug(text)
        rect = Rect(area.top, area.left, area.bottom, area.right)
        self._parts.worker.update_area(surface_id, rect)

    def update_irq(self, _value: int) -> None:
        """Interrupt again if something is still pending."""
        self._parts.interrupts.update()

    def notify_oom(self, _value: int) -> None:
        """Give back what can be given back, unless the guest has yet to take some."""
        if self._parts.releases.has_unread():
            return
        self._parts.worker.oom()
        self._parts.releases.flush()

    def reset(self, _value: int) -> None:
        """Become as new."""
        self._parts.reset()

    def set_mode(self, number: int) -> None:
        """Reset, then show mode *number* of the ROM's table (qxl-1 drivers)."""
        parts = self._parts
        if number >= len(parts.rom.modes):
            raise GuestBug(f"mode {number} of {len(parts.rom.modes)}")
        surface0_size = parts.rom.parameters.surface0_size
        primary = compat_primary(
            parts.rom.modes[number], parts.ram.window, surface0_size
        )
        parts.reset()
        parts.show_primary(primary)
        parts.rom.set_mode(number)

    def log(self, _value: int) -> None:
        """Log what the driver wrote to QXLRam.log_buf."""
        self._parts.faults.guest_text("QXL_IO_LOG", self._parts.ram.log_text())

    def memslot_add(self, slot_id: int) -> None:
        """Add memory slot *slot_id* as QXLRam.mem_slot says."""
        slot = self._parts.ram.mem_slot()
        self._parts.memslots.add(slot_id, slot.mem_start, slot.mem_end)

    def memslot_del(self, slot_id: int) -> None:
        """Forget memory slot *slot_id*."""
        self._parts.releases.flush()  # a chain cannot grow once its end is gone
        self._parts.memslots.delete(slot_id)

    def create_primary(self, value: int) -> None:
        """Make the primary surface as QXLRam.create_surface says."""
        self._only_zero(value)
        create = self._parts.ram.create_surface()
        self._parts.show_primary(check_primary(create, self._parts.memslots))

    def destroy_primary(self, value: int) -> None:
        """Forget the primary surface and the cursor."""
        self._only_zero(value)
        self._parts.worker.destroy_primary_surface()
        self._parts.primary = None

    @staticmethod
    def _only_zero(value: int) -> None:
        """There is one primary surface: the value is reserved."""
        if value:
            raise GuestBug(f"value {value} instead of 0")

    def destroy_surface(self, surface_id: int) -> None:
        """Finish with a surface; the guest then reuses its memory."""
        if surface_id >= self._n_surfaces:
            raise GuestBug(f"surface {surface_id} of {self._n_surfaces}")
        if surface_id == 0:
            # The primary goes by DESTROY_PRIMARY only; to wait for it is legal.
            self._parts.worker.flush_surfaces()
            return
        self._parts.worker.destroy_surface(surface_id)

    def destroy_all_surfaces(self, _value: int) -> None:
        """Finish with every surface, the primary one too."""
        self._parts.worker.destroy_surfaces()
        self._parts.primary = None

    def flush_surfaces(self, _value: int) -> None:
        """Bring all surfaces up to date in guest memory (before a suspend)."""
        self._parts.worker.flush_surfaces()

    def flush_release(self, _value: int) -> None:
        """Push the releases that are held back."""
        self._parts.releases.flush()

    def monitors_config(self, _value: int) -> None:
        """Tell the worker how the heads lie (QXLRam.monitors_config)."""
        address = self._parts.ram.monitors_config()
        told = read_monitors_config(address, self._parts.memslots)
        config = limited(told, self._parts.max_heads)
        self._parts.monitors = config
        self._parts.worker.monitors_config(config)
