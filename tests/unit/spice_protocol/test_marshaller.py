"""Variable messages: counts, pointers, refusals."""

from __future__ import annotations

from typing import Annotated

import pytest

from spice_protocol.errors import TruncatedError
from spice_protocol.marshaller import (
    Data,
    Items,
    Marshaller,
    Pointer,
    Reader,
    WireMessage,
)
from spice_protocol.wire import Bytes, WireStruct, i16, length_of, u8, u16, u32


class Pair(WireStruct):
    a: u8
    b: i16


class Inner(WireMessage):
    size: u8 = length_of("text")
    text: Annotated[bytes, Data()]


class Outer(WireMessage):
    tag: Annotated[bytes, Bytes(2)]
    count: u16 = length_of("pairs")
    first: Annotated[Inner | None, Pointer(Inner)]
    second_size: u32 = length_of("second")
    second: Annotated[bytes | None, Pointer(Data())]
    pairs: Annotated[list[Pair], Items(Pair)]
    inner: Inner
    negative: i16


def example() -> Outer:
    return Outer(
        b"T", Inner(b"one"), b"two", [Pair(1, -2), Pair(3, 4)], Inner(b"i"), -5
    )


PACKED = bytes.fromhex(
    "5400 0200 1a000000 03000000 1e000000 01feff 030400 0169 fbff 036f6e65 74776f"
)


def test_pack_puts_parts_behind_in_order_of_their_pointers() -> None:
    assert example().pack() == PACKED


def test_unpack() -> None:
    message = Outer.unpack(PACKED)
    message.tag = b"T"
    assert message == example()
    assert (message.count, message.second_size) == (2, 3)


def test_null_pointers() -> None:
    message = Outer(b"", None, None, [], Inner(b""), 0)
    assert Outer.unpack(message.pack()).first is None
    assert Outer.unpack(message.pack()).second is None


@pytest.mark.parametrize("cut", range(len(PACKED)))
def test_truncated(cut: int) -> None:
    with pytest.raises(TruncatedError):
        Outer.unpack(PACKED[:cut])


def test_pointer_beyond_the_end() -> None:
    body = bytearray(PACKED)
    body[4:8] = (len(body) + 1).to_bytes(4, "little")
    with pytest.raises(TruncatedError, match="points beyond"):
        Outer.unpack(body)


def test_count_beyond_the_end_allocates_nothing() -> None:
    with pytest.raises(TruncatedError):
        Inner.unpack(b"\xff")


@pytest.mark.parametrize(
    ("message", "what"),
    [
        (Inner(bytes(256)), "256 does not fit 1 bytes"),
        (Outer(b"123", None, None, [], Inner(b""), 0), "3 bytes do not fit 2"),
        (Outer(b"", None, None, [], Inner(b""), 1 << 15), "does not fit 2 bytes"),
    ],
)
def test_pack_refuses(message: WireMessage, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        message.pack()


def test_reader_takes_every_integer() -> None:
    reader = Reader(bytes(range(1, 16)))
    assert (reader.u8(), reader.u16(), reader.u32()) == (1, 0x0302, 0x07060504)
    assert reader.u64() == 0x0F0E0D0C0B0A0908
    assert reader.remaining == 0
    with pytest.raises(TruncatedError, match="1 bytes needed at 15"):
        reader.u8()


def test_reader_of_wider_elements_counts_bytes() -> None:
    assert Reader(memoryview(bytes(8)).cast("I")).remaining == 8


def test_marshaller_writes_every_integer() -> None:
    writer = Marshaller()
    writer.u8(1)
    writer.u16(2)
    writer.u32(3)
    writer.u64(4)
    assert writer.finish().hex() == "010200030000000400000000000000"
