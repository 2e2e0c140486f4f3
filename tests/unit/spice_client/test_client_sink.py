"""The sink: what it reports, when it ends, how slow it can be told to be."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from spice_client.__main__ import main
from spice_client.errors import ConnectError
from spice_client.options import ClientOptions
from spice_client.sink import Sink, SinkReport
from spice_protocol.enums import ChannelType, SpiceImageCompression
from spice_protocol.errors import ProtocolError
from spice_protocol.messages.base import (
    BaseMsg,
    BaseMsgc,
    SpiceMsgPing,
    SpiceMsgSetAck,
)
from spice_protocol.messages.display import DisplayMsg, DisplayMsgc
from spice_protocol.protocol import SpiceMiniDataHeader
from tests.fakes.image_messages import cached_image, draw_copy
from tests.fakes.spice_listener import (
    GOOD,
    MARK,
    SURFACE,
    Server,
    fill,
    listening,
)
from tests.fakes.spice_peer import framed, link_reply, unframed

ACKS = framed(BaseMsg.SET_ACK, SpiceMsgSetAck(1, 2))
PING = framed(BaseMsg.PING, SpiceMsgPing(1, 2))
CACHED = draw_copy(cached_image(7, 4, 2), 4, 2)


async def taken(server: Server, folder: Path, options: ClientOptions) -> SinkReport:
    """Run a sink until the server is silent: at once, as all is said already."""
    async with listening(server, folder) as uri:
        sink = Sink(uri, options, idle_s=0.0)
        sink.finish()
        return await sink.run()


async def heard(server: Server, size: int) -> bytes:
    """Wait until a display client said that much."""
    while True:
        said = server.heard.get(ChannelType.DISPLAY, b"")
        if len(said) >= size:
            return said
        await asyncio.sleep(0.001)


@pytest.mark.asyncio
async def test_counting(tmp_path: Path) -> None:
    says = SURFACE + fill(1) + CACHED + CACHED + MARK
    server = Server(GOOD | {ChannelType.DISPLAY: says})
    server.hang_up = {ChannelType.DISPLAY}
    async with listening(server, tmp_path) as uri:
        report = await Sink(uri, ClientOptions(paint=False)).run()
    assert report.picture is None
    data = report.data
    assert data["display_bytes"] == len(says)
    assert data["display_msgs"] == 5
    assert data["main_bytes"] == len(GOOD[ChannelType.MAIN])
    assert data["first_t"] == data["last_t"] > 0
    assert data["msg"] == {
        str(int(DisplayMsg.MARK)): [1, len(MARK)],
        str(int(DisplayMsg.DRAW_FILL)): [1, len(fill(1))],
        str(int(DisplayMsg.DRAW_COPY)): [2, 2 * len(CACHED)],
        str(int(DisplayMsg.SURFACE_CREATE)): [1, len(SURFACE)],
    }
    assert data["images"] == {"from_cache": [2, 2 * (len(CACHED) - 6), 16]}
    assert (data["streams"], data["stream_frames"], data["draws"]) == (0, 0, 0)
    json.dumps(data)


@pytest.mark.asyncio
async def test_painting(tmp_path: Path) -> None:
    server = Server(dict(GOOD))
    server.hang_up = {ChannelType.DISPLAY}
    async with listening(server, tmp_path) as uri:
        report = await Sink(uri, ClientOptions()).run()
    assert report.picture is not None
    assert report.picture.rgb == b"\0\0\x07" * 8
    assert (report.data["draws"], report.data["picture"]) == (1, [4, 2])


@pytest.mark.asyncio
async def test_what_cannot_be_painted(tmp_path: Path) -> None:
    server = Server(GOOD | {ChannelType.DISPLAY: SURFACE + CACHED})
    async with listening(server, tmp_path) as uri:
        with pytest.raises(ProtocolError, match="image 0x7 is not cached"):
            await Sink(uri, ClientOptions()).run()


@pytest.mark.asyncio
async def test_answers(tmp_path: Path) -> None:
    options = ClientOptions(
        paint=False,
        reply_delay_s=0.001,
        preferred_compression=SpiceImageCompression.LZ4,
    )
    server = Server(GOOD | {ChannelType.DISPLAY: SURFACE + ACKS + PING + fill(1)})
    server.reply = link_reply(channel=(0xFFFF,))
    async with listening(server, tmp_path) as uri:
        sink = Sink(uri, options)
        running = asyncio.create_task(sink.run())
        said = await heard(server, 6 * 5 + 14 + 1 + 4 + 12)
        sink.stop()
        await running
    assert [message_id for message_id, _ in unframed(said)] == [
        DisplayMsgc.INIT,
        DisplayMsgc.PREFERRED_COMPRESSION,
        BaseMsgc.ACK_SYNC,
        BaseMsgc.PONG,
        BaseMsgc.ACK,
    ]


@pytest.mark.asyncio
async def test_reading_slowly(tmp_path: Path) -> None:
    filling = framed(BaseMsg.PING, SpiceMsgPing(1, 2, bytes(60_000)))
    server = Server(GOOD | {ChannelType.DISPLAY: SURFACE + filling})
    server.hang_up = {ChannelType.DISPLAY}
    async with listening(server, tmp_path) as uri:
        report = await Sink(uri, ClientOptions(paint=False, max_mbps=100.0)).run()
    assert report.data["display_bytes"] == len(SURFACE + filling)


@pytest.mark.asyncio
async def test_silence_ends_it(tmp_path: Path) -> None:
    report = await taken(Server(dict(GOOD)), tmp_path, ClientOptions(paint=False))
    assert report.data["main_bytes"] > 0


@pytest.mark.asyncio
async def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(ConnectError):
        await Sink(f"spice+unix://{tmp_path}/s", ClientOptions(), wait_s=0).run()


@pytest.mark.asyncio
async def test_a_server_that_comes_later(tmp_path: Path) -> None:
    server = Server(dict(GOOD))
    server.hang_up = {ChannelType.DISPLAY}
    running = asyncio.create_task(
        Sink(f"spice+unix://{tmp_path}/s", ClientOptions()).run()
    )
    await asyncio.sleep(0)
    async with listening(server, tmp_path):
        assert (await running).data["draws"] == 1


async def serve_program(
    server: Server, folder: Path, *words: str, ends: bool = True
) -> asyncio.subprocess.Process:
    """Start the sink as a program; it is there when its display is linked."""
    if ends:
        server.hang_up = {ChannelType.DISPLAY}
    async with listening(server, folder) as uri:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "spice_client", "sink", uri, *words),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(Path.cwd())},
        )
        if not ends:
            await heard(server, SpiceMiniDataHeader.SIZE + 14)
            process.send_signal(signal.SIGUSR1)
        await process.wait()
    return process


@pytest.mark.asyncio
async def test_the_program(tmp_path: Path) -> None:
    ppm, out = tmp_path / "x.ppm", tmp_path / "x.json"
    process = await serve_program(
        Server(dict(GOOD)),
        tmp_path,
        *("--paint", "--dump-ppm", str(ppm), "--out", str(out)),
        *("--channels", "display,cursor,inputs", "--cache-mb", "1", "--glz-mb", "2"),
        *("--display-caps", "0,1,5", "--codecs", "mjpeg,vp8"),
        *("--mbps", "80", "--rtt-ms", "1", "--compression", "quic"),
    )
    assert process.returncode == 0
    assert ppm.read_bytes().startswith(b"P6\n4 2\n255\n")
    assert json.loads(out.read_text())["draws"] == 1


@pytest.mark.asyncio
async def test_a_signal_ends_the_program(tmp_path: Path) -> None:
    process = await serve_program(
        Server(dict(GOOD)), tmp_path, "--idle", "0", ends=False
    )
    assert process.returncode == 0
    assert process.stdout
    assert json.loads(await process.stdout.read())["display_msgs"] == 3


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--compression", "zip"], "'zip' is none of off, auto_glz"),
        (["--codecs", "mjpeg,divx"], "'DIVX' is none of mjpeg"),
        (["--channels", "screen"], "'SCREEN' is no channel"),
        (["--display-caps", "one"], "invalid literal"),
        (["--display-caps=-1"], "0 to 1023"),
        (["--display-caps", "5000"], "0 to 1023"),
    ],
)
def test_wrong_words(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["sink", "spice://127.0.0.1:1", *words])
    assert caught.value.code == 2
    assert says in capsys.readouterr().err


def test_too_large_a_window(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    uri = f"spice+unix://{tmp_path}/none"
    assert main(["screenshot", uri, str(tmp_path / "x.png"), "--glz-mb", "999"]) == 1
    assert capsys.readouterr().err == (
        f"spice_client: a GLZ window of {999 << 18} pixels\n"
    )
