"""A guest's memory without a device: what the C core drains, built from qxl_dev tables."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from spice_common.ipc_ring import Consumer, Producer
from spice_common.memslot import MemslotTable
from spice_common.release_ring import ReleaseRing
from spice_protocol.enums import SpiceBitmapFmt, SpiceClipType, SpiceImageType
from spice_protocol.qxl_dev import (
    QXL_COMMAND_RING_SIZE,
    QXL_RELEASE_RING_SIZE,
    QXLBitmap,
    QXLBitmapFlags,
    QXLClip,
    QXLClipRects,
    QXLCommand,
    QXLDataChunk,
    QXLDrawable,
    QXLEffectType,
    QXLImageDescriptor,
    QXLPoint,
    QXLQMask,
    QXLRect,
    QXLReleaseInfo,
    join_physical,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spice_protocol.wire import WireStruct

__all__ = ["GENERATION", "NO_MASK", "NO_RECT", "SLOT", "CommandMemory", "physical"]

NO_MASK = QXLQMask(0, QXLPoint(0, 0), 0)
NO_RECT = QXLRect(0, 0, 0, 0)
SLOT = 1
GENERATION = 3


def physical(slot_id: int, generation: int, offset: int) -> int:
    """Return a QXLPHYSICAL with the widths that QEMU's device announces."""
    return join_physical(slot_id, generation, offset, 8, 8)


class CommandMemory:
    """One slot of memory that is only ever appended to, and the three rings."""

    def __init__(self, size: int = 1 << 20) -> None:
        self.memory = bytearray(size)
        self.used = 16
        self.slots = MemslotTable()
        self.slots.add(SLOT, GENERATION, self.memory)
        ring = bytearray(Producer.size_of(QXL_COMMAND_RING_SIZE, QXLCommand.SIZE))
        shape = {"num_items": QXL_COMMAND_RING_SIZE, "item_size": QXLCommand.SIZE}
        self.guest_commands = Producer(ring, **shape).reset()
        self.commands = Consumer(ring, **shape)
        ring = bytearray(ring)
        self.guest_cursors = Producer(ring, **shape).reset()
        self.cursors = Consumer(ring, **shape)
        ring = bytearray(Producer.size_of(QXL_RELEASE_RING_SIZE, 8))
        self.guest_releases = Consumer(
            ring, num_items=QXL_RELEASE_RING_SIZE, item_size=8
        )
        self.guest_releases.reset()
        self.releases = ReleaseRing(ring)

    def put(self, data: bytes) -> int:
        """Place *data* somewhere; its QXLPHYSICAL."""
        offset = self.used
        self.memory[offset : offset + len(data)] = data
        self.used = -(-(offset + len(data)) // 8) * 8
        assert self.used <= len(self.memory)
        return physical(SLOT, GENERATION, offset)

    def offset(self, address: int) -> int:
        """Where in ``memory`` an address of this slot leads."""
        return address & ((1 << 48) - 1)

    def chunks(self, data: bytes, sizes: Sequence[int] = ()) -> tuple[int, bytes]:
        """Cut *data* into pieces; the second and later ones are placed.

        Returns the first chunk, header and data, still to be placed.
        """
        pieces = []
        for size in sizes:
            pieces.append(data[:size])
            data = data[size:]
        pieces.append(data)
        following = 0
        for piece in reversed(pieces[1:]):
            following = self.put(QXLDataChunk(len(piece), 0, following).pack() + piece)
        return following, QXLDataChunk(len(pieces[0]), 0, following).pack() + pieces[0]

    def bitmap(
        self,
        width: int,
        height: int,
        pixels: bytes,
        *,
        sizes: Sequence[int] = (),
        format: int = SpiceBitmapFmt.FMT_32BIT,  # noqa: A002 - QXL's word
        palette: int = 0,
        image_id: int = 7,
    ) -> int:
        """Place a bitmap whose rows are ``len(pixels) / height`` bytes."""
        _, first = self.chunks(pixels, sizes)
        bitmap = QXLBitmap(
            format=format,
            flags=QXLBitmapFlags.TOP_DOWN,
            x=width,
            y=height,
            stride=len(pixels) // height,
            palette=palette,
            data=self.put(first),
        )
        descriptor = QXLImageDescriptor(
            image_id, SpiceImageType.BITMAP, 0, width, height
        )
        return self.put(descriptor.pack() + bitmap.pack())

    def drawable(
        self,
        kind: int,
        bbox: QXLRect,
        body: WireStruct,
        *,
        clip: Sequence[QXLRect] | None = None,
        release_id: int = 1,
        **fields: object,
    ) -> int:
        """Place a drawable."""
        clip_field = QXLClip(SpiceClipType.NONE, 0)
        if clip is not None:
            data = b"".join(rect.pack() for rect in clip)
            chunk = QXLDataChunk(len(data), 0, 0)
            address = self.put(QXLClipRects(len(clip), chunk).pack() + data)
            clip_field = QXLClip(SpiceClipType.RECTS, address)
        values: dict[str, object] = {
            "release_info": QXLReleaseInfo(release_id),
            "surface_id": 0,
            "effect": QXLEffectType.OPAQUE,
            "type": kind,
            "self_bitmap": 0,
            "self_bitmap_area": NO_RECT,
            "bbox": bbox,
            "clip": clip_field,
            "mm_time": 0,
            "surfaces_dest": (-1, -1, -1),
            "surfaces_rects": (NO_RECT, NO_RECT, NO_RECT),
            "u": body.pack(),
        }
        return self.put(QXLDrawable(**{**values, **fields}).pack())

    def push(self, kind: int, address: int) -> None:
        """Put a command into the command ring."""
        item = QXLCommand(address, kind).pack()
        assert self.guest_commands.push([item]).pushed == 1

    def push_cursor(self, kind: int, address: int) -> None:
        """Put a command into the cursor ring."""
        item = QXLCommand(address, kind).pack()
        assert self.guest_cursors.push([item]).pushed == 1

    def collect(self) -> list[int]:
        """Follow the chains in the release ring as a driver does, where id = offset."""
        ids = []
        for item in self.guest_releases.pop(QXL_RELEASE_RING_SIZE).items:
            (release_id,) = struct.unpack("<Q", item)
            while release_id:
                ids.append(release_id)
                (release_id,) = struct.unpack_from("<Q", self.memory, release_id)
        return ids
