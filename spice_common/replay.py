"""A guest whose driver does again what a "SPICE_REPLAY 1" file recorded.

Bytes of the file go in, commands come out, in the memory and on the rings of a QXL
device.  No I/O happens here::

    replay = Replay()
    replay.attach(ram, vram, ...)
    while (status := replay.play()) is not ReplayStatus.END:
        if replay.notify:
            ...  # ring the doorbell
        ...  # do what the status asks for
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spice_common._c import ffi, lib
from spice_common.borrowed import Borrowed
from spice_common.errors import LayoutError, RingBrokenError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["FOREVER", "Replay", "ReplayMemory", "ReplayStatus"]

FOREVER = (1 << 64) - 1
"""A recorded time after every event."""


class ReplayStatus(enum.Enum):
    """Why :meth:`Replay.play` came back."""

    MORE = lib.REPLAY_MORE
    """Feed more of the file, or tell that this was all."""
    RING_FULL = lib.REPLAY_RING_FULL
    """Wait for an interrupt: there will be room in the ring."""
    BUSY = lib.REPLAY_BUSY
    """Wait for an interrupt: the rings will be empty."""
    NO_ROOM = lib.REPLAY_NO_ROOM
    """Memory is full: let the device give back what it can (QXL_IO_NOTIFY_OOM)."""
    PORT = lib.REPLAY_PORT
    """Write 0 to :attr:`Replay.port`."""
    EARLY = lib.REPLAY_EARLY
    """Wait until :attr:`Replay.next_ns`."""
    END = lib.REPLAY_END
    """The whole file was played."""
    BAD = lib.REPLAY_BAD
    """The file is wrong at :attr:`Replay.offset`: :attr:`Replay.problem`."""


@dataclass(frozen=True, slots=True)
class ReplayMemory:
    """The device's memory, and the slots by which it is addressed."""

    ram: WriteableBuffer
    """All of the RAM window."""
    ram_size: int
    """Bytes of slot *ram_slot*, which starts with the window; QXLRam lies behind it."""
    vram: WriteableBuffer
    """All of the VRAM window, and of slot *vram_slot*."""
    ram_slot: int
    vram_slot: int
    slot_shift: int
    """By how many bits a slot's number is shifted in a QXLPHYSICAL."""


class Replay:
    """One file being played; for one thread at a time."""

    def __init__(self) -> None:
        """Make a replay of nothing yet.

        Raises:
            MemoryError: there is no memory for it.

        """
        replay = lib.replay_new()
        if not replay:
            raise MemoryError
        self._replay: Any = ffi.gc(replay, lib.replay_free)
        self._state: Any = lib.replay_get_state(replay)
        self._memory: list[Borrowed] = []

    def attach(self, memory: ReplayMemory) -> None:
        """Take a device into use whose rings are empty.

        Raises:
            LayoutError: there is no QXLRam behind RAM, or it is not aligned.

        """
        ram, vram = Borrowed(memory.ram), Borrowed(memory.vram)
        place: Any = ffi.new("struct replay_memory *")
        place.ram = ram.pointer
        place.ram_size = memory.ram_size
        place.header_size = max(0, ram.size - memory.ram_size)
        place.vram = vram.pointer
        place.vram_size = vram.size
        place.ram_slot = memory.ram_slot
        place.vram_slot = memory.vram_slot
        place.slot_shift = memory.slot_shift
        if lib.replay_attach(self._replay, place):
            raise LayoutError(f"no QXLRam at {memory.ram_size:#x} of {ram.size} bytes")
        self._memory = [ram, vram]

    def set_max_gap(self, nanoseconds: int) -> None:
        """Cut longer pauses between events; 0: none."""
        lib.replay_set_max_gap(self._replay, nanoseconds)

    def room(self, size: int) -> memoryview:
        """Return *size* writable bytes for what follows in the file.

        They are good until the next call of any method; :meth:`fed` tells how many were
        filled.

        Raises:
            MemoryError: there is no memory for them.

        """
        pointer = lib.replay_buffer(self._replay, size)
        if not pointer:
            raise MemoryError
        return memoryview(ffi.buffer(pointer, size))

    def fed(self, size: int) -> None:
        """Take the first *size* bytes of :meth:`room`."""
        lib.replay_fed(self._replay, size)

    def end_of_file(self) -> None:
        """Take note that the file ends here."""
        lib.replay_end_of_file(self._replay)

    def play(self, until_ns: int = FOREVER) -> ReplayStatus:
        """Play what was fed up to a recorded time, as far as it goes.

        The time counts from the first event, in nanoseconds.

        Raises:
            RingBrokenError: the device broke a ring.

        """
        status = lib.replay_play(self._replay, until_ns)
        if status == lib.REPLAY_BROKEN:
            raise RingBrokenError("the device broke a ring")
        return ReplayStatus(status)

    def collect(self) -> int:
        """Take back what the device released; how many blocks that was.

        Raises:
            RingBrokenError: the device broke the release ring.

        """
        count = lib.replay_collect(self._replay)
        if count < 0:
            raise RingBrokenError("the device broke the release ring")
        return count

    @property
    def notify(self) -> bool:
        """The last call pushed what the device wants to be told of."""
        return bool(self._state.notify)

    @property
    def port(self) -> int:
        """PORT: the ``QXL_IO_*`` to write to."""
        port: int = self._state.port
        return port

    @property
    def next_ns(self) -> int:
        """EARLY: when the next event is due, in recorded nanoseconds."""
        moment: int = self._state.next_ns
        return moment

    @property
    def clock_ns(self) -> int:
        """Recorded time played so far, pauses that were cut left out."""
        moment: int = self._state.clock_ns
        return moment

    @property
    def offset(self) -> int:
        """Bytes of the file played so far; BAD: where it is wrong."""
        offset: int = self._state.offset
        return offset

    @property
    def problem(self) -> str:
        """BAD: what is wrong there."""
        return ffi.string(self._state.problem).decode("ascii")  # type: ignore[union-attr]

    @property
    def events(self) -> int:
        """Events played so far."""
        events: int = self._state.events
        return events

    @property
    def commands(self) -> int:
        """Commands of the file that were pushed to the rings."""
        commands: int = self._state.commands
        return commands

    @property
    def released(self) -> int:
        """How many of them the device gave back."""
        released: int = self._state.released
        return released

    @property
    def in_flight(self) -> int:
        """Blocks of memory that the device holds."""
        count: int = self._state.in_flight
        return count
