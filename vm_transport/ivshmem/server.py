"""The ivshmem server that QEMU's ivshmem-doorbell device connects to.

It gives QEMU the shared memory and the doorbells, and notices when QEMU goes: QEMU
itself never says a word.  One QEMU at a time.  Everything runs on one loop; QEMU's
main loop (and its monitor) stands still until the handshake has come, so nothing here
waits for the monitor.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vm_transport.errors import LayoutError
from vm_transport.guest_memory import GuestMemory
from vm_transport.ivshmem import messages
from vm_transport.ivshmem.display import IvshmemDisplay
from vm_transport.ivshmem.header import Feature
from vm_transport.ivshmem.layout import DEFAULT_VECTORS
from vm_transport.ivshmem.shared_header import SharedHeader
from vm_transport.ivshmem.vdi import IvshmemVdi
from vm_transport.unix_socket import (
    PeerProcess,
    has_closed,
    listen,
    peer_process,
    send_with_fd,
)

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from vm_transport.ivshmem.layout import Layout

__all__ = ["Attachment", "IvshmemEvent", "IvshmemServer"]

_logger = logging.getLogger(__name__)


PAUSE_S: Final = 1.0
"""Seconds without accepting when we have no file descriptor left."""

MAX_CONNECTIONS: Final = 16
"""Connections kept open; who is refused holds one until it notices."""


class IvshmemEvent(enum.Enum):
    """What happened to the connection with QEMU."""

    ATTACHED = "attached"
    """The handshake was sent: the device exists or is about to."""
    DETACHED = "detached"
    """QEMU ended or the device was removed; the devices have been reset."""


@dataclass(slots=True)
class Attachment:
    """What a device in a QEMU process has been given and will never forget."""

    process: PeerProcess
    peer_id: int
    """Ours; the next server needs one more (vectors run out long before ids do)."""
    vectors_used: int
    """The device's MSI-X vectors that have an eventfd."""
    epoch: int


