"""A server to a foreign WebSocket client, plain and TLS, and its pages to anybody."""

from __future__ import annotations

import asyncio
import ssl
import struct
import threading
from pathlib import Path

import pytest

from spice_protocol.enums import SpiceLinkErr
from spice_server.config import TlsConfig
from spice_server.errors import OperatorError
from spice_server.link import stage as stage_module
from spice_server.websocket.pages import START_PAGE
from spice_server.websocket.stream import MAX_FRAME, MAX_LINK_FRAME
from tests.fakes.pki import write_pki
from tests.fakes.raw_client import RawClient, link_message
from tests.fakes.spice_channels import SilentDisplay, running_server
from tests.fakes.websocket_client import HANDSHAKE, frame, handshake
from tests.fakes.websocket_raw_client import open_websocket
from vd_interfaces.control import ChannelEventKind

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("close_clients")]

OK, PERMISSION_DENIED = 0, 7
MAIN, DISPLAY = 1, 2
DISCONNECTED = ChannelEventKind.DISCONNECTED


@pytest.fixture
def folder(tmp_path):
    (tmp_path / START_PAGE).write_text("<p>page</p>")
    (tmp_path / "large.js").write_bytes(bytes(range(256)) * 16384)
    return tmp_path


async def session(server, tls=None):
    port = server.control.tls_port if tls else server.control.port
    client, websocket = await open_websocket(port, tls)
    assert await client.link(MAIN, password="sekret") == OK
    session_id = struct.unpack_from("<I", await client.expect(103))[0]
    return client, websocket, session_id


async def answer(server, request: bytes) -> bytes:
    client = await RawClient.tcp(server.control.port)
    client.writer.write(request)
    return await client.rest()


async def test_a_link_through_a_websocket():
    async with running_server(SilentDisplay()) as server:
        main, websocket, session_id = await session(server)
        assert websocket.subprotocol == "binary"
        display, _ = await open_websocket(server.control.port)
        assert await display.link(DISPLAY, 0, session_id, password="sekret") == OK
        assert (await display.receive())[0] == 3  # SET_ACK
        main.send(104)
        await main.expect(104)
        await (await websocket.ping(b"?"))
        main.close()
        assert await main.rest() is not None
        await websocket.wait_closed()
        assert websocket.close_code == 1000
        await display.rest()
        assert not len(server.sessions)


async def test_over_tls(tmp_path):
    pki = write_pki(tmp_path)
    context = ssl.create_default_context(cafile=str(pki / "ca-cert.pem"))
    tls = {"tls_port": 0, "tls": TlsConfig.from_directory(pki)}
    async with running_server(**tls) as server:
        main, _websocket, _id = await session(server, context)
        (channel,) = server.control.query_spice().channels
        assert channel.tls
        main.send(104)
        await main.expect(104)


async def test_a_wrong_ticket():
    async with running_server() as server:
        client, websocket = await open_websocket(server.control.port)
        assert await client.link(MAIN, password="wrong") == PERMISSION_DENIED
        await websocket.wait_closed()
        assert websocket.close_code == 1000


async def test_on_the_loop_of_another_thread():
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        async with running_server(SilentDisplay(loop=loop)) as server:
            _main, _websocket, session_id = await session(server)
            gone = asyncio.Event()
            server.control.on_channel_event(
                lambda event: event.kind is DISCONNECTED and gone.set()
            )
            display, websocket = await open_websocket(server.control.port)
            assert await display.link(DISPLAY, 0, session_id, password="sekret") == OK
            assert (await display.receive())[0] == 3
            await (await websocket.ping(b"from a thread"))
            await websocket.close()
            assert websocket.close_code == 1000
            await gone.wait()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        await asyncio.to_thread(thread.join)
        loop.close()


async def test_a_client_that_is_in_a_hurry():
    """All of it in one segment, cut into frames of one byte."""
    link = link_message()
    frames = b"".join(frame(2, link[i : i + 1]) for i in range(len(link)))
    async with running_server() as server:
        client = await RawClient.tcp(server.control.port)
        client.writer.write(HANDSHAKE + frames)
        await client.reader.readuntil(b"\r\n\r\n")
        assert await client.reader.readexactly(4) == struct.pack("!BBH", 0x82, 126, 202)
        error, _pub_key, _words = await client.read_reply()
        assert error == OK


