"""`qxld replay`: play a recorded desktop to SPICE clients, without a VM."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import logging
import sys
import time
from typing import TYPE_CHECKING

from qxl_device.device import QXLDevice
from qxl_device.rom import RomParameters
from qxld.announcement import page_urls, say, uris
from qxld.errors import UsageError
from qxld.interruption import until_signal
from qxld.options import configuration
from qxld.record import Recording
from qxld.replay_guest import ReplayGuest
from qxld.replay_report import CpuClock, report
from qxld.settings import compression, server_config
from qxld.unpack import RecordedFile
from spice_server.display.worker import DisplayWorker
from spice_server.inputs.no_input import NoInput
from spice_server.server import Server
from vm_transport.in_process import InProcessTransport

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator

    from qxld.config import QxldConfig

__all__ = ["replay"]

RAM_SIZE = 512 << 20
VRAM_SIZE = 1 << 30
"""Bytes of the device's memory; only what is used of it is ever there."""
LOOK_INTERVAL = 0.02
"""Seconds between looks at what clients were sent."""
PROGRESS_INTERVAL = 0.2
QUIET_LOOKS = 5
"""After so many looks without a byte on the way, clients have everything."""
CLIENT_PATIENCE = 30.0
"""Seconds without a byte after which a client is not waited for any longer."""
SETTLE_TIME = 0.3
"""Seconds that a client gets to open its other channels before the first picture."""

_log = logging.getLogger(__name__)


def replay(arguments: argparse.Namespace) -> int:
    """Play a file; the exit code."""
    config = configuration(arguments)
    if config.spice.password_file is None:
        open_to_all = dataclasses.replace(config.spice, disable_ticketing=True)
        config = dataclasses.replace(config, spice=open_to_all)
    settings = server_config(config)
    try:
        pace = None if arguments.pace == "max" else float(arguments.pace)
    except ValueError:
        pace = 0.0
    if pace is not None and not 0 < pace < 1e6:
        raise UsageError(f"--pace {arguments.pace}: a number above 0, or max")
    with contextlib.closing(RecordedFile(arguments.file)) as file:
        player = _Player(config, Server(settings, NoInput()), file, pace, arguments)
        return asyncio.run(until_signal(player.run()))


class _Player:
    """One replay: a device in this process, its server, and the guest."""

    def __init__(
        self,
        config: QxldConfig,
        server: Server,
        file: RecordedFile,
        pace: float | None,
        arguments: argparse.Namespace,
    ) -> None:
        self._spice = config.spice
        self._server = server
        self._arguments = arguments
        self._file = file
        self._transport = InProcessTransport(ram_size=RAM_SIZE, vram_size=VRAM_SIZE)
        parameters = RomParameters.for_ram(0, RAM_SIZE)
        self._recording = Recording(config.device.record, patient=True)
        self._worker = DisplayWorker(
            self._recording.recorded(QXLDevice(self._transport, parameters)),
            compression(config),
        )
        self._guest = ReplayGuest(
            self._transport, file, pace=pace, max_gap=arguments.max_gap
        )
        self._cpu = CpuClock()

    async def run(self) -> int:
        """Play, linger, and tell the figures; the exit code."""
        async with self._serving():
            times: dict[str, float] = {}
            try:
                await self._wait_clients(self._arguments.wait_clients)
                await self._server.prepared()
                await self._cpu.start(self._worker)
                await self._play(times)
                await asyncio.sleep(self._arguments.linger)
            finally:
                self._guest.stop()
                await self._tell(times)
        return 0 if self._guest.error is None else 1

    @contextlib.asynccontextmanager
    async def _serving(self) -> AsyncIterator[None]:
        """Let clients in during the block."""
        self._worker.start()
        try:
            self._server.add_channel(self._worker.display)
            self._server.add_channel(self._worker.cursor)
            await self._server.start()
            for uri in uris(self._spice):
                say(f"SPICE: {uri}")
            for url in page_urls(self._spice):
                say(f"browser: {url}")
            yield
        finally:
            await self._server.stop()
            await asyncio.to_thread(self._worker.stop)
            await asyncio.to_thread(self._recording.close)
            self._transport.close()

    async def _wait_clients(self, wanted: int) -> None:
        """Wait until so many clients have opened the display channel."""
        if not wanted:
            return
        while await self._count_clients() < wanted:  # noqa: ASYNC110 - another thread's
            await asyncio.sleep(LOOK_INTERVAL)
        await asyncio.sleep(SETTLE_TIME)

    async def _count_clients(self) -> int:
        clients = self._worker.dispatcher.call(len, self._worker.display.clients)
        return await asyncio.wrap_future(clients)

    async def _play(self, times: dict[str, float]) -> None:
        """Play until all was drawn and sent; note when that was."""
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        started = time.monotonic()
        self._guest.start(lambda: loop.call_soon_threadsafe(ended.set))
        progress = asyncio.ensure_future(self._show_progress(started))
        try:
            await ended.wait()
            times["wall_seconds"] = round(time.monotonic() - started, 6)
            if self._guest.error is not None:
                _log.error("%s: %s", self._arguments.file, self._guest.error)
            times["sent_seconds"] = round(await self._wait_sent() - started, 6)
        finally:
            progress.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await progress

    async def _wait_sent(self) -> float:
        """Wait until clients were sent all, or take nothing; when that was."""
        last = before = -1
        changed = time.monotonic()
        quiet = 0
        while quiet < QUIET_LOOKS:
            idle, last = await asyncio.wrap_future(
                self._worker.dispatcher.call(self._look_at_clients)
            )
            now = time.monotonic()
            if last != before:
                before, changed = last, now
            elif now - changed > CLIENT_PATIENCE:
                _log.warning("clients do not take what there is for them")
                break
            quiet = quiet + 1 if idle and changed != now else 0
            await asyncio.sleep(LOOK_INTERVAL)
        return changed

    def _look_at_clients(self) -> tuple[bool, int]:
        """Return whether nothing is on the way, and the bytes so far (worker's)."""
        channels = (self._worker.display, self._worker.cursor)
        idle = not any(
            len(client.pipe) or client.connection.pending
            for channel in channels
            for client in channel.clients.values()
        )
        return idle, sum(channel.traffic().bytes for channel in channels)

    async def _show_progress(self, started: float) -> None:
        """Keep a line on the terminal up to date, until cancelled."""
        if not sys.stderr.isatty():
            return
        try:
            while True:
                await asyncio.sleep(PROGRESS_INTERVAL)
                print(
                    f"\r{self._progress(started)}", end="", file=sys.stderr, flush=True
                )
        finally:
            print(f"\r{self._progress(started)}", file=sys.stderr, flush=True)

    def _progress(self, started: float) -> str:
        replayed = self._guest.replay
        return (
            f"{self._file.position():4.0%}  {replayed.commands} commands, "
            f"{replayed.clock_ns / 1e9:.1f} s recorded, "
            f"{time.monotonic() - started:.1f} s played  "
        )

    async def _tell(self, times: dict[str, float]) -> None:
        """Print the figures, if they are asked for."""
        if not self._arguments.json:
            return
        main = [self._server.main, self._server.inputs]
        figures = await report(self._guest, self._worker, main, self._cpu)
        print(json.dumps({**figures, **times}), flush=True)
