"""A guest driver in Python: it writes the rings as a driver does.

Allocations come from the RAM window behind the primary surface's place and are freed by
what the device puts into the release ring, as in a real driver.  Nothing is checked on
the guest's side: tests may pass what no driver would.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from spice_common.atomics import AtomicU32
from spice_common.ipc_ring import Consumer, Producer
from spice_protocol.enums import (
    SpiceBitmapFmt,
    SpiceBrushType,
    SpiceClipType,
    SpiceCursorType,
    SpiceImageType,
    SpiceRopd,
    SpiceSurfaceFmt,
)
from spice_protocol.qxl_dev import (
    QXL_COMMAND_RING_SIZE,
    QXL_CURSOR_RING_SIZE,
    QXL_RAM_MAGIC,
    QXL_RELEASE_RING_SIZE,
    QXL_ROM_MAGIC,
    QXLBitmap,
    QXLBitmapFlags,
    QXLBrush,
    QXLClip,
    QXLClipRects,
    QXLCmdType,
    QXLCommand,
    QXLCopy,
    QXLCopyBits,
    QXLCursor,
    QXLCursorCmd,
    QxlCursorCmdType,
    QXLCursorHeader,
    QXLCursorSet,
    QXLDataChunk,
    QXLDrawable,
    QxlDrawType,
    QXLEffectType,
    QXLFill,
    QXLHead,
    QXLImage,
    QXLImageDescriptor,
    QxlImageGroup,
    QxlInterrupt,
    QxlIo,
    QXLMemSlot,
    QXLMonitorsConfig,
    QXLPoint,
    QXLPoint16,
    QXLQMask,
    QXLRam,
    QXLRect,
    QXLReleaseInfo,
    QXLRom,
    QXLSurface,
    QXLSurfaceCmd,
    QXLSurfaceCmdType,
    QXLSurfaceCreate,
    image_id,
    join_physical,
)
from tests.fakes.guest_heap import Block, Heap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spice_protocol.wire import WireStruct
    from tests.fakes.guest_port import GuestPort

__all__ = ["Block", "FakeGuest", "RingFullError"]

RAM_SLOT = 1
VRAM_SLOT = 2
NO_MASK = QXLQMask(0, QXLPoint(0, 0), 0)
NO_RECT = QXLRect(0, 0, 0, 0)


class RingFullError(Exception):
    """The device has not taken enough commands yet; nothing was pushed."""


class FakeGuest:
    """A QXL driver for one display.  ``bind`` and ``setup`` first, then draw."""

    def __init__(self, port: GuestPort) -> None:
        self.port = port
        self.released: list[int] = []
        """Release ids in the order they came back."""
        self._next_image = 1

    # ---- life

    def bind(self) -> None:
        """Reset the device and find everything, as a driver's probe does."""
        self.port.bind(bound=True)
        assert self.outb(QxlIo.RESET)
        self.rom = QXLRom.unpack_from(self.port.rom.view)
        assert self.rom.magic == QXL_ROM_MAGIC
        offset = self.rom.ram_header_offset
        self.ram_header = self.port.ram.view[offset : offset + QXLRam.SIZE]
        assert self._read_u32("magic") == QXL_RAM_MAGIC
        self.heap = Heap(self.rom.surface0_area_size, offset)
        self.pending = AtomicU32(self.ram_header, QXLRam.offset("int_pending"))
        self.mask = AtomicU32(self.ram_header, QXLRam.offset("int_mask"))
        self.cmd_ring = Producer(
            self._ring("cmd_ring"),
            num_items=QXL_COMMAND_RING_SIZE,
            item_size=QXLCommand.SIZE,
        )
        self.cursor_ring = Producer(
            self._ring("cursor_ring"),
            num_items=QXL_CURSOR_RING_SIZE,
            item_size=QXLCommand.SIZE,
        )
        self.release_ring = Consumer(
            self._ring("release_ring"), num_items=QXL_RELEASE_RING_SIZE, item_size=8
        )

    def setup(self, width: int = 640, height: int = 480) -> None:
        """Bind, add both memory slots, allow all interrupts, create the primary."""
        self.bind()
        self.add_memslots()
        self.mask.store(int(~QxlInterrupt(0)))
        self.create_primary(width, height)

    def unbind(self) -> None:
        """Leave the device as a driver's removal does."""
        self.outb(QxlIo.RESET)
        self.port.bind(bound=False)

    def outb(self, port: int, value: int = 0) -> bool:
        """Write to an I/O port; whether the device found it legal."""
        return self.port.outb(port, value)

    def add_memslot(self, slot: int, start: int, end: int) -> bool:
        """Add a slot of guest addresses."""
        self._put("mem_slot", QXLMemSlot(start, end))
        return self.outb(QxlIo.MEMSLOT_ADD, slot)

    def add_memslots(self) -> None:
        """Add slot 1 (RAM up to its header) and slot 2 (VRAM)."""
        ram, vram = self.port.ram, self.port.vram
        end = ram.address + self.rom.ram_header_offset
        assert self.add_memslot(RAM_SLOT, ram.address, end)
        assert self.add_memslot(VRAM_SLOT, vram.address, vram.end)

    def create_primary(
        self,
        width: int,
        height: int,
        *,
        stride: int = 0,
        format: int = SpiceSurfaceFmt.FMT_32_xRGB,  # noqa: A002 - QXL's word
        offset: int = 0,
    ) -> bool:
        """Create surface 0 at *offset* of RAM; *stride* 0: top-down 32-bit rows."""
        create = QXLSurfaceCreate(
            width=width,
            height=height,
            stride=stride or 4 * width,
            format=format,
            position=0,
            mouse_mode=0,
            flags=0,
            type=0,
            mem=self.physical(offset),
        )
        self._put("create_surface", create)
        return self.outb(QxlIo.CREATE_PRIMARY)

    def destroy_primary(self) -> bool:
        """Destroy surface 0."""
        return self.outb(QxlIo.DESTROY_PRIMARY)

    def monitors_config(self, heads: Sequence[QXLHead], max_allowed: int = 1) -> bool:
        """Tell how the heads lie (QXL_IO_MONITORS_CONFIG_ASYNC)."""
        parts = [QXLMonitorsConfig(len(heads), max_allowed), *heads]
        data = b"".join(part.pack() for part in parts)
        block = self.heap.alloc(len(data))
        self.write(block.offset, data)
        self._put_bytes(
            "monitors_config", struct.pack("<Q", self.physical(block.offset))
        )
        legal = self.outb(QxlIo.MONITORS_CONFIG_ASYNC)
        self.heap.free(block.offset)
        return legal

    # ---- drawing

    def draw_copy(
        self,
        pixels: bytes,
        area: QXLRect,
        *,
        surface_id: int = 0,
        format: int = SpiceBitmapFmt.FMT_32BIT,  # noqa: A002 - QXL's word
        stride: int = 0,
        clip: Sequence[QXLRect] = (),
    ) -> Block:
        """Draw *pixels*, top-down rows of *area*'s size, on *area*."""
        width, height = area.right - area.left, area.bottom - area.top
        clip_data = b"".join(rect.pack() for rect in clip)
        sizes = [
            QXLDrawable.SIZE,
            QXLClipRects.SIZE + len(clip_data),
            QXLImage.SIZE,
            QXLDataChunk.SIZE + len(pixels),
        ]
        block = self.heap.alloc(sum(sizes))
        clip_at = block.offset + sizes[0]
        image_at = clip_at + sizes[1]
        chunk_at = image_at + sizes[2]
        self.write(chunk_at, QXLDataChunk(len(pixels), 0, 0).pack() + pixels)
        bitmap = QXLBitmap(
            format=format,
            flags=QXLBitmapFlags.TOP_DOWN,
            x=width,
            y=height,
            stride=stride or len(pixels) // height,
            palette=0,
            data=self.physical(chunk_at),
        )
        self.write(image_at, self._image(bitmap, width, height).pack())
        copy = QXLCopy(
            src_bitmap=self.physical(image_at),
            src_area=QXLRect(0, 0, height, width),
            rop_descriptor=SpiceRopd.OP_PUT,
            scale_mode=0,
            mask=NO_MASK,
        )
        drawable = self.drawable(QxlDrawType.DRAW_COPY, area, copy, surface_id)
        if clip:
            chunk = QXLDataChunk(len(clip_data), 0, 0)
            self.write(clip_at, QXLClipRects(len(clip), chunk).pack() + clip_data)
            drawable.clip = QXLClip(SpiceClipType.RECTS, self.physical(clip_at))
        return self.submit(QXLCmdType.DRAW, block, drawable)

    def draw_fill(
        self,
        area: QXLRect,
        color: int,
        *,
        surface_id: int = 0,
        rop: int = SpiceRopd.OP_PUT,
    ) -> Block:
        """Fill *area* with *color* (0xRRGGBB)."""
        brush = QXLBrush(SpiceBrushType.SOLID, struct.pack("<I", color))
        fill = QXLFill(brush, rop, NO_MASK)
        return self._draw(self.drawable(QxlDrawType.DRAW_FILL, area, fill, surface_id))

    def copy_bits(
        self, area: QXLRect, src_x: int, src_y: int, *, surface_id: int = 0
    ) -> Block:
        """Copy what lies at (*src_x*, *src_y*) of the same surface to *area*."""
        body = QXLCopyBits(QXLPoint(src_x, src_y))
        return self._draw(self.drawable(QxlDrawType.COPY_BITS, area, body, surface_id))

    def copy_surface(
        self, source: int, src_area: QXLRect, area: QXLRect, *, surface_id: int = 0
    ) -> Block:
        """Copy *src_area* of surface *source* to *area* of another one."""
        block = self.heap.alloc(QXLDrawable.SIZE + QXLImage.SIZE)
        image_at = block.offset + QXLDrawable.SIZE
        descriptor = QXLImageDescriptor(0, SpiceImageType.SURFACE, 0, 0, 0)
        self.write(image_at, QXLImage(descriptor, struct.pack("<I", source)).pack())
        copy = QXLCopy(
            src_bitmap=self.physical(image_at),
            src_area=src_area,
            rop_descriptor=SpiceRopd.OP_PUT,
            scale_mode=0,
            mask=NO_MASK,
        )
        drawable = self.drawable(QxlDrawType.DRAW_COPY, area, copy, surface_id)
        return self.submit(QXLCmdType.DRAW, block, drawable)

    def drawable(
        self, kind: int, area: QXLRect, body: WireStruct, surface_id: int = 0
    ) -> QXLDrawable:
        """Return a QXLDrawable whose release id ``submit`` will fill in."""
        return QXLDrawable(
            release_info=QXLReleaseInfo(0),
            surface_id=surface_id,
            effect=QXLEffectType.OPAQUE,
            type=kind,
            self_bitmap=0,
            self_bitmap_area=NO_RECT,
            bbox=area,
            clip=QXLClip(SpiceClipType.NONE, 0),
            mm_time=0,
            surfaces_dest=(-1, -1, -1),
            surfaces_rects=(NO_RECT, NO_RECT, NO_RECT),
            u=body.pack(),
        )

    def create_surface(
        self,
        surface_id: int,
        width: int,
        height: int,
        *,
        vram_offset: int = 0,
        format: int = SpiceSurfaceFmt.FMT_32_ARGB,  # noqa: A002 - QXL's word
    ) -> Block:
        """Create an off-screen surface at *vram_offset* of VRAM."""
        data = self.physical(vram_offset, VRAM_SLOT)
        surface = QXLSurface(format, width, height, 4 * width, data)
        return self._surface_command(
            surface_id, QXLSurfaceCmdType.CREATE, surface.pack()
        )

    def destroy_surface(self, surface_id: int) -> Block:
        """Destroy an off-screen surface."""
        return self._surface_command(surface_id, QXLSurfaceCmdType.DESTROY, b"")

    # ---- cursor

    def set_cursor(
        self,
        pixels: bytes,
        width: int,
        height: int,
        *,
        hot_spot: tuple[int, int] = (0, 0),
        position: tuple[int, int] = (0, 0),
        unique: int = 0,
        type: int = SpiceCursorType.ALPHA,  # noqa: A002 - QXL's word
    ) -> Block:
        """Set the cursor's shape: *pixels* as *type* wants them."""
        block = self.heap.alloc(QXLCursorCmd.SIZE + QXLCursor.SIZE + len(pixels))
        shape_at = block.offset + QXLCursorCmd.SIZE
        header = QXLCursorHeader(unique, type, width, height, *hot_spot)
        chunk = QXLDataChunk(len(pixels), 0, 0)
        self.write(shape_at, QXLCursor(header, len(pixels), chunk).pack() + pixels)
        body = QXLCursorSet(QXLPoint16(*position), 1, self.physical(shape_at))
        return self._cursor_command(QxlCursorCmdType.SET, body.pack(), block)

    def move_cursor(self, x: int, y: int) -> Block:
        """Move the cursor."""
        return self._cursor_command(QxlCursorCmdType.MOVE, QXLPoint16(x, y).pack())

    def hide_cursor(self) -> Block:
        """Hide the cursor."""
        return self._cursor_command(QxlCursorCmdType.HIDE, b"")

    # ---- rings

    def submit(self, kind: int, block: Block, command: WireStruct) -> Block:
        """Write *command* at the start of *block* and push it; rings if asked to.

        Raises:
            RingFullError: the ring is full; the block is free again.

        """
        command.release_info = QXLReleaseInfo(block.offset)  # type: ignore[attr-defined]
        self.write(block.offset, command.pack())
        try:
            self.push(kind, self.physical(block.offset))
        except RingFullError:
            self.heap.free(block.offset)
            raise
        return block

    def push(self, kind: int, physical: int) -> None:
        """Push a command of any kind with any address.

        Raises:
            RingFullError: the ring is full.

        """
        ring = self.cursor_ring if kind == QXLCmdType.CURSOR else self.cmd_ring
        result = ring.push([QXLCommand(physical, kind).pack()])
        if not result.pushed:
            raise RingFullError
        if result.notify:
            self.port.notify()

    def collect(self) -> list[int]:
        """Take what the device released, free it and return the release ids."""
        ids = []
        while items := self.release_ring.pop(QXL_RELEASE_RING_SIZE).items:
            for (head,) in struct.iter_unpack("<Q", b"".join(items)):
                release_id = head
                while release_id:
                    ids.append(release_id)
                    (following,) = self.read("<Q", release_id)
                    self.heap.free(release_id)
                    release_id = following
        # The device notifies only when asked to: ask, and look once more.
        if not self.release_ring.wait():
            ids += self.collect()
            return ids
        self.released += ids
        return ids

    # ---- interrupts

    def take_interrupts(self) -> QxlInterrupt:
        """Take what is pending, as an interrupt handler does."""
        taken = QxlInterrupt(self.pending.exchange(0))
        self.outb(QxlIo.UPDATE_IRQ)
        return taken

    def wait_interrupt(self, wanted: QxlInterrupt, timeout: float = 60.0) -> None:
        """Wait until *wanted* is pending, and take all there is; another thread's.

        Raises:
            TimeoutError: it did not happen within *timeout* seconds.

        """
        while not self.take_interrupts() & wanted:
            if not self.port.wait_interrupt(timeout):
                raise TimeoutError(f"no {wanted!r} in {timeout} s")

    # ---- memory

    def physical(self, offset: int, slot: int = RAM_SLOT, generation: int = 0) -> int:
        """Return the QXLPHYSICAL of *offset* in *slot*."""
        return join_physical(
            slot, generation, offset, self.rom.slot_id_bits, self.rom.slot_gen_bits
        )

    def write(self, offset: int, data: bytes) -> None:
        """Write to RAM."""
        self.port.ram.view[offset : offset + len(data)] = data

    def read(self, code: str, offset: int) -> tuple[int, ...]:
        """Read numbers from RAM."""
        return struct.unpack_from(code, self.port.ram.view, offset)

    def surface0(self, width: int, height: int, offset: int = 0) -> bytes:
        """Return the bytes of a 32-bit primary surface at *offset* of RAM."""
        return bytes(self.port.ram.view[offset : offset + 4 * width * height])

    # ---- inside

    def _draw(self, drawable: QXLDrawable) -> Block:
        block = self.heap.alloc(QXLDrawable.SIZE)
        return self.submit(QXLCmdType.DRAW, block, drawable)

    def _image(self, bitmap: QXLBitmap, width: int, height: int) -> QXLImage:
        unique = image_id(QxlImageGroup.DRIVER_DONT_CACHE, self._next_image)
        self._next_image += 1
        descriptor = QXLImageDescriptor(unique, SpiceImageType.BITMAP, 0, width, height)
        return QXLImage(descriptor, bitmap.pack())

    def _surface_command(self, surface_id: int, kind: int, body: bytes) -> Block:
        block = self.heap.alloc(QXLSurfaceCmd.SIZE)
        command = QXLSurfaceCmd(QXLReleaseInfo(0), surface_id, kind, 0, body)
        return self.submit(QXLCmdType.SURFACE, block, command)

    def _cursor_command(
        self, kind: int, body: bytes, block: Block | None = None
    ) -> Block:
        if block is None:
            block = self.heap.alloc(QXLCursorCmd.SIZE)
        command = QXLCursorCmd(QXLReleaseInfo(0), kind, body)
        return self.submit(QXLCmdType.CURSOR, block, command)

    def _put(self, name: str, value: WireStruct) -> None:
        self._put_bytes(name, value.pack())

    def _put_bytes(self, name: str, data: bytes) -> None:
        offset = QXLRam.offset(name)
        self.ram_header[offset : offset + len(data)] = data

    def _read_u32(self, name: str) -> int:
        return int(struct.unpack_from("<I", self.ram_header, QXLRam.offset(name))[0])

    def _ring(self, name: str) -> memoryview:
        offset = QXLRam.offset(name)
        return self.ram_header[offset : offset + QXLRam.size_of(name)]
