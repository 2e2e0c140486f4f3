"""QEMU as a child: the options it needs for qxld, its start and its end."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import signal
from typing import TYPE_CHECKING

from qxld.errors import QxldError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = [
    "TABLETS",
    "QemuProcess",
    "check_command",
    "display_arguments",
    "input_arguments",
    "monitor_arguments",
]

TABLETS = {
    "virtio": ["-device", "virtio-tablet-pci"],
    "usb": [
        "-device",
        "qemu-xhci,id=qxld-usb,p2=15,p3=15",
        "-device",
        "usb-tablet,bus=qxld-usb.0",
    ],
    "none": [],
}
"""Options by the kind of tablet."""

_SHOWS = {"-display", "-nographic", "-vnc", "-spice", "-curses", "-sdl", "-gtk"}
STOP_SECONDS = 20.0
"""How long QEMU may take to end before it is killed: it flushes disks meanwhile."""

_log = logging.getLogger(__name__)


def check_command(command: Sequence[str]) -> None:
    """Refuse a QEMU that would not stay where it can be watched.

    Raises:
        UsageError: *command* has such an option.

    """
    if {"-daemonize", "--daemonize"} & set(command):
        raise UsageError(
            "QEMU must not have -daemonize under `qxld run`, which ends when QEMU does; "
            "put qxld into the background instead, or use `serve` or `attach`"
        )


def monitor_arguments(socket: Path) -> list[str]:
    """Return options for a QMP monitor that qxld takes for itself."""
    path = str(socket).replace(",", ",,")
    chardev = f"socket,id=qxld-monitor,path={path},server=on,wait=off"
    return ["-chardev", chardev, "-mon", "chardev=qxld-monitor,mode=control"]


def input_arguments(tablet: str, command: Sequence[str] = ()) -> list[str]:
    """Return options for a device that takes absolute pointer positions.

    Nothing if the user's *command* has a tablet already.
    """
    if any("tablet" in word for word in command):
        return []
    return list(TABLETS[tablet])


def display_arguments(command: Sequence[str]) -> list[str]:
    """Return options that keep QEMU from showing another display of its own.

    What the user's *command* says about displays stays as it is.
    """
    words = {"-" + word.lstrip("-") for word in command if word.startswith("-")}
    extra = []
    if not words & _SHOWS:
        extra += ["-display", "none"]
    devices = [after for word, after in itertools.pairwise(command)
               if word == "-device"]  # fmt: skip
    if "-vga" not in words and not any(
        device.split(",")[0].startswith(("VGA", "virtio-vga", "qxl", "bochs", "cirrus"))
        for device in devices
    ):
        extra += ["-vga", "none"]
    return extra


class QemuProcess:
    """A QEMU that was started here."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._stopped = False

    @classmethod
    async def start(cls, command: Sequence[str]) -> QemuProcess:
        """Start *command*.

        Raises:
            QxldError: there is no such program, or it may not be run.

        """
        try:
            return cls(await asyncio.create_subprocess_exec(*command))
        except OSError as error:
            raise QxldError(f"cannot start {command[0]}: {error.strerror}") from error

    @property
    def pid(self) -> int:
        """QEMU's process id."""
        return self._process.pid

    async def wait(self) -> int:
        """Wait for its end; the exit code as a shell tells it."""
        code = await self._process.wait()
        if code < 0:
            name = signal.Signals(-code).name
            if not self._stopped:
                _log.error("QEMU was ended by %s", name)
            return 128 - code
        if code and not self._stopped:
            _log.error("QEMU ended with exit code %d", code)
        return code

    async def stop(self) -> None:
        """End QEMU: politely, and after STOP_SECONDS, or if cancelled, not."""
        if self._process.returncode is not None:
            return
        self._stopped = True
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._process.wait()
        except (TimeoutError, asyncio.CancelledError) as reason:
            _log.warning("QEMU does not end and is killed")
            self._signal(signal.SIGKILL)
            await self._process.wait()
            if isinstance(reason, asyncio.CancelledError):
                raise

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)
