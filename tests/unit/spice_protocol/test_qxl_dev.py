"""QXL structures round trip; addresses split and join."""

from __future__ import annotations

import pytest

from spice_protocol import qxl_dev, vd_agent
from spice_protocol.errors import TruncatedError
from spice_protocol.qxl_dev import QXLCopy, QXLDrawable, QXLQMask, QXLRect
from spice_protocol.wire import WireStruct

STRUCTURES = [
    value
    for module in (qxl_dev, vd_agent)
    for name in module.__all__
    if isinstance(value := getattr(module, name), type)
    and issubclass(value, WireStruct)
]


@pytest.mark.parametrize("cls", STRUCTURES)
def test_any_bytes_round_trip(cls: type[WireStruct]) -> None:
    data = bytes(n * 37 & 0xFF for n in range(cls.SIZE))
    assert cls.unpack(data).pack() == data


@pytest.mark.parametrize("cls", STRUCTURES)
def test_one_byte_short(cls: type[WireStruct]) -> None:
    if cls.SIZE:
        with pytest.raises(TruncatedError):
            cls.unpack(bytes(cls.SIZE - 1))


def test_union_member() -> None:
    copy = QXLCopy(0x1234, QXLRect(1, 2, 3, 4), 8, 0, QXLQMask.zero())
    drawable = QXLDrawable.zero()
    drawable.type = qxl_dev.QxlDrawType.DRAW_COPY
    drawable.u = copy.pack()
    again = QXLDrawable.unpack(drawable.pack())
    assert QXLCopy.unpack_from(again.u) == copy


def test_physical_addresses() -> None:
    # QXLRom of QEMU's device: 8 bits of slot id, 8 bits of generation.
    address = qxl_dev.join_physical(1, 3, 0x4567, 8, 8)
    assert address == 0x0103_0000_0000_4567
    assert qxl_dev.split_physical(address, 8, 8) == (1, 3, 0x4567)
    assert qxl_dev.split_physical(0xFFFF_FFFF_FFFF_FFFF, 4, 4) == (
        15,
        15,
        (1 << 56) - 1,
    )


def test_image_id() -> None:
    group = qxl_dev.QxlImageGroup.DRIVER_DONT_CACHE
    assert qxl_dev.image_id(group, 5) == 5 << 32 | 3
    assert qxl_dev.QXLImageID.unpack(
        qxl_dev.image_id(group, 5).to_bytes(8, "little")
    ) == qxl_dev.QXLImageID(3, 5)
