"""Plug the device into a running QEMU, and out of it, by its own monitor."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from vm_transport.errors import AttachError
from vm_transport.ivshmem.attach import hot_attach, hot_detach

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qmp_bridge.qemu_monitor import QemuMonitor
    from qxld.compose import Daemon

__all__ = ["attach", "detach"]

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


async def attach(daemon: Daemon) -> None:
    """Plug the display in.

    Raises:
        AttachError: QEMU refused; nothing was left behind.

    """
    monitor = _AttachMonitor(daemon.own_monitor)
    attached = daemon.transport.wait_attached()
    await hot_attach(monitor, daemon.attach_options, attached)


async def detach(daemon: Daemon) -> None:
    """Unplug the display; a guest that does not let go keeps a dead one."""
    monitor = _AttachMonitor(daemon.own_monitor)
    try:
        async with asyncio.timeout(DETACH_SECONDS):
            await hot_detach(monitor, daemon.attach_options)
    except TimeoutError:
        _log.warning("the guest did not let go of the display; it is dead now")
    except AttachError as error:
        _log.warning("%s", error)
