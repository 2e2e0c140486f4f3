"""The desktop guest with its agent, seen from both ends; whoever serves SPICE."""

from __future__ import annotations

import contextlib
import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.peers import machine
from tests.peers.gtk_client import GtkClient
from tests.peers.machine import Machine, SerialShell
from tests.peers.programs import eventually, free_port
from tests.peers.stock_desktop import StockDesktop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UTF8_TEXT, PNG = 1, 2
"""VD_AGENT_CLIPBOARD_UTF8_TEXT, VD_AGENT_CLIPBOARD_IMAGE_PNG."""
TARGETS = {UTF8_TEXT: "UTF8_STRING", PNG: "image/png"}
SELECTIONS = ("clipboard", "primary")
"""VD_AGENT_CLIPBOARD_SELECTION_*, by xclip's names."""
SERVER_MODE, CLIENT_MODE = 1, 2
DOWNLOADS = "/root/Downloads"
"""Where the guest's agent puts files."""


@dataclass
class AgentGuest:
    """A desktop guest that is up and that anybody may connect to."""

    carrier: str
    """What carries the agent: ``virtio``, ``ivshmem``, or ``stock``: QEMU's own."""
    port: int
    shell: SerialShell

    def client(self, **options: object) -> GtkClient:
        """Connect a client."""
        return GtkClient(host="127.0.0.1", port=str(self.port), **options)

    def copy(self, selection: int, kind: int, path: str) -> None:
        """Let an X client of the guest own a selection with the content of *path*."""
        name = SELECTIONS[selection]
        self.shell.run(
            f"xclip -selection {name} -t {TARGETS[kind]} -i {path} >/dev/null 2>&1"
        )

    def paste(self, selection: int, kind: int, path: str = "/tmp/pasted") -> str:
        """Let an X client of the guest read a selection into *path*; its SHA-256."""
        name = SELECTIONS[selection]
        self.shell.run(
            f"timeout 120 xclip -selection {name} -t {TARGETS[kind]} -o >{path}"
            " 2>/dev/null || true"
        )
        return self.hash_of(path)

    def hash_of(self, path: str) -> str:
        """SHA-256 of a file in the guest."""
        return self.shell.run(f"sha256sum <'{path}'").split()[0]

    def names(self) -> list[str]:
        """What lies where the agent puts files, whole or not."""
        return self.shell.run(f"ls {DOWNLOADS}").split()

    def downloads(self) -> dict[str, str]:
        """Names and hashes of what the agent has taken."""
        text = self.shell.run(f"cd {DOWNLOADS}; sha256sum * 2>/dev/null || true")
        return {
            name: digest for digest, name in re.findall(r"(\w{64})  ([^\n]+)\n", text)
        }

    def pointer(self) -> tuple[int, int]:
        """Where X has its pointer."""
        told = self.shell.run("xdotool getmouselocation")
        place = dict(word.split(":") for word in told.split())
        return int(place["x"]), int(place["y"])

    def agent(self, verb: str) -> None:
        """Start, stop or restart the agent's daemon."""
        units = {
            "start": "spice-vdagentd.socket",
            "stop": "spice-vdagentd.socket spice-vdagentd.service",
            "restart": "spice-vdagentd.service",
        }
        self.shell.run(f"systemctl reset-failed; systemctl {verb} {units[verb]}")

    def kill_agent(self) -> None:
        """Kill both halves of the agent, which come back by themselves.

        The half in the session does not always survive that its daemon alone is killed
        while a file is copied (spice-vdagent 0.22.1 reads freed memory then).
        """
        self.shell.run(
            "systemctl reset-failed; killall -9 spice-vdagentd spice-vdagent"
        )

    def clear(self) -> None:
        """Remove what tests leave behind."""
        self.shell.run(
            f"rm -rf {DOWNLOADS}/* /tmp/pasted /tmp/copied; killall -q xclip || true"
        )


def offer_until_pasted(
    guest: AgentGuest, client: GtkClient, selection: int, kind: int, path: Path
) -> str:
    """Copy in the client and paste in the guest; the hash of what came.

    X refuses the agent's very first grab now and then, which the agent only logs: so
    it is copied again until there is something.
    """
    seen = {}

    def pasted() -> bool:
        client.send("clipboard-offer", selection, kind, str(path))
        seen["hash"] = guest.paste(selection, kind)
        return guest.shell.run("test -s /tmp/pasted && echo yes || true") != ""

    eventually("something can be pasted", pasted)
    return seen["hash"]


def copy_until_grabbed(
    guest: AgentGuest, client: GtkClient, selection: int, kind: int, path: str
) -> None:
    """Copy *path* in the guest until the client is told.

    An agent that has just started may not watch X yet.
    """

    def grabs() -> int:
        client.seen("clipboard-grab")
        return sum(
            event["ev"] == "clipboard-grab"
            and event["selection"] == selection
            and kind in event["types"]
            for event in client.events
        )

    before = grabs()
    looks = itertools.count()

    def grabbed() -> bool:
        if next(looks) % 20 == 0:
            guest.copy(selection, kind, path)
        return grabs() > before

    eventually("the client is told of a copy", grabbed)


def fetch(client: GtkClient, selection: int, kind: int, path: Path) -> bytes:
    """Paste in the client what the guest has copied.

    The agent answers with nothing while the selection changes hands.
    """
    while True:
        client.send("clipboard-fetch", selection, kind, str(path))
        told = client.wait("clipboard", selection=selection)
        if told["type"] == kind:
            data = path.read_bytes()
            assert told["size"] == len(data)
            return data


def _without(arguments: list[str], device: str) -> list[str]:
    """Take ``-device`` *device* out."""
    place = arguments.index(device)
    return arguments[: place - 1] + arguments[place + 1 :]


@contextlib.contextmanager
def running(
    carrier: str, folder: Path, *, policies: bool = False
) -> Iterator[AgentGuest]:
    """Boot the desktop guest without a tablet.

    With *policies* nothing is allowed that an operator can forbid.
    """
    recipe = machine.image("desktop")
    recipe["qemu_args"] = _without(recipe["qemu_args"], "virtio-tablet-pci")
    port = free_port()
    start = _stock if carrier == "stock" else _qxld
    with start(carrier, folder, recipe, port, policies) as shell:
        yield AgentGuest(carrier, port, shell)
        shell.close()


@contextlib.contextmanager
def _stock(
    _carrier: str, folder: Path, recipe: dict, port: int, policies: bool
) -> Iterator[SerialShell]:
    options = ["disable-copy-paste=on", "disable-agent-file-xfer=on", "agent-mouse=off"]
    with StockDesktop(folder, recipe, port, options if policies else ()) as stock:
        stock.guest.wait_booted()
        yield stock.guest.shell()


@contextlib.contextmanager
def _qxld(
    carrier: str, folder: Path, recipe: dict, port: int, policies: bool
) -> Iterator[SerialShell]:
    options = ["--tablet", "none", "--port", str(port), "--agent", carrier]
    options += ["--webdav", "--usbredir", "1", "--disable-ticketing"]
    if policies:
        options += ["--disable-copy-paste", "--disable-agent-file-xfer"]
        options += ["--no-agent-mouse"]
    with Machine(folder, recipe, *options) as started:
        started.wait_ready()
        yield started.shell()
        assert started.stop() == 0
        assert started.errors() == []
