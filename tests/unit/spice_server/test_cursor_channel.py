"""The guest's pointer as clients are told of it."""

from __future__ import annotations

import pytest

from spice_common.cursor_command import CursorCommand
from spice_protocol.enums import SpiceCursorFlags
from spice_protocol.messages.base import BaseMsg
from spice_protocol.messages.cursor import MSG, CursorMsg
from spice_protocol.qxl_dev import QxlCursorCmdType
from spice_server.cursor.cache import MAX_CURSORS
from tests.fakes.display_bench import DisplayBench, RawClient

NONE, CACHE_ME, FROM_CACHE = (
    SpiceCursorFlags.NONE,
    SpiceCursorFlags.CACHE_ME,
    SpiceCursorFlags.FROM_CACHE,
)
PIXELS = bytes(range(256)) * 4  # 16 x 16 ARGB


@pytest.fixture
def bench():
    with DisplayBench() as bench:
        yield bench


def receive(client: RawClient):
    """Return type and content of the next cursor message, which must be complete."""
    kind, body = client.receive()
    message = MSG[kind].unpack(body)
    assert message.pack() == body
    return CursorMsg(kind), message


def connect(bench: DisplayBench) -> tuple[RawClient, object]:
    client = bench.cursor_client()
    kind, _ = client.receive()
    assert kind == BaseMsg.SET_ACK
    kind, message = receive(client)
    assert kind == CursorMsg.INIT
    return client, message


def test_a_guest_without_a_pointer(bench):
    _, init = connect(bench)
    assert init.cursor.flags == NONE
    assert init.pack() == b"\0" * 8 + b"\1" + b"\1\0"  # 11 bytes, as libspice-server


def test_shape_place_and_disappearance(bench):
    client, _ = connect(bench)
    guest = bench.guest
    guest.set_cursor(PIXELS, 16, 16, hot_spot=(3, 4), position=(5, 6))
    kind, message = receive(client)
    assert kind == CursorMsg.SET
    assert (message.position.x, message.position.y, message.visible) == (5, 6, 1)
    assert message.cursor.flags == 0
    assert message.cursor.data == PIXELS
    header = message.cursor.header
    assert (header.width, header.height) == (16, 16)
    assert (header.hot_spot_x, header.hot_spot_y) == (3, 4)
    guest.move_cursor(-7, 300)
    kind, message = receive(client)
    assert kind == CursorMsg.MOVE
    assert (message.position.x, message.position.y) == (-7, 300)
    guest.hide_cursor()
    assert receive(client)[0] == CursorMsg.HIDE


def test_a_late_client_gets_the_pointer_as_it_is(bench):
    bench.guest.set_cursor(PIXELS, 16, 16, unique=9)
    bench.guest.move_cursor(1, 2)
    bench.guest.hide_cursor()
    settle(bench)
    client, init = connect(bench)
    assert init.cursor.data == PIXELS
    assert init.cursor.flags == CACHE_ME
    assert (init.position.x, init.position.y, init.visible) == (1, 2, 0)
    bench.guest.set_cursor(PIXELS, 16, 16, unique=9)
    _, message = receive(client)
    assert message.cursor.flags == FROM_CACHE
    assert message.cursor.data == b""
    assert message.cursor.header.unique == 9


def settle(bench: DisplayBench) -> None:
    """Wait until the worker has taken what the rings held."""
    bench.transport.guest_notify()
    bench.worker.dispatcher.call(lambda: None).result()
    bench.worker.dispatcher.call(lambda: None).result()


def test_each_client_has_its_cache_and_is_told_what_to_forget(bench):
    client, _ = connect(bench)
    seen = []
    for unique in range(1, MAX_CURSORS + 3):
        bench.guest.set_cursor(PIXELS[:64], 4, 4, unique=unique)
        seen.append(receive(client))
        bench.guest.collect()
    kinds = [kind for kind, _ in seen]
    assert kinds[:MAX_CURSORS] == [CursorMsg.SET] * MAX_CURSORS
    assert kinds[MAX_CURSORS:] == [CursorMsg.INVAL_ONE, CursorMsg.SET]
    assert seen[MAX_CURSORS][1].id == 1
    other, init = connect(bench)
    assert init.cursor.flags == CACHE_ME
    bench.guest.set_cursor(PIXELS[:64], 4, 4, unique=5)
    assert receive(client)[0] == CursorMsg.INVAL_ONE
    assert receive(client)[1].cursor.flags == CACHE_ME
    assert receive(client)[1].cursor.flags == FROM_CACHE
    assert receive(other)[1].cursor.flags == CACHE_ME


