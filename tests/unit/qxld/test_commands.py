"""Small parts of the commands; whole ones are in tests/system."""

from __future__ import annotations

import asyncio
import socket

import pytest

from qxld.commands import COMMANDS, _before, _beside, _remove_stale
from qxld.errors import QxldError


class TestStaleMonitor:
    def test_none(self, tmp_path):
        _remove_stale(tmp_path / "x")

    def test_dead(self, tmp_path):
        path = tmp_path / "x"
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(path))
        _remove_stale(path)
        assert not path.exists()

    @pytest.mark.parametrize("waiting", [0, 1])
    def test_alive_stays(self, tmp_path, waiting):
        path = tmp_path / "x"
        with socket.socket(socket.AF_UNIX) as alive:
            alive.bind(str(path))
            alive.listen(0)
            clients = [socket.socket(socket.AF_UNIX) for _ in range(waiting)]
            for client in clients:
                client.connect(str(path))
            with pytest.raises(QxldError, match=f"qxld attach --qmp {path}"):
                _remove_stale(path)
            for client in clients:
                client.close()
        assert path.exists()


@pytest.mark.asyncio
class TestTasks:
    async def test_beside_ends_with_the_block(self):
        ended = []

        async def work() -> int:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(True)
            return 1

        async with _beside(work()) as task:
            await asyncio.sleep(0)
            assert not task.done()
        assert ended == [True]

    async def test_beside_keeps_a_result(self):
        async def work() -> int:
            return 7

        async with _beside(work()) as task:
            assert await task == 7

    async def test_before(self):
        never = asyncio.ensure_future(asyncio.Event().wait())

        async def quick() -> None:
            return

        async def wrong() -> None:
            raise QxldError("why")

        assert await _before(never, quick())
        with pytest.raises(QxldError, match="why"):
            await _before(never, wrong())
        never.cancel()

    async def test_before_that_comes_too_late(self):
        async def end() -> int:
            return 3

        async def slow() -> None:
            await asyncio.Event().wait()

        assert not await _before(asyncio.ensure_future(end()), slow())


def test_all_commands():
    assert set(COMMANDS) == {
        "run", "record", "serve", "attach", "qemu-args", "replay", "screenshot",
    }  # fmt: skip
