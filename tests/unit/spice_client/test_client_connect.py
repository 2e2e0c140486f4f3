"""The asyncio rim against servers that go wrong, and one that goes right."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

import pytest

from spice_client.__main__ import main
from spice_client.connect import connect
from spice_client.display import DisplayChannel
from spice_client.errors import (
    AuthenticationError,
    ConnectError,
    DisconnectedError,
    NoDisplayError,
    SpiceClientError,
    UnsupportedError,
    UriError,
)
from spice_client.options import ClientOptions
from spice_client.screenshot import screenshot
from spice_protocol.draw import SpiceBrush, SpiceClip, SpicePoint, SpiceQMask, SpiceRect
from spice_protocol.enums import (
    ChannelType,
    SpiceBrushType,
    SpiceLinkErr,
    SpiceSurfaceFlags,
    SpiceSurfaceFmt,
)
from spice_protocol.errors import InvalidValueError, ProtocolError
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

pytestmark = pytest.mark.asyncio

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
                while await reader.read(65536):
                    pass


@contextlib.asynccontextmanager
async def listening(server: Server, path: Path) -> AsyncIterator[str]:
    address = str(path / "s")
    listener = await asyncio.start_unix_server(server.accept, address)
    async with listener:
        yield f"spice+unix://{address}"
    await asyncio.gather(*server.tasks)  # the client is gone: they end


async def test_a_session(tmp_path: Path) -> None:
    server = Server(dict(GOOD))
    async with listening(server, tmp_path) as uri, connect(uri) as client:
        display = client.display()
        await client.wait_until(lambda: display.marked)
        assert display.primary is not None
        assert display.primary.rgb() == b"\0\0\x07" * 8
        assert [mess.connection_id for mess in server.links] == [0, 9]
        with pytest.raises(SpiceClientError, match="no inputs channel 0"):
            client.inputs  # noqa: B018 - raises
        with pytest.raises(NoDisplayError, match="no display channel 1"):
            client.display(1)


async def test_only_wanted_channels(tmp_path: Path) -> None:
    async with (
        listening(Server(dict(GOOD)), tmp_path) as uri,
        connect(uri, channels=()) as client,
    ):
        with pytest.raises(NoDisplayError):
            client.channel(DisplayChannel)


async def test_screenshot_files(tmp_path: Path) -> None:
    async with listening(Server(dict(GOOD)), tmp_path) as uri:
        ppm = tmp_path / "x.ppm"
        picture = await screenshot(uri, ppm)
        assert (picture.width, picture.height) == (4, 2)
        assert ppm.read_bytes() == b"P6\n4 2\n255\n" + b"\0\0\x07" * 8
        await screenshot(uri, tmp_path / "x")
        assert (tmp_path / "x").read_bytes().startswith(b"\x89PNG")
        with pytest.raises(OSError, match="No such file"):
            await screenshot(uri, tmp_path / "none" / "x.png")


async def test_screenshot_of_a_display_that_draws_a_part(tmp_path: Path) -> None:
    server = Server(GOOD | {ChannelType.DISPLAY: SURFACE + MARK + fill(9, right=1)})
    async with listening(server, tmp_path) as uri:
        picture = await screenshot(uri, tmp_path / "x.png")
        assert picture.rgb == (b"\0\0\x09" + bytes(9)) * 2


async def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(ConnectError, match="No such file or directory"):
        async with connect(f"spice+unix://{tmp_path}/none"):
            pass


async def test_bad_uri() -> None:
    with pytest.raises(UriError):
        async with connect("vnc://host:5900"):
            pass


async def test_wrong_password(tmp_path: Path) -> None:
    server = Server(dict(GOOD))
    server.result = link_result(SpiceLinkErr.PERMISSION_DENIED)
    async with listening(server, tmp_path) as uri:
        with pytest.raises(AuthenticationError):
            await screenshot(uri, tmp_path / "x.png", password="wrong")


async def test_not_spice(tmp_path: Path) -> None:
    server = Server({})
    server.reply = b"220 mail.example ESMTP\r\n"
    async with listening(server, tmp_path) as uri:
        with pytest.raises(InvalidValueError, match="no SPICE server"):
            await screenshot(uri, tmp_path / "x.png")


async def test_server_that_never_answers(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s"))
        silent.listen()
        # No patience at all: this does not depend on how fast anything is.
        impatient = ClientOptions(timeout_s=0)
        with pytest.raises(ConnectError, match="no answer for 0 seconds"):
            async with connect(f"spice+unix://{tmp_path}/s", options=impatient):
                pass


async def test_closed_in_the_link_stage(tmp_path: Path) -> None:
    server = Server({})
    server.reply, server.result = b"", b""

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server.serve = hang_up  # type: ignore[method-assign]
    async with listening(server, tmp_path) as uri:
        with pytest.raises(DisconnectedError, match="MAIN:0"):
            await screenshot(uri, tmp_path / "x.png")


@pytest.mark.parametrize("channel", [ChannelType.MAIN, ChannelType.DISPLAY])
async def test_closed_before_the_picture(tmp_path: Path, channel: ChannelType) -> None:
    server = Server({ChannelType.MAIN: ONE_DISPLAY, ChannelType.DISPLAY: SURFACE})
    server.hang_up.add(channel)
    async with listening(server, tmp_path) as uri:
        with pytest.raises(DisconnectedError, match="the connection"):
            await screenshot(uri, tmp_path / "x.png")


@pytest.mark.parametrize(
    ("says", "error"),
    [
        (framed(999), ProtocolError),
        (SURFACE + SURFACE, ProtocolError),
        (b"\xff" * 64, ProtocolError),
        (framed(DisplayMsg.GL_SCANOUT_UNIX, bytes(20)), UnsupportedError),
    ],
)
async def test_broken_display(
    tmp_path: Path, says: bytes, error: type[Exception]
) -> None:
    server = Server(GOOD | {ChannelType.DISPLAY: says})
    async with listening(server, tmp_path) as uri:
        with pytest.raises(error):
            await screenshot(uri, tmp_path / "x.png")


async def test_no_such_display(tmp_path: Path) -> None:
    server = Server({ChannelType.MAIN: INIT + channels()})
    async with listening(server, tmp_path) as uri:
        with pytest.raises(NoDisplayError, match="no display channel 0"):
            await screenshot(uri, tmp_path / "x.png")


@pytest.mark.filterwarnings("ignore")
def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    png = str(tmp_path / "x.png")
    assert main(["screenshot", f"spice+unix://{tmp_path}/none", png]) == 1
    assert main(["screenshot", "vnc://host:5900", png]) == 1
    missing = str(tmp_path / "no-password")
    assert (
        main(["screenshot", "spice://127.0.0.1:1", png, "--password-file", missing])
        == 1
    )
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["spice_client"] * 3
    with pytest.raises(SystemExit) as caught:
        main(["screenshot", "--help"])
    assert caught.value.code == 0
    assert "spice+unix:///path" in capsys.readouterr().out
