"""A canvas drawn on by a fake guest's real commands, without threads or sockets."""

from __future__ import annotations

import asyncio
import struct
from itertools import pairwise
from typing import TYPE_CHECKING, Self

import numpy as np

from qxl_device.device import QXLDevice
from spice_common.canvas import Canvas, Surface
from spice_common.command_batch import CommandBatch
from spice_common.display_message import DisplayMessages
from spice_common.pending import BatchPosition, Pending, draw_batch
from spice_protocol.enums import (
    SpiceBitmapFmt,
    SpiceClipType,
    SpiceImageType,
    SpiceRopd,
)
from spice_protocol.qxl_dev import (
    QXLBitmap,
    QXLBitmapFlags,
    QXLClip,
    QXLClipRects,
    QXLCmdType,
    QXLCopy,
    QXLDataChunk,
    QXLDrawable,
    QxlDrawType,
    QXLImage,
    QXLImageDescriptor,
    QXLQMask,
    QXLRect,
)
from tests.fakes.fake_guest import NO_MASK, FakeGuest
from tests.fakes.guest_port import InProcessPort
from tests.fakes.painter import Painter
from tests.fakes.recording_worker import RecordingWorker
from vm_transport.in_process import InProcessTransport

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spice_common.display_message import DisplayRun
    from spice_protocol.wire import WireStruct

__all__ = ["CanvasBench"]

MIB = 1 << 20


