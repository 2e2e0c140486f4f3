"""Writing what guests draw to files, packed by zstd if their name says so."""

from __future__ import annotations

import contextlib
import logging
import os
from queue import Empty, SimpleQueue
from threading import Condition, Thread
from typing import TYPE_CHECKING, Final

from qxl_device.recorder import DeviceRecorder

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

    from _typeshed import ReadableBuffer

    from vd_interfaces.qxl import QXLInterface

__all__ = ["RecordFile", "Recording"]

MAX_WAITING: Final = 256 << 20
"""Bytes that wait for the disk; a guest that scrolls a large screen makes some
100 MB a second."""
LEVEL: Final = 3
"""zstd's default: some 500 MB a second."""
FLUSH_INTERVAL: Final = 1.0
"""Seconds after which what a guest drew before it fell silent is in the file."""

_log = logging.getLogger(__name__)


class RecordFile:
    """One file, written by a thread of its own."""

    def __init__(self, path: Path, *, patient: bool = False) -> None:
        """Make *path*, for its owner only: it shows what others typed.

        Args:
            path: packed by zstd if its name ends in ``.zst``.
            patient: who draws waits for a slow disk; else the record ends there.

        Raises:
            OSError: it cannot be written.

        """
        self._path = path
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        plain = open(descriptor, "wb")  # noqa: SIM115, PTH123 - closed by close()
        self._file: IO[bytes] = plain
        if path.suffix == ".zst":
            import zstandard  # noqa: PLC0415 - most who serve do not record

            packer = zstandard.ZstdCompressor(level=LEVEL)
            self._file = packer.stream_writer(plain)
        self._queue: SimpleQueue[ReadableBuffer | None] = SimpleQueue()
        self._patient = patient
        self._changed = Condition()
        """Of what follows."""
        self._waiting = 0
        self._failed = False
        self._thread = Thread(
            target=self._write, name=f"record:{path.name}", daemon=True
        )
        self._thread.start()

    def put(self, data: ReadableBuffer) -> bool:
        """Let *data* be written, see :class:`~qxl_device.recorder.RecordSink`."""
        size = memoryview(data).nbytes
        with self._changed:
            if self._patient:
                self._changed.wait_for(lambda: self._failed or self._has_room(size))
            if self._failed:
                return False
            if not self._has_room(size):
                self._failed = True
                _log.error("%s: the record ends here: the disk is too slow", self._path)
                return False
            self._waiting += size
        self._queue.put(data)
        return True

    def _has_room(self, size: int) -> bool:
        return not self._waiting or self._waiting + size <= MAX_WAITING

    def close(self) -> None:
        """Write what waits, and close the file."""
        self._queue.put(None)
        self._thread.join()

    def _write(self) -> None:
        try:
            with contextlib.closing(self._file):
                while (data := self._next()) is not None:
                    self._file.write(data)
                    with self._changed:
                        self._waiting -= memoryview(data).nbytes
                        self._changed.notify()
        except OSError as error:
            with self._changed:
                self._failed = True
                self._changed.notify()
            _log.error("%s: the record ends here: %s", self._path, error.strerror)

    def _next(self) -> ReadableBuffer | None:
        """Wait for what is to be written next; ``None``: that was all."""
        try:
            return self._queue.get(timeout=FLUSH_INTERVAL)
        except Empty:
            # Packing works better without: so only when there is time.
            self._file.flush()
            return self._queue.get()


class Recording:
    """The files of all displays: FILE, FILE-1 ..."""

    def __init__(self, path: Path | None, *, patient: bool = False) -> None:
        """Record to *path*; ``None``: not at all.  For *patient* see RecordFile."""
        self._path = path
        self._patient = patient
        self._files: list[RecordFile] = []

    def recorded(self, device: QXLInterface) -> QXLInterface:
        """Return what a worker is to be given in place of *device*.

        Raises:
            OSError: the file cannot be written.

        """
        if self._path is None:
            return device
        path = self._path
        if device.id:
            name, dot, suffixes = path.name.partition(".")
            path = path.with_name(f"{name}-{device.id}{dot}{suffixes}")
        file = RecordFile(path, patient=self._patient)
        self._files.append(file)
        return DeviceRecorder(device, file)

    def close(self) -> None:
        """Close the files; the workers must have ended."""
        for file in self._files:
            file.close()
        self._files.clear()
