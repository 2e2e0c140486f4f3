"""Plug the device into a running QEMU, and out of it, by its own monitor."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

from qmp_bridge.errors import CommandFailed, QemuError, QemuGone
from qmp_bridge.qemu_monitor import QemuMonitor
from qxld.errors import QxldError
from qxld.patience import told_after
from qxld.stale_handlers import clear_handlers
from vm_transport.errors import AttachError
from vm_transport.ivshmem.attach import hot_attach, hot_detach

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from qxld.compose import Daemon
    from vm_transport.ivshmem.attach import AttachOptions

__all__ = ["attach", "clear_away", "detach"]

DETACH_SECONDS = 15.0
"""How long the guest may take to let go; without a driver or in its firmware it never
does."""

_log = logging.getLogger(__name__)


class _AttachMonitor:
    """Our own monitor session in the shape that vm_transport wants."""

    def __init__(self, monitor: QemuMonitor) -> None:
        self._monitor = monitor
        self._waiting: list[tuple[str, Mapping[str, Any], asyncio.Future[None]]] = []
        monitor.on_event(self._event)

    async def execute(self, name: str, arguments: Mapping[str, Any]) -> object:
        return await self._monitor.execute(name, arguments)

    async def wait_event(self, name: str, data: Mapping[str, Any]) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((name, data, future))
        await future

    def _event(self, name: str, data: Mapping[str, object]) -> None:
        for wanted, details, future in self._waiting:
            if wanted == name and details.items() <= data.items() and not future.done():
                future.set_result(None)


async def clear_away(qmp: Path, options: AttachOptions) -> None:
    """Unplug what a qxld that was killed left in QEMU.

    Before a new one listens: QEMU looks for the old one every second, and takes a new
    one at the same path for it.

    Raises:
        QxldError: nobody speaks QMP at *qmp*, another qxld is at work, or the guest
            does not let go.

    """
    monitor = QemuMonitor()
    with told_after(
        f"waiting for QEMU's monitor {qmp}: another QMP client seems to be connected",
        level=logging.WARNING,
    ):
        try:
            await monitor.connect(qmp)
        except QemuGone as error:
            raise QxldError(f"{qmp}: {_reason(error)}") from error
    try:
        chardev = await _chardev(monitor, options.chardev_id)
        device = await _has_device(monitor, options.device_id)
        if chardev is not None and not chardev.startswith("disconnected:"):
            raise QxldError("this QEMU has a display of another qxld, which is at work")
        if device:
            _log.info("unplugging the display that an earlier qxld left in QEMU")
            await _unplug(monitor, options.device_id)
        if chardev is not None:
            await monitor.execute("chardev-remove", {"id": options.chardev_id})
        if device or chardev is not None:
            await clear_handlers(monitor)
    finally:
        await monitor.close()


def _reason(error: BaseException) -> str:
    """Return what is at the bottom of *error*."""
    while error.__cause__ is not None:
        error = error.__cause__
    match error:
        case FileNotFoundError():
            return "there is no such socket"
        case ConnectionRefusedError():
            return "no QEMU listens there"
        case OSError(strerror=str(text)):
            return text
        case _:
            return str(error)


async def _chardev(monitor: QemuMonitor, label: str) -> str | None:
    """Return what QEMU calls a chardev's file; ``None``: there is no such chardev."""
    reply = await monitor.execute("query-chardev")
    assert isinstance(reply, list)
    for chardev in reply:
        if chardev["label"] == label:
            return str(chardev["filename"])
    return None


async def _has_device(monitor: QemuMonitor, device_id: str) -> bool:
    reply = await monitor.execute("qom-list", {"path": "/machine/peripheral"})
    assert isinstance(reply, list)
    return any(item["name"] == device_id for item in reply)


async def _unplug(monitor: QemuMonitor, device_id: str) -> None:
    """Unplug a dead display; asked again, QEMU says it is at it already."""
    events = _AttachMonitor(monitor)
    deleted = asyncio.ensure_future(
        events.wait_event("DEVICE_DELETED", {"device": device_id})
    )
    try:
        with contextlib.suppress(CommandFailed):
            await monitor.execute("device_del", {"id": device_id})
        async with asyncio.timeout(DETACH_SECONDS):
            await deleted
    except TimeoutError:
        raise QxldError(
            "the guest does not let go of the display that an earlier qxld left; "
            "it does when its driver is unloaded or the guest is restarted"
        ) from None
    finally:
        deleted.cancel()


async def attach(daemon: Daemon) -> None:
    """Plug the display in.

    Raises:
        QxldError: QEMU refused; nothing was left behind.

    """
    monitor = _AttachMonitor(daemon.own_monitor)
    attached = asyncio.ensure_future(daemon.transport.wait_attached())
    try:
        await hot_attach(monitor, daemon.attach_options, attached)
    except AttachError as error:
        text = str(error)
        if "hotplug" in text and daemon.attach_options.bus is None:
            text += (
                "; give --bus, the id of a pcie-root-port that QEMU was started with"
            )
        raise QxldError(text) from error
    finally:
        attached.cancel()


async def _unplug_own(daemon: Daemon, monitor: _AttachMonitor) -> None:
    await hot_detach(monitor, daemon.attach_options)
    clearing = asyncio.ensure_future(clear_handlers(daemon.own_monitor))
    try:
        await asyncio.shield(clearing)
    finally:
        await clearing  # whoever is in a hurry: it takes milliseconds, and the VM lives


async def detach(daemon: Daemon) -> None:
    """Unplug the display; a guest that does not let go keeps a dead one."""
    monitor = _AttachMonitor(daemon.own_monitor)
    _log.info("unplugging the display")
    work = asyncio.ensure_future(_unplug_own(daemon, monitor))
    gone = asyncio.ensure_future(daemon.qemu_gone.wait())
    try:
        await asyncio.wait(
            {work, gone},
            timeout=DETACH_SECONDS,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if work.done():
            work.result()
        elif not gone.done():
            _log.warning(
                "the guest does not let go of the display and keeps a dead one; the "
                "next `qxld attach` tries again to unplug it"
            )
    except (AttachError, QemuError) as error:
        _log.warning("%s", error)
    finally:
        work.cancel()
        gone.cancel()
        await asyncio.gather(work, gone, return_exceptions=True)
