"""A client that sends just what a test says: link stage by hand, messages as bytes."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from typing import TYPE_CHECKING, ClassVar, Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from spice_protocol.protocol import SpiceLinkMess, pack_capabilities

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

MINI_HEADER_CAPS = (0b1001,)
"""AUTH_SELECTION and MINI_HEADER, as spice-html5 sends them."""


def link_message(
    channel_type: int = 1,
    channel_id: int = 0,
    connection_id: int = 0,
    common: tuple[int, ...] = MINI_HEADER_CAPS,
    channel: tuple[int, ...] = (),
) -> bytes:
    """Return a link header and message."""
    body = SpiceLinkMess(
        connection_id=connection_id,
        channel_type=channel_type,
        channel_id=channel_id,
        num_common_caps=len(common),
        num_channel_caps=len(channel),
        caps_offset=SpiceLinkMess.SIZE,
    ).pack() + pack_capabilities(common + channel)
    return struct.pack("<4sIII", b"REDQ", 2, 2, len(body)) + body


def encrypt_ticket(pub_key: bytes, password: bytes) -> bytes:
    """Return the ticket that holds *password*."""
    key = load_der_public_key(pub_key)
    assert isinstance(key, rsa.RSAPublicKey)
    sha1 = hashes.SHA1()
    oaep = padding.OAEP(mgf=padding.MGF1(sha1), algorithm=sha1, label=None)
    return key.encrypt(password, oaep)


class RawClient:
    """One connection."""

    _open: ClassVar[list[RawClient]] = []

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.mini = True
        self._serial = 0
        RawClient._open.append(self)

    @classmethod
    async def close_all(cls) -> None:
        """Close every client that was ever made."""
        while cls._open:
            client = cls._open.pop()
            client.close()
            with contextlib.suppress(OSError):
                await client.writer.wait_closed()

    @classmethod
    async def tcp(
        cls,
        port: int,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        source: str | None = None,
    ) -> Self:
        """Connect to a TCP port, as *source* if there is one."""
        local = None if source is None else (source, 0)
        streams = await asyncio.open_connection(host, port, ssl=tls, local_addr=local)
        return cls(*streams)

    @classmethod
    async def unix(cls, path: Path) -> Self:
        """Connect to a unix socket."""
        return cls(*await asyncio.open_unix_connection(path))

    # -- link stage ------------------------------------------------------------

    async def link(
        self,
        channel_type: int = 1,
        channel_id: int = 0,
        connection_id: int = 0,
        *,
        password: str = "",
        common: tuple[int, ...] = MINI_HEADER_CAPS,
        channel: tuple[int, ...] = (),
    ) -> int:
        """Do the link stage; return the error of the reply, or the result."""
        self.writer.write(
            link_message(channel_type, channel_id, connection_id, common, channel)
        )
        error, pub_key, _words = await self.read_reply()
        if error:
            return error
        selects = bool(common) and common[0] & 1
        self.mini = bool(common) and bool(common[0] & 8)
        mechanism = struct.pack("<I", 1) if selects else b""
        self.writer.write(
            mechanism + encrypt_ticket(pub_key, password.encode() + b"\0")
        )
        return await self.read_word()

    async def read_reply(self) -> tuple[int, bytes, tuple[int, ...]]:
        """Read a link reply: error, public key, all capability words."""
        header = await self.reader.readexactly(16)
        magic, major, minor, size = struct.unpack("<4sIII", header)
        assert (magic, major, minor) == (b"REDQ", 2, 2)
        body = await self.reader.readexactly(size)
        error, pub_key, common, channel, offset = struct.unpack_from("<I162sIII", body)
        words = struct.unpack_from(f"<{common + channel}I", body, offset)
        return error, pub_key, words

    async def read_word(self) -> int:
        """Read the result of the link stage."""
        return int.from_bytes(await self.reader.readexactly(4), "little")

    # -- messages --------------------------------------------------------------

    def send(self, kind: int, body: bytes = b"") -> None:
        """Send a message."""
        self._serial += 1
        if self.mini:
            header = struct.pack("<HI", kind, len(body))
        else:
            header = struct.pack("<QHII", self._serial, kind, len(body), 0)
        self.writer.write(header + body)

    async def receive(self) -> tuple[int, bytes]:
        """Read the next message."""
        if self.mini:
            kind, size = struct.unpack("<HI", await self.reader.readexactly(6))
        else:
            header = await self.reader.readexactly(18)
            _serial, kind, size, _sub_list = struct.unpack("<QHII", header)
        return kind, await self.reader.readexactly(size)

    async def expect(self, kind: int) -> bytes:
        """Read messages up to one of *kind*, return its body."""
        while True:
            got, body = await self.receive()
            if got == kind:
                return body

    async def rest(self) -> bytes:
        """Read until the server closes."""
        data = b""
        with contextlib.suppress(ConnectionError):
            while chunk := await self.reader.read(65536):
                data += chunk
        return data

    def close(self) -> None:
        """Close without a word."""
        self.writer.close()
