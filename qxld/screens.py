"""What our displays show, as files: ``screendump`` of the monitor."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
from typing import TYPE_CHECKING

from spice_client.picture import Picture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from typing import Protocol

    from spice_server.display.screenshot import Screenshot

    class Display(Protocol):
        """A display's worker."""

        def screenshot(self) -> Future[Screenshot | None]:
            """Ask for what the primary surface shows; ``None``: there is none."""


__all__ = ["ScreenFiles"]

_log = logging.getLogger(__name__)

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NONBLOCK
"""Not blocking: a FIFO that nobody reads is an error and holds no thread."""


class ScreenFiles:
    """Writes pictures, one at a time (a :class:`Screens`)."""

    def __init__(self, displays: Sequence[Display], device: str) -> None:
        """*device* is the id that QEMU knows all of *displays* by."""
        self._displays = displays
        self._device = device
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def heads(self, device: str | None) -> int:
        """Return how many displays a device has, see :class:`Screens`."""
        return len(self._displays) if device in {None, self._device} else 0

    def dump(
        self,
        head: int,
        filename: str,
        file_format: str,
        done: Callable[[OSError | None], None],
    ) -> None:
        """Write what a display shows into a file, see :class:`Screens`."""
        work = self._dump(head, filename, file_format, done)
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _dump(
        self,
        head: int,
        filename: str,
        file_format: str,
        done: Callable[[OSError | None], None],
    ) -> None:
        async with self._turn:
            try:
                shown = await _look(self._displays[head])
                await asyncio.to_thread(_write, shown, filename, file_format)
            except OSError as error:
                done(error)
            except Exception as error:  # noqa: BLE001 - logged; nobody waits in vain
                _log.exception("no screendump of display %d", head)
                done(OSError(errno.EIO, str(error)))
            else:
                done(None)


async def _look(display: Display) -> Screenshot:
    future = asyncio.wrap_future(display.screenshot())
    await asyncio.wait([future])
    shown = None if future.cancelled() else future.result()
    if shown is None:  # or the worker has ended
        raise OSError("no surface")
    return shown


def _write(shown: Screenshot, filename: str, file_format: str) -> None:
    rgb = bytearray(3 * shown.width * shown.height)
    for channel, byte in enumerate((2, 1, 0)):
        rgb[channel::3] = shown.argb[byte::4]
    picture = Picture(shown.width, shown.height, bytes(rgb))
    data = picture.png() if file_format == "png" else picture.ppm()
    try:
        fd = os.open(filename, _FLAGS, 0o666)
    except ValueError as error:  # a NUL, or what is no text
        raise OSError(errno.EINVAL, str(error)) from error
    with open(fd, "wb") as file:  # noqa: PTH123 - a descriptor
        file.write(data)
