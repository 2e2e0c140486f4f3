"""Where every number of a structure lies, and one command with what it leads to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spice_protocol.qxl_dev import QXLCmdType, join_physical
from spice_protocol.wire import Array, Bytes, Scalar, Union, WireStruct, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["RAM_SLOT", "VRAM_SLOT", "Scene", "Spot", "fields_of"]

RAM_SLOT, VRAM_SLOT = 1, 2


@dataclass(frozen=True, slots=True)
class Spot:
    """A number in guest memory."""

    name: str
    """Structure and field."""
    offset: int
    """From the scene's start, or from whatever ``fields_of`` was given."""
    size: int


def fields_of(cls: type[WireStruct], offset: int, name: str = "") -> Iterator[Spot]:
    """Give every number of a structure; unions are left to who knows the member."""
    name = name or cls.__name__
    for each in cls.FIELDS:
        path = f"{name}.{each.name}"
        yield from _spots(each.kind, path, offset)
        offset += cls.size_of(each.name)


def _spots(kind: Any, path: str, offset: int) -> Iterator[Spot]:
    match kind:
        case Scalar():
            yield Spot(path, offset, kind.size)
        case Bytes() | Union():
            return
        case Array():
            element = kind_of(kind.element)
            size = element.size if isinstance(element, Scalar) else element.SIZE
            for index in {0, kind.length - 1}:
                at = offset + index * size
                yield from _spots(element, f"{path}[{index}]", at)
        case _:
            yield from fields_of(kind, offset, path)


@dataclass(slots=True)
class Scene:
    """One command; its memory starts with it and is good at RAM offset ``base``."""

    name: str
    base: int
    kind: QXLCmdType = QXLCmdType.DRAW
    memory: bytearray = field(default_factory=bytearray)
    spots: list[Spot] = field(default_factory=list)
    needs_surface: bool = False
    """Whether SURFACE_ID must exist."""

    @property
    def address(self) -> int:
        """QXLPHYSICAL of the command."""
        return self.physical(0)

    def physical(self, offset: int) -> int:
        """Return the QXLPHYSICAL of a place in the memory."""
        return join_physical(RAM_SLOT, 0, self.base + offset, 8, 8)

    def put(self, value: WireStruct, tail: bytes = b"") -> int:
        """Append a structure with what follows it; its place."""
        offset = len(self.memory)
        self.memory += (value.pack() + tail).ljust(-(-value.SIZE // 8) * 8, b"\0")
        self.memory += bytes(-len(self.memory) % 8)
        self.spots += fields_of(type(value), offset)
        return offset

    def put_member(self, owner: int, cls: type[WireStruct], value: WireStruct) -> None:
        """Note the fields of the union ``u`` of the *cls* at *owner*."""
        at = owner + cls.offset("u")
        data = value.pack()
        self.memory[at : at + len(data)] = data
        self.spots += fields_of(type(value), at)

    def patch(self, offset: int, value: int, size: int = 8) -> None:
        """Set a number."""
        self.memory[offset : offset + size] = value.to_bytes(size, "little")
