"""A SPICE server of a few prepared words, on a unix socket."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from spice_protocol.draw import SpiceBrush, SpiceClip, SpicePoint, SpiceQMask, SpiceRect
from spice_protocol.enums import (
    ChannelType,
    SpiceBrushType,
    SpiceSurfaceFlags,
    SpiceSurfaceFmt,
)
from spice_protocol.messages import draw
from spice_protocol.messages.display import DisplayMsg, SpiceMsgDisplaySurfaceCreate
from spice_protocol.messages.main import (
    MainMsg,
    SpiceChannelId,
    SpiceMsgMainChannelsList,
    SpiceMsgMainInit,
)
from spice_protocol.protocol import SpiceLinkHeader, SpiceLinkMess
from tests.fakes.spice_peer import framed, link_reply, link_result

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

__all__ = [
    "GOOD",
    "INIT",
    "MARK",
    "ONE_DISPLAY",
    "SURFACE",
    "Server",
    "channels",
    "fill",
    "listening",
]

INIT = framed(MainMsg.INIT, SpiceMsgMainInit(9, 1, 1, 1, 0, 10, 0, 0))
SURFACE = framed(
    DisplayMsg.SURFACE_CREATE,
    SpiceMsgDisplaySurfaceCreate(
        0, 4, 2, SpiceSurfaceFmt.FMT_32_xRGB, SpiceSurfaceFlags.PRIMARY
    ),
)
MARK = framed(DisplayMsg.MARK)


def channels(*ids: tuple[int, int]) -> bytes:
    listed = [SpiceChannelId(*pair) for pair in ids]
    return framed(MainMsg.CHANNELS_LIST, SpiceMsgMainChannelsList(listed))


def fill(color: int, right: int = 4) -> bytes:
    where = draw.SpiceMsgDisplayBase(0, SpiceRect(0, 0, 2, right), SpiceClip())
    brush = SpiceBrush(SpiceBrushType.SOLID, color)
    no_mask = SpiceQMask(0, SpicePoint(0, 0), None)
    message = draw.SpiceMsgDisplayDrawFill(where, draw.SpiceFill(brush, 8, no_mask))
    return framed(DisplayMsg.DRAW_FILL, message)


ONE_DISPLAY = INIT + channels((ChannelType.DISPLAY, 0))
GOOD = {ChannelType.MAIN: ONE_DISPLAY, ChannelType.DISPLAY: SURFACE + fill(7) + MARK}


class Server:
    """Links any channel, then says what was prepared for its type."""

    def __init__(self, says: dict[ChannelType, bytes]) -> None:
        self.says = says
        self.reply = link_reply()
        self.result = link_result()
        self.hang_up: set[int] = set()
        """Channel types whose connection is closed afterwards."""
        self.links: list[SpiceLinkMess] = []
        self.heard: dict[int, bytes] = {}
        """What clients said after the link stage, by channel type."""
        self.tasks: set[asyncio.Task[None]] = set()

    async def accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            await self.serve(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            header = SpiceLinkHeader.unpack(await reader.readexactly(16))
            mess = SpiceLinkMess.unpack(await reader.readexactly(header.size))
            self.links.append(mess)
            writer.write(self.reply)
            await reader.readexactly(132)
            writer.write(
                self.result + self.says.get(ChannelType(mess.channel_type), b"")
            )
            if mess.channel_type not in self.hang_up:
                while data := await reader.read(65536):
                    self.heard[mess.channel_type] = (
                        self.heard.get(mess.channel_type, b"") + data
                    )


@contextlib.asynccontextmanager
async def listening(server: Server, path: Path) -> AsyncIterator[str]:
    address = str(path / "s")
    listener = await asyncio.start_unix_server(server.accept, address)
    async with listener:
        yield f"spice+unix://{address}"
    await asyncio.gather(*server.tasks)  # the client is gone: they end
