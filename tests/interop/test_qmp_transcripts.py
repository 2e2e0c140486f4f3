"""Recorded sessions of QEMUs with SPICE, in front of QEMUs that have none.

The recordings of tests/vectors/qmp are played to the bridge, behind which a real QEMU of
the same version runs without its SPICE modules; spice-gtk is the client that comes and
goes.  Every reply must be the recorded line and every event must come, but for times,
ids, addresses, and the order of channels that a client opens at the same time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from qmp_bridge.input_events import QmpInputSink
from qmp_bridge.proxy import Bridge
from qxld.input_pipe import SwitchedPipe
from spice_server.config import ServerConfig, TlsConfig
from spice_server.server import Server
from tests.fakes.pki import write_pki
from tests.fakes.qmp_client import QmpClient
from tests.fakes.qmp_transcript import COMPILED, Section, Step, normalized, sections
from tests.fakes.spice_channels import SilentCursor, SilentDisplay
from tests.fakes.spice_control import FakeSpiceControl
from tests.peers import gtk_client
from tests.peers.gtk_client import GtkClient
from tests.peers.newer_qemu import newer_qemu
from tests.peers.plain_qemu import PlainQemu, Program, missing, without_spice
from vd_interfaces.control import SpiceInfo

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.interop,
    pytest.mark.skipif(bool(missing()), reason=missing()),
]

MACHINE = (
    *("-machine", "pc", "-m", "64", "-nodefaults", "-vga", "std"),
    *("-usb", "-device", "usb-tablet"),
)
CHANNELS = ("main", "display", "inputs", "cursor")
NO_CLIENT = pytest.mark.skipif(
    gtk_client.missing() is not None, reason=str(gtk_client.missing())
)


def program_of(version: str, folder: Path) -> Program:
    if version == "11.1":
        return Program([str(newer_qemu("plain"))])
    return without_spice(folder)


class Rig:
    """A SPICE server, the bridge, a QEMU without SPICE, and a monitor client."""

    def __init__(self, version: str, folder: Path, qemu: PlainQemu) -> None:
        self.version, self.folder, self.qemu = version, folder, qemu
        self.bridge: Bridge
        self.client: QmpClient
        self.server: Server
        self.sink: QmpInputSink
        self.events: list[str] = []

    async def connect(self, control) -> None:
        self.bridge = Bridge(
            self.folder / "qmp",
            self.folder / "bridge",
            control,
            compiled_version=COMPILED[self.version],
        )
        await self.bridge.start()
        path = self.folder / "bridge"
        self.client = await QmpClient.connect(path, negotiate=False)
        major = json.loads(self.client.greeting)["QMP"]["version"]["qemu"]["major"]
        if str(major) != self.version.partition(".")[0]:
            pytest.skip(f"this QEMU is no {self.version}")

    async def reply(self) -> str:
        """Return the next line that is no event; these are kept."""
        while (line := (await self.client.line()).decode()).startswith('{"timestamp"'):
            self.events.append(line)
        assert line, "the bridge hung up"
        return line

    async def play(self, step: Step) -> None:
        """Say what was said and compare what is heard with what was."""
        text = step.sent.replace("/run/x", str(self.folder)).encode() + b"\n"
        if step.with_fd:
            pair = socket.socketpair()
            socket.send_fds(self.client.socket, [text], [pair[0].fileno()])
            for end in pair:
                end.close()
        else:
            await self.client.send(text)
        for recorded in step.replies:
            heard = await self.reply()
            assert normalized(heard, str(self.folder)) == normalized(recorded), step

    async def play_all(self, steps: list[Step]) -> None:
        for step in steps:
            await self.play(step)

    async def until(self, kind: str, count: int) -> None:
        """Wait until *count* events of a kind came since the section began."""
        while sum(f'"{kind}"' in line for line in self.events) < count:
            line = (await self.client.line()).decode()
            assert line.startswith('{"timestamp"'), line
            self.events.append(line)

    async def find_tablet(self) -> None:
        """Let the server learn that the guest's pointer is absolute by now.

        A stock server says so when the first client asks, ours as soon as it knows.
        """
        changed = asyncio.Event()
        self.server.mouse_mode.on_change(changed.set)
        self.sink.start(asyncio.get_running_loop())
        await changed.wait()

    def check_events(self, section: Section) -> None:
        """Compare what came in a section, and in which order for each connection."""
        recorded = [line for step in section.steps for line in step.events]
        assert sorted(map(normalized, self.events)) == sorted(map(normalized, recorded))
        seen: dict[str, list[str]] = {}
        for line in self.events:
            event = json.loads(line)
            port = event["data"]["client"]["port"]
            seen.setdefault(port, []).append(event["event"].removeprefix("SPICE_"))
        for order in seen.values():
            assert order in (
                ["CONNECTED", "INITIALIZED", "DISCONNECTED"],
                ["CONNECTED", "DISCONNECTED"],
            )
        self.events.clear()


@contextlib.asynccontextmanager
async def rig_of(version: str, folder: Path):
    options = (*MACHINE, "-vnc", f"unix:{folder}/vnc")  # the recorded ones had one
    qemu = PlainQemu(folder / "qmp", options, program_of(version, folder))
    rig = Rig(version, folder, qemu)
    try:
        yield rig
    finally:
        if hasattr(rig, "client"):
            rig.client.close()
        if hasattr(rig, "bridge"):
            rig.bridge.stop()
        await asyncio.to_thread(qemu.close)


@contextlib.asynccontextmanager
async def spice_rig(version: str, folder: Path, **config):
    """Start everything, with a server that gives *config* to its clients."""
    async with rig_of(version, folder) as rig:
        pipe = SwitchedPipe()
        sink = QmpInputSink(pipe)
        server = rig.server = Server(ServerConfig(**config), sink)
        for channel in (SilentDisplay(), SilentCursor()):
            server.add_channel(channel)
        await server.start()
        try:
            await rig.connect(server.control)
            pipe.switch(rig.bridge.link.pipe())
            rig.sink = sink
            yield rig
            sink.stop()
            pipe.switch(None)
        finally:
            await server.stop()


@pytest_asyncio.fixture(params=["7.2", "11.1"])
async def version(request):
    return request.param


async def visit(rig: Rig, look: Callable[[], object] | None = None, **options) -> None:
    """Let a client open its channels and, when *look* has returned, leave."""
    client = await asyncio.to_thread(GtkClient, **options)
    try:
        await rig.until("SPICE_INITIALIZED", len(CHANNELS))
        if look is not None:
            await look()
    finally:
        await asyncio.to_thread(client.close)
    await rig.until("SPICE_DISCONNECTED", len(CHANNELS))


async def knock(rig: Rig, **options) -> None:
    """Let a client be refused."""
    client = await asyncio.to_thread(GtkClient, **options)
    try:
        await rig.until("SPICE_DISCONNECTED", 1)
    finally:
        await asyncio.to_thread(client.close)


async def relayed_visit(rig: Rig, section: Section, **options) -> None:
    """Let a client come by ``add_client``, as from libvirt's ``openGraphicsFD``."""
    loop = asyncio.get_running_loop()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    kind = "tls-port" if "ca-file" in options else "port"
    options = {"host": "127.0.0.1", kind: str(listener.getsockname()[1]), **options}
    client = await asyncio.to_thread(GtkClient, **options)
    steps = iter(section.steps)
    for getfd in steps:
        accepted, _address = await loop.sock_accept(listener)
        text = getfd.sent.encode() + b"\n"
        socket.send_fds(rig.client.socket, [text], [accepted.fileno()])
        accepted.close()
        assert await rig.reply() == getfd.replies[0] + "\r\n"
        await rig.play(next(steps))
    listener.close()
    await rig.until("SPICE_INITIALIZED", len(CHANNELS))
    await asyncio.to_thread(client.close)
    await rig.until("SPICE_DISCONNECTED", len(CHANNELS))


