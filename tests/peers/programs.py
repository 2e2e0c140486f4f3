"""Programs that judge us: spicy-screenshot, remote-viewer in an X server of its own."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATIENCE = 180.0
"""Seconds that end a hang; nothing is expected to take so long."""


def free_port() -> int:
    """Return a TCP port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def missing(*programs: str) -> str | None:
    """Say which of *programs* is not installed, if any."""
    absent = [name for name in programs if not shutil.which(name)]
    return f"not installed: {', '.join(absent)}" if absent else None


def eventually(
    what: str, probe: Callable[[], object], patience: float = PATIENCE
) -> None:
    """Look again and again until *probe* returns something true."""
    end = time.monotonic() + patience
    while not probe():
        if time.monotonic() > end:
            raise AssertionError(f"never: {what}")
        time.sleep(0.1)


@dataclass
class Picture:
    """A picture of 8-bit RGB triples."""

    width: int
    height: int
    rgb: bytes

    @classmethod
    def from_ppm(cls, data: bytes) -> Picture:
        """Read a binary PPM (``P6``)."""
        magic, width, height, depth, _ = data.split(maxsplit=4)
        assert (magic, depth) == (b"P6", b"255"), data[:20]
        # split() eats white space that may be pixels: cut by size from the end.
        size = int(width) * int(height) * 3
        return cls(int(width), int(height), data[-size:])

    @classmethod
    def from_bgrx(cls, width: int, height: int, data: bytes) -> Picture:
        """Read rows of 32-bit BGRX."""
        rgb = bytearray(width * height * 3)
        for target, source in ((0, 2), (1, 1), (2, 0)):
            rgb[target::3] = data[source::4]
        return cls(width, height, bytes(rgb))

    def colors(self) -> int:
        """How many different colours it has."""
        return len({self.rgb[i : i + 3] for i in range(0, len(self.rgb), 3)})

    def crop(self, left: int, top: int, width: int, height: int) -> Picture:
        """Cut out a rectangle."""
        rows = (
            self.rgb[(y * self.width + left) * 3 :][: width * 3]
            for y in range(top, top + height)
        )
        return Picture(width, height, b"".join(rows))


@dataclass
class Screenshot:
    """What one spicy-screenshot run came to."""

    code: int
    stderr: str
    picture: Picture | None


def spicy_screenshot(folder: Path, *arguments: str, **environment: str) -> Screenshot:
    """Run spicy-screenshot."""
    path = folder / "spicy.ppm"
    path.unlink(missing_ok=True)
    done = subprocess.run(
        ["spicy-screenshot", *arguments, "-o", str(path)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env=os.environ | {"NO_AT_BRIDGE": "1"} | environment,
    )
    good = done.returncode == 0 and path.exists()
    picture = Picture.from_ppm(path.read_bytes()) if good else None
    return Screenshot(done.returncode, done.stderr, picture)


@contextlib.contextmanager
def x_server(width: int = 1280, height: int = 1024) -> Iterator[dict[str, str]]:
    """Run Xvfb; the environment that programs on it need."""
    read, write = os.pipe()
    server = subprocess.Popen(
        [
            "Xvfb", "-displayfd", str(write), "-screen", "0",
            f"{width}x{height}x24", "-nolisten", "tcp",
        ],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    try:
        with os.fdopen(read) as told:
            assert select.select([told], [], [], PATIENCE)[0], "Xvfb does not start"
            number = told.readline().strip()
        yield os.environ | {
            "DISPLAY": f":{number}",
            "GTK_A11Y": "none",
            "NO_AT_BRIDGE": "1",
            "GDK_BACKEND": "x11",
        }
    finally:
        server.terminate()
        server.wait()


class RemoteViewer:
    """remote-viewer on an X server of its own."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        self.environment = environment
        self.process = subprocess.Popen(
            ["remote-viewer", *arguments],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def xdotool(self, *arguments: str) -> str:
        """Run xdotool on the viewer's X server; its output."""
        done = subprocess.run(
            ["xdotool", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return done.stdout.strip()

    def windows(self, name: str = ".") -> list[str]:
        """Ids of the visible windows whose title matches *name*."""
        return self.xdotool("search", "--onlyvisible", "--name", name).split()

    def screen(self) -> Picture:
        """Return what the whole X screen shows."""
        done = subprocess.run(
            ["import", "-window", "root", "-depth", "8", "ppm:-"],
            env=self.environment,
            capture_output=True,
            timeout=PATIENCE,
            check=True,
        )
        return Picture.from_ppm(done.stdout)


def make_certificates(folder: Path) -> None:
    """Make a CA and a server certificate with libvirt's file names."""

    def openssl(*arguments: str) -> None:
        subprocess.run(
            ["openssl", *arguments], cwd=folder, check=True, capture_output=True
        )

    days = ("-days", "30")
    key = ("-newkey", "rsa:2048", "-nodes")
    openssl(
        "req", "-x509", *key, *days, "-subj", "/O=Test/CN=qxld test CA",
        "-keyout", "ca-key.pem", "-out", "ca-cert.pem",
    )  # fmt: skip
    openssl(
        "req", *key, "-subj", "/O=Test/CN=qxld-test",
        "-keyout", "server-key.pem", "-out", "server.csr",
    )  # fmt: skip
    (folder / "san").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    openssl(
        "x509", "-req", "-in", "server.csr", *days, "-CA", "ca-cert.pem",
        "-CAkey", "ca-key.pem", "-CAcreateserial", "-extfile", "san",
        "-out", "server-cert.pem",
    )  # fmt: skip
