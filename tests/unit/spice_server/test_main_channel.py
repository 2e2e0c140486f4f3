from __future__ import annotations

import struct
import uuid
from types import SimpleNamespace

import pytest

from spice_server.main import channel as channel_module
from spice_server.main.channel import mm_time
from tests.fakes.input_sink import RecordingSink
from tests.fakes.raw_client import RawClient
from tests.fakes.spice_channels import SilentCursor, SilentDisplay, running_server

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("close_clients")]

SET_ACK, PING, NOTIFY = 3, 4, 7
INIT, CHANNELS_LIST, MOUSE_MODE, MM_TIME, NAME, UUID = 103, 104, 105, 106, 113, 114
ACK_SYNC, PONG = 1, 3
CLIENT_INFO, ATTACH_CHANNELS, MOUSE_MODE_REQUEST = 101, 104, 105
AGENT_START, AGENT_DATA, AGENT_TOKEN = 106, 107, 108
NAME_AND_UUID = (0b10,)
VM = uuid.UUID("12345678-1234-5678-1234-567812345678")


async def main_client(server, **options):
    client = await RawClient.tcp(server.control.port)
    assert await client.link(1, password="sekret", **options) == 0
    return client


async def test_a_session_begins_as_stock_s():
    async with running_server(name="debian", uuid=VM) as server:
        client = await main_client(server, channel=NAME_AND_UUID)
        kind, body = await client.receive()
        assert kind == INIT
        init = struct.unpack("<8I", body)
        (session,) = server.sessions
        assert init[:6] == (session.id, 1, 3, 2, 0, 10)
        assert 0 < init[6] <= mm_time()
        assert await client.receive() == (NAME, b"\7\0\0\0debian\0")
        assert await client.receive() == (UUID, VM.bytes)
        pings = [await client.receive() for _ in range(3)]
        assert [(k, body[:4], len(body)) for k, body in pings] == [
            (PING, b"\1\0\0\0", 12),
            (PING, b"\2\0\0\0", 12),
            (PING, b"\3\0\0\0", 256_012),
        ]
        for _, body in pings:
            client.send(PONG, body[:12])
        client.send(ATTACH_CHANNELS)
        await client.expect(CHANNELS_LIST)
        net_test = server.main.clients[session.id].net_test
        assert net_test.latency is not None
        assert net_test.bitrate is not None
        client.close()


async def test_name_and_uuid_go_only_to_clients_that_know_them():
    async with running_server(name="debian", uuid=VM) as server:
        client = await main_client(server)
        kinds = [(await client.receive())[0] for _ in range(4)]
        assert kinds == [INIT, PING, PING, PING]
        client.close()


async def test_full_headers_for_a_client_without_the_capability():
    async with running_server() as server:
        client = await main_client(server, common=(1,))
        assert (await client.receive())[0] == INIT
        client.send(MOUSE_MODE_REQUEST, b"\1\0")
        assert await client.expect(MOUSE_MODE) == b"\3\0\1\0"
        client.close()


async def test_the_channels_are_listed_when_asked_for():
    async with running_server(
        SilentDisplay(), SilentDisplay(1), SilentCursor()
    ) as server:
        client = await main_client(server)
        assert struct.unpack("<8I", (await client.receive())[1])[1] == 2
        for _ in range(2):
            client.send(ATTACH_CHANNELS)
            body = await client.expect(CHANNELS_LIST)
            assert body[:4] == b"\4\0\0\0"
            assert {body[i : i + 2] for i in range(4, 12, 2)} == {
                b"\2\0", b"\2\1", b"\4\0", b"\3\0",
            }  # fmt: skip
        client.close()


async def test_mouse_modes_are_everybodys():
    sink = RecordingSink()
    async with running_server(sink=sink, multi_client=True) as server:
        one, two = [await main_client(server) for _ in range(2)]
        one.send(MOUSE_MODE_REQUEST, b"\1\0")
        for client in (one, two):
            assert await client.expect(MOUSE_MODE) == b"\3\0\1\0"
        assert server.control.query_spice().mouse_mode == "server"
        one.send(MOUSE_MODE_REQUEST, b"\7\0")  # ignored
        two.send(MOUSE_MODE_REQUEST, b"\2\0")
        for client in (one, two):
            assert await client.expect(MOUSE_MODE) == b"\3\0\2\0"
        sink.change(has_tablet=False)
        for client in (one, two):
            assert await client.expect(MOUSE_MODE) == b"\1\0\1\0"
            client.close()


async def test_messages_without_an_answer_are_taken():
    async with running_server() as server:
        client = await main_client(server)
        client.send(CLIENT_INFO, struct.pack("<Q", 1 << 20))
        client.send(AGENT_START, struct.pack("<I", 10))
        client.send(AGENT_DATA, agent_message(4, bytes(2028)))
        client.send(AGENT_TOKEN, struct.pack("<I", 10))
        client.send(112, b"quality")
        client.send(ACK_SYNC, bytes(4))
        client.send(ATTACH_CHANNELS)
        await client.expect(CHANNELS_LIST)
        (session,) = server.sessions
        assert server.main.clients[session.id].cache_size == 1 << 20
        client.close()


