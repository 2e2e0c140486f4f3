from __future__ import annotations

import asyncio
import os
import socket
import ssl
import struct
import threading

import pytest
import pytest_asyncio

from spice_protocol.enums import ChannelType
from spice_server.config import ChannelSecurity, ServerConfig, TlsConfig, channel_type
from spice_server.errors import ListenError, OperatorError
from spice_server.link import stage as stage_module
from spice_server.server import Server
from tests.fakes.input_sink import RecordingSink
from tests.fakes.pki import write_pki
from tests.fakes.raw_client import RawClient, link_message
from tests.fakes.spice_channels import SilentCursor, SilentDisplay, running_server
from vd_interfaces.control import (
    ChannelEventKind,
    ControlError,
    SetPasswordAction,
    SpiceEndpoint,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("close_clients")]

OK, ERROR, NEED_SECURED, NEED_UNSECURED = 0, 1, 5, 6
PERMISSION_DENIED, BAD_CONNECTION_ID = 7, 8
MAIN, DISPLAY, INPUTS, CURSOR = 1, 2, 3, 4
CONNECTED, INITIALIZED, DISCONNECTED = ChannelEventKind


async def connect(server, *args, tls=None, password="sekret", **options):
    port = server.control.tls_port if tls else server.control.port
    client = await RawClient.tcp(port, tls)
    return client, await client.link(*args, password=password, **options)


class Events(list):
    """The channel events of a server."""

    def __init__(self, server):
        self.came = asyncio.Event()
        server.control.on_channel_event(self.add)

    def add(self, event):
        self.append(event)
        self.came.set()

    async def reach(self, count):
        while len(self) < count:
            self.came.clear()
            await self.came.wait()


async def session(server):
    """Open a main channel, return it and its session's id."""
    client, result = await connect(server, MAIN)
    assert result == OK
    return client, struct.unpack_from("<I", (await client.receive())[1])[0]


@pytest_asyncio.fixture
async def server():
    async with running_server(SilentDisplay(), SilentCursor()) as server:
        yield server


# -- who gets in ---------------------------------------------------------------


async def test_the_ticket_decides(server):
    assert (await connect(server, MAIN, password="wrong"))[1] == PERMISSION_DENIED
    assert (await connect(server, MAIN, password=""))[1] == PERMISSION_DENIED
    client = await RawClient.tcp(server.control.port)
    client.writer.write(link_message())
    await client.read_reply()
    client.writer.write(struct.pack("<I", 1) + bytes(128))
    assert await client.read_word() == PERMISSION_DENIED
    assert await client.rest() == b""
    assert server.stats.refused == {"PERMISSION_DENIED": 3}
    assert (await connect(server, MAIN))[1] == OK


async def test_without_ticketing_any_ticket_will_do():
    async with running_server(ticketing=False) as server:
        assert (await connect(server, MAIN, password="whatever"))[1] == OK
        assert server.control.query_spice().auth == "none"


async def test_capabilities_of_channel_and_server(server):
    for kind, words in ((MAIN, (0b1011, 0b0110)), (INPUTS, (0b1011, 1))):
        client = await RawClient.tcp(server.control.port)
        client.writer.write(link_message(kind))
        assert (await client.read_reply())[2] == words
        client.close()


@pytest.mark.parametrize(
    ("kind", "number"), [(77, 0), (DISPLAY, 7), (5, 0), (255, 255)]
)
async def test_absent_channels_get_no_reply(server, kind, number):
    client = await RawClient.tcp(server.control.port)
    client.writer.write(link_message(kind, number))
    assert await client.rest() == b""
    assert server.stats.refused == {"NONE": 1}


@pytest.mark.parametrize("connection_id", [0, 0x12345])
async def test_a_channel_needs_a_session(server, connection_id):
    assert (await connect(server, DISPLAY, 0, connection_id))[1] == BAD_CONNECTION_ID


async def test_main_may_have_any_id(server):
    assert (await connect(server, MAIN, 5, 5))[1] == OK
    (channel,) = server.control.query_spice().channels
    assert (channel.channel_type, channel.channel_id) == (MAIN, 5)


async def test_a_second_display_of_one_session_is_closed(server):
    _main, session_id = await session(server)
    first, result = await connect(server, DISPLAY, 0, session_id)
    assert result == OK
    second, result = await connect(server, DISPLAY, 0, session_id)
    assert result == OK
    assert await second.rest() == b""
    first.send(101, bytes(14))
    assert (await first.receive())[0] == 3


async def test_links_are_bounded():
    async with running_server(SilentDisplay(), max_links=2) as server:
        _main, session_id = await session(server)
        assert (await connect(server, DISPLAY, 0, session_id))[1] == OK
        assert (await connect(server, INPUTS, 0, session_id))[1] == ERROR


