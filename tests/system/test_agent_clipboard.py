"""Copy and paste between spice-gtk and an X client of the guest, both ways."""

from __future__ import annotations

import hashlib
import struct
import zlib

import pytest

from tests.peers.agent_guest import (
    PNG,
    UTF8_TEXT,
    copy_until_grabbed,
    fetch,
    offer_until_pasted,
)

pytestmark = [pytest.mark.system, pytest.mark.interop, pytest.mark.slow]

CLIPBOARD, PRIMARY = 0, 1


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def png(width: int, height: int) -> bytes:
    """A picture that does not compress well."""

    def chunk(name: bytes, body: bytes) -> bytes:
        checked = name + body
        return (
            struct.pack(">I", len(body))
            + checked
            + struct.pack(">I", zlib.crc32(checked))
        )

    rows = b"".join(
        b"\0" + bytes((x * y * 7 + x ^ y) & 0xFF for x in range(width * 3))
        for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def lines(size: int) -> bytes:
    """Text of *size* bytes or some more, with letters of two bytes."""
    count = size // 20 + 1
    return b"".join(b"Zeile %06d gr\xc3\xb6\xc3\x9fer\n" % n for n in range(count))


@pytest.fixture
def client(agent_guest):
    agent_guest.clear()
    with agent_guest.client() as client:
        client.wait_agent()
        yield client


def copied_in_guest(guest, client, tmp_path, selection, kind) -> bytes:
    """Copy ``/tmp/copied`` in the guest; what the client gets of it."""
    copy_until_grabbed(guest, client, selection, kind, "/tmp/copied")
    return fetch(client, selection, kind, tmp_path / "fetched")


@pytest.mark.parametrize("selection", [CLIPBOARD, PRIMARY])
def test_text_copied_in_the_guest(agent_guest, client, tmp_path, selection):
    text = f"From the guest: größer {selection}"
    agent_guest.shell.run(f"printf '{text}' >/tmp/copied")
    data = copied_in_guest(agent_guest, client, tmp_path, selection, UTF8_TEXT)
    assert data.decode() == text


@pytest.mark.parametrize("selection", [CLIPBOARD, PRIMARY])
def test_text_copied_in_the_client(agent_guest, client, tmp_path, selection):
    text = f"From the client: größer {selection}\n".encode()
    path = tmp_path / "text"
    path.write_bytes(text)
    came = offer_until_pasted(agent_guest, client, selection, UTF8_TEXT, path)
    assert came == sha256(text)


def test_a_picture_both_ways(agent_guest, client, tmp_path):
    picture = png(320, 200)
    path = tmp_path / "picture.png"
    path.write_bytes(picture)
    came = offer_until_pasted(agent_guest, client, CLIPBOARD, PNG, path)
    assert came == sha256(picture)
    agent_guest.shell.run("cp /tmp/pasted /tmp/copied")
    assert copied_in_guest(agent_guest, client, tmp_path, CLIPBOARD, PNG) == picture


def test_megabytes_of_text_both_ways(agent_guest, client, tmp_path):
    text = lines(5_000_000)
    path = tmp_path / "text"
    path.write_bytes(text)
    came = offer_until_pasted(agent_guest, client, CLIPBOARD, UTF8_TEXT, path)
    assert came == sha256(text)
    agent_guest.shell.run("cp /tmp/pasted /tmp/copied")
    data = copied_in_guest(agent_guest, client, tmp_path, CLIPBOARD, UTF8_TEXT)
    assert sha256(data) == sha256(text)


def test_a_selection_that_is_given_up(agent_guest, client, tmp_path):
    agent_guest.shell.run("printf soon >/tmp/copied")
    copied_in_guest(agent_guest, client, tmp_path, CLIPBOARD, UTF8_TEXT)
    agent_guest.shell.run("killall xclip")
    client.wait("clipboard-release", selection=CLIPBOARD)
