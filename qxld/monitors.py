"""Monitors: what clients ask for goes to the displays, and pointers find their way back.

Clients number monitors over everything they show: the heads of the only display, or the
displays if there are several, which then have one head each.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from spice_server.errors import ClientError
from vd_interfaces.qxl import Head, MonitorsConfig, Rect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from spice_server.display.worker import DisplayWorker
    from vd_interfaces.input import InputSink

__all__ = ["Monitors", "desktop"]

BYTES_PER_PIXEL = 4
MIB = 1 << 20


class Monitors:
    """The monitors of one guest; main thread only."""

    def __init__(
        self,
        workers: Sequence[DisplayWorker],
        sink: InputSink,
        *,
        vram_size: int,
        resized: Callable[[], None],
    ) -> None:
        """Watch *workers*, which are not started yet.

        Args:
            workers: the displays, in the order of their ids.
            sink: is told where displays lie.
            vram_size: bytes that a display has for all of its heads.
            resized: called whenever a display got another size, or none.

        """
        self._workers = workers
        self._sink = sink
        self._vram_size = vram_size
        self._resized = resized
        self._sizes: dict[int, tuple[int, int]] = {}
        self._asked: dict[int, Head] = {}

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have sizes told on *loop*."""
        for number, worker in enumerate(self._workers):
            worker.on_resize(self._reporter(loop, number))

    def _reporter(
        self, loop: asyncio.AbstractEventLoop, number: int
    ) -> Callable[[int, int], None]:
        """Return what worker *number* calls in its own thread."""

        def report(width: int, height: int) -> None:
            loop.call_soon_threadsafe(self._shown, number, width, height)

        return report

    def _shown(self, number: int, width: int, height: int) -> None:
        if width and height:
            self._sizes[number] = (width, height)
        else:
            self._sizes.pop(number, None)
        self._place()
        self._resized()

    def _place(self) -> None:
        if not self._sizes:
            return  # while a display changes its size it has none
        self._sink.set_displays(desktop(self._sizes, self._asked))

    async def can_be_asked(self) -> bool:
        """Whether every display's driver takes wishes, as libspice-server has it."""
        asked = [worker.client_monitors_config(None) for worker in self._workers]
        able = [await asyncio.wrap_future(answer) for answer in asked]
        return all(able)

    def ask(self, config: MonitorsConfig) -> None:
        """Ask the guest for a layout, whose ids are monitors' numbers.

        Raises:
            ClientError: no display can show it.

        """
        if len(self._workers) == 1:
            self._check_memory(config.heads)
            self._workers[0].client_monitors_config(config)
            return
        heads = {h.id: h for h in config.heads if h.id < len(self._workers)}
        for head in heads.values():
            alone = Head(head.id, 0, head.width, head.height, 0, 0)
            self._check_memory([alone])
        self._asked = heads
        for number, worker in enumerate(self._workers):
            worker.client_monitors_config(_alone(heads.get(number)))
        self._place()

    def _check_memory(self, heads: Sequence[Head]) -> None:
        width = max(head.x + head.width for head in heads)
        height = max(head.y + head.height for head in heads)
        needed = width * height * BYTES_PER_PIXEL
        if needed > self._vram_size:
            raise ClientError(
                f"{width} x {height} pixels need {-(-needed // MIB)} MiB of VRAM, "
                f"there are {self._vram_size // MIB} (vram-mib)"
            )


def _alone(head: Head | None) -> MonitorsConfig:
    """Return the layout of a display with one head; ``None``: it is off."""
    if head is None:
        return MonitorsConfig([Head(0, 0, 0, 0, 0, 0)], 1)
    return MonitorsConfig([Head(0, 0, head.width, head.height, head.x, head.y)], 1)


def desktop(
    sizes: Mapping[int, tuple[int, int]], asked: Mapping[int, Head]
) -> dict[int, Rect]:
    """Return where displays lie on the guest's desktop.

    Only the guest knows.  It is likely to have put them where they were asked to be, if
    there they have room beside each other, and else in a row.

    Args:
        sizes: width and height of the primary surfaces there are.
        asked: where clients wanted them to be.

    """
    if all(number in asked for number in sizes):
        places = {
            number: _rect(asked[number].x, asked[number].y, *size)
            for number, size in sizes.items()
        }
        if len(places) < 2 or not _any_overlap(list(places.values())):
            return _from_origin(places)
    places, x = {}, 0
    for number in sorted(sizes):
        places[number] = _rect(x, 0, *sizes[number])
        x = places[number].right
    return places


def _rect(x: int, y: int, width: int, height: int) -> Rect:
    return Rect(top=y, left=x, bottom=y + height, right=x + width)


def _any_overlap(rects: Sequence[Rect]) -> bool:
    return any(
        a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom
        for number, a in enumerate(rects)
        for b in rects[number + 1 :]
    )


def _from_origin(places: Mapping[int, Rect]) -> dict[int, Rect]:
    """Move all so that the desktop begins at 0, 0: what was between may be off."""
    left = min((place.left for place in places.values()), default=0)
    top = min((place.top for place in places.values()), default=0)
    return {
        number: _rect(
            place.left - left,
            place.top - top,
            place.right - place.left,
            place.bottom - place.top,
        )
        for number, place in places.items()
    }