# -- sessions ------------------------------------------------------------------


async def test_a_new_client_replaces_the_old_one(server):
    main, session_id = await session(server)
    display, _ = await connect(server, DISPLAY, 0, session_id)
    _, new_id = await session(server)
    await main.rest()
    await display.rest()
    assert new_id != session_id
    assert [s.id for s in server.sessions] == [new_id]
    assert (await connect(server, INPUTS, 0, session_id))[1] == BAD_CONNECTION_ID


async def test_several_clients_by_option():
    async with running_server(SilentDisplay(), multi_client=True) as server:
        clients = [await session(server) for _ in range(3)]
        for _, session_id in clients:
            assert (await connect(server, DISPLAY, 0, session_id))[1] == OK
        assert len(server.sessions) == 3
        assert len(server.control.query_spice().channels) == 6
        clients[1][0].close()
        clients[0][0].send(104)
        await clients[0][0].expect(104)


async def test_the_end_of_main_is_the_end_of_the_session(server):
    main, session_id = await session(server)
    display, _ = await connect(server, DISPLAY, 0, session_id)
    main.close()
    await display.rest()
    assert not len(server.sessions)


async def test_the_end_of_another_channel_is_not(server):
    main, session_id = await session(server)
    for _ in range(3):
        display, result = await connect(server, DISPLAY, 0, session_id)
        assert result == OK
        display.send(9999)
        await display.rest()
        main.send(104)
        await main.expect(104)


async def test_channels_may_live_on_another_thread():
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        async with running_server(SilentDisplay(loop=loop)) as server:
            events = []
            server.control.on_channel_event(lambda e: events.append(e.kind))
            for _ in range(3):
                main, session_id = await session(server)
                display, result = await connect(server, DISPLAY, 0, session_id)
                assert result == OK
                assert (await display.receive())[0] == 3
                main.close()
                await display.rest()
            _main, session_id = await session(server)
            display, _ = await connect(server, DISPLAY, 0, session_id)
        assert not server.sessions.links, "stop() waits for the worker"
        assert events.count(CONNECTED) == events.count(DISCONNECTED) == 8
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def test_a_worker_that_has_ended_takes_no_clients():
    loop = asyncio.new_event_loop()
    loop.close()
    async with running_server(SilentDisplay(loop=loop)) as server:
        _main, session_id = await session(server)
        display, result = await connect(server, DISPLAY, 0, session_id)
        assert result == OK
        assert await display.rest() == b""
        assert len(server.sessions.links) == 1


# -- half-open links -----------------------------------------------------------


async def test_the_oldest_half_open_link_gives_way():
    async with running_server(max_half_open=3) as server:
        idle = [await RawClient.tcp(server.control.port) for _ in range(3)]
        for client in idle:
            client.writer.write(link_message())
            await client.read_reply()
        assert (await connect(server, MAIN))[1] == OK
        assert await idle[0].rest() == b""
        assert server.stats.displaced == 1
        idle[2].close()


async def test_links_that_take_too_long_are_ended(monkeypatch):
    monkeypatch.setattr(stage_module, "LINK_TIMEOUT", 0.0)
    async with running_server() as server:
        client = await RawClient.tcp(server.control.port)
        assert await client.rest() == b""


async def test_refused_links_count_until_they_are_closed():
    async with running_server(max_half_open=2) as server:
        refused = [await RawClient.tcp(server.control.port) for _ in range(5)]
        for client in refused:
            client.writer.write(b"SSH-2.0")
            await client.reader.read(194)
        assert len(server._stages) <= 2
        for client in refused:
            client.close()


async def test_a_mistake_of_ours_ends_only_this_link(server, caplog, monkeypatch):
    def stumble(request, *, tls):
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(server, "find_channel", stumble)
        client = await RawClient.tcp(server.control.port)
        client.writer.write(link_message())
        assert await client.rest() == b""
    assert "ZeroDivisionError" in caplog.text
    assert (await connect(server, MAIN))[1] == OK


# -- TLS -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return write_pki(tmp_path_factory.mktemp("pki"))


async def test_channels_may_need_tls_or_need_it_not(pki):
    tls = ssl.create_default_context(cafile=str(pki / "ca-cert.pem"))
    security = {
        ChannelType.INPUTS: ChannelSecurity.SECURE,
        ChannelType.CURSOR: ChannelSecurity.INSECURE,
    }
    async with running_server(
        SilentCursor(),
        tls_port=0,
        tls=TlsConfig.from_directory(pki),
        security=security,
    ) as server:
        _main, session_id = await session(server)
        assert (await connect(server, INPUTS, 0, session_id))[1] == NEED_SECURED
        assert (await connect(server, INPUTS, 0, session_id, tls=tls))[1] == OK
        assert (await connect(server, CURSOR, 0, session_id))[1] == OK
        result = (await connect(server, CURSOR, 0, session_id, tls=tls))[1]
        assert result == NEED_UNSECURED
        channels = server.control.query_spice().channels
        assert [c.tls for c in channels] == [False, True, False]
        assert server.control.query_spice().tls_port == server.control.tls_port


