from __future__ import annotations

import asyncio
import socket
import ssl

import pytest

from spice_server.certificates import tls_context
from spice_server.channel.tls import TlsConnection, TlsTerms
from spice_server.config import TlsConfig
from tests.fakes.connected_pair import HERE, RecordingReceiver
from tests.fakes.pki import write_pki
from tests.fakes.raw_client import RawClient

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("close_clients")]

DATA = bytes(range(256)) * 12288


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return write_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def sockets(pki):
    ours, theirs = socket.socketpair()
    context = tls_context(TlsConfig.from_directory(pki))
    return TlsConnection(ours, HERE, HERE, TlsTerms(context)), theirs


def client_context(pki, **versions):
    context = ssl.create_default_context(cafile=str(pki / "ca-cert.pem"))
    for name, value in versions.items():
        setattr(context, name, value)
    return context


async def client_of(theirs, pki, **versions):
    streams = await asyncio.open_connection(
        sock=theirs,
        ssl=client_context(pki, **versions),
        server_hostname="127.0.0.1",
        limit=1 << 22,
    )
    return RawClient(*streams)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_bytes_pass_both_ways(sockets, pki, version):
    connection, theirs = sockets
    receiver = RecordingReceiver()
    connection.attach(asyncio.get_running_loop(), receiver)
    client = await client_of(theirs, pki, maximum_version=version)
    connection.write([b"small", b"", b"and ", memoryview(DATA), b"end"])
    expected = b"smalland " + DATA + b"end"
    assert await client.reader.readexactly(len(expected)) == expected
    client.writer.write(DATA)
    await receiver.wait_for(len(DATA))
    assert receiver.data == DATA
    client.close()
    await receiver.lost


async def test_close_says_goodbye(sockets, pki):
    connection, theirs = sockets
    receiver = RecordingReceiver()
    connection.attach(asyncio.get_running_loop(), receiver)
    client = await client_of(theirs, pki)
    connection.write([DATA])
    connection.close()
    assert await client.rest() == DATA  # no truncation error: close_notify came
    client.close()
    assert await receiver.lost is None


async def test_decrypted_bytes_move_along_to_another_thread(sockets, pki):
    connection, theirs = sockets
    loop = asyncio.get_running_loop()
    moved = asyncio.Event()

    class Mover(RecordingReceiver):
        def data_received(self, data):
            connection.detach()
            connection.put_back(data)
            moved.set()

    connection.attach(loop, Mover())
    client = await client_of(theirs, pki)
    client.writer.write(DATA)
    await moved.wait()

    async def serve():
        receiver = RecordingReceiver()
        connection.attach(asyncio.get_running_loop(), receiver)
        await receiver.wait_for(len(DATA))
        connection.write([receiver.data])
        connection.close()
        await receiver.lost

    worker = asyncio.create_task(asyncio.to_thread(asyncio.run, serve()))
    assert await client.reader.readexactly(len(DATA)) == DATA
    client.close()
    await worker


async def test_what_is_no_handshake_ends_the_connection(sockets):
    connection, theirs = sockets
    receiver = RecordingReceiver()
    connection.attach(asyncio.get_running_loop(), receiver)
    theirs.sendall(b"REDQ" * 100)
    assert isinstance(await receiver.lost, ssl.SSLError)
    theirs.close()


async def test_a_peer_that_leaves_in_the_handshake_ends_the_connection(sockets):
    connection, theirs = sockets
    receiver = RecordingReceiver()
    connection.attach(asyncio.get_running_loop(), receiver)
    theirs.close()
    await receiver.lost
    assert not connection.is_open


async def test_tls_below_1_2_is_refused(sockets, pki):
    connection, theirs = sockets
    receiver = RecordingReceiver()
    connection.attach(asyncio.get_running_loop(), receiver)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context = client_context(pki, maximum_version=ssl.TLSVersion.TLSv1_1)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.raises((ssl.SSLError, OSError)):
        await asyncio.open_connection(
            sock=theirs, ssl=context, server_hostname="127.0.0.1"
        )
    await receiver.lost


async def test_close_before_the_handshake_is_over(sockets):
    connection, theirs = sockets
    receiver = RecordingReceiver()
    connection.attach(asyncio.get_running_loop(), receiver)
    connection.write([b"never seen"])
    connection.abort()
    await receiver.lost
    assert theirs.recv(100) == b""
    theirs.close()


async def test_pausing_keeps_decrypted_bytes_back(sockets, pki):
    connection, theirs = sockets
    receiver, loop = RecordingReceiver(), asyncio.get_running_loop()
    connection.attach(loop, receiver)
    client = await client_of(theirs, pki)
    received = receiver.data_received

    def stop(data):
        received(data)
        connection.pause_reading()
        loop.call_soon(connection.resume_reading)

    receiver.data_received = stop
    client.writer.write(DATA)
    await receiver.wait_for(len(DATA))
    assert receiver.data == DATA
    client.close()
    await receiver.lost
