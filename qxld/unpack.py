"""Reading recorded files, packed by zstd or not.

A record of a desktop is packed with a window as large as itself: who unpacks one needs
all that memory.  So this is also a program, which unpacks for another process::

    python -m qxld.unpack < FILE.zst
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from io import FileIO

__all__ = ["RecordedFile", "unpack"]

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
MAX_WINDOW = 1 << 31
"""What `zstd --long=31` packs with."""
SLICE_SIZE = 4096
"""Packed bytes at a time: of the emptiest pictures they make some 100 MB."""
PIPE_SIZE = 1 << 20


def unpack(packed: IO[bytes], plain: IO[bytes]) -> None:
    """Unpack zstd frames from one file to another.

    Raises:
        zstandard.ZstdError: this is not what zstd wrote.
        EOFError: a frame is not complete; what there is of it was written.

    """
    import zstandard  # noqa: PLC0415 - whom it is loaded for is this program alone

    unpacker = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)
    frame = unpacker.decompressobj()
    complete = True
    data = packed.read(SLICE_SIZE)
    while data:
        plain.write(frame.decompress(data))
        complete = frame.eof
        data = frame.unused_data if complete else b""
        if complete:
            frame = unpacker.decompressobj()
        data = data or packed.read(SLICE_SIZE)
    if not complete:
        raise EOFError("the packed file is cut off")


class RecordedFile:
    """A recorded file as its plain bytes; a context manager."""

    def __init__(self, path: Path) -> None:
        """Open *path*.

        Raises:
            OSError: it cannot be read.

        """
        self._file = path.open("rb", buffering=0)
        self._size = os.fstat(self._file.fileno()).st_size
        self._child: subprocess.Popen[bytes] | None = None
        self._plain: FileIO | IO[bytes] = self._file
        magic = os.pread(self._file.fileno(), len(ZSTD_MAGIC), 0)
        if magic == ZSTD_MAGIC:
            self._child = subprocess.Popen(
                [sys.executable, "-I", str(Path(__file__))],
                stdin=self._file,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
            )
            assert self._child.stdout is not None
            self._plain = self._child.stdout
            with contextlib.suppress(OSError):  # a pipe of 64 KiB does, too
                fcntl.fcntl(self._plain, fcntl.F_SETPIPE_SZ, PIPE_SIZE)

    def readinto(self, buffer: memoryview) -> int:
        """Fill *buffer* from the front; how many bytes, 0 at the end.

        Raises:
            OSError: the file cannot be read.

        """
        return self._plain.readinto(buffer) or 0  # type: ignore[union-attr]

    def problem(self) -> str | None:
        """Return why the bytes ended before the file did, ``None`` if they did not.

        Nothing can be read afterwards.
        """
        if self._child is None:
            return None
        assert self._child.stdout is not None
        assert self._child.stderr is not None
        self._child.stdout.close()  # it may not have come to the end, and wait for us
        lines = self._child.stderr.read().decode(errors="replace").split("\n")
        code = self._child.wait()
        if code == 0:
            return None
        return next((line for line in reversed(lines) if line), f"exit code {code}")

    def position(self) -> float:
        """Return how much of the file was read, 0 to 1."""
        if not self._size:
            return 1.0
        # A child shares the file's position with us.
        return os.lseek(self._file.fileno(), 0, os.SEEK_CUR) / self._size

    def close(self) -> None:
        """Close the file, and end who unpacks it."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            for pipe in (self._child.stdout, self._child.stderr):
                assert pipe is not None
                pipe.close()
        self._file.close()


def main() -> int:
    """Unpack standard input to standard output; the exit code."""
    try:
        unpack(sys.stdin.buffer, sys.stdout.buffer)
        sys.stdout.flush()
    except BrokenPipeError:
        # Nobody wants the rest; nor what Python would flush at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:  # noqa: BLE001 - its words are for the parent
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