def test_a_change_of_mode_ends_one_pointer_and_begins_another(bench):
    client, _ = connect(bench)
    bench.guest.set_cursor(PIXELS, 16, 16, unique=9, position=(4, 4))
    receive(client)
    bench.guest.destroy_primary()
    assert [receive(client)[0] for _ in range(2)] == [
        CursorMsg.INVAL_ALL,
        CursorMsg.RESET,
    ]
    # Nothing may come between RESET and INIT.
    bench.guest.set_cursor(PIXELS, 16, 16, unique=9, position=(7, 7))
    settle(bench)
    bench.guest.create_primary(64, 48)
    kind, message = receive(client)
    assert kind == CursorMsg.INIT
    assert message.cursor.flags == CACHE_ME
    assert message.position.x == 7


def test_trails(bench):
    client, _ = connect(bench)
    command = CursorCommand(QxlCursorCmdType.TRAIL, trail_length=5, trail_frequency=50)
    bench.worker.dispatcher.call(bench.worker.cursor.process, command).result()
    kind, message = receive(client)
    assert kind == CursorMsg.TRAIL
    assert (message.length, message.frequency) == (5, 50)
    _, init = connect(bench)
    assert (init.trail_length, init.trail_frequency) == (5, 50)


def test_reset_of_the_cursor_alone(bench):
    client, _ = connect(bench)
    bench.worker.dispatcher.call(bench.worker.reset_cursor).result()
    kinds = [receive(client)[0] for _ in range(3)]
    assert kinds == [CursorMsg.INVAL_ALL, CursorMsg.RESET, CursorMsg.INIT]


def test_in_client_mouse_mode_moves_say_nothing_new(bench):
    client, _ = connect(bench)
    bench.worker.set_client_mouse_mode(client=True)
    bench.guest.set_cursor(PIXELS, 16, 16)
    receive(client)
    bench.guest.move_cursor(1, 1)
    settle(bench)
    bench.guest.hide_cursor()
    assert receive(client)[0] == CursorMsg.HIDE
    bench.guest.move_cursor(2, 2)
    kind, message = receive(client)
    assert kind == CursorMsg.MOVE  # it reappears
    assert message.position.x == 2


class CacheJudge:
    """A client's cache: what is taken from it must be there."""

    def __init__(self) -> None:
        self.place = -1
        self._cached: set[int] = set()

    def look_at(self, kind: int, body: bytes) -> None:
        message = MSG[kind].unpack(body) if kind in MSG else None
        match kind:
            case CursorMsg.INVAL_ALL:
                self._cached.clear()
            case CursorMsg.INVAL_ONE:
                self._cached.remove(message.id)
            case CursorMsg.INIT | CursorMsg.SET:
                self.place = message.position.x
                self._take(message.cursor)

    def _take(self, cursor) -> None:
        if cursor.flags == FROM_CACHE:
            assert cursor.header.unique in self._cached
        elif cursor.flags == CACHE_ME:
            self._cached.add(cursor.header.unique)


def test_a_client_that_does_not_read_is_bounded_and_recovers(bench):
    client = bench.cursor_client()
    for number in range(3000):
        bench.draw(
            bench.guest.set_cursor,
            PIXELS,
            16,
            16,
            unique=1 + number % 300,
            position=(number, 0),
        )
        if number % 10 == 0:
            settle(bench)
            bench.guest.collect()
    settle(bench)

    def waiting() -> tuple[int, int]:
        (one,) = bench.worker.cursor.clients.values()
        return len(one.pipe), one.pipe.size

    count, size = bench.worker.dispatcher.call(waiting).result()
    assert count <= 200
    assert size <= 2 << 20
    judge = CacheJudge()
    while judge.place != 2999:
        judge.look_at(*client.receive())


def test_a_wrong_message_ends_only_its_client(bench):
    good, _ = connect(bench)
    wrong, _ = connect(bench)
    wrong.send(101)
    assert wrong.closed()
    bench.guest.move_cursor(3, 3)
    assert receive(good)[0] == CursorMsg.MOVE
