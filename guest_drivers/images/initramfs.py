"""A cpio archive (newc) written straight, so that nobody needs to be root."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Initramfs"]


@dataclass(slots=True)
class _Entry:
    mode: int
    content: bytes = b""
    device: tuple[int, int] = (0, 0)


class Initramfs:
    """What the kernel unpacks as its first root file system."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self.add_device("dev/console", 5, 1)

    def _add(self, name: str, entry: _Entry) -> None:
        parent, _, _ = name.rpartition("/")
        if parent and parent not in self._entries:
            self._add(parent, _Entry(stat.S_IFDIR | 0o755))
        self._entries[name] = entry

    def add_folder(self, name: str) -> None:
        """Add an empty folder."""
        self._add(name, _Entry(stat.S_IFDIR | 0o755))

    def add_device(self, name: str, major: int, minor: int) -> None:
        """Add a character device."""
        self._add(name, _Entry(stat.S_IFCHR | 0o600, device=(major, minor)))

    def add_link(self, name: str, target: str) -> None:
        """Add a symbolic link."""
        self._add(name, _Entry(stat.S_IFLNK | 0o777, target.encode()))

    def add_file(self, name: str, content: bytes, *, executable: bool = False) -> None:
        """Add a file."""
        mode = 0o755 if executable else 0o644
        self._add(name, _Entry(stat.S_IFREG | mode, content))

    def add_copy(self, name: str, path: Path) -> None:
        """Add a file with the content and the x bit of *path*."""
        executable = bool(path.stat().st_mode & 0o100)
        self.add_file(name, path.read_bytes(), executable=executable)

    def write(self, path: Path) -> None:
        """Write the archive, uncompressed: an emulated CPU is slow to unpack."""
        with path.open("wb") as file:
            for number, (name, entry) in enumerate(self._entries.items(), start=1):
                file.write(_record(name, entry, number))
            file.write(_record("TRAILER!!!", _Entry(0), 0))


def _record(name: str, entry: _Entry, number: int) -> bytes:
    path = name.encode() + b"\0"
    # ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor
    # namesize check: cpio(5), "New ASCII Format"
    fields = (number, entry.mode, 0, 0, 1, 0, len(entry.content), 0, 0, *entry.device)
    header = b"070701" + b"".join(b"%08x" % field for field in (*fields, len(path), 0))
    return _pad(header + path) + _pad(entry.content)


def _pad(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
