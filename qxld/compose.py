"""The composition root: the only place that knows concrete classes.

A :class:`Daemon` is one VM's display, SPICE server and monitor.  Its parts begin in
this order, and end in the reverse one::

    prepare()  shared memory, devices, workers; QEMU can be given the device
    listen()   SPICE clients can come; a port in use is told before QEMU starts
    connect()  QEMU's monitor; keys and pointer reach the guest

``disconnect`` and ``connect`` can follow each other as QEMUs come and go.
"""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING, Any

from qmp_bridge.errors import MonitorSocketError, QemuError, QemuGone
from qmp_bridge.input_events import QmpInputSink
from qmp_bridge.monitor_listener import listening_socket
from qmp_bridge.proxy import Bridge
from qmp_bridge.qemu_monitor import QemuMonitor
from qxl_device.device import QXLDevice
from qxld.graphics_devices import graphics_device_info, pci_path
from qxld.input_pipe import SwitchedPipe
from qxld.monitors import Monitors
from qxld.patience import told_after
from qxld.ports import Ports
from qxld.record import Recording
from qxld.runtime_dir import MAX_SOCKET_PATH, qemu_monitor_path
from qxld.screens import ScreenFiles
from qxld.settings import (
    MIB,
    attach_options,
    compression,
    layout,
    max_heads,
    server_config,
)
from spice_server.display.client_caches import ClientCaches
from spice_server.display.worker import DisplayWorker
from spice_server.server import Server
from vd_interfaces.control import ControlError
from vdiport.port import VdiPort
from vm_transport.ivshmem.server import IvshmemServer

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping
    from pathlib import Path

    from qxld.config import QxldConfig

__all__ = ["Daemon"]

CONNECT_INTERVAL = 0.05
"""Seconds between the first looks for QEMU's monitor."""
MAX_CONNECT_INTERVAL = 0.5
"""Seconds between looks for a QEMU that does not come."""

_log = logging.getLogger(__name__)


