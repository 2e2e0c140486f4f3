"""Clear QEMU of what an unplugged ivshmem device leaves in its main loop.

QEMU without KVM's irqfd (7.2 and, by its source, later ones) watches the eventfds of the
device's interrupts, and ``ivshmem_exit`` closes them without ending that.  Its main loop
then never sleeps again, and the next file that gets one of those numbers makes it call
a handler whose memory is freed: the VM dies.

A network backend of type ``socket`` is given a file by its number, watches it with the
same functions, and stops watching when it is removed.  So the numbers that are free now,
the lowest first, are taken by such backends, and given back.
"""

from __future__ import annotations

import contextlib
import logging
import socket
from typing import TYPE_CHECKING

from qmp_bridge.errors import CommandFailed

if TYPE_CHECKING:
    from qmp_bridge.qemu_monitor import QemuMonitor

__all__ = ["clear_handlers"]

NUMBERS = 32
"""Numbers to go through: a device of 4 displays has 17 files, others may have closed
some below those."""

_log = logging.getLogger(__name__)


async def clear_handlers(monitor: QemuMonitor) -> None:
    """Let QEMU forget the handlers of files that are closed.

    Raises:
        QemuGone: QEMU went away.

    """
    ours, theirs = socket.socketpair()
    with ours, theirs:
        await _take_and_give_back(monitor, theirs)


async def _take_and_give_back(monitor: QemuMonitor, silent: socket.socket) -> None:
    names = [f"qxld-cleared-{number}" for number in range(NUMBERS)]
    added = []
    try:
        for name in names:
            await monitor.give_fd(name, silent.fileno())
        for name in names:
            backend = {"type": "socket", "id": name, "fd": name}
            await monitor.execute("netdev_add", backend)
            added.append(name)
    except CommandFailed as error:
        # A QEMU without such backends; what is left of it has to be lived with.
        _log.info("QEMU's main loop cannot be cleared: %s", error)
    finally:
        for name in names:
            command = "netdev_del" if name in added else "closefd"
            key = "id" if name in added else "fdname"
            with contextlib.suppress(CommandFailed):
                await monitor.execute(command, {key: name})
