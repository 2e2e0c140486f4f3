"""Messages of variable size: counted arrays, data to the end, parts by offset.

A message is a table like a :class:`~spice_protocol.wire.WireStruct`, with more kinds of
fields::

    class SpiceMsgMainName(WireMessage):
        name_len: u32 = length_of("name")
        name: Annotated[bytes, Data()]

Parts that spice.proto marks with ``*`` stand behind the rest of the message, and a
32-bit offset from the message's start leads to them; 0 is a null pointer.
"""

# ruff: noqa: ANN401 - a field may hold anything, and so may what describes it

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

from spice_protocol.errors import TruncatedError
from spice_protocol.wire import Bytes, LengthOf, Scalar, Table, WireStruct, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import ReadableBuffer

__all__ = ["Data", "Items", "Marshaller", "Pointer", "Reader", "WireMessage"]

S = TypeVar("S", bound=WireStruct)


class Data(NamedTuple):
    """Bytes: as many as a ``length_of`` field says, or to the end of the message."""

    copy: bool = True
    """False: a view of the message's buffer, for pixels."""


class Items(NamedTuple):
    """As many integers, structures or messages as a ``length_of`` field says."""

    element: Any


class Pointer(NamedTuple):
    """A part elsewhere in the message; ``None`` in Python is the null pointer."""

    target: Any


class Reader:
    """Takes fields from a message's bytes and never reaches beyond them."""

    __slots__ = ("position", "view")

    def __init__(self, buffer: ReadableBuffer, position: int = 0) -> None:
        self.view = memoryview(buffer).cast("B")
        self.position = position

    @property
    def remaining(self) -> int:
        """Bytes not yet taken."""
        return self.view.nbytes - self.position

    def take(self, size: int) -> memoryview:
        """Return a view of the next *size* bytes.

        Raises:
            TruncatedError: there are fewer.

        """
        start = self.position
        if size > self.view.nbytes - start:
            raise TruncatedError(
                f"{size} bytes needed at {start}, the message has {self.view.nbytes}"
            )
        self.position = start + size
        return self.view[start : self.position]

    def integer(self, size: int, *, signed: bool = False) -> int:
        """Take a little-endian integer of *size* bytes.

        Raises:
            TruncatedError: there are fewer bytes.

        """
        return int.from_bytes(self.take(size), "little", signed=signed)

    def u8(self) -> int:
        """Take a ``uint8_t``."""
        return self.integer(1)

    def u16(self) -> int:
        """Take a ``uint16_t``."""
        return self.integer(2)

    def u32(self) -> int:
        """Take a ``uint32_t``."""
        return self.integer(4)

    def u64(self) -> int:
        """Take a ``uint64_t``."""
        return self.integer(8)

    def struct(self, cls: type[S]) -> S:
        """Take a fixed structure.

        Raises:
            TruncatedError: there are fewer bytes.

        """
        return cls.unpack_from(self.take(cls.SIZE))

    def at(self, offset: int) -> Reader:
        """Return a reader of the same message at *offset*.

        Raises:
            TruncatedError: the message ends before *offset*.

        """
        if offset > self.view.nbytes:
            raise TruncatedError(
                f"offset {offset} points beyond the message's {self.view.nbytes} bytes"
            )
        return Reader(self.view, offset)