class CanvasBench:
    """Guest, device, canvas and a painter of the messages; a context manager."""

    def __init__(
        self, width: int = 64, height: int = 48, *, surface_format: int = 32
    ) -> None:
        self.transport = InProcessTransport(ram_size=16 * MIB)
        self.device = QXLDevice(self.transport, 0)
        self.loop = asyncio.new_event_loop()
        self.guest = FakeGuest(InProcessPort(self.transport))
        self.device.attach(RecordingWorker(), self.loop)
        self.guest.setup(width, height)
        self.canvas = Canvas()
        self.messages = DisplayMessages()
        self.batch = CommandBatch()
        self.painter = Painter()
        self.memory = bytearray(4 * width * height)
        primary = Surface(0, width, height, surface_format, 4 * width, 0)
        self.canvas.create_surface(primary, self.memory, clear=True)
        self.pending = Pending(self.canvas)
        self.paint(self.flush())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.device.detach()
        self.loop.close()
        self.pending = None
        self.canvas = None
        self.batch = None
        self.transport.close()

    # ---- guest

    def image(
        self,
        data: bytes,
        width: int,
        height: int,
        stride: int,
        *,
        kind: int = SpiceBitmapFmt.FMT_32BIT,
        top_down: bool = True,
        palette: Sequence[int] = (),
        pieces: Sequence[int] = (),
    ) -> int:
        """Write a QXLImage whose data is cut at *pieces*; its address."""
        parts = [data[i:j] for i, j in pairwise([0, *pieces, len(data)])]
        following = 0
        for part in reversed(parts):
            chunk = QXLDataChunk(len(part), 0, following).pack() + part
            following = self.put(chunk)
        table = 0
        if palette:
            header = struct.pack("<QH", 0, len(palette))
            table = self.put(header + struct.pack(f"<{len(palette)}I", *palette))
        flags = QXLBitmapFlags.TOP_DOWN if top_down else 0
        bitmap = QXLBitmap(kind, flags, width, height, stride, table, following)
        descriptor = QXLImageDescriptor(1, SpiceImageType.BITMAP, 0, width, height)
        return self.put(QXLImage(descriptor, bitmap.pack()).pack())

    def surface_image(self, surface_id: int, width: int, height: int) -> int:
        """Write a QXLImage that is a surface; its address."""
        body = struct.pack("<I", surface_id)
        descriptor = QXLImageDescriptor(1, SpiceImageType.SURFACE, 0, width, height)
        return self.put(QXLImage(descriptor, body).pack())

    def put(self, data: bytes) -> int:
        """Write *data* where it stays until the guest is gone; its address."""
        block = self.guest.heap.alloc(len(data))
        self.guest.write(block.offset, data)
        return self.guest.physical(block.offset)

    def command(
        self,
        kind: int,
        box: QXLRect,
        body: WireStruct,
        *,
        clip: Sequence[QXLRect] = (),
        surface_id: int = 0,
        **fields: object,
    ) -> None:
        """Push any drawable; *fields* are those of QXLDrawable."""
        drawable = self.guest.drawable(kind, box, body, surface_id)
        if clip:
            rects = b"".join(rect.pack() for rect in clip)
            header = QXLClipRects(len(clip), QXLDataChunk(len(rects), 0, 0)).pack()
            drawable.clip = QXLClip(SpiceClipType.RECTS, self.put(header + rects))
        for name, value in fields.items():
            setattr(drawable, name, value)
        block = self.guest.heap.alloc(QXLDrawable.SIZE)
        self.guest.submit(QXLCmdType.DRAW, block, drawable)

    def copy(
        self,
        image: int,
        source: QXLRect,
        box: QXLRect,
        *,
        rop: int = SpiceRopd.OP_PUT,
        kind: int = QxlDrawType.DRAW_COPY,
        clip: Sequence[QXLRect] = (),
        surface_id: int = 0,
        mask: QXLQMask = NO_MASK,
    ) -> None:
        """Push a DRAW_COPY or _BLEND."""
        body = QXLCopy(image, source, rop, 0, mask)
        self.command(kind, box, body, clip=clip, surface_id=surface_id)

    # ---- host

    def paint(self, run: DisplayRun) -> None:
        """Let the painter carry out every message of *run*."""
        ends = [*run.starts[1:], len(run.data)]
        for start, end in zip(run.starts, ends, strict=bool(run.starts)):
            kind, size = struct.unpack_from("<HI", run.data, start)
            assert start + 6 + size == end
            self.painter.apply(kind, bytes(run.data[start + 6 : end]))

    def draw(
        self, *, messages: bool = True, max_bytes: int = 64 * MIB
    ) -> list[DisplayRun]:
        """Draw what the guest has in its ring; the painter sees the messages, if any."""
        runs = []
        while self.device.get_commands(self.batch):
            runs += self.draw_held(messages=messages, max_bytes=max_bytes)
            self.device.flush_resources()
            self.guest.collect()
        return runs

    def draw_unseen(self) -> None:
        """Draw what the guest has in its ring; what the painter is told waits."""
        while self.device.get_commands(self.batch):
            position = BatchPosition()
            while draw_batch(
                self.canvas,
                self.batch,
                position,
                [self.pending],
                self.messages,
                max_bytes=64 * MIB,
            ):
                pass
            self.device.release_commands(self.batch)
            self.device.flush_resources()
            self.guest.collect()

    def draw_held(
        self, *, messages: bool = True, max_bytes: int = 64 * MIB
    ) -> list[DisplayRun]:
        """Draw and release the batch that was taken."""
        runs = []
        position = BatchPosition()
        clients = [self.pending] if messages else []
        more = True
        while more:
            more = draw_batch(
                self.canvas,
                self.batch,
                position,
                clients,
                self.messages,
                max_bytes=max_bytes,
            )
            while clients and self.pending:
                runs.append(self.flush(max_bytes))
                self.paint(runs[-1])
        self.device.release_commands(self.batch)
        return runs

    def flush(self, max_bytes: int = 64 * MIB) -> DisplayRun:
        """Make messages of about *max_bytes* of what is pending."""
        self.pending.flush(self.messages, max_bytes=max_bytes)
        return self.messages.take()

    def pixels(self, surface_id: int = 0) -> np.ndarray:
        """Return a surface as 0xRRGGBB."""
        surface = self.canvas.surface(surface_id)
        words = np.frombuffer(self.canvas.read_surface(surface_id), "<u4")
        return words.reshape(surface.height, surface.width) & np.uint32(0xFFFFFF)

    def assert_agreement(self, surface_id: int = 0) -> None:
        """Check that the messages' reader sees what is on the canvas."""
        assert np.array_equal(self.pixels(surface_id), self.painter.rgb(surface_id))
