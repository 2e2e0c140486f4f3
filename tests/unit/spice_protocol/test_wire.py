"""Fixed structures: packing, copying out, offsets, refusals."""

from __future__ import annotations

from typing import Annotated, ClassVar

import pytest

from spice_protocol.errors import TruncatedError
from spice_protocol.wire import (
    Array,
    Bytes,
    Union,
    WireStruct,
    i16,
    i32,
    u8,
    u16,
    u32,
    u64,
)


class Point(WireStruct):
    x: i32
    y: i32


class Color(WireStruct):
    rgb: u32


class Everything(WireStruct):
    FLEXIBLE: ClassVar[str] = "tail"
    ALIASES: ClassVar[dict[str, str]] = {"other": "wide"}

    small: u8
    point: Point
    name: Annotated[bytes, Bytes(5)]
    points: Annotated[tuple[Point, ...], Array(Point, 2)]
    words: Annotated[tuple[int, ...], Array(u16, 3)]
    u: Annotated[bytes, Union({"point": Point, "color": Color, "plain": u64})]
    wide: u64
    signed: i16 = -1


def example() -> Everything:
    return Everything(
        1, Point(2, -3), b"abc", (Point(4, 5), Point(6, 7)), (8, 9, 10), b"\x0b", 12
    )


PACKED = bytes.fromhex(
    "01 02000000 fdffffff 6162630000 04000000 05000000 06000000 07000000"
    "0800 0900 0a00 0b00000000000000 0c00000000000000 ffff"
)


def test_pack() -> None:
    assert example().pack() == PACKED
    assert len(PACKED) == Everything.SIZE


def test_unpack_from_offset_copies() -> None:
    buffer = bytearray(b"xx" + PACKED)
    value = Everything.unpack_from(buffer, 2)
    buffer[:] = bytes(len(buffer))
    assert value.point == Point(2, -3)
    assert value.points == (Point(4, 5), Point(6, 7))
    assert value.words == (8, 9, 10)
    assert value.name == b"abc\0\0"
    assert Color.unpack_from(value.u) == Color(11)
    assert value.pack() == PACKED


@pytest.mark.parametrize("cut", range(len(PACKED)))
def test_truncated(cut: int) -> None:
    with pytest.raises(TruncatedError, match=f"Everything needs {len(PACKED)} bytes"):
        Everything.unpack(PACKED[:cut])


def test_truncated_by_offset() -> None:
    with pytest.raises(TruncatedError):
        Everything.unpack_from(PACKED, 1)


def test_what_follows_is_ignored() -> None:
    assert Everything.unpack(PACKED + b"more").pack() == PACKED


def test_pack_into() -> None:
    buffer = bytearray(len(PACKED) + 3)
    example().pack_into(buffer, 3)
    assert buffer == b"\0\0\0" + PACKED
    with pytest.raises(ValueError, match="Everything"):
        example().pack_into(buffer, 4)


@pytest.mark.parametrize(
    ("path", "offset"),
    [
        ("small", 0), ("point", 1), ("point.y", 5), ("name", 9), ("points", 14),
        ("words", 30), ("u", 36), ("u.point.y", 40), ("color.rgb", 36), ("wide", 44),
        ("other", 44), ("signed", 52), ("tail", 54),
    ],
)  # fmt: skip
def test_offset(path: str, offset: int) -> None:
    assert Everything.offset(path) == offset


@pytest.mark.parametrize("path", ["", "none", "point.z", "u.none", "tail.x"])
def test_no_such_offset(path: str) -> None:
    with pytest.raises(KeyError):
        Everything.offset(path)


def test_size_of() -> None:
    assert Everything.size_of("points") == 16
    assert Everything.size_of("u") == 8


def test_zero() -> None:
    assert Everything.zero().pack() == bytes(Everything.SIZE)


def test_init_by_name_and_default() -> None:
    assert Point(y=2, x=1) == Point(1, 2)
    assert example().signed == -1


def test_init_refuses() -> None:
    with pytest.raises(TypeError, match="Point lacks y"):
        Point(1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="only 2 fields"):
        Point(1, 2, 3)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="no field z"):
        Point(1, 2, z=3)  # type: ignore[call-arg]


def test_no_other_attributes() -> None:
    with pytest.raises(AttributeError):
        Point(1, 2).z = 3  # type: ignore[attr-defined]


@pytest.mark.parametrize("value", [1 << 31, -(1 << 31) - 1])
def test_pack_refuses_numbers_out_of_range(value: int) -> None:
    with pytest.raises(ValueError, match="Point"):
        Point(value, 0).pack()


def test_pack_refuses_long_bytes_and_wrong_arrays() -> None:
    value = example()
    value.name = b"123456"
    with pytest.raises(ValueError, match="name is longer than 5 bytes"):
        value.pack()
    value = example()
    value.points = (Point(0, 0),)
    with pytest.raises(ValueError, match="points needs 2 elements"):
        value.pack()


def test_equality_and_repr() -> None:
    assert Point(1, 2) == Point(1, 2)
    assert Point(1, 2) != Point(1, 3)
    assert Color(1) != Point(1, 0)
    assert repr(Point(1, 2)) == "Point(x=1, y=2)"
    with pytest.raises(TypeError):
        hash(Point(1, 2))
