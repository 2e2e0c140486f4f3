"""Logins by hand, with the real library at the server."""

from __future__ import annotations

import asyncio
import ctypes
import ssl
import struct

import pytest
import pytest_asyncio

from spice_server.config import TlsConfig
from spice_server.link import cyrus_sasl as module
from spice_server.link.cyrus_sasl import SaslError
from spice_server.link.sasl_layer import SaslLayer
from tests.fakes import sasl_users
from tests.fakes.pki import write_pki
from tests.fakes.raw_client import RawClient, link_message
from tests.fakes.sasl_users import PASSWORD, USER, use_sasl_users
from tests.fakes.spice_channels import SilentDisplay, running_server

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.usefixtures("close_clients"),
    pytest.mark.skipif(
        sasl_users.missing() is not None, reason=str(sasl_users.missing())
    ),
]

SELECTS = (0b1101,)
MAIN, DISPLAY = 1, 2
OK, INVALID_DATA, BAD_CONNECTION_ID = 0, 3, 8


@pytest_asyncio.fixture(autouse=True)
async def users(close_clients):
    use_sasl_users()
    yield
    # asyncio's TLS can wait for ever for the end of a stream that nobody read.
    for client in RawClient._open:
        client.writer.transport.abort()


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return write_pki(tmp_path_factory.mktemp("pki"))


def serving(pki, **options):
    tls = {"port": 0, "tls_port": 0, "tls": TlsConfig.from_directory(pki)}
    return running_server(SilentDisplay(), sasl=True, **tls, **options)


async def mechanisms(server, pki, *link, tls=True):
    """Connect up to the list of mechanisms."""
    control = server.control
    if tls:
        trust = ssl.create_default_context(cafile=str(pki / "ca-cert.pem"))
        client = await RawClient.tcp(control.tls_port, trust)
    else:
        client = await RawClient.tcp(control.port)
    client.writer.write(link_message(*link, common=SELECTS))
    error, key, words = await client.read_reply()
    assert (error, key, words[0]) == (OK, bytes(162), 0b1101)
    client.writer.write(struct.pack("<I", 2))
    names = await client.reader.readexactly(await client.read_word())
    return client, names.decode().strip(",").split(",")


def sized(data):
    return struct.pack("<I", len(data)) + data


async def plain(server, pki, *link, user=USER, password=PASSWORD):
    """Log in by PLAIN; the client and all words the server said, up to its end."""
    client, names = await mechanisms(server, pki, *link)
    assert sorted(names) == ["DIGEST-MD5", "PLAIN", "SCRAM-SHA-256"]
    data = f"\0{user}\0{password}".encode()
    client.writer.write(sized(b"PLAIN") + sized(data + b"\0"))
    try:
        size, complete = struct.unpack("<IB", await client.reader.readexactly(5))
        assert (size, complete) == (0, 1)
        assert await client.read_word() == OK
        return client, await client.read_word()
    except asyncio.IncompleteReadError:
        return client, None  # closed without a word


async def session(server, pki):
    client, result = await plain(server, pki)
    assert result == OK
    return struct.unpack_from("<I", (await client.receive())[1])[0]


async def test_a_user_gets_in_with_all_channels(pki):
    async with serving(pki) as server:
        number = await session(server, pki)
        assert (await plain(server, pki, DISPLAY, 0, number))[1] == OK
        assert server.stats.linked == 2
        result = (await plain(server, pki, DISPLAY, 0, number ^ 1))[1]
        assert result == BAD_CONNECTION_ID
        assert server.control.query_spice().auth == "sasl"


async def test_strangers_do_not_and_may_not_try_for_ever(pki):
    async with serving(pki) as server:
        number = await session(server, pki)
        for _ in range(10):
            assert (await plain(server, pki, password="guess"))[1] is None
        with pytest.raises(asyncio.IncompleteReadError):
            await mechanisms(server, pki)
        # Who is in already is not concerned.
        assert (await plain(server, pki, DISPLAY, 0, number))[1] == OK


async def test_without_tls_passwords_are_not_asked_for(pki):
    async with serving(pki) as server:
        client, names = await mechanisms(server, pki, tls=False)
        assert names == ["DIGEST-MD5"]
        client.writer.write(sized(b"PLAIN"))
        error, _key, _words = await client.read_reply()
        assert error == INVALID_DATA


async def test_a_ticket_is_none_of_sasl(pki):
    async with serving(pki) as server:
        client = await RawClient.tcp(server.control.port)
        client.writer.write(link_message(common=SELECTS))
        await client.read_reply()
        client.writer.write(struct.pack("<I", 1) + bytes(128))
        assert (await client.read_reply())[0] == INVALID_DATA


async def test_a_client_that_leaves_while_the_library_works(pki):
    async with serving(pki) as server:
        for _ in range(20):
            client, _names = await mechanisms(server, pki)
            client.writer.write(sized(b"SCRAM-SHA-256") + sized(b"n,,n=x,r=y\0"))
            client.close()
        assert (await plain(server, pki))[1] == OK


@pytest.mark.parametrize("data", [b"\0", b"\xff" * 4000 + b"\0"])
async def test_rubbish_is_a_failed_login(pki, data):
    async with serving(pki) as server:
        for name in ("PLAIN", "SCRAM-SHA-256"):
            client, _names = await mechanisms(server, pki)
            # Some ask for more when there is nothing to begin with.
            steps = sized(data) + sized(b"rubbish\0") * 3
            client.writer.write(sized(name.encode()) + steps)
            rest = await client.rest()
            assert not server.stats.linked, rest


# -- the library ---------------------------------------------------------------


async def test_properties_are_as_the_library_has_them():
    class Properties(ctypes.Structure):
        _fields_ = [
            *((name, ctypes.c_uint) for name in ("min", "max", "buffer", "flags")),
            ("names", ctypes.c_void_p),
            ("values", ctypes.c_void_p),
        ]

    assert ctypes.sizeof(Properties) == module._SECURITY_PROPERTIES.size


class Reversing:
    """A layer's library that turns bytes around and dislikes an X."""

    def encode(self, data):
        return [data[::-1]]

    def decode(self, data):
        if b"X" in data:
            raise SaslError("an X")
        return data[::-1]


async def test_a_layer_goes_around_bytes_until_they_do_not_decode():
    layer = SaslLayer(Reversing())
    assert list(layer.wrap([b"ab", memoryview(b"c")])) == [b"cba"]
    assert layer.unwrap(b"cba") == b"abc"
    assert not layer.ended
    assert layer.unwrap(b"aXb") == b""
    assert layer.ended
    assert [*layer.take_answers(), *layer.farewell()] == []