async def test_the_clock_can_be_set():
    async with running_server() as server:
        client = await main_client(server)
        await client.expect(INIT)
        (only,) = server.main.clients.values()
        only.send_multi_media_time()
        assert len(await client.expect(MM_TIME)) == 4
        client.close()


@pytest.mark.parametrize(
    ("kind", "body", "line"),
    [
        (102, b"", "MAIN.MIGRATE_CONNECTED(102): no migration is under way"),
        (103, b"", "MAIN.MIGRATE_CONNECT_ERROR(103): no migration"),
        (109, b"", "MAIN.MIGRATE_END(109): no migration"),
        (110, bytes(4), "MAIN.MIGRATE_DST_DO_SEAMLESS(110): no migration"),
        (111, b"", "MAIN.MIGRATE_CONNECTED_SEAMLESS(111): no migration"),
        (4, b"", "MAIN.MIGRATE_FLUSH_MARK(4): no migration"),
        (5, b"state", "MAIN.MIGRATE_DATA(5): no migration"),
        (
            105,
            b"\1",
            "MAIN.MOUSE_MODE_REQUEST(105): SpiceMsgcMainMouseModeRequest needs",
        ),
        (106, b"", "MAIN.AGENT_START(106): "),
        (107, bytes(2049), "MAIN.AGENT_DATA(107): 2049 bytes"),
        (9999, b"abcd", "MAIN.unknown(9999): not allowed"),
    ],
)
async def test_what_is_wrong_ends_the_session(caplog, kind, body, line):
    async with running_server() as server:
        client = await main_client(server)
        client.send(kind, body)
        await client.rest()
        assert line in caplog.text
        assert not server.main.clients
        client.close()


async def test_plain_keys_are_warned_of():
    async with running_server() as server:
        client = await main_client(server)
        session_id = struct.unpack_from("<I", (await client.receive())[1])[0]
        inputs = await RawClient.tcp(server.control.port)
        assert await inputs.link(3, 0, session_id, password="sekret") == 0
        body = await client.expect(NOTIFY)
        text = b"keyboard channel is insecure"
        # As stock: the length does not count the NUL that follows.
        assert body[8:] == struct.pack("<4I", 1, 2, 0, len(text)) + text + b"\0"
        inputs.close()
        client.close()


async def test_no_net_test_and_no_warning_on_a_unix_socket(tmp_path):
    path = tmp_path / "spice"
    async with running_server(port=None, unix_path=path):
        client = await RawClient.unix(path)
        assert await client.link(1, password="sekret") == 0
        session_id = struct.unpack_from("<I", (await client.receive())[1])[0]
        inputs = await RawClient.unix(path)
        assert await inputs.link(3, 0, session_id, password="sekret") == 0
        await inputs.receive()
        client.send(ATTACH_CHANNELS)
        assert (await client.receive())[0] == CHANNELS_LIST
        inputs.close()
        client.close()


async def test_the_clock_is_never_zero(monkeypatch):
    for now in (0, 10**6 * 0xFFFFFFFF, 10**6 * 0xFFFFFFFE, 1 << 62):
        clock = SimpleNamespace(monotonic_ns=lambda now=now: now)
        monkeypatch.setattr(channel_module, "time", clock)
        assert 0 < mm_time() <= 0xFFFFFFFF


def agent_message(kind, body):
    return struct.pack("<IIQI", 1, kind, 0, len(body)) + body


async def test_the_display_agent_comes_works_and_goes():
    layouts = []
    wanted = agent_message(2, struct.pack("<IIIIIii", 1, 0, 600, 800, 32, 0, 0))
    async with running_server() as server:
        client = await main_client(server)
        _, body = await client.receive()
        assert struct.unpack("<8I", body)[4] == 0
        server.agent.set_display_agent(layouts.append)
        await client.expect(107)
        client.send(AGENT_START, struct.pack("<I", 10))
        client.send(AGENT_DATA, wanted)
        answer = await client.expect(109)
        assert answer[-8:] == struct.pack("<II", 2, 1)
        assert [h.width for h in layouts[0].heads] == [800]

        late = await main_client(server)
        _, body = await late.receive()
        assert struct.unpack("<8I", body)[4] == 1
        server.agent.set_display_agent(None)
        assert await late.expect(108) == struct.pack("<I", 0)
        # What was under way then is nobody's fault.
        late.send(AGENT_DATA, wanted)
        late.send(ATTACH_CHANNELS)
        await late.expect(CHANNELS_LIST)
        assert len(layouts) == 1
