"""The smartcard channel: readers, what is passed, what is refused; the device's bytes."""

from __future__ import annotations

import struct

import pytest
import pytest_asyncio

from spice_server.port.smartcard import SmartcardChannel
from spice_server.port.vsc import (
    MAX_VSC_DATA,
    VscMessage,
    VscParser,
    VscTooLongError,
)
from tests.fakes.raw_client import RawClient
from tests.fakes.scripted_port import ScriptedPort
from tests.fakes.spice_channels import running_server

ERROR, READER_ADD, READER_REMOVE, ATR, CARD_REMOVE, APDU = 2, 3, 4, 5, 6, 7
DATA = 101
NO_READER = 0xFFFFFFFF


def device(kind: int, data: bytes = b"", reader: int = 0) -> bytes:
    """Return a message as QEMU's device has it."""
    return struct.pack(">III", kind, reader, len(data)) + data


def client(kind: int, data: bytes = b"", reader: int = 0) -> bytes:
    """Return a message as the client has it."""
    return struct.pack("<III", kind, reader, len(data)) + data


class TestParser:
    MESSAGES = (
        VscMessage(ATR, 0, b"\x3b\x00"),
        VscMessage(CARD_REMOVE, 0),
        VscMessage(APDU, 7, bytes(MAX_VSC_DATA)),
        VscMessage(ERROR, NO_READER, bytes(4)),
    )

    @pytest.mark.parametrize("size", [1, 2, 11, 12, 13, 5000, 100_000])
    def test_any_pieces(self, size):
        stream = b"".join(message.pack() for message in self.MESSAGES)
        parser, got = VscParser(), []
        for start in range(0, len(stream), size):
            got += parser.feed(stream[start : start + size])
        assert tuple(got) == self.MESSAGES

    def test_too_long(self):
        parser = VscParser()
        with pytest.raises(VscTooLongError, match="message 7 of 32769 bytes"):
            list(parser.feed(struct.pack(">III", APDU, 0, MAX_VSC_DATA + 1)))


@pytest.mark.asyncio
@pytest.mark.usefixtures("close_clients")
class TestChannel:
    @pytest_asyncio.fixture
    async def port(self):
        return ScriptedPort("card", opened=True)

    @pytest_asyncio.fixture
    async def card(self, port):
        async with running_server(SmartcardChannel(port)) as server:
            main = await RawClient.tcp(server.control.port)
            assert await main.link(1, password="sekret") == 0
            session = struct.unpack_from("<I", (await main.receive())[1])[0]
            opened = await RawClient.tcp(server.control.port)
            assert await opened.link(8, 0, session, password="sekret") == 0
            await port.attached()
            yield opened

    async def test_a_reader_comes_and_goes(self, card, port):
        card.send(DATA, client(READER_ADD, b"a name", NO_READER))
        await port.taken(device(READER_ADD))
        port.guest_writes(device(1))  # Init is not the client's business
        port.guest_writes(device(ERROR, bytes(4), NO_READER))
        assert await card.receive() == (DATA, client(ERROR, bytes(4)))
        card.send(DATA, client(READER_REMOVE))
        await port.taken(device(READER_ADD) + device(READER_REMOVE))

    async def test_goes_with_its_client(self, card, port):
        card.send(DATA, client(READER_ADD, b"", NO_READER))
        await port.taken(device(READER_ADD))
        card.close()
        await port.attached(None)
        assert port.written == device(READER_ADD) + device(READER_REMOVE)

    async def test_cards_and_what_is_said_to_them(self, card, port):
        said = [(ATR, b"\x3b\x01"), (APDU, b"\x90\x00"), (ERROR, b"no"), (6, b"")]
        for kind, data in said:
            card.send(DATA, client(kind, data))
        await port.taken(b"".join(device(*each) for each in said))
        port.guest_writes(device(APDU, b"\x00\xa4\x04\x00")[:5])
        port.guest_writes(device(APDU, b"\x00\xa4\x04\x00")[5:])
        assert await card.receive() == (DATA, client(APDU, b"\x00\xa4\x04\x00"))

    async def test_what_is_not_passed(self, card, port):
        card.send(DATA, client(1, b"init"))
        card.send(DATA, client(8))
        card.send(DATA, client(4711))
        card.send(DATA, client(READER_REMOVE))  # there is none
        assert await card.receive() == (DATA, client(ERROR, b"\x01\0\0\0"))
        card.send(DATA, client(READER_REMOVE, b"", 5))
        assert await card.receive() == (DATA, client(ERROR, b"\x01\0\0\0", 5))
        assert port.written == b""

    async def test_no_reader_without_qemu(self, card, port):
        port.opened = False
        card.send(DATA, client(READER_ADD, b"", NO_READER))
        assert await card.receive() == (DATA, client(ERROR, b"\x02\0\0\0", NO_READER))
        assert port.written == b""

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            client(APDU, b"x", reader=1),
            client(ATR, b"x", NO_READER),
            struct.pack("<III", APDU, 0, 5) + b"four",
            client(APDU, bytes(MAX_VSC_DATA + 1)),
        ],
    )
    async def test_what_ends_the_client(self, card, port, body):
        card.send(DATA, body)
        await card.rest()
        assert port.written == b""

    async def test_the_end_of_qemus_device_is_the_channels(self, card, port):
        card.send(DATA, client(READER_ADD, b"", NO_READER))
        await port.taken(device(READER_ADD))
        port.close()
        await card.rest()

    async def test_a_device_that_makes_no_sense(self, card, port):
        port.guest_writes(struct.pack(">III", APDU, 0, 0xFFFFFFFF))
        await card.rest()

    async def test_a_client_that_reads_nothing_does_not_stop_qemu(self, card, port):
        card.writer.transport.pause_reading()
        message = device(APDU, bytes(30_000))
        for _ in range(1000):
            if port.handler is None or port.handler.closed:
                break
            port.guest_writes(message)
        assert not port.paused
        await port.attached(None)