class IvshmemServer:
    """Shared memory, displays and VDI port of one VM."""

    def __init__(
        self,
        path: Path,
        layout: Layout,
        *,
        vectors: int = DEFAULT_VECTORS,
        memory: GuestMemory | None = None,
        resume: Attachment | None = None,
    ) -> None:
        """Serve *layout* on the unix socket *path*.

        *vectors* is what the device's property of that name will be.  With *memory*
        and *resume*, both of a former server, a QEMU that reconnects goes on.

        Raises:
            LayoutError: *vectors* or *memory* do not fit the layout.

        """
        layout.check_vectors(vectors)
        self.path = path
        self.layout = layout
        self.vectors = vectors
        self.memory = memory or GuestMemory.create(layout.size, "qxld-bar2")
        if self.memory.size != layout.size:
            raise LayoutError(
                f"memory of {self.memory.size} bytes, the layout has {layout.size}"
            )
        self._header = SharedHeader(self.memory, layout)
        self.displays = tuple(
            IvshmemDisplay(k, self.memory, place, self._header)
            for k, place in enumerate(layout.displays)
        )
        self.vdi = IvshmemVdi(self.memory, layout.vdi)
        self.attachment = resume
        """What the connected QEMU was given; ``None``: there is none."""
        self._resumable = resume is not None
        self._epoch = resume.epoch + 1 if resume else 1
        self._irq_base = 0
        self._listener: socket.socket | None = None
        self._connection: socket.socket | None = None
        self._attached = asyncio.Event()
        self._detached = asyncio.Event()
        self._detached.set()
        self._observers: list[Callable[[IvshmemEvent], None]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    # ---- the operator's side

    def on_event(self, observer: Callable[[IvshmemEvent], None]) -> None:
        """Call *observer*, on the server's loop, for every event."""
        self._observers.append(observer)

    async def start(self) -> None:
        """Make the memory valid and listen; the devices should have been started.

        The VDI port is offered to guests if it was.

        Raises:
            PeerError: somebody else listens on the path.
            OSError: the path cannot be used.

        """
        self._listener = listen(self.path)
        self._write_header()
        self._accept_again()
        _logger.info("waiting for QEMU on %s", self.path)

    async def wait_attached(self) -> None:
        """Return when the handshake has been sent to a QEMU."""
        await self._attached.wait()

    async def wait_detached(self) -> None:
        """Return when no QEMU is connected."""
        await self._detached.wait()

    async def machine_reset(self) -> None:
        """Bring the devices to their first state: the machine was reset.

        The memory outlives a machine reset, so only the monitor's RESET event tells.
        """
        await self._reset_devices()
        self._write_header()  # whatever the guest did to it while it ran

    async def close(self) -> None:
        """Stop listening and let go of QEMU, which goes on without us."""
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None
            self.path.unlink(missing_ok=True)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for display in self.displays:
            display.close()
        self.vdi.close()
        self.memory.close()

    # ---- QEMU's side

    def _accept_again(self) -> None:
        if self._listener is not None:
            asyncio.get_running_loop().add_reader(self._listener, self._on_connect)

    def _on_connect(self) -> None:
        assert self._listener is not None
        loop = asyncio.get_running_loop()
        try:
            connection, _address = self._listener.accept()
        except OSError as error:
            # It would be told again at once, and for ever.
            _logger.warning("cannot accept QEMU's connection: %s", error)
            loop.remove_reader(self._listener)
            loop.call_later(PAUSE_S, self._accept_again)
            return
        connection.setblocking(False)  # noqa: FBT003 - socket's own
        task = loop.create_task(self._serve(connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: socket.socket) -> None:
        with connection:
            # A predecessor may be gone without its task having heard of it yet.
            while self._connection is not None and has_closed(self._connection):
                await self._detached.wait()
            if has_closed(connection):
                return
            if self._connection is not None:
                await self._refuse(connection)
                return
            self._connection = connection
            self._detached.clear()
            try:
                await self._attach(connection)
                await self._watch(connection)
            except OSError as error:
                _logger.warning("QEMU went away: %s", error)
            finally:
                self._attached.clear()
            await self._detach()

    async def _refuse(self, connection: socket.socket) -> None:
        _logger.error(
            "process %d wants to attach, but process %d is attached: refused",
            peer_process(connection).pid,
            self.attachment.process.pid if self.attachment else 0,
        )
        with contextlib.suppress(OSError):
            await self._send(connection, messages.refusal())
            if len(self._tasks) <= MAX_CONNECTIONS:
                # A chardev that reads the end before device_add loses the refusal
                # too, and the VM hangs after all.
                await self._watch(connection)

    async def _attach(self, connection: socket.socket) -> None:
        process = peer_process(connection)
        former = self.attachment if self._resumable else None
        resumed = former is not None and former.process == process
        self._resumable = False
        if resumed:
            assert former is not None
            irq_base = former.vectors_used
            peer_id = former.peer_id + 1
        else:
            if former is not None:
                await self._reset_devices()
            irq_base = 0
            peer_id = 1
        interrupts = self._interrupts()[: self.vectors - irq_base]
        if len(interrupts) < self.layout.num_interrupts:
            _logger.error(
                "no MSI-X vectors are left for another take-over: "
                "unplug the device and plug it in again"
            )
        self.attachment = Attachment(
            process, peer_id, irq_base + len(interrupts), self._epoch
        )
        self._irq_base = irq_base
        self._write_header()
        doorbells = self._doorbells()
        if resumed:
            sequence = messages.take_over(peer_id, doorbells, interrupts)
        else:
            sequence = messages.handshake(
                self.memory.fileno(), peer_id, doorbells, interrupts
            )
        await self._send(connection, sequence)
        _logger.info(
            "%s QEMU process %d", "resumed" if resumed else "attached to", process.pid
        )
        self._attached.set()
        self._emit(IvshmemEvent.ATTACHED)

    async def _send(
        self, connection: socket.socket, sequence: list[messages.Message]
    ) -> None:
        for message in sequence:
            await send_with_fd(connection, message.encode(), message.fd)

    async def _watch(self, connection: socket.socket) -> None:
        """Wait for the end of the connection."""
        loop = asyncio.get_running_loop()
        complained = False
        while await loop.sock_recv(connection, 4096):
            if not complained:
                _logger.warning("QEMU's end of %s speaks; ignored", self.path)
                complained = True

    async def _detach(self) -> None:
        _logger.info("QEMU let go of the device")
        self.attachment = None
        await self._reset_devices()
        # The next QEMU may be another VM: it finds nothing of this one's.
        for window in self.layout.beside_devices():
            self.memory.discard(window.offset, window.size)
        self._irq_base = 0
        self._write_header()
        self._connection = None
        self._detached.set()
        self._emit(IvshmemEvent.DETACHED)

    # ---- memory

    async def _reset_devices(self) -> None:
        """Empty all memory and let every device start anew on its own loop."""
        self._header.clear_guest()
        self.vdi.reset()
        resets = [display.reset() for display in self.displays]
        await asyncio.gather(*(asyncio.wrap_future(reset) for reset in resets))

    def _write_header(self) -> None:
        peer_id = self.attachment.peer_id if self.attachment else 0
        features = Feature.IO_RING
        if self.vdi.served:
            features |= Feature.VDI_PORT
        self._header.write(
            epoch=self._epoch,
            peer_id=peer_id,
            irq_base=self._irq_base,
            features=features,
        )

    # ---- vectors

    def _doorbells(self) -> list[int]:
        """Return the doorbells' descriptors in the order of their vectors."""
        fds = []
        for display in self.displays:
            fds += [display.notify_doorbell.fileno(), display.io_doorbell.fileno()]
        return [*fds, self.vdi.doorbell.fileno()]

    def _interrupts(self) -> list[int]:
        """Return the interrupts' descriptors in the order of their vectors."""
        fds = [display.interrupt.fileno() for display in self.displays]
        return [*fds, self.vdi.interrupt.fileno()]

    def _emit(self, event: IvshmemEvent) -> None:
        for observer in self._observers:
            observer(event)
