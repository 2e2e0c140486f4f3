"""The worker of one display: a thread, its loop, and what is drawn and sent there.

Commands are taken in batches while the guest has some, each drawn and marshalled step by
step in the C core.  After a bounded time the loop gets its turn, so that a guest that
never stops drawing keeps neither sockets nor its own I/O requests waiting.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from spice_common.command_batch import CommandBatch
from spice_common.errors import SurfaceError
from spice_protocol.qxl_dev import QXL_COMMAND_RING_SIZE
from spice_server.cursor.channel import CursorChannel
from spice_server.display.channel import DisplayChannel
from spice_server.display.client_caches import ClientCaches, Pictures
from spice_server.display.compression import Compression
from spice_server.display.dispatcher import Dispatcher
from spice_server.display.screenshot import Screenshot
from spice_server.display.stats import DisplayStats
from spice_server.display.surface import PRIMARY, Surfaces

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from vd_interfaces.qxl import MonitorsConfig, PrimarySurface, QXLInterface, Rect

__all__ = ["DisplayWorker"]

TURN_TIME: Final = 0.005
"""Seconds of drawing after which sockets and timers get their turn."""

MISTAKE_PAUSE: Final = 0.1
"""Seconds after a turn that failed, lest one that always fails keeps a processor busy."""

MAX_CURSOR_COMMANDS: Final = 64
"""Cursor commands per turn: twice QXL_CURSOR_RING_SIZE."""

_log = logging.getLogger(__name__)


class DisplayWorker:
    """Draws what one QXL device wants drawn, and serves its two channels.

    All methods but :meth:`start`, :meth:`stop` and those that say so belong to the
    worker's thread; others reach it through :attr:`dispatcher`.
    """

    def __init__(
        self,
        qxl: QXLInterface,
        compression: Compression | None = None,
        caches: ClientCaches | None = None,
    ) -> None:
        """Serve *qxl*; *caches* is shared by all workers of a server."""
        self._qxl = qxl
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: Thread | None = None
        self._stats = DisplayStats()
        self._batch = CommandBatch()
        self._turn: asyncio.Handle | None = None
        self._mistakes = 0
        self._on_resize: Callable[[int, int], None] = lambda _width, _height: None
        self._surfaces = Surfaces(qxl.id)
        self.display = DisplayChannel(
            qxl.id,
            self._surfaces,
            self._stats,
            self.loop,
            qxl.set_client_capabilities,
            Pictures(compression or Compression(), caches or ClientCaches()),
        )
        """The display channel; its thread-safe methods are those of ``Channel``."""
        self.cursor = CursorChannel(qxl.id, self.loop)
        """The cursor channel, likewise."""

    # -- any thread ------------------------------------------------------------

    def start(self) -> None:
        """Start the thread and attach the device there.

        Raises:
            Exception: whatever the device could not be attached for.

        """
        loop = asyncio.new_event_loop()
        self._loop = loop
        started = Event()
        failure: list[Exception] = []

        def run() -> None:
            asyncio.set_event_loop(loop)
            try:
                self._qxl.attach(self, loop)
            except Exception as error:  # noqa: BLE001 - raised again by start()
                failure.append(error)
            started.set()
            if not failure:
                loop.run_forever()
            loop.close()

        self._thread = Thread(target=run, name=f"display:{self._qxl.id}", daemon=True)
        self._thread.start()
        started.wait()
        if failure:
            self._thread.join()
            raise failure[0]

    def stop(self) -> None:
        """Detach the device, end all clients, and wait for the thread."""
        if self._thread is not None and self.dispatcher.send(self._shutdown):
            self._thread.join()

    def loop(self) -> asyncio.AbstractEventLoop:
        """Return the worker's loop; :meth:`start` makes it."""
        assert self._loop is not None  # started
        return self._loop

    @property
    def dispatcher(self) -> Dispatcher:
        """Reaches the worker's thread."""
        return Dispatcher(self.loop())

    def on_resize(self, callback: Callable[[int, int], None]) -> None:
        """Before :meth:`start`: have *callback* told the primary surface's size.

        It is called in the worker's thread, with 0, 0 when there is none any more.
        """
        self._on_resize = callback

    def stats(self) -> Future[DisplayStats]:
        """Ask for the counters."""
        return self.dispatcher.call(self._copy_stats)

    def screenshot(self) -> Future[Screenshot | None]:
        """Ask for what the primary surface shows; ``None``: there is none."""
        return self.dispatcher.call(self._screenshot)

    def client_monitors_config(self, config: MonitorsConfig | None) -> Future[bool]:
        """Ask the guest for a monitor layout; False if its driver cannot."""
        return self.dispatcher.call(self._qxl.client_monitors_config, config)

    def set_client_mouse_mode(self, *, client: bool) -> None:
        """Tell who moves the pointer: clients for themselves, or the guest."""
        self.dispatcher.send(setattr, self.cursor, "client_mouse_mode", client)

    # -- life of the thread ----------------------------------------------------

    def _shutdown(self) -> None:
        try:
            while self._surfaces.drawing:  # the guest gets back what was taken
                self._draw_step()
        finally:
            self._qxl.detach()
            if self._turn is not None:
                self._turn.cancel()
            for channel in (self.display, self.cursor):
                for client in list(channel.clients.values()):
                    client.close()
            self._surfaces.close()
            self._batch.clear()
            # Closing takes one more turn of the loop: its news come from there.
            loop = self.loop()
            loop.call_soon(loop.call_soon, loop.stop)

    def _screenshot(self) -> Screenshot | None:
        primary = self._surfaces.primary
        if primary is None:
            return None
        self._finish_drawing()
        pixels = self._surfaces.canvas.read_surface(PRIMARY)
        return Screenshot(primary.width, primary.height, pixels)

    def _copy_stats(self) -> DisplayStats:
        counters = self._surfaces.canvas.counters()
        stats = self._stats.copy()
        for pending in self._surfaces.clients:
            stats.add(pending.counters())
        return dataclasses.replace(
            stats,
            pixel_bytes=counters.pixel_bytes,
            rejected=counters.rejected,
            drawn=counters.drawn,
            unsupported=counters.unsupported,
        )

    # -- taking commands -------------------------------------------------------

    def wakeup(self) -> None:
        """Take what the rings hold, in the loop's next turn."""
        if self._turn is None:
            self._turn = self.loop().call_soon(self._take_turn)

    def _take_turn(self) -> None:
        """Draw for a while; come back if that was not all."""
        self._turn = None
        try:
            more_cursors = self._take_cursor_commands()
            more = self._draw_for(TURN_TIME)
        except Exception:  # noqa: BLE001 - logged, and bounded to this batch
            self._recover()
            return
        self.display.update()
        self._surfaces.report()
        if more or more_cursors:
            self.wakeup()

    def _recover(self) -> None:
        """Go on after a mistake of ours, which the guest may know to provoke.

        Without being told to: who has not been asked to ring does not ring.
        """
        self._mistakes += 1
        if self._mistakes & (self._mistakes - 1) == 0:  # a log can bear doublings
            name = f"display {self._qxl.id}"
            _log.exception("%s: commands are lost (time %d)", name, self._mistakes)
        self._batch = CommandBatch()
        self._surfaces.abandon()
        self._turn = self.loop().call_later(MISTAKE_PAUSE, self._take_turn)

    def _draw_for(self, seconds: float) -> bool:
        """Draw until the ring is empty; True: time was over first."""
        loop = self.loop()
        end = loop.time() + seconds
        while self._begin_batch():
            self._draw_step()
            if loop.time() >= end:
                return True
        return False

    def _begin_batch(self) -> bool:
        """Take commands unless some are being drawn; False if there are none."""
        if self._surfaces.drawing:
            return True
        taken = self._qxl.get_commands(self._batch)
        if not taken:
            return False
        self._stats.commands += taken
        self._stats.batches += 1
        self._surfaces.begin(self._batch)
        return True

    def _draw_step(self) -> None:
        """Draw a step of the batch."""
        self._surfaces.draw()
        if not self._surfaces.drawing:
            # At once: what is pending are copies, no client holds the guest's ring.
            self._qxl.release_commands(self._batch)

    def _take_cursor_commands(self) -> bool:
        """Take cursor commands; whether there may be more."""
        for _ in range(MAX_CURSOR_COMMANDS):
            command = self._qxl.get_cursor_command()
            if command is None:
                self.cursor.flush()
                return False
            self._stats.cursor_commands += 1
            self.cursor.process(command)
        self.cursor.flush()
        return True

    def _finish_drawing(self) -> None:
        """Draw all that the guest has asked for so far.

        That is what is being drawn and one ring's worth: what other processors of the
        guest add meanwhile could go on for ever, and none of it is waited for.
        """
        enough = self._stats.commands + QXL_COMMAND_RING_SIZE
        while self._stats.commands < enough and self._begin_batch():
            while self._surfaces.drawing:
                self._draw_step()
        self.display.update()

    # -- what the device asks for (QXLWorker) ----------------------------------

    def oom(self) -> None:
        """Take and release all there is; nothing is held back here."""
        self._finish_drawing()

    def update_area(self, surface_id: int, area: Rect) -> None:  # noqa: ARG002 - QXLWorker's
        """Finish what draws on *area*: everything, drawing it costs what it costs."""
        self._finish_drawing()

    def flush_surfaces(self) -> None:
        """Finish all drawing."""
        self._finish_drawing()

    def create_primary_surface(self, surface: PrimarySurface) -> None:
        """Show *surface* as surface 0."""
        self._finish_drawing()
        self._destroy(PRIMARY)
        try:
            self._surfaces.create_primary(surface)
        except SurfaceError as error:
            _log.warning("display %d: no primary surface: %s", self._qxl.id, error)
            return
        self.display.primary_created(surface.width, surface.height)
        self.cursor.show()
        self._on_resize(surface.width, surface.height)

    def destroy_primary_surface(self) -> None:
        """Forget surface 0 and the cursor."""
        self._finish_drawing()
        self._destroy(PRIMARY)

    def destroy_surface(self, surface_id: int) -> None:
        """Finish what draws on or from a surface and forget it."""
        self._finish_drawing()
        self._destroy(surface_id)

    def destroy_surfaces(self) -> None:
        """Finish all drawing and forget every surface."""
        self._finish_drawing()
        for surface_id in reversed(self._surfaces.canvas.surface_ids()):
            self._destroy(surface_id)
        self.display.forget_monitors()

    def _destroy(self, surface_id: int) -> None:
        if surface_id == PRIMARY and self._surfaces.primary is not None:
            self.cursor.reset()
            self._on_resize(0, 0)
        if self._surfaces.destroy(surface_id):
            self.display.update()

    def reset_cursor(self) -> None:
        """Forget the cursor."""
        self.cursor.reset()
        if self._surfaces.primary is not None:
            self.cursor.show()

    def reset_image_cache(self) -> None:
        """Let clients forget every cached image."""
        self.display.invalidate_caches()

    def monitors_config(self, config: MonitorsConfig) -> None:
        """Tell clients how the heads lie."""
        self.display.set_monitors(config)