@NO_CLIENT
async def test_a_server_with_tickets(version, tmp_path):
    pki = write_pki(tmp_path / "pki")
    async with spice_rig(
        version, tmp_path, addr="127.0.0.1", port=0, tls_port=0,
        tls=TlsConfig.from_directory(pki),
    ) as rig:  # fmt: skip
        greeting, *rest = sections(version, "spice-active")
        assert normalized(rig.client.greeting.decode()) == normalized(
            greeting.steps[0].replies[0]
        )
        await rig.play_all(greeting.steps[1:])
        here = {"host": "127.0.0.1", "port": str(rig.server.control.port)}
        played = []
        for section in rest:
            played.append(section.title)
            steps = section.steps
            if section.title.startswith("client attached"):
                await rig.find_tablet()
                await rig.play(steps[0])
                await visit(
                    rig, lambda s=steps: rig.play_all(s[1:]), **here, password="first"
                )
            elif section.title.startswith("set_password connected=disconnect"):
                await visit(rig, lambda s=steps: rig.play(s[0]), **here, password="y")
                await rig.play(steps[1])
            elif section.title.startswith("expired ticket"):
                await rig.play(steps[0])
                await knock(rig, **here, password="z")
            elif section.title.startswith("after expire now"):
                await rig.play(steps[0])
                await knock(rig, **here, password="zz")
                await rig.play(steps[1])
                first = len(rig.events)
                del rig.events[:first], steps[0].events[:first]
                await visit(rig, **here, password="zz")
            elif section.title.startswith("add_client with"):
                await relayed_visit(rig, section, password="zz")
            elif section.title.startswith("add_client skipauth"):
                await relayed_visit(rig, section, password="not it")
            elif section.title.startswith("add_client tls"):
                await relayed_visit(
                    rig, section, password="zz",
                    **{"ca-file": str(pki / "ca-cert.pem"),
                       "cert-subject": "O=Test,CN=spice-test"},
                )  # fmt: skip
            else:
                await rig.play_all(steps)
            rig.check_events(section)
        assert len(played) == 15


@NO_CLIENT
async def test_a_unix_socket_without_tickets(version, tmp_path):
    path = tmp_path / "qs.sock"
    async with spice_rig(version, tmp_path, unix_path=path, ticketing=False) as rig:
        (section,) = sections(version, "spice-unix")[:1]
        negotiate, alone, hmp, *beside = section.steps[1:6]
        await rig.play_all([negotiate, alone, hmp])
        await visit(rig, lambda: rig.play_all(beside), **{"unix-path": str(path)})
        rig.events = [line.replace(str(tmp_path), "/run/x") for line in rig.events]
        recorded = [line for step in section.steps for line in step.events]
        assert sorted(map(normalized, rig.events)) == sorted(map(normalized, recorded))
        await rig.play_all(section.steps[6:])


async def test_a_server_that_is_off(version, tmp_path):
    """What the bridge says then is what a QEMU without ``-spice`` says."""
    control = FakeSpiceControl()
    control.info = SpiceInfo(enabled=False, migrated=False)
    async with rig_of(version, tmp_path) as rig:
        await rig.connect(control)
        for section in sections(version, "spice-absent"):
            await rig.play_all([step for step in section.steps if step.sent])
        assert not control.added