async def test_what_is_no_spice_inside_a_websocket():
    async with running_server() as server:
        data = await answer(server, HANDSHAKE + frame(2, b"GET / HTTP/1.1\r\n\r\n"))
        reply = data.partition(b"\r\n\r\n")[2]
        assert reply[:4] == struct.pack("!BBH", 0x82, 126, 194)
        assert struct.unpack_from("<I", reply, 4 + 16)[0] == SpiceLinkErr.INVALID_MAGIC
        assert reply[4 + 194 :] == b"\x88\x02\x03\xe8"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(2, bytes(MAX_LINK_FRAME + 1)), 1009),
        (frame(1, b"REDQ"), 1003),
        (b"\x82\x01R", 1002),
        (frame(8, b"\x03\xe9"), 1001),
    ],
)
async def test_how_a_websocket_ends(data, code):
    async with running_server() as server:
        rest = (await answer(server, HANDSHAKE + data)).partition(b"\r\n\r\n")[2]
        assert rest[0] == 0x88
        assert int.from_bytes(rest[2:4], "big") == code


async def test_frames_of_clients_are_bounded_too():
    async with running_server() as server:
        _main, websocket, _id = await session(server)
        await websocket.send(bytes(MAX_FRAME + 1))
        await websocket.wait_closed()
        assert websocket.close_code == 1009


async def test_a_peer_that_pings_and_reads_nothing_costs_little():
    async with running_server() as server:
        client = await RawClient.tcp(server.control.port)
        client.writer.write(HANDSHAKE)
        await client.reader.readuntil(b"\r\n\r\n")
        (stage,) = server._stages.values()
        client.writer.transport.pause_reading()
        flood = frame(9, bytes(125)) * 1000
        most = 0
        for _ in range(100):
            client.writer.write(flood)
            await client.writer.drain()
            most = max(most, stage.connection.pending)
        assert most <= 256 * 1024


async def test_a_websocket_that_says_nothing_is_ended(monkeypatch):
    monkeypatch.setattr(stage_module, "LINK_TIMEOUT", 0.05)
    async with running_server() as server:
        for request in (b"GET", b"GET / HTTP/1.1\r\n", HANDSHAKE):
            assert b"REDQ" not in await answer(server, request)
        assert not server._stages


async def test_websockets_are_half_open_links_until_they_are_linked():
    async with running_server(max_half_open=2) as server:
        first, _ = await open_websocket(server.control.port)
        others = [await open_websocket(server.control.port) for _ in range(2)]
        assert await first.rest() == b""
        assert await others[0][0].link(MAIN, password="sekret") == OK


async def test_foreign_pages_where_everybody_gets_in():
    request = handshake(Origin="https://evil.example")
    async with running_server(ticketing=False) as server:
        assert (await answer(server, request)).startswith(b"HTTP/1.1 403 ")
        assert server.stats.refused == {"NONE": 1}
    allowed = {"websocket_origins": ("https://evil.example",), "ticketing": False}
    async with running_server(**allowed) as server:
        client = await RawClient.tcp(server.control.port)
        client.writer.write(request)
        assert (await client.reader.readline()).startswith(b"HTTP/1.1 101 ")


# -- pages ---------------------------------------------------------------------

GET = b"GET /%s HTTP/1.1\r\nHost: h\r\n\r\n"


async def test_pages_by_option(folder):
    async with running_server(pages=folder) as server:
        page = await answer(server, GET % START_PAGE.encode())
        assert page.startswith(b"HTTP/1.1 200 OK\r\n")
        assert page.endswith(b"\r\n\r\n<p>page</p>")
        head = await answer(server, b"HEAD" + GET[3:] % START_PAGE.encode())
        assert head.endswith(b"\r\n\r\n")
        assert (await answer(server, GET % b"no")).startswith(b"HTTP/1.1 404 ")
        assert (await answer(server, b"GET /\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
        main, _websocket, _id = await session(server)
        main.send(104)
        await main.expect(104)
        assert not server.stats.refused["INVALID_MAGIC"]


async def test_without_it_the_answer_is_spices():
    async with running_server() as server:
        data = await answer(server, GET % b"")
        assert data[:4] == b"REDQ"
        assert struct.unpack_from("<I", data, 16)[0] == SpiceLinkErr.INVALID_MAGIC
        assert server.stats.refused == {"INVALID_MAGIC": 1}


async def test_a_large_page_goes_as_it_is_read(folder):
    async with running_server(pages=folder) as server:
        client = await RawClient.tcp(server.control.port)
        client.writer.write(GET % b"large.js" + b"and what does not belong there")
        await client.reader.readuntil(b"\r\n\r\n")
        (stage,) = server._stages.values()
        assert stage._page
        assert stage.connection.pending < 256 * 1024
        data = await client.rest()
        assert data.endswith((folder / "large.js").read_bytes())


async def test_no_pages_where_the_option_says():
    with pytest.raises(OperatorError, match="spice_auto"):
        async with running_server(pages=Path("/nowhere")):
            pass
