"""What to tell QEMU: command-line options, and QMP commands for a running one.

Everything is data.  :func:`hot_attach` and :func:`hot_detach` put it in order; the
caller brings the monitor.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from vm_transport.errors import AttachError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping
    from pathlib import Path

__all__ = [
    "DEVICE_DRIVER",
    "AttachOptions",
    "Monitor",
    "QmpCommand",
    "attach_commands",
    "detach_commands",
    "hot_attach",
    "hot_detach",
    "qemu_arguments",
]

DEVICE_DRIVER: Final = "ivshmem-doorbell"
RECONNECT_S: Final = 1
"""How often QEMU looks for a qxld that went away."""
_RECONNECT_MS_SINCE: Final = (9, 2)
_CONNECTED_POLL_S: Final = 0.02
_CONNECTED_POLLS: Final = 500
"""Ten seconds of a main loop that does not turn."""


@dataclass(frozen=True, slots=True)
class AttachOptions:
    """How the device is named and where it connects."""

    path: Path
    """The server's socket."""
    vectors: int
    chardev_id: str = "qxld-ivshmem"
    device_id: str = "qxld0"
    bus: str | None = None
    """PCI bus to plug into; a q35 machine needs the id of a pcie-root-port."""
    master: bool = True
    """Let the VM migrate, memory included."""


@dataclass(frozen=True, slots=True)
class QmpCommand:
    """A QMP command, to be sent as it is."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


class Monitor(Protocol):
    """The caller's end of a QMP connection; both raise what they like."""

    def execute(self, name: str, arguments: Mapping[str, Any]) -> Awaitable[object]:
        """Execute a command and return what it returns."""

    def wait_event(self, name: str, data: Mapping[str, Any]) -> Awaitable[object]:
        """Wait for the next event *name* whose data has all that *data* has."""


def qemu_arguments(options: AttachOptions) -> list[str]:
    """Return command-line options; the server must listen when QEMU starts.

    Without ``reconnect``: with it QEMU 7.2 never gets past its start.
    """
    device = f"{DEVICE_DRIVER},id={options.device_id},chardev={options.chardev_id}"
    device += f",vectors={options.vectors}"
    device += ",master=on" if options.master else ""
    device += f",bus={options.bus}" if options.bus else ""
    # In QEMU's option strings a comma is doubled to stand for itself.
    path = str(options.path).replace(",", ",,")
    chardev = f"socket,id={options.chardev_id},path={path}"
    return ["-chardev", chardev, "-device", device]


def attach_commands(
    options: AttachOptions, qemu_version: tuple[int, int]
) -> tuple[QmpCommand, QmpCommand]:
    """Return ``chardev-add`` and ``device_add`` for a running QEMU of that version.

    ``query-chardev`` must show it connected between the two: it connects in the
    background, and ``device_add`` on one that is not connected hangs the VM.
    """
    data: dict[str, Any] = {
        "addr": {"type": "unix", "data": {"path": str(options.path)}},
        "server": False,
    }
    # QEMU 9.2 renamed the option and later versions do not know the old name.
    if qemu_version >= _RECONNECT_MS_SINCE:
        data["reconnect-ms"] = RECONNECT_S * 1000
    else:
        data["reconnect"] = RECONNECT_S
    backend = {"type": "socket", "data": data}
    device: dict[str, Any] = {
        "driver": DEVICE_DRIVER,
        "id": options.device_id,
        "chardev": options.chardev_id,
        "vectors": options.vectors,
        "master": "on" if options.master else "off",
    }
    if options.bus:
        device["bus"] = options.bus
    return (
        QmpCommand("chardev-add", {"id": options.chardev_id, "backend": backend}),
        QmpCommand("device_add", device),
    )


def detach_commands(options: AttachOptions) -> tuple[QmpCommand, QmpCommand]:
    """Return ``device_del`` and ``chardev-remove``.

    DEVICE_DELETED must have come between the two, which takes a guest that lets go.
    """
    return (
        QmpCommand("device_del", {"id": options.device_id}),
        QmpCommand("chardev-remove", {"id": options.chardev_id}),
    )


async def hot_attach(
    monitor: Monitor, options: AttachOptions, attached: Awaitable[None]
) -> None:
    """Plug the device into a running QEMU.

    *attached* completes when the server has sent its handshake.  The server's loop
    has to be free meanwhile: QEMU answers ``device_add`` only after reading it.
    Cancelling (a time limit of the caller's) tidies up too.

    Raises:
        AttachError: QEMU refused; nothing was left behind.

    """
    version = _version(await monitor.execute("query-version", {}))
    chardev_add, device_add = attach_commands(options, version)
    try:
        await monitor.execute(chardev_add.name, chardev_add.arguments)
    except Exception as error:
        raise AttachError(f"QEMU cannot connect to {options.path}: {error}") from error
    device_del, chardev_remove = detach_commands(options)
    tidying = [chardev_remove]
    try:
        await attached
        await _wait_connected(monitor, options)
        try:
            await monitor.execute(device_add.name, device_add.arguments)
        except asyncio.CancelledError:
            tidying.insert(0, device_del)  # QEMU adds it, though nobody waits for it
            raise
    except BaseException as error:
        for command in tidying:
            # The first error is what counts; these only tidy up.
            with contextlib.suppress(Exception):
                await monitor.execute(command.name, command.arguments)
        if isinstance(error, Exception):
            raise AttachError(f"QEMU refuses the device: {error}") from error
        raise


async def _wait_connected(monitor: Monitor, options: AttachOptions) -> None:
    """Return when QEMU knows that its chardev is connected.

    The server's accept comes earlier: a thread of QEMU connects, its main loop notices
    later, and until then a read from the chardev loops for ever.
    """
    for _ in range(_CONNECTED_POLLS):
        reply = await monitor.execute("query-chardev", {})
        assert isinstance(reply, list)
        for chardev in reply:
            if chardev["label"] == options.chardev_id and not chardev[
                "filename"
            ].startswith("disconnected:"):
                return
        await asyncio.sleep(_CONNECTED_POLL_S)
    raise AttachError(f"its chardev {options.chardev_id} does not get connected")


async def hot_detach(monitor: Monitor, options: AttachOptions) -> None:
    """Unplug the device and its connection; waits until the guest has let go.

    Raises:
        AttachError: QEMU refused.

    """
    device_del, chardev_remove = detach_commands(options)
    # Waiting begins before the command: the event may overtake its reply.
    deleted = asyncio.ensure_future(
        monitor.wait_event("DEVICE_DELETED", {"device": options.device_id})
    )
    try:
        await monitor.execute(device_del.name, device_del.arguments)
        await deleted
        await monitor.execute(chardev_remove.name, chardev_remove.arguments)
    except Exception as error:
        raise AttachError(f"QEMU does not let go of the device: {error}") from error
    finally:
        deleted.cancel()


def _version(reply: object) -> tuple[int, int]:
    """Return major and minor of a ``query-version`` reply."""
    match reply:
        case {"qemu": {"major": int(major), "minor": int(minor)}}:
            return major, minor
        case _:
            raise AttachError(f"query-version returned {reply!r}")