class Daemon:
    """One VM's display, server and monitor."""

    def __init__(self, config: QxldConfig, folder: Path) -> None:
        """Build everything; nothing is open to others yet.

        Args:
            config: all settings.
            folder: where sockets without a path of their own go.

        """
        self.qemu_monitor = config.monitor.qmp or qemu_monitor_path(folder)
        """QEMU's QMP socket."""
        self.monitor_path = config.monitor.listen or folder / "monitor.sock"
        self.attach_options = attach_options(config, folder)
        self._pipe = SwitchedPipe()
        self._sink = QmpInputSink(self._pipe)
        self.server = Server(server_config(config), self._sink)
        self.transport = IvshmemServer(
            self.attach_options.path,
            layout(config.device),
            vectors=config.device.vectors,
        )
        self.vdi_port = VdiPort(self.transport.vdi)
        """Where the guest's agent talks, if it came through shared memory."""
        self.ports = Ports(config.ports, folder)
        """The guest's byte streams."""
        self._recording = Recording(config.device.record)
        packing = compression(config)
        caches = ClientCaches(len(self.transport.displays))
        self._heads = heads = max_heads(config.device)
        self.workers = [
            DisplayWorker(
                self._recording.recorded(QXLDevice(display, number, heads=heads)),
                packing,
                caches,
            )
            for number, display in enumerate(self.transport.displays)
        ]
        self._monitors = Monitors(
            self.workers,
            self._sink,
            vram_size=config.device.vram_mib * MIB,
            resized=self._resized,
        )
        # One for all QEMUs: the server tells it of channel events for ever.
        self._bridge = Bridge(
            self.qemu_monitor,
            self.monitor_path,
            self.server.control,
            screens=ScreenFiles(self.workers, self.attach_options.device_id),
        )
        self._bridge.on_qemu_gone(self._on_qemu_gone)
        self._own: QemuMonitor | None = None
        self.qemu_gone = asyncio.Event()
        """Set when QEMU closed its monitor."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def prepare(self) -> None:
        """Start devices and workers, and wait for QEMU at the ivshmem socket.

        Raises:
            MonitorSocketError: our monitor socket could not be made later.
            PeerError, OSError: the ivshmem socket cannot be made.

        """
        # The bridge makes it when QEMU is there: too late to tell of a mistake.
        if len(os.fsencode(self.monitor_path)) > MAX_SOCKET_PATH:
            raise MonitorSocketError(f"{self.monitor_path}: too long for a unix socket")
        listening_socket(self.monitor_path, 0).close()
        self.monitor_path.unlink()
        loop = asyncio.get_running_loop()
        self._monitors.watch(loop)
        for worker in self.workers:
            worker.start()
            self.server.add_channel(worker.display)
            self.server.add_channel(worker.cursor)
        self.ports.add_to(self.server, self.vdi_port)
        self.server.mouse_mode.on_change(self._mouse_mode_changed)
        if self.vdi_port.attached:  # else guests are not offered it
            self.vdi_port.start(loop)
        await self.transport.start()

    async def connect(self, *, patient: bool) -> None:
        """Connect to QEMU's monitor and offer ours.

        If *patient*, for as long as it takes QEMU to come; otherwise it must be there.

        Raises:
            QemuError: it does not speak QMP, or is not there.
            MonitorSocketError: our own socket cannot be made.

        """
        self.qemu_gone.clear()
        pause = CONNECT_INTERVAL
        with told_after(f"still waiting for QEMU's monitor {self.qemu_monitor}"):
            while True:
                try:
                    await self._connect()
                except QemuGone:
                    await self.disconnect()
                    if not patient:
                        raise
                else:
                    return
                await asyncio.sleep(pause)
                pause = min(pause * 1.2, MAX_CONNECT_INTERVAL)

    async def _connect(self) -> None:
        await self._bridge.start()
        self._pipe.switch(self._bridge.link.pipe())
        self._sink.start(asyncio.get_running_loop())
        self._own = QemuMonitor()
        self._own.on_event(self._on_qemu_event)
        await self._own.connect(self._bridge.own_session())
        await self.ports.connected(self._own, asyncio.get_running_loop())

    async def listen(self) -> None:
        """Let SPICE clients in.

        Raises:
            OperatorError: an address or a certificate cannot be used.

        """
        await self.server.start()

    def reload_certificates(self) -> None:
        """Read certificates again for clients to come; log what is wrong with them."""
        try:
            self.server.control.reload_certificates()
        except ControlError as error:
            _log.error("%s", error)

    async def disconnect(self) -> None:
        """Leave QEMU's monitor."""
        self.ports.disconnected()
        self._sink.stop()
        self._pipe.switch(None)
        if self._own is not None:
            await self._own.close()
            self._own = None
        self._bridge.stop()

    async def stop(self) -> None:
        """End everything; QEMU goes on without us."""
        await self.disconnect()
        await self.server.stop()
        for task in self._tasks:
            task.cancel()
        for worker in self.workers:
            await asyncio.to_thread(worker.stop)
        await asyncio.to_thread(self._recording.close)
        self.vdi_port.stop()
        await self.transport.close()

    @property
    def own_monitor(self) -> QemuMonitor:
        """What qxld itself says to QEMU; between ``connect`` and ``disconnect``."""
        assert self._own is not None
        return self._own

    # ---- what parts tell each other through here

    def _resized(self) -> None:
        # A driver that can be asked for layouts has said so by the time it shows
        # something, and what is shown goes when the driver does.
        self._background("offering monitors", self._offer_monitors())
        self._background("naming graphics devices", self._name_graphics_devices())

    async def _offer_monitors(self) -> None:
        able = await self._monitors.can_be_asked()
        self.server.agent.set_display_agent(self._monitors.ask if able else None)

    async def _name_graphics_devices(self) -> None:
        """Let the guest's agent know which PCI device the monitors belong to."""
        if self._own is None or len(self.workers) > 1:
            return  # several displays are one device, of which agents know nothing
        try:
            buses = await self._own.execute("query-pci")
        except QemuError:
            return  # a machine without PCI, or QEMU is going
        path = pci_path(buses, self.attach_options.device_id)
        if path is not None:
            heads = [(0, number) for number in range(self._heads)]
            self.server.agent.set_graphics_devices(graphics_device_info(path, heads))

    def _mouse_mode_changed(self) -> None:
        for worker in self.workers:
            worker.set_client_mouse_mode(client=self.server.mouse_mode.is_client)

    def _on_qemu_gone(self, error: QemuError) -> None:
        del error  # the bridge has logged it
        self._pipe.switch(None)
        self.qemu_gone.set()

    def _on_qemu_event(self, name: str, data: Mapping[str, object]) -> None:
        """Follow the machine: only the monitor tells that it was reset."""
        self.ports.event(name, data)
        if name == "RESET":
            self._background("machine reset", self.transport.machine_reset())

    def _background(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("%s failed", task.get_name(), exc_info=error)