async def test_certificates_are_read_again_if_there_are_some(pki):
    async with running_server() as server:
        with pytest.raises(ControlError, match="no TLS port"):
            server.control.reload_certificates()
    async with running_server(tls_port=0, tls=TlsConfig.from_directory(pki)) as server:
        server.control.reload_certificates()
        key = pki / "server-key.pem"
        kept = key.read_bytes()
        key.write_text("")
        with pytest.raises(ControlError, match="CN=spice-test is still used"):
            server.control.reload_certificates()
        key.write_bytes(kept)


async def test_a_one_time_password_is_for_one_client():
    async with running_server(SilentDisplay(), one_time=True) as server:
        _main, session_id = await session(server)
        assert (await connect(server, MAIN))[1] == PERMISSION_DENIED
        assert (await connect(server, DISPLAY, 0, session_id))[1] == OK
        server.control.set_password("next", SetPasswordAction.KEEP)
        assert (await connect(server, INPUTS, 0, session_id))[1] == OK
        assert (await connect(server, MAIN, password="next"))[1] == OK


async def test_a_guesser_is_not_listened_to(server):
    for _ in range(10):
        assert (await connect(server, MAIN, password="wrong"))[1] == PERMISSION_DENIED
    assert (await connect(server, MAIN))[1] == PERMISSION_DENIED


async def test_the_net_test_passes_tls(pki):
    tls = ssl.create_default_context(cafile=str(pki / "ca-cert.pem"))
    async with running_server(
        port=None, tls_port=0, tls=TlsConfig.from_directory(pki)
    ) as server:
        client, result = await connect(server, MAIN, tls=tls)
        assert result == OK
        for _ in range(3):
            body = await client.expect(4)
        assert len(body) == 256_012
        client.close()


async def test_tls_needs_a_certificate():
    with pytest.raises(OperatorError, match="needs a certificate"):
        await Server(ServerConfig(tls_port=0), RecordingSink()).start()


# -- listening -----------------------------------------------------------------


async def test_a_port_in_use_leaves_nothing_behind(server, tmp_path):
    path = tmp_path / "spice"
    config = ServerConfig(port=server.control.port, unix_path=path)
    other = Server(config, RecordingSink())
    with pytest.raises(ListenError, match="Address already in use"):
        await other.start()
    assert not path.exists()
    await other.stop()


async def test_a_unix_socket_is_removed_at_the_end(tmp_path):
    path = tmp_path / "spice"
    async with running_server(port=None, unix_path=path) as server:
        client = await RawClient.unix(path)
        assert await client.link(MAIN, password="sekret") == OK
        info = server.control.query_spice()
        assert (info.host, info.port, info.tls_port) == (str(path), None, None)
        assert info.channels[0].client == SpiceEndpoint("localhost", "", "unix")
    assert not path.exists()
    assert (await client.rest())[:2] == b"\x67\0"


async def test_stop_closes_everything():
    async with running_server(SilentDisplay()) as server:
        main, session_id = await session(server)
        display, _ = await connect(server, DISPLAY, 0, session_id)
        idle = await RawClient.tcp(server.control.port)
        port = server.control.port
    for client in (main, display, idle):
        await client.rest()
    with pytest.raises(OSError, match="Connect"):
        await RawClient.tcp(port)


# -- the operator's side -------------------------------------------------------


async def test_query_lists_channels_in_the_order_they_were_linked(server):
    info = server.control.query_spice()
    assert (info.enabled, info.migrated, info.auth) == (True, False, "spice")
    assert (info.host, info.port) == ("127.0.0.1", server.control.port)
    assert (info.mouse_mode, info.channels) == ("client", [])
    _main, session_id = await session(server)
    for kind in (CURSOR, DISPLAY, INPUTS):
        assert (await connect(server, kind, 0, session_id))[1] == OK
    channels = server.control.query_spice().channels
    assert [c.channel_type for c in channels] == [MAIN, CURSOR, DISPLAY, INPUTS]
    assert {c.connection_id for c in channels} == {session_id}
    assert {c.client.host for c in channels} == {"127.0.0.1"}


