"""The host's end of a VDI port (qxl_ivshmem.h tells how it works).

Nothing of the guest's is trusted: of its words only ``guest_open``, ``int_mask`` and two
indexes are read, each once, and the indexes are checked against ours, which are kept
outside shared memory.  All a guest can do is to open and close, no more often than
``ANSWER_INTERVAL`` allows, and to move bytes, a bounded number of them per turn of the
loop.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, Final

from spice_common.atomics import AtomicU32
from spice_protocol.vdi_dev import (
    VDI_PORT_MAGIC,
    VDI_PORT_NAME,
    VDIPortInterrupt,
    VDIPortRam,
    VDIPortRing,
)
from vdiport.byte_ring import ByteConsumer, ByteProducer, reset_ring
from vdiport.errors import RingBrokenError, VdiWindowError

if TYPE_CHECKING:
    import asyncio

    from _typeshed import ReadableBuffer

    from vd_interfaces.port import PortHandler
    from vm_transport.vdi_transport import VdiTransport

__all__ = ["VdiPort"]

ANSWER_INTERVAL: Final = 0.01
"""Seconds between two openings that are answered: each costs messages to clients."""
TURN_READS: Final = 4
"""Looks at the output ring, of 64 KiB at most each, before others on the loop."""

_MASK: Final = 0xFFFFFFFF
_logger = logging.getLogger(__name__)


class VdiPort:
    """A ``GuestPort`` in shared memory, and its transport's handler."""

    def __init__(self, transport: VdiTransport) -> None:
        """Serve *transport* once started.

        Raises:
            VdiWindowError: its memory is too small.

        """
        memory = transport.memory.view
        if len(memory) < VDIPortRam.SIZE:
            raise VdiWindowError(
                f"a VDI port needs {VDIPortRam.SIZE} bytes, there are {len(memory)}"
            )
        self._transport = transport
        self._magic = AtomicU32(memory, VDIPortRam.offset("magic"))
        self._shared_generation = AtomicU32(memory, VDIPortRam.offset("generation"))
        self._int_pending = AtomicU32(memory, VDIPortRam.offset("int_pending"))
        self._int_mask = AtomicU32(memory, VDIPortRam.offset("int_mask"))
        self._guest_open = AtomicU32(memory, VDIPortRam.offset("guest_open"))
        self._host_open = AtomicU32(memory, VDIPortRam.offset("host_open"))
        self._rings = [
            memory[start : start + VDIPortRing.SIZE]
            for start in map(VDIPortRam.offset, ("input", "output"))
        ]
        self._input = ByteProducer(self._rings[0])
        self._output = ByteConsumer(self._rings[1])
        self._loop: asyncio.AbstractEventLoop | None = None
        self._handler: PortHandler | None = None
        self._opening = 0  # the guest's number, as last read
        self._generation = 0  # of the connection, 0: there is none
        self._last_generation = 0
        self._spent = False  # this opening had its connection, which is over
        self._paused = False
        self._queue: deque[memoryview] = deque()  # found no room in the input ring
        self._refused = False  # write() said no
        self._answer: asyncio.TimerHandle | None = None
        self._next_answer = 0.0
        self._turn: asyncio.Handle | None = None
        self.times_broken = 0
        """How often the guest's indexes made no sense."""

    # ---- life

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Offer the port to the guest, from *loop*'s thread.

        A connection that a former server left in the memory is ended: what it had
        taken and given is not known.
        """
        self._loop = loop
        self._last_generation = self._shared_generation.load()
        if self._last_generation:
            self._opening = self._host_open.load()
            self._spent = True
        self._shared_generation.store(0)
        self._magic.store(VDI_PORT_MAGIC)
        self._interrupt()
        self._transport.start(loop, self)

    def stop(self) -> None:
        """End the connection and leave the guest alone; the handler is not told."""
        self._end()
        self._cancel()
        self._transport.stop()
        self._loop = None

    # ---- GuestPort

    @property
    def name(self) -> str:
        """``com.redhat.spice.0``: what the agent's port is called everywhere."""
        return VDI_PORT_NAME

    @property
    def opened(self) -> bool:
        """Whether somebody in the guest holds it open, not only an ended connection."""
        return self._opening != 0 and not self._spent

    @property
    def attached(self) -> bool:
        """Whether somebody serves it."""
        return self._handler is not None

    def attach(self, handler: PortHandler | None) -> None:
        """Let *handler* serve the port from now on; ``None``: nobody.

        A connection with another handler ends, and the guest reads the end of the
        stream: the next one begins when it opens the port anew.
        """
        if handler is self._handler:
            return
        self._end()
        self._handler = handler
        self._paused = False
        if handler is not None and self._loop is not None:
            self._loop.call_soon(self._connect)

    def write(self, data: ReadableBuffer) -> bool:
        """Give *data* to the guest; False: the ring is full, wait for room."""
        if not self._generation:
            return True
        rest = memoryview(data).cast("B")
        try:
            if not self._queue:
                rest = self._push(rest)
        except RingBrokenError:
            # The handler is on the stack: it hears of it in another turn.
            self._look_soon()
        if rest:
            self._queue.append(memoryview(bytes(rest)))
        self._refused = bool(self._queue)
        return not self._refused

    def pause(self) -> None:
        """Take nothing from the guest until ``resume``."""
        self._paused = True

    def resume(self) -> None:
        """Take what the guest writes again, soon."""
        if self._paused:
            self._paused = False
            self._look_soon()

    # ---- VdiTransportHandler

    def notify(self) -> None:
        """Look at what the guest did."""
        opening = self._guest_open.load()
        if self._generation:
            # What was written before the port was closed is still taken.
            self._take()
        if opening != self._opening:
            self._reopened(opening)
        elif self._generation:
            self._give()

    def guest_reset(self) -> None:
        """Forget the guest: its memory was emptied."""
        self._cancel()
        self._opening = 0
        self._close()
        self._spent = False
        self._magic.store(VDI_PORT_MAGIC)

    # ---- opening and closing

    def _reopened(self, opening: int) -> None:
        self._cancel()
        self._opening = opening
        self._close()
        self._spent = False
        loop = self._loop
        if not opening or loop is None:
            return
        if loop.time() >= self._next_answer:
            self._connect()
        else:
            self._answer = loop.call_at(self._next_answer, self._connect)

    def _connect(self) -> None:
        """Answer an opening that has not had its connection yet."""
        loop = self._loop
        if loop is None or self._generation or not self.opened:
            return
        self._answer = None
        self._next_answer = loop.time() + ANSWER_INTERVAL
        handler = self._handler
        if handler is not None:
            self._generation = (self._last_generation + 1) & _MASK or 1
            self._last_generation = self._generation
            for ring in self._rings:
                reset_ring(ring)
            self._input.restart()
            self._output.restart()
        self._shared_generation.store(self._generation)
        self._host_open.store(self._opening)
        self._interrupt()
        if handler is not None:
            _logger.debug("VDI port: opened (generation %d)", self._generation)
            handler.port_opened()
            self._look_soon()

    def _close(self) -> None:
        """End the connection, if there is one, and tell the handler."""
        if self._end() and self._handler is not None:
            _logger.debug("VDI port: closed")
            self._handler.port_closed()

    def _end(self) -> bool:
        """End the connection; whether there was one."""
        if not self._generation:
            return False
        self._generation = 0
        self._spent = True
        self._queue.clear()
        self._refused = False
        self._shared_generation.store(0)
        self._interrupt()
        return True

    def _broken(self, error: RingBrokenError) -> None:
        """End a connection whose guest breaks the rules."""
        self.times_broken += 1
        # A guest can do this for ever; a line per doubling is what the log can bear.
        if self.times_broken & (self.times_broken - 1) == 0:
            _logger.warning(
                "VDI port: %s; connection ended (time %d)", error, self.times_broken
            )
        self._close()

    # ---- bytes

    def _look_soon(self) -> None:
        if self._turn is None and self._loop is not None:
            self._turn = self._loop.call_soon(self._look)

    def _look(self) -> None:
        self._turn = None
        self.notify()

    def _take(self) -> None:
        """Pass on what the guest wrote, for one turn."""
        generation = self._generation
        for _ in range(TURN_READS):
            if self._paused or self._handler is None or not generation:
                return
            try:
                data, notify = self._output.take()
            except RingBrokenError as error:
                self._broken(error)
                return
            if notify:
                self._interrupt()
            if data:
                self._handler.port_data(data)
            elif self._output.wait():
                return
            if self._generation != generation:
                return
        self._look_soon()

    def _give(self) -> None:
        """Put into the input ring what waits for room there."""
        queue = self._queue
        try:
            while queue:
                rest = self._push(queue[0])
                if rest:
                    queue[0] = rest
                    return
                queue.popleft()
        except RingBrokenError as error:
            self._broken(error)
            return
        if self._refused:
            self._refused = False
            if self._handler is not None:
                self._handler.port_writable()

    def _push(self, data: memoryview) -> memoryview:
        """Put *data* into the input ring; what found no room, which is asked for."""
        while data:
            count, notify = self._input.write(data)
            if notify:
                self._interrupt()
            data = data[count:]
            if data and self._input.wait():
                break
        return data

    def _interrupt(self) -> None:
        self._int_pending.fetch_or(VDIPortInterrupt.PORT)
        if self._int_mask.load() & VDIPortInterrupt.PORT:
            self._transport.raise_interrupt()

    def _cancel(self) -> None:
        for handle in (self._answer, self._turn):
            if handle is not None:
                handle.cancel()
        self._answer = self._turn = None
