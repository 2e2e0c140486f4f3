"""Soak: clients of every bad kind against a real server, one good client beside them.

Half of them misbehave before authentication, half after it.  Afterwards the good client
must still be served, no link and no descriptor may be left over, and memory must not
have grown with the number of clients::

    python tests/fuzz/soak_server.py [--connections 2400] [--seed 1]
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import gc
import logging
import os
import random
import resource
import socket
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.fakes.raw_client import RawClient, link_message
from tests.fakes.spice_channels import SilentCursor, SilentDisplay, running_server

MAIN, DISPLAY, INPUTS, CURSOR = 1, 2, 3, 4
ATTACH_CHANNELS = 104
WARM_UP = 300
"""Clients before memory counts: pools, caches and the allocator fill up first."""


def resident() -> int:
    """Return the bytes of memory this process has."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def descriptors() -> int:
    """Return how many descriptors are open."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a count is enough


class Soak:
    """One run."""

    def __init__(self, port: int, seed: int) -> None:
        self.port = port
        self.random = random.Random(seed)
        self.counts: collections.Counter[str] = collections.Counter()
        self.before = [
            self.noise,
            self.half_a_link,
            self.web_browser,
            self.no_ticket,
            self.bad_ticket,
            self.eager,
            self.hello_and_gone,
        ]
        self.after = [
            self.noise_after,
            self.huge_size,
            self.deaf,
            self.near_messages,
            self.reset,
        ]

    async def client(self) -> RawClient:
        """Connect."""
        return await RawClient.tcp(self.port)

    async def run(self, number: int) -> None:
        """Run one bad client to its end."""
        kind = self.random.choice(self.before if number % 2 else self.after)
        self.counts[kind.__name__] += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await kind()

    # -- before authentication -------------------------------------------------

    async def noise(self) -> None:
        """Random bytes."""
        client = await self.client()
        client.writer.write(self.random.randbytes(self.random.randrange(1, 5000)))
        client.writer.write_eof()
        await client.rest()

    async def half_a_link(self) -> None:
        """A link message that ends early, or lies about its size."""
        client = await self.client()
        message = bytearray(link_message(self.random.randrange(12)))
        message[self.random.randrange(len(message))] = self.random.randrange(256)
        client.writer.write(message[: self.random.randrange(1, len(message))])
        client.writer.write_eof()
        await client.rest()

    async def web_browser(self) -> None:
        """HTTP."""
        client = await self.client()
        client.writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await client.rest()

    async def no_ticket(self) -> None:
        """A link without a ticket."""
        client = await self.client()
        client.writer.write(link_message())
        await client.read_reply()

    async def bad_ticket(self) -> None:
        """A ticket that is none: a stranger's, whose guesses are not the others'."""
        client = await RawClient.tcp(self.port, source="127.0.0.2")
        client.writer.write(link_message())
        await client.read_reply()
        client.writer.write(b"\1\0\0\0" + self.random.randbytes(128))
        await client.rest()

    async def eager(self) -> None:
        """A flood right behind the link message."""
        client = await self.client()
        client.writer.write(link_message() + bytes(1 << 20))
        await client.rest()

    async def hello_and_gone(self) -> None:
        """A connection and nothing else."""
        client = await self.client()
        client.close()

    # -- after it --------------------------------------------------------------

    async def session(self) -> tuple[RawClient, int]:
        """Authenticate: a main channel, or another one hanging off it."""
        main = await self.client()
        assert await main.link(MAIN, password="sekret") == 0
        session_id = struct.unpack_from("<I", (await main.receive())[1])[0]
        kind = self.random.choice([MAIN, DISPLAY, INPUTS, CURSOR])
        if kind == MAIN:
            return main, kind
        other = await self.client()
        assert await other.link(kind, 0, session_id, password="sekret") == 0
        # The session must last as long as its other channel.
        other.main = main  # type: ignore[attr-defined]
        return other, kind

    async def noise_after(self) -> None:
        """Random bytes."""
        client, _ = await self.session()
        client.writer.write(self.random.randbytes(self.random.randrange(1, 5000)))
        client.writer.write_eof()
        await client.rest()

    async def huge_size(self) -> None:
        """A message that announces two gigabytes."""
        client, _ = await self.session()
        client.writer.write(struct.pack("<HI", 107, 0x7FFFFFFF) + bytes(100_000))
        await client.rest()

    async def deaf(self) -> None:
        """Questions whose answers are not read."""
        client, kind = await self.session()
        client.reader._transport.pause_reading()  # type: ignore[attr-defined]
        question = {MAIN: ATTACH_CHANNELS, INPUTS: 111}.get(kind, 2)
        client.writer.write(struct.pack("<HI10x", question, 10) * 20_000)
        await client.writer.drain()

    async def near_messages(self) -> None:
        """Messages of real types with random bodies."""
        client, _ = await self.session()
        for _ in range(self.random.randrange(1, 50)):
            kind = self.random.choice([*range(1, 7), *range(101, 116)])
            client.send(kind, self.random.randbytes(self.random.randrange(30)))
        client.writer.write_eof()
        await client.rest()

    async def reset(self) -> None:
        """A connection that is reset in the middle of a message."""
        client, _ = await self.session()
        client.writer.write(b"\x6b\0\xff\0\0\0half")
        await client.writer.drain()
        sock = client.writer.get_extra_info("socket")
        linger = struct.pack("ii", 1, 0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        client.close()


async def soak(connections: int, seed: int, at_once: int = 20) -> dict[str, int]:
    """Run *connections* bad clients, return what was counted.

    Raises:
        AssertionError: the server did not stay as it has to be.

    """
    async with running_server(
        SilentDisplay(), SilentCursor(), multi_client=True
    ) as server:
        port = server.control.port
        assert port is not None
        run = Soak(port, seed)
        good = await run.client()
        assert await good.link(MAIN, password="sekret") == 0
        RawClient._open.clear()
        before = (0, 0)
        for first in range(0, connections, at_once):
            if first >= WARM_UP and not before[0]:
                await settle(server)
                before = resident(), descriptors()
            await asyncio.gather(*(run.run(first + n) for n in range(at_once)))
            await RawClient.close_all()
            good.send(ATTACH_CHANNELS)
            await good.expect(104)
        await settle(server)
        after = resident(), descriptors()
        good.close()
        await good.writer.wait_closed()
        assert after[1] <= before[1], f"descriptors: {before[1]}, then {after[1]}"
        assert after[0] - before[0] < 16 << 20, "memory grows with clients"
        return {
            "accepted": server.stats.accepted,
            "linked": server.stats.linked,
            "KiB grown": (after[0] - before[0]) >> 10,
            **{f"refused {k}": v for k, v in server.stats.refused.items()},
            **run.counts,
        }


async def settle(server) -> None:
    """Wait until only the good client is left."""
    while len(server.sessions.links) > 1 or server._stages:  # noqa: ASYNC110 - any of many
        await asyncio.sleep(0.01)


def main() -> None:
    """Run from the command line."""
    logging.disable(logging.WARNING)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=2400)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    for name, count in asyncio.run(soak(arguments.connections, arguments.seed)).items():
        print(f"{name:30} {count}")


if __name__ == "__main__":
    main()
