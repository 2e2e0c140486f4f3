from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from vm_transport.errors import AttachError
from vm_transport.ivshmem.attach import (
    AttachOptions,
    attach_commands,
    hot_attach,
    hot_detach,
    qemu_arguments,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

OPTIONS = AttachOptions(Path("/run/qxld/ivshmem.sock"), vectors=32)


class FakeMonitor:
    """Answers commands from a table and writes down their names in *log*."""

    def __init__(self, log: list[str], *, fail: str = "") -> None:
        self.log = log
        self.fail = fail
        self.connects_after = 2
        self.commands: list[tuple[str, Mapping[str, Any]]] = []

    async def execute(self, name: str, arguments: Mapping[str, Any]) -> object:
        self.log.append(name)
        self.commands.append((name, arguments))
        await asyncio.sleep(0)
        if name == self.fail:
            raise RuntimeError(f"{name} went wrong")
        if name == "query-version":
            return {"qemu": {"major": 7, "minor": 2, "micro": 22}, "package": ""}
        if name == "query-chardev":
            self.connects_after -= 1
            state = "disconnected:" if self.connects_after >= 0 else ""
            return [
                {"label": "other", "filename": "disconnected:unix:/x"},
                {"label": "qxld-ivshmem", "filename": f"{state}unix:/run"},
            ]
        return {}

    async def wait_event(self, name: str, data: Mapping[str, Any]) -> object:
        self.log.append(f"waiting for {name} {data['device']}")
        return {}


async def happen(log: list[str]) -> None:
    log.append("attached")


def test_the_command_line_never_reconnects() -> None:
    assert qemu_arguments(OPTIONS) == [
        "-chardev",
        "socket,id=qxld-ivshmem,path=/run/qxld/ivshmem.sock",
        "-device",
        "ivshmem-doorbell,id=qxld0,chardev=qxld-ivshmem,vectors=32,master=on",
    ]


def test_commas_in_paths_are_doubled_and_the_bus_is_named() -> None:
    options = AttachOptions(Path("/a,b"), 8, bus="rp1", master=False)
    assert qemu_arguments(options) == [
        "-chardev",
        "socket,id=qxld-ivshmem,path=/a,,b",
        "-device",
        "ivshmem-doorbell,id=qxld0,chardev=qxld-ivshmem,vectors=8,bus=rp1",
    ]


@pytest.mark.parametrize(
    ("version", "option"),
    [
        ((7, 2), {"reconnect": 1}),
        ((9, 1), {"reconnect": 1}),
        ((9, 2), {"reconnect-ms": 1000}),
        ((11, 1), {"reconnect-ms": 1000}),
    ],
)
def test_qmp_commands_follow_the_version(
    version: tuple[int, int], option: dict[str, int]
) -> None:
    chardev_add, device_add = attach_commands(OPTIONS, version)
    assert chardev_add.name == "chardev-add"
    assert chardev_add.arguments == {
        "id": "qxld-ivshmem",
        "backend": {
            "type": "socket",
            "data": {
                "addr": {"type": "unix", "data": {"path": "/run/qxld/ivshmem.sock"}},
                "server": False,
                **option,
            },
        },
    }
    assert device_add.name == "device_add"
    assert device_add.arguments == {
        "driver": "ivshmem-doorbell",
        "id": "qxld0",
        "chardev": "qxld-ivshmem",
        "vectors": 32,
        "master": "on",
    }


def test_the_device_comes_after_the_handshake() -> None:
    log: list[str] = []
    asyncio.run(hot_attach(FakeMonitor(log), OPTIONS, happen(log)))
    assert log == [
        *("query-version", "chardev-add", "attached"),
        *["query-chardev"] * 3,
        "device_add",
    ]


def test_a_refused_device_leaves_no_chardev_behind() -> None:
    log: list[str] = []
    with pytest.raises(AttachError, match="refuses the device: device_add went"):
        asyncio.run(
            hot_attach(FakeMonitor(log, fail="device_add"), OPTIONS, happen(log))
        )
    # No device_del: one of that name may be another's, and why ours was refused.
    assert log[-2:] == ["device_add", "chardev-remove"]


def test_a_refused_chardev_is_said() -> None:
    log: list[str] = []
    attached = happen(log)
    monitor = FakeMonitor(log, fail="chardev-add")
    with pytest.raises(AttachError, match="cannot connect to /run/qxld"):
        asyncio.run(hot_attach(monitor, OPTIONS, attached))
    assert log == ["query-version", "chardev-add"]
    attached.close()


def test_giving_up_while_qemu_does_not_connect_tidies_up() -> None:
    log: list[str] = []

    async def attach() -> None:
        never = asyncio.Event()

        async def wait() -> None:
            await never.wait()

        task = asyncio.create_task(hot_attach(FakeMonitor(log), OPTIONS, wait()))
        # A few turns of the loop take it to where it waits.
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(attach())
    assert log == ["query-version", "chardev-add", "chardev-remove"]


def test_giving_up_while_qemu_adds_the_device_takes_it_out_again() -> None:
    log: list[str] = []
    asked = asyncio.Event()

    class Slow(FakeMonitor):
        async def execute(self, name: str, arguments: Mapping[str, Any]) -> object:
            reply = await super().execute(name, arguments)
            if name == "device_add":
                asked.set()
                await asyncio.Event().wait()
            return reply

    async def attach() -> None:
        task = asyncio.create_task(hot_attach(Slow(log), OPTIONS, happen(log)))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(attach())
    assert log[-3:] == ["device_add", "device_del", "chardev-remove"]


def test_a_version_that_is_none_is_refused() -> None:
    class Odd(FakeMonitor):
        async def execute(self, name: str, arguments: Mapping[str, Any]) -> object:
            return {"qemu": "new"}

    attached = happen([])
    with pytest.raises(AttachError, match="query-version returned"):
        asyncio.run(hot_attach(Odd([]), OPTIONS, attached))
    attached.close()


def test_detaching_waits_for_the_guest_before_the_chardev_goes() -> None:
    log: list[str] = []
    asyncio.run(hot_detach(FakeMonitor(log), OPTIONS))
    assert log[-1] == "chardev-remove"
    assert set(log[:-1]) == {"device_del", "waiting for DEVICE_DELETED qxld0"}


def test_a_refused_detach_is_said() -> None:
    with pytest.raises(AttachError, match="does not let go"):
        asyncio.run(hot_detach(FakeMonitor([], fail="device_del"), OPTIONS))


def test_a_chardev_that_never_connects_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("vm_transport.ivshmem.attach._CONNECTED_POLL_S", 0.0)
    log: list[str] = []
    monitor = FakeMonitor(log)
    monitor.connects_after = 10_000
    with pytest.raises(AttachError, match="does not get connected"):
        asyncio.run(hot_attach(monitor, OPTIONS, happen(log)))
    assert log[-1] == "chardev-remove"
    assert "device_add" not in log
