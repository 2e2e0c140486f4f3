"""How long a small thing takes on an idle server: a drawing, a key."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import time
from typing import TYPE_CHECKING

from benchmarks.figures import Figure, percentile
from benchmarks.producer import SCREEN, CommandFlood
from spice_client.keyboard import break_code, make_code
from spice_protocol.messages.base import BaseMsgc
from spice_protocol.messages.display import DisplayMsg
from spice_protocol.messages.inputs import InputsMsgc
from spice_protocol.protocol import SpiceMiniDataHeader
from spice_server.channel.ack import DEFAULT_WINDOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.peers.fake_qemu import PlayedVm

__all__ = ["BUDGET_MS", "control", "doorbell_to_socket", "key_to_monitor"]

BUDGET_MS = 2.0
"""p99 of both ways."""
IDLE = 0.001
"""Seconds between samples: the server has gone to sleep by then."""
DRAWN = {"fill": DisplayMsg.DRAW_FILL, "copy": DisplayMsg.DRAW_COPY}


def doorbell_to_socket(
    vm: PlayedVm, kind: str, samples: int, progress: Callable[[int], None]
) -> list[Figure]:
    """Draw one 16 x 16 command at a time and wait for its last byte at a client."""
    vm.guest.setup(*SCREEN)
    flood = CommandFlood(vm.guest, kind)
    times = []
    with vm.client() as client:
        client.display_link.wait(lambda: client.display.marked)
        sock = client.socket
        ack = SpiceMiniDataHeader(BaseMsgc.ACK, 0).pack()
        for number in range(samples):
            begin = time.perf_counter_ns()
            flood.push(1)
            message = _receive_message(sock)
            times.append(time.perf_counter_ns() - begin)
            assert message == DRAWN[kind], message
            if number % DEFAULT_WINDOW == DEFAULT_WINDOW - 1:
                sock.sendall(ack)
            flood.collect()
            progress(number + 1)
            time.sleep(IDLE)
    return _figures(f"doorbell to last byte, 16 x 16 {kind}", times)


def control(samples: int, progress: Callable[[int], None]) -> list[Figure]:
    """Wake a process by an eventfd and wait for a byte on a socket, without qxld.

    What the machine itself needs for that, and its other load, is in every latency.
    """
    doorbell = os.eventfd(0)
    ours, theirs = socket.socketpair()
    child = os.fork()
    if not child:
        ours.close()
        with contextlib.suppress(OSError):
            while os.eventfd_read(doorbell) == 1:
                theirs.send(b"x")
        os._exit(0)
    times = []
    for number in range(samples):
        begin = time.perf_counter_ns()
        os.eventfd_write(doorbell, 1)
        ours.recv(1)
        times.append(time.perf_counter_ns() - begin)
        progress(number + 1)
        time.sleep(IDLE)
    os.eventfd_write(doorbell, 2)
    os.waitpid(child, 0)
    os.close(doorbell)
    ours.close()
    theirs.close()
    figures = _figures("an eventfd and a byte, without qxld", times)
    for figure in figures:
        figure.budget = None
    return figures


def _receive_message(sock: socket.socket) -> int:
    """Receive one message to its last byte, return its type."""
    data = sock.recv(1 << 16)
    kind, size = struct.unpack_from("<HI", data)
    missing = SpiceMiniDataHeader.SIZE + size - len(data)
    while missing > 0:
        missing -= len(sock.recv(1 << 16))
    assert missing == 0, "two messages where one was expected"
    return int(kind)


def key_to_monitor(
    vm: PlayedVm, samples: int, progress: Callable[[int], None]
) -> list[Figure]:
    """Send a key at a time and wait for its input-send-event at QEMU's monitor."""
    times = []
    messages = [
        SpiceMiniDataHeader(message, 4).pack() + code.ljust(4, b"\0")
        for message, code in (
            (InputsMsgc.KEY_DOWN, make_code(0x1E)),
            (InputsMsgc.KEY_UP, break_code(0x1E)),
        )
    ]
    with vm.client() as client:
        vm.monitor.pause()
        for number in range(samples):
            known = len(vm.monitor.inputs)
            begin = time.perf_counter_ns()
            client.inputs_link.socket.sendall(messages[number % 2])
            while len(vm.monitor.inputs) == known:
                vm.monitor.receive()
            times.append(time.perf_counter_ns() - begin)
            progress(number + 1)
            time.sleep(IDLE)
        vm.monitor.start()
    return _figures("key from client to QMP", times)


def _figures(name: str, times_ns: list[int]) -> list[Figure]:
    times = sorted(value / 1e6 for value in times_ns)
    return [
        Figure(name, "p50", percentile(times, 50), "ms"),
        Figure(name, "p99", percentile(times, 99), "ms", budget=BUDGET_MS),
        Figure(name, "max", times[-1], "ms"),
    ]