class Marshaller:
    """Collects a message's bytes; parts behind pointers follow when it is finished."""

    __slots__ = ("_deferred", "buffer")

    def __init__(self) -> None:
        self.buffer = bytearray()
        self._deferred: deque[tuple[int, Callable[[Marshaller], None]]] = deque()

    def integer(self, value: int, size: int, *, signed: bool = False) -> None:
        """Append a little-endian integer.

        Raises:
            ValueError: it does not fit.

        """
        try:
            self.buffer += value.to_bytes(size, "little", signed=signed)
        except OverflowError as error:
            raise ValueError(f"{value} does not fit {size} bytes") from error

    def u8(self, value: int) -> None:
        """Append a ``uint8_t``."""
        self.integer(value, 1)

    def u16(self, value: int) -> None:
        """Append a ``uint16_t``."""
        self.integer(value, 2)

    def u32(self, value: int) -> None:
        """Append a ``uint32_t``."""
        self.integer(value, 4)

    def u64(self, value: int) -> None:
        """Append a ``uint64_t``."""
        self.integer(value, 8)

    def add(self, data: ReadableBuffer) -> None:
        """Append bytes."""
        self.buffer += data

    def pointer(self, part: Callable[[Marshaller], None] | None) -> None:
        """Append the offset of a part that *part* will write; ``None``: null."""
        if part is not None:
            self._deferred.append((len(self.buffer), part))
        self.u32(0)

    def finish(self) -> bytes:
        """Write the deferred parts in the order of their pointers; all the bytes."""
        while self._deferred:
            position, part = self._deferred.popleft()
            offset = len(self.buffer)
            self.buffer[position : position + 4] = offset.to_bytes(4, "little")
            part(self)
        return bytes(self.buffer)


def read_field(  # noqa: PLR0911 - one arm per kind
    kind: Any,
    reader: Reader,
    count: int | None,
) -> Any:
    """Take one field; *count* is what its ``length_of`` field said."""
    match kind:
        case Scalar():
            return reader.integer(kind.size, signed=kind.code.islower())
        case Bytes():
            return bytes(reader.take(kind.size))
        case Data():
            view = reader.take(reader.remaining if count is None else count)
            return bytes(view) if kind.copy else view
        case Items():
            element = kind_of(kind.element)
            return [read_field(element, reader, None) for _ in range(count or 0)]
        case Pointer():
            offset = reader.u32()
            target = kind_of(kind.target)
            return read_field(target, reader.at(offset), count) if offset else None
        case _ if issubclass(kind, WireStruct):
            return reader.struct(kind)
        case _:
            return kind.read(reader)


def write_field(kind: Any, value: Any, writer: Marshaller) -> None:
    """Append one field."""
    match kind:
        case Scalar():
            writer.integer(value, kind.size, signed=kind.code.islower())
        case Bytes():
            if len(value) > kind.size:
                raise ValueError(f"{len(value)} bytes do not fit {kind.size}")
            writer.add(bytes(value).ljust(kind.size, b"\0"))
        case Data():
            writer.add(value)
        case Items():
            element = kind_of(kind.element)
            for item in value:
                write_field(element, item, writer)
        case Pointer():
            target = kind_of(kind.target)
            if value is None:
                writer.pointer(None)
            else:
                writer.pointer(lambda later: write_field(target, value, later))
        case _ if issubclass(kind, WireStruct):
            writer.add(value.pack())
        case _:
            value.write(writer)


class WireMessage(Table):
    """A structure whose size varies, or that lies in several parts.

    Besides fields of a ``WireStruct``, it may have ``Data``, ``Items``, ``Pointer`` and
    classes with ``read(reader)`` and ``write(marshaller)``, as this one has.
    """

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Take the message's fields.

        Raises:
            ProtocolError: the bytes end early or make no sense.

        """
        counts: dict[str, int] = {}
        values = []
        for field in cls.FIELDS:
            value = read_field(field.kind, reader, counts.get(field.name))
            if isinstance(field.default, LengthOf):
                counts[field.default.field] = value
            else:
                values.append(value)
        return cls(*values)

    def write(self, writer: Marshaller) -> None:
        """Append the message's fields.

        Raises:
            ValueError: a value does not fit its field.

        """
        self._set_counts()  # lists may have grown since
        for field in self.FIELDS:
            write_field(field.kind, getattr(self, field.name), writer)

    @classmethod
    def unpack(cls, body: ReadableBuffer) -> Self:
        """Parse a message body; bytes behind its last field are ignored.

        libspice-server's own NOTIFY has one byte more than it says.

        Raises:
            ProtocolError: the bytes end early or make no sense.

        """
        return cls.read(Reader(body))

    def pack(self) -> bytes:
        """Return the message body.

        Raises:
            ValueError: a value does not fit its field.

        """
        writer = Marshaller()
        self.write(writer)
        return writer.finish()
