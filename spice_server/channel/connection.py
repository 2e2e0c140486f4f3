"""A client's socket on whatever event loop serves its channel.

asyncio's transports cannot move between loops, and a display channel lives on its
worker's loop while its link stage runs on the main one.  So this is a non-blocking
socket with ``add_reader``/``add_writer``: :meth:`Connection.detach` on the one loop,
:meth:`Connection.attach` on the other, and bytes read too early go along.

All methods belong to the thread of the loop the connection is attached to; between
``detach`` and ``attach`` to the thread that carries it over.  Nothing raises: whatever
ends a connection is told once, through :meth:`Receiver.connection_lost`, from the loop.
"""

from __future__ import annotations

import enum
import socket
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable

    from spice_server.channel.pipe import Buffer
    from spice_server.channel.wrapping import Wrapping
    from vd_interfaces.control import SpiceEndpoint

__all__ = ["LOW_WATER", "Connection", "Receiver"]

LOW_WATER = 64 * 1024
"""Pending bytes under which more may be written: enough to keep a socket busy between
two turns of the loop, little enough that a dropped frame is really dropped."""

READ_SIZE = 64 * 1024
"""Bytes taken from a socket per turn of the loop, so that no client starves others."""

MAX_BUFFERS = 512
"""Buffers per sendmsg; Linux' IOV_MAX is 1024."""

LINGER_TIME = 5.0
"""Seconds a closing connection may take to deliver its last bytes."""

LINGER_BYTES = 1024 * 1024
"""What a peer may still send while its connection closes."""