async def test_events_are_stock_s_and_in_order(server):
    events = Events(server)
    refused, _ = await connect(server, MAIN, password="wrong")
    await refused.rest()
    refused.close()
    await events.reach(2)
    assert [e.kind for e in events] == [CONNECTED, DISCONNECTED]
    events.clear()

    main, session_id = await session(server)
    local = SpiceEndpoint("127.0.0.1", str(server.control.port), "ipv4")
    peer_port = main.writer.get_extra_info("sockname")[1]
    peer = SpiceEndpoint("127.0.0.1", str(peer_port), "ipv4")
    connected, initialized = events
    assert (connected.server, connected.client) == (local, peer)
    assert connected.channel is None
    assert (initialized.kind, initialized.auth) == (INITIALIZED, "spice")
    channel = initialized.channel
    assert (channel.connection_id, channel.channel_type) == (session_id, MAIN)
    assert not channel.tls
    main.close()
    await events.reach(3)
    assert (events[2].kind, events[2].client) == (DISCONNECTED, peer)


async def test_a_password_may_be_set_and_expire(server, monkeypatch):
    control = server.control
    control.set_password("p" * 60, SetPasswordAction.KEEP)
    assert (await connect(server, MAIN, password="p" * 60))[1] == OK
    control.expire_password(1.0)
    assert (await connect(server, MAIN, password="p" * 60))[1] == PERMISSION_DENIED
    control.set_password("new", SetPasswordAction.KEEP)
    assert (await connect(server, MAIN, password="new"))[1] == PERMISSION_DENIED
    control.expire_password(None)
    assert (await connect(server, MAIN, password="new"))[1] == OK
    with pytest.raises(ControlError, match="at most 60"):
        control.set_password("p" * 61, SetPasswordAction.KEEP)


async def test_what_becomes_of_clients_when_the_password_changes(server):
    control = server.control
    control.set_password("one", SetPasswordAction.FAIL)
    main, result = await connect(server, MAIN, password="one")
    assert result == OK
    with pytest.raises(ControlError, match="a client is connected"):
        control.set_password("two", SetPasswordAction.FAIL)
    control.set_password("three", SetPasswordAction.KEEP)
    main.send(104)
    await main.expect(104)
    control.set_password("four", SetPasswordAction.DISCONNECT)
    await main.rest()
    assert not len(server.sessions)


# -- settings ------------------------------------------------------------------


async def test_channel_types_have_their_stock_names():
    assert channel_type("inputs") is ChannelType.INPUTS
    with pytest.raises(OperatorError, match="no channel 'input'; there are main, disp"):
        channel_type("input")


# -- clients that somebody else accepted -----------------------------------------


async def handed_over(server, *, skip_auth=False, tls=None):
    """Give the server one end of a connection; the other."""
    listener = socket.create_server(("127.0.0.1", 0))
    client = asyncio.create_task(RawClient.tcp(listener.getsockname()[1], tls))
    accepted, _ = await asyncio.to_thread(listener.accept)
    listener.close()
    server.control.add_client(
        accepted.detach(), skip_auth=skip_auth, tls=tls is not None
    )
    return await client


@pytest.mark.parametrize(
    ("skip_auth", "password", "result"),
    [
        (False, "sekret", OK),
        (False, "wrong", PERMISSION_DENIED),
        (True, "wrong", OK),
        (True, "", OK),
    ],
)
async def test_add_client(server, skip_auth, password, result):
    events = Events(server)
    client = await handed_over(server, skip_auth=skip_auth)
    assert [event.kind for event in events] == [CONNECTED]
    assert await client.link(MAIN, password=password) == result


async def test_add_client_whose_ticket_is_rubbish(server):
    client = await handed_over(server, skip_auth=True)
    client.writer.write(link_message())
    await client.read_reply()
    client.writer.write(struct.pack("<I", 1) + bytes(128))
    verdict = await client.reader.readexactly(4)
    assert struct.unpack("<I", verdict)[0] == PERMISSION_DENIED


async def test_add_client_over_tls(tmp_path):
    """Without a TLS port, too."""
    pki = write_pki(tmp_path)
    config = TlsConfig.from_directory(pki)
    context = ssl.create_default_context(cafile=str(pki / "ca-cert.pem"))
    async with running_server(tls=config) as server:
        client = await handed_over(server, tls=context)
        assert await client.link(MAIN, password="sekret") == OK
        for _ in range(3):  # what the net test sent: TLS cannot end before
            await client.expect(4)
        client.close()


async def test_add_client_that_cannot_be_served(server):
    reader, writer = os.pipe()
    pair = socket.socketpair(type=socket.SOCK_DGRAM)
    alone = socket.socket()
    other = socket.socketpair()
    for fd, tls in (
        (reader, False),
        (pair[0].detach(), False),
        (alone.detach(), False),
        (other[0].detach(), True),  # there is no certificate
    ):
        with pytest.raises(ControlError):
            server.control.add_client(fd, skip_auth=False, tls=tls)
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(fd)
    os.close(writer)
    pair[1].close()
    other[1].close()
