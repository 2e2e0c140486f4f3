"""The asyncio rim against servers that go wrong, and one that goes right."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

from spice_client.__main__ import main
from spice_client.connect import Client, connect
from spice_client.connection import Connection
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
from spice_client.tls import TlsTrust
from spice_client.uri import ServerAddress
from spice_common.image_encode import ImageEncoder, ImageSettings, Picture
from spice_protocol.enums import (
    ChannelType,
    SpiceImageCompression,
    SpiceImageFlags,
    SpiceLinkErr,
)
from spice_protocol.errors import InvalidValueError, ProtocolError
from spice_protocol.messages.display import DisplayMsg
from tests.fakes.image_messages import cached_image, draw_copy
from tests.fakes.spice_listener import (
    GOOD,
    INIT,
    MARK,
    ONE_DISPLAY,
    SURFACE,
    Server,
    channels,
    fill,
    listening,
)
from tests.fakes.spice_peer import MINI, framed, link_result

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.asyncio


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


class _Deaf:
    """A writer that throws everything away."""

    def write(self, data: bytes) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        pass

    async def drain(self) -> None:
        pass

    async def wait_closed(self) -> None:
        pass


async def test_a_display_waits_for_what_another_brings() -> None:
    pixels = Picture(bytes(32), 4, 2)
    kept = ImageEncoder().encode(
        pixels,
        ImageSettings(SpiceImageCompression.OFF),
        image_id=7,
        flags=SpiceImageFlags.CACHE_ME,
    )
    says = [
        SURFACE + draw_copy(cached_image(7, 4, 2), 4, 2) + MARK,
        SURFACE + draw_copy(kept.data, 4, 2),
    ]
    client = Client(ServerAddress(), TlsTrust())
    displays = [DisplayChannel(MINI, number, client.session) for number in range(2)]
    connections = []
    for number, display in enumerate(displays):
        streams = (asyncio.StreamReader(), _Deaf())
        connection = Connection(display, *streams, client._changed)  # type: ignore[arg-type]
        client._connections[ChannelType.DISPLAY, number] = connection
        connections.append(connection)
    connections[0].start(says[0])
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert displays[0].held_up
    connections[1].start(says[1])
    await client.wait_until(lambda: displays[0].marked)
    assert not displays[0].held_up
    await client.close()
