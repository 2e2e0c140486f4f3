"""The guest of `qxld replay`: a thread that plays a recorded file into a QXL device."""

from __future__ import annotations

import time
from threading import Event, Thread
from typing import TYPE_CHECKING

from qxld.errors import QxldError
from spice_common.errors import CoreError
from spice_common.replay import FOREVER, Replay, ReplayMemory, ReplayStatus
from spice_protocol.qxl_dev import QxlInterrupt, QxlIo, QXLMemSlot, QXLRam, QXLRom

if TYPE_CHECKING:
    from collections.abc import Callable

    from qxld.unpack import RecordedFile
    from vm_transport.in_process import InProcessTransport

__all__ = ["ReplayError", "ReplayGuest"]

RAM_SLOT, VRAM_SLOT = 1, 2
READ_SIZE = 256 << 10
INTERRUPT_PATIENCE = 0.5
"""Seconds after which a guest that waits looks whether anybody is still there."""
INTERRUPTS = QxlInterrupt.DISPLAY | QxlInterrupt.CURSOR | QxlInterrupt.ERROR


class ReplayError(QxldError):
    """The file is cut off or damaged, or the device does not take it."""


class Stopped(Exception):  # noqa: N818 - no error: it was asked for
    """The guest was told to stop."""


class ReplayGuest:
    """Plays one file; between :meth:`start` and the end only the thread touches it."""

    def __init__(
        self,
        transport: InProcessTransport,
        file: RecordedFile,
        *,
        pace: float | None = None,
        max_gap: float = 0.0,
    ) -> None:
        """Prepare to play *file*.

        Args:
            transport: of a device that is served.
            file: what to play.
            pace: how many times faster than recorded; ``None``: as fast as possible.
            max_gap: longest pause in recorded seconds; 0: as they are.

        """
        self._transport = transport
        self._file = file
        self._pace = pace
        self.replay = Replay()
        """Its numbers may be read from any thread."""
        self.replay.set_max_gap(int(max_gap * 1e9))
        self.error: ReplayError | None = None
        """What ended it too early, if anything did."""
        self.cpu_seconds = 0.0
        """Of the thread, once it has ended."""
        self.played_seconds = 0.0
        """From the start until the last command was pushed."""
        self._stop = Event()
        self._thread: Thread | None = None

    def start(self, on_end: Callable[[], object]) -> None:
        """Start playing; *on_end* is called in the thread at the end."""

        def run() -> None:
            started = time.thread_time()
            try:
                self._play()
            except Stopped:
                pass
            except ReplayError as error:
                self.error = error
            except (CoreError, OSError, MemoryError, ConnectionError) as error:
                self.error = ReplayError(f"{type(error).__name__}: {error}")
            finally:
                self.cpu_seconds = time.thread_time() - started
                on_end()

        self._thread = Thread(target=run, name="replay", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop playing, and wait for the thread; the device must still be served."""
        self._stop.set()
        self._transport.raise_interrupt()
        if self._thread is not None:
            self._thread.join()

    # ---- the thread

    def _play(self) -> None:
        self._bind()
        started = time.monotonic()
        problem = self._play_events(started)
        self.played_seconds = time.monotonic() - started
        self._take_all_back()
        if problem is not None:
            raise ReplayError(problem)

    def _bind(self) -> None:
        """Do what a driver does when it is loaded."""
        memory = self._transport.memory
        rom = QXLRom.unpack_from(memory.rom.view)
        ram = memory.ram.view[rom.ram_header_offset :]
        mask = QXLRam.offset("int_mask")
        ram[mask : mask + 4] = int(INTERRUPTS).to_bytes(4, "little")
        self._transport.guest_bind(bound=True)
        ram_end = memory.ram.address + rom.ram_header_offset
        for slot, window in (
            (RAM_SLOT, QXLMemSlot(memory.ram.address, ram_end)),
            (VRAM_SLOT, QXLMemSlot(memory.vram.address, memory.vram.end)),
        ):
            window.pack_into(ram, QXLRam.offset("mem_slot"))
            self._write_port(QxlIo.MEMSLOT_ADD, slot)
        place = ReplayMemory(
            ram=memory.ram.view,
            ram_size=rom.ram_header_offset,
            vram=memory.vram.view,
            ram_slot=RAM_SLOT,
            vram_slot=VRAM_SLOT,
            slot_shift=64 - rom.slot_id_bits,
        )
        self.replay.attach(place)

    def _play_events(self, started: float) -> str | None:
        """Play all there is; what was wrong with it."""
        replay = self.replay
        while True:
            status = replay.play(self._recorded_time(started))
            if replay.notify:
                self._transport.guest_notify()
            match status:
                case ReplayStatus.MORE:
                    self._read()
                case ReplayStatus.RING_FULL | ReplayStatus.BUSY:
                    self._wait_interrupt()
                case ReplayStatus.NO_ROOM:
                    self._ask_for_memory()
                case ReplayStatus.PORT:
                    self._write_port(QxlIo(replay.port), 0)
                case ReplayStatus.EARLY:
                    self._sleep_until(started)
                case ReplayStatus.END | ReplayStatus.BAD:
                    return self._describe_damage()

    def _describe_damage(self) -> str | None:
        """Say what is wrong with the file where playing came to its end."""
        problems = [self.replay.problem, self._file.problem()]
        if not any(problems):
            return None
        return (
            f"byte {self.replay.offset}: {'; '.join(filter(None, problems))}; "
            f"the {self.replay.commands} commands before it were played"
        )

    def _recorded_time(self, started: float) -> int:
        if self._pace is None:
            return FOREVER
        return int((time.monotonic() - started) * self._pace * 1e9)

    def _sleep_until(self, started: float) -> None:
        assert self._pace is not None
        due = started + self.replay.next_ns / 1e9 / self._pace
        if self._stop.wait(max(0.0, due - time.monotonic())):
            raise Stopped

    def _read(self) -> None:
        if self._stop.is_set():
            raise Stopped
        with self.replay.room(READ_SIZE) as room:
            count = self._file.readinto(room)
        if count:
            self.replay.fed(count)
        else:
            self.replay.end_of_file()

    def _wait_interrupt(self, seconds: float = INTERRUPT_PATIENCE) -> None:
        if self._stop.is_set():
            raise Stopped
        if not self._transport.guest_wait_interrupt(seconds):
            # A device that serves us answers; one that does not says so here.
            self._write_port(QxlIo.NOTIFY_CMD, 0)

    def _ask_for_memory(self) -> None:
        if self.replay.in_flight == 0:
            return
        self._write_port(QxlIo.NOTIFY_OOM, 0)
        if self.replay.collect() == 0:
            self._wait_interrupt(0.001)

    def _take_all_back(self) -> None:
        """Wait until the device has drawn everything."""
        self.replay.collect()
        while self.replay.in_flight:
            self._ask_for_memory()

    def _write_port(self, port: QxlIo, value: int) -> None:
        if not self._transport.guest_io_write(port, value):
            raise ReplayError(f"the device refused QXL_IO_{port.name}")
