"""Plug ports into a running QEMU, and out of it, by its own monitor.

Ports that an earlier qxld left, or that QEMU was started with, are taken over as they
are: the guest does not notice.  A port needs a controller: one that the VM has is used,
else one is plugged into the PCI bus or, where that takes nothing, into a free
pcie-root-port.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from qmp_bridge.errors import CommandFailed, QemuError
from qxld.errors import QxldError
from qxld.qtree import look_at_devices

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qmp_bridge.qemu_monitor import QemuMonitor
    from qxld.ports import PortPlan, Ports
    from vm_transport.chardev.devices import Controller

__all__ = ["PortPlug"]

UNPLUG_SECONDS: Final = 5.0
"""How long a port may take to go; the guest is not asked, QEMU just does it."""

_SOCKET = re.compile(r"unix:(.*?),server")
"""The path in what query-chardev calls a socket's file name."""

_log = logging.getLogger(__name__)


class PortPlug:
    """The ports of one QEMU."""

    def __init__(self, ports: Ports, monitor: QemuMonitor) -> None:
        self._ports = ports
        self._monitor = monitor
        self._plugged: list[PortPlan] = []
        self._controllers: list[Controller] = []
        self._present: set[str] = set()
        self._deleted: dict[str, asyncio.Event] = {}
        monitor.on_event(self._event)

    async def plug_in(self) -> None:
        """Give QEMU all ports, and connect to them.

        An agent's port that was not asked for by name and cannot be had is left out.

        Raises:
            QxldError: QEMU refused one.
            QemuGone: QEMU went away.

        """
        if not self._ports.plans:
            return
        self._present = await self._peripherals()
        chardevs = await self._chardevs()
        tree = await look_at_devices(self._monitor)
        for plan in self._ports.plans:
            device = plan.device
            if device.id in self._present and device.chardev_id in chardevs:
                _log.info("taking over port %s", plan.name)
                self._ports.ports[device.id].path = chardevs[device.chardev_id]
                self._plugged.append(plan)
            elif tree.holder_of(plan.name) not in {None, device.id}:
                self._refused(plan, "QEMU has a port of that name already")
            else:
                try:
                    await self._add(plan, tree.bus_types)
                except CommandFailed as error:
                    self._refused(plan, str(error))
        await self._ports.connected(self._monitor, asyncio.get_running_loop())

    def _refused(self, plan: PortPlan, why: str) -> None:
        if plan.kind != "agent" or self._ports.agent_is_asked_for:
            if "hotplug" in why:
                why += (
                    "; start QEMU with a pcie-root-port to spare, or with "
                    f"-device {plan.device.controller.driver}"
                )
            raise QxldError(f"port {plan.name}: {why}")
        _log.warning("no virtio-serial port for the guest's agent: %s", why)

    async def unplug(self) -> None:
        """Take out what was plugged in; controllers go when the guest lets go."""
        self._ports.disconnected()
        for plan in reversed(self._plugged):
            try:
                await self._remove(plan)
            except CommandFailed as error:
                _log.warning("port %s stays in QEMU: %s", plan.name, error)
        for controller in reversed(self._controllers):
            with contextlib.suppress(CommandFailed):
                await self._execute("device_del", {"id": controller.id})
        self._plugged.clear()
        self._controllers.clear()

    # ---- one port

    async def _add(self, plan: PortPlan, bus_types: set[str]) -> None:
        """Add one port.

        Raises:
            CommandFailed: QEMU refused.

        """
        device = plan.device
        await self._execute("chardev-add", device.chardev())
        try:
            bus = await self._bus(device.controller, bus_types)
            try:
                await self._execute("device_add", device.device(bus))
            except CommandFailed:
                if bus is not None:
                    raise
                # What the VM has is full.
                bus = await self._bus(device.controller, set())
                await self._execute("device_add", device.device(bus))
        except CommandFailed:
            with contextlib.suppress(QemuError):
                await self._execute("chardev-remove", {"id": device.chardev_id})
            raise
        self._plugged.append(plan)

    async def _remove(self, plan: PortPlan) -> None:
        device = plan.device
        deleted = self._deleted.setdefault(device.id, asyncio.Event())
        deleted.clear()
        await self._execute("device_del", {"id": device.id})
        try:
            async with asyncio.timeout(UNPLUG_SECONDS):
                await deleted.wait()
        except TimeoutError:
            _log.warning("port %s stays in QEMU", plan.name)
            return
        if device.chardev_id in await self._chardevs():  # usb-redir removes its own
            await self._execute("chardev-remove", {"id": device.chardev_id})

    # ---- controllers

    async def _bus(self, controller: Controller, bus_types: set[str]) -> str | None:
        """Return the bus to plug into; ``None``: QEMU finds one.

        Raises:
            CommandFailed: there is none and none can be added.

        """
        if controller.id in self._present:
            return controller.bus
        if controller.parent is None and controller.bus_type in bus_types:
            return None
        if controller.parent is not None:
            places = [await self._bus(controller.parent, bus_types)]
        else:
            places = [None, *await self._free_root_ports()]
        await self._add_controller(controller, places)
        return controller.bus

    async def _add_controller(
        self, controller: Controller, places: list[str | None]
    ) -> None:
        """Plug a controller into the first of *places* that takes it.

        Raises:
            CommandFailed: none does; what QEMU said of the first one.

        """
        first: CommandFailed | None = None
        for place in places:
            try:
                await self._execute("device_add", controller.device(place))
            except CommandFailed as error:
                first = first or error
            else:
                self._present.add(controller.id)
                self._controllers.append(controller)
                return
        assert first is not None
        raise first

    async def _free_root_ports(self) -> list[str | None]:
        """Return ids of PCI bridges with nothing behind them."""
        reply = await self._execute("query-pci")
        assert isinstance(reply, list)
        return [
            device["qdev_id"]
            for bus in reply
            for device in bus["devices"]
            if device["qdev_id"]
            and "pci_bridge" in device
            and not device["pci_bridge"].get("devices")
        ]

    # ---- QEMU

    async def _peripherals(self) -> set[str]:
        reply = await self._execute("qom-list", {"path": "/machine/peripheral"})
        assert isinstance(reply, list)
        return {item["name"] for item in reply if item["type"].startswith("child<")}

    async def _chardevs(self) -> dict[str, Path]:
        """Return the paths of chardevs that listen, by label."""
        reply = await self._execute("query-chardev")
        assert isinstance(reply, list)
        matches = ((c["label"], _SOCKET.search(c["filename"])) for c in reply)
        return {label: Path(match[1]) for label, match in matches if match}

    async def _execute(
        self, name: str, arguments: Mapping[str, Any] | None = None
    ) -> object:
        return await self._monitor.execute(name, arguments)

    def _event(self, name: str, data: Mapping[str, object]) -> None:
        if name == "DEVICE_DELETED":
            deleted = self._deleted.get(str(data.get("device")))
            if deleted is not None:
                deleted.set()
