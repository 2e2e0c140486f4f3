"""The I/O ports: which handler serves which, and what happens around it.

Legality by mode is :data:`qxl_device.mode.PORT_TABLE`; the handlers are
:class:`qxl_device.io_handlers.IoHandlers`.
"""

from __future__ import annotations

import logging
from types import MappingProxyType
from typing import TYPE_CHECKING

from qxl_device.errors import GuestBug, GuestError
from qxl_device.mode import PORT_TABLE, Mode, Verdict
from spice_protocol.qxl_dev import QxlInterrupt, QxlIo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from qxl_device.fault_log import FaultLog
    from qxl_device.guest_bug import GuestBugLatch
    from qxl_device.interrupts import Interrupts

__all__ = ["ASYNC_PORTS", "IoPorts"]

ASYNC_PORTS = frozenset(port for port in QxlIo if port.name.endswith("_ASYNC"))
"""Ports whose end is told by QXL_INTERRUPT_IO_CMD."""
_RESETTING_PORTS = frozenset({QxlIo.RESET, QxlIo.SET_MODE})


class IoPorts:
    """Carries out port writes; holds the mode.

    Every ``*_ASYNC`` port is answered by one QXL_INTERRUPT_IO_CMD, also when it is
    refused: a driver waits 5 seconds for each that is not.  Our worker finishes all
    work before it returns, so a second asynchronous port can meet a running one only
    if a handler is entered again; that is a guest bug as in QEMU.
    """

    def __init__(
        self,
        handlers: Mapping[QxlIo, Callable[[int], None]],
        interrupts: Interrupts,
        faults: FaultLog,
        bug: GuestBugLatch,
    ) -> None:
        """Serve ports with *handlers*; they take the value written.

        A handler raises GuestError if it did nothing.
        """
        self._handlers = MappingProxyType(dict(handlers))
        self._interrupts = interrupts
        self._faults = faults
        self._logger = logging.getLogger(__name__)
        self.mode = Mode.UNDEFINED
        """What QEMU calls the mode of the device."""
        self._bug = bug
        self._running: QxlIo | None = None

    def reset(self) -> None:
        """Forgive the guest and leave all modes."""
        self.mode = Mode.UNDEFINED
        self._bug.clear()
        self._running = None

    def write(self, port: int, value: int) -> bool:
        """Carry out what the guest wrote to a port; False if nothing was done."""
        try:
            io = QxlIo(port)
        except ValueError:
            if not self._bug.is_set:
                self._bug.set("QXL_IO out of range", f"port {port}")
            return False
        if self._bug.is_set and io is not QxlIo.RESET:
            done = False
        elif io in ASYNC_PORTS and self._running is not None:
            self._bug.set(
                f"QXL_IO_{io.name}", f"QXL_IO_{self._running.name} is still running"
            )
            return False  # the running one sends the one IO_CMD
        else:
            done = self._serve(io, value)
        if io in ASYNC_PORTS:
            self._interrupts.send(QxlInterrupt.IO_CMD)
        return done

    def _serve(self, io: QxlIo, value: int) -> bool:
        """Look the port up in the state table and act on what stands there."""
        cell = PORT_TABLE[self.mode, io]
        match cell:
            case Mode():
                return self._execute(io, value, cell)
            case Verdict.NOTHING_TO_DO:
                return True
            case Verdict.REFUSED:
                self._faults.record(f"QXL_IO_{io.name}", f"in {self.mode.value} mode")
                return False
            case Verdict.GUEST_BUG:
                self._bug.set(f"QXL_IO_{io.name}", f"in {self.mode.value} mode")
                return False

    def _execute(self, io: QxlIo, value: int, next_mode: Mode) -> bool:
        name = f"QXL_IO_{io.name}"
        running = self._running
        if io in ASYNC_PORTS:
            self._running = io
        try:
            self._handlers[io](value)
        except GuestBug as error:
            self._bug.set(name, str(error))
            return False
        except GuestError as error:
            self._faults.record(name, str(error))
            return False
        except Exception:
            # Our own fault, and maybe provoked: the guest's call must still return
            # and the worker must go on serving the others.
            self._logger.exception("%s with value %#x failed", name, value)
            return False
        finally:
            self._running = running
        if io in _RESETTING_PORTS:
            self.reset()
        self.mode = next_mode
        return True