class Receiver(Protocol):
    """Who serves a connection."""

    def data_received(self, data: bytes) -> None:
        """Take bytes from the peer, at most ``READ_SIZE`` or what was put back."""

    def writable(self) -> None:
        """Write more: pending bytes fell to ``LOW_WATER`` or below."""

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the connection: it is closed; *error* says why if not by intent."""


class State(enum.Enum):
    """Life of a connection."""

    OPEN = enum.auto()
    CLOSING = enum.auto()
    """Pending bytes go out, incoming ones are thrown away."""
    CLOSED = enum.auto()


class Connection:
    """A connected stream socket, plain; :class:`TlsConnection` is the other kind."""

    tls = False

    def __init__(
        self, sock: socket.socket, local: SpiceEndpoint, peer: SpiceEndpoint
    ) -> None:
        sock.settimeout(0)
        self._sock = sock
        self.local = local
        self.peer = peer
        self.pending = 0
        """Bytes written that the kernel has not taken yet."""
        self._state = State.OPEN
        self._loop: asyncio.AbstractEventLoop | None = None
        self._receiver: Receiver | None = None
        self._out: deque[Buffer] = deque()
        self._unread = b""
        self._wrapping: Wrapping | None = None
        self._writer_added = False
        self._again: asyncio.Handle | None = None
        """A turn of reading that the kernel will not call for."""
        self._linger: asyncio.TimerHandle | None = None
        self._lingered = 0
        self._reading_paused = False

    # -- where it is served ----------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether what is written still has a chance to arrive."""
        return self._state is State.OPEN

    def attach(self, loop: asyncio.AbstractEventLoop, receiver: Receiver) -> None:
        """Serve the connection on *loop*, the running one, by *receiver*."""
        self._loop = loop
        self._receiver = receiver
        if self._state is State.CLOSED:
            loop.call_soon(receiver.connection_lost, None)
            return
        self._watch_readable()
        self._watch_writable()
        self._read_again()

    def detach(self) -> None:
        """Stop serving the connection here, it can be attached elsewhere."""
        if self._loop is not None and self._state is not State.CLOSED:
            self._loop.remove_reader(self._sock)
            self._watch_writable(off=True)
            if self._again is not None:
                self._again.cancel()
        self._loop = None
        self._receiver = None

    def put_back(self, data: bytes) -> None:
        """Let *data*, read but not meant for the present receiver, be read again."""
        self._unread = data + self._unread

    def pause_reading(self) -> None:
        """Take nothing from the peer, not even its end, until ``resume_reading``."""
        self._reading_paused = True
        self._watch_readable()
        if self._again is not None:
            self._again.cancel()

    def resume_reading(self) -> None:
        """Read again, in the next turn at the earliest."""
        self._reading_paused = False
        self._watch_readable()
        self._read_again()

    def wrap(self, wrapping: Wrapping, data: bytes) -> None:
        """Put *wrapping* around all that follows; *data* of it was read already.

        For a receiver that is just handling what it received.
        """
        self._wrapping = wrapping
        if data:
            self.put_back(wrapping.unwrap(data))

    # -- writing ---------------------------------------------------------------

    def write(self, buffers: Iterable[Buffer]) -> None:
        """Send *buffers* in order; what the kernel does not take stays pending.

        There is no bound here: who writes looks at ``pending`` first.
        """
        if self._state is not State.OPEN:
            return
        if self._wrapping is not None:
            buffers = () if self._wrapping.ended else self._wrapping.wrap(buffers)
        self._put(buffers)

    def _put(self, buffers: Iterable[Buffer]) -> None:
        idle = not self.pending
        for buffer in buffers:
            if buffer:
                self._out.append(buffer)
                self.pending += len(buffer)
        if idle and self._out:
            self._flush()

    def close(self) -> None:
        """Close once pending bytes are out, within ``LINGER_TIME``.

        The peer's end of stream is awaited, too: closing a socket with unread bytes
        makes TCP reset it, and the peer might never see our last words.
        """
        if self._state is not State.OPEN:
            return
        if self._loop is None:
            self.abort()
            return
        if self._wrapping is not None:
            self._put(self._wrapping.farewell())
        if not self.is_open:
            return  # nobody is there to take it
        self._state = State.CLOSING
        self.resume_reading()
        self._linger = self._loop.call_later(LINGER_TIME, self.abort)
        if not self.pending:
            self._finish_writing()

    def abort(self, error: Exception | None = None) -> None:
        """Close at once; what is pending is lost."""
        if self._state is State.CLOSED:
            return
        self._state = State.CLOSED
        for handle in (self._linger, self._again):
            if handle is not None:
                handle.cancel()
        loop, receiver = self._loop, self._receiver
        if loop is not None:
            loop.remove_reader(self._sock)
            self._watch_writable(off=True)
        self._sock.close()
        self._out.clear()
        self.pending = 0
        self._unread = b""
        if loop is not None and receiver is not None:
            # Never from within the caller: it may be walking the list of clients.
            loop.call_soon(receiver.connection_lost, error)

    # -- events of the loop ----------------------------------------------------

    def _on_readable(self) -> None:
        receiver = self._receiver
        try:
            data = self._take_unread() or self._receive_inner()
        except OSError as error:
            self.abort(error)
            return
        if data is None:
            return
        if not data:
            self.abort()
        elif self._state is State.CLOSING:
            self._discard(data)
        elif receiver is not None:
            receiver.data_received(data)
        # Another receiver means another thread, too: hands off.
        if self._receiver is receiver:
            self._read_again()

    def _receive_inner(self) -> bytes | None:
        """Return what the peer's bytes bring, as :meth:`_receive` does."""
        wrapping = self._wrapping
        if wrapping is None or self._state is not State.OPEN:
            return self._receive()
        if wrapping.ended:
            self.close()
            return None
        data = self._receive()
        if not data:
            return data
        inner = wrapping.unwrap(data)
        self._answer()
        if not inner:
            self._read_again()
            return None
        return inner

    def _answer(self) -> None:
        """Send answers while there is room: a peer that reads nothing gets none."""
        if self._wrapping is not None and self.pending <= LOW_WATER:
            self._put(self._wrapping.take_answers())

    def _read_again(self) -> None:
        """Read in the next turn if bytes are waiting that the kernel does not have."""
        if self._loop is None or self._state is State.CLOSED or self._reading_paused:
            return
        ended = self._wrapping is not None and self._wrapping.ended
        if self._unread or self._buffered() or (ended and self.is_open):
            self._again = self._loop.call_soon(self._on_readable)

    def _take_unread(self) -> bytes:
        data, self._unread = self._unread, b""
        return data

    def _discard(self, data: bytes) -> None:
        self._lingered += len(data)
        if self._lingered > LINGER_BYTES:
            self.abort()

    def _on_writable(self) -> None:
        self._flush()
        if self._state is State.OPEN and self.pending <= LOW_WATER and self._receiver:
            self._answer()
            self._receiver.writable()

    def _flush(self) -> None:
        """Give the kernel what it takes, watch for room if it did not take all."""
        try:
            self._transmit()
        except OSError as error:
            self.abort(error)
            return
        self._watch_writable()
        if self._state is State.CLOSING and not self.pending:
            self._finish_writing()

    def _finish_writing(self) -> None:
        try:
            self._shutdown()
        except OSError:
            self.abort()  # the peer is gone already: all the same by now

    def _watch_readable(self) -> None:
        """Watch for bytes of the peer unless reading is paused."""
        if self._loop is None or self._state is State.CLOSED:
            return
        if self._reading_paused:
            self._loop.remove_reader(self._sock)
        else:
            self._loop.add_reader(self._sock, self._on_readable)

    def _watch_writable(self, *, off: bool = False) -> None:
        """Watch for room just while something is pending."""
        wanted = self._wants_writable() and not off
        if self._loop is None or wanted == self._writer_added:
            return
        self._writer_added = wanted
        if wanted:
            self._loop.add_writer(self._sock, self._on_writable)
        else:
            self._loop.remove_writer(self._sock)

    def _consume(self, sent: int) -> None:
        """Forget the first *sent* pending bytes."""
        self.pending -= sent
        while sent:
            first = self._out[0]
            if sent < len(first):
                self._out[0] = memoryview(first)[sent:]
                return
            sent -= len(first)
            self._out.popleft()

    # -- what differs with TLS -------------------------------------------------

    def _receive(self) -> bytes | None:
        """Return bytes of the peer; empty: it ended; ``None``: none right now."""
        try:
            return self._sock.recv(READ_SIZE)
        except BlockingIOError:
            return None

    def _transmit(self) -> None:
        """Give the kernel what it takes."""
        while self._out:
            batch = list(islice(self._out, MAX_BUFFERS))
            try:
                sent = self._sock.sendmsg(batch)
            except BlockingIOError:
                return
            complete = sent == sum(map(len, batch))
            self._consume(sent)
            if not complete:
                return

    def _shutdown(self) -> None:
        """Tell the peer that nothing follows."""
        self._sock.shutdown(socket.SHUT_WR)

    def _buffered(self) -> bool:
        """Whether bytes are waiting that the kernel does not tell of."""
        return False

    def _wants_writable(self) -> bool:
        return bool(self._out)
