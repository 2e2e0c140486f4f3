"""Fixed-size structures of the wire and of guest memory as declarative tables.

A class body is the table: one annotated line per field, in the order and with the name
of the C header.  Everything is packed and little endian, as SPICE and QXL are::

    class SpiceLinkHeader(WireStruct):
        magic: u32
        major_version: u32

``SIZE``, :meth:`WireStruct.offset`, :meth:`WireStruct.pack` and
:meth:`WireStruct.unpack_from` follow from it.  Unpacking copies: nothing of the buffer
is looked at twice, so memory that a guest is changing meanwhile gives one answer.
"""

# ruff: noqa: ANN401 - a field may hold anything, and so may what describes it

from __future__ import annotations

import struct
import sys
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Literal,
    NamedTuple,
    Self,
    dataclass_transform,
)

from spice_protocol.errors import TruncatedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import ReadableBuffer, WriteableBuffer

__all__ = [
    "Array",
    "Bytes",
    "Scalar",
    "Union",
    "WireStruct",
    "i16",
    "i32",
    "i64",
    "length_of",
    "u8",
    "u16",
    "u32",
    "u64",
]


class Scalar(NamedTuple):
    """An integer; *code* is its :mod:`struct` format."""

    code: str
    size: int


class Bytes(NamedTuple):
    """``uint8_t name[size]``; a shorter value is padded with zeros when packed."""

    size: int


class Array(NamedTuple):
    """``element name[length]`` of integers or structures, a tuple in Python."""

    element: Any
    length: int


class Union(NamedTuple):
    """A C union: bytes of the largest member, unpacked by who knows which one it is."""

    members: dict[str, Any]


u8 = Annotated[int, Scalar("B", 1)]
u16 = Annotated[int, Scalar("H", 2)]
u32 = Annotated[int, Scalar("I", 4)]
u64 = Annotated[int, Scalar("Q", 8)]
i16 = Annotated[int, Scalar("h", 2)]
i32 = Annotated[int, Scalar("i", 4)]
i64 = Annotated[int, Scalar("q", 8)]


class Field(NamedTuple):
    """One row of a structure's table."""

    name: str
    kind: Any
    """A ``Scalar``, ``Bytes``, ``Array``, ``Union``, a class, or a variable field."""
    default: Any
    """``REQUIRED``, a value, or a ``LengthOf``."""


class LengthOf(NamedTuple):
    """The default of a count field: it is taken from another field when packed."""

    field: str


REQUIRED = object()


def length_of(name: str, *, init: Literal[False] = False) -> Any:  # noqa: ARG001 - for type checkers
    """Declare an integer field as the number of elements (or bytes) of field *name*."""
    return LengthOf(name)


def kind_of(annotation: Any) -> Any:
    """Return what describes a field: the marker inside ``Annotated``, or the class."""
    return getattr(annotation, "__metadata__", (annotation,))[0]


def parse_table(namespace: dict[str, Any]) -> list[Field]:
    """Take the field table out of a class body, defaults included."""
    module = vars(sys.modules[namespace["__module__"]])
    fields = []
    for name, text in namespace.get("__annotations__", {}).items():
        if text.startswith("ClassVar"):
            continue
        # The text is an annotation in our own source, never foreign input.
        kind = kind_of(eval(text, module))  # noqa: S307 - as said
        fields.append(Field(name, kind, namespace.pop(name, REQUIRED)))
    return fields


@dataclass_transform(field_specifiers=(length_of,))
class TableMeta(type):
    """Turns a class body into ``FIELDS`` and slots."""

    FIELDS: tuple[Field, ...]
    INIT_FIELDS: tuple[Field, ...]

    def __new__(
        mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]
    ) -> TableMeta:
        """Read the table before the class exists, so that it can have slots."""
        own = parse_table(namespace)
        fields = tuple(f for base in bases for f in getattr(base, "FIELDS", ()))
        fields += tuple(own)
        init_fields = tuple(f for f in fields if not isinstance(f.default, LengthOf))
        namespace["FIELDS"] = fields
        namespace["INIT_FIELDS"] = (
            fields if len(init_fields) == len(fields) else init_fields
        )
        namespace["__slots__"] = tuple(f.name for f in own)
        return super().__new__(mcs, name, bases, namespace)


class Table(metaclass=TableMeta):
    """What fixed and variable structures share: fields, comparison, display."""

    FIELDS: ClassVar[tuple[Field, ...]]
    """Every field in wire order."""
    INIT_FIELDS: ClassVar[tuple[Field, ...]]
    """Without the counts that follow from other fields."""

    def __init__(self, *values: Any, **named: Any) -> None:
        fields = self.INIT_FIELDS
        if len(values) > len(fields):
            raise TypeError(f"{type(self).__name__} has only {len(fields)} fields")
        for field, value in zip(fields, values, strict=False):
            setattr(self, field.name, value)
        for field in fields[len(values) :]:
            value = named.pop(field.name, field.default)
            if value is REQUIRED:
                raise TypeError(f"{type(self).__name__} lacks {field.name}")
            setattr(self, field.name, value)
        if named:
            raise TypeError(f"{type(self).__name__} has no field {next(iter(named))}")
        if fields is not self.FIELDS:
            self._set_counts()

    def _set_counts(self) -> None:
        for field in self.FIELDS:
            if isinstance(field.default, LengthOf):
                counted = getattr(self, field.default.field)
                setattr(self, field.name, 0 if counted is None else len(counted))

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(
            getattr(self, f.name) == getattr(other, f.name) for f in self.INIT_FIELDS
        )

    __hash__ = None  # type: ignore[assignment]  # mutable values are not keys

    def __repr__(self) -> str:
        values = (f"{f.name}={getattr(self, f.name)!r}" for f in self.INIT_FIELDS)
        return f"{type(self).__name__}({', '.join(values)})"


def _size(kind: Any) -> int:
    match kind:
        case Scalar() | Bytes():
            return kind.size
        case Array():
            return _size(kind_of(kind.element)) * kind.length
        case Union():
            return max(_size(kind_of(m)) for m in kind.members.values())
        case _:
            return int(kind.SIZE)


def _format(kind: Any) -> str:
    match kind:
        case Scalar():
            return kind.code
        case Bytes() | Union():
            return f"{_size(kind)}s"
        case Array():
            return _format(kind_of(kind.element)) * kind.length
        case _:
            return "".join(_format(f.kind) for f in kind.FIELDS)


def _build(kind: Any, flat: Iterator[Any]) -> Any:
    """Take the values of one field from the flat sequence struct.unpack gave."""
    match kind:
        case Scalar() | Bytes() | Union():
            return next(flat)
        case Array():
            element = kind_of(kind.element)
            return tuple(_build(element, flat) for _ in range(kind.length))
        case _:
            return kind(*[_build(f.kind, flat) for f in kind.FIELDS])


def _flatten(field: Field, value: Any, flat: list[Any]) -> None:
    """Append the values struct.pack wants for one field."""
    kind = field.kind
    match kind:
        case Scalar():
            flat.append(value)
        case Bytes() | Union():
            if len(value) > _size(kind):
                raise ValueError(f"{field.name} is longer than {_size(kind)} bytes")
            flat.append(value)
        case Array():
            if len(value) != kind.length:
                raise ValueError(f"{field.name} needs {kind.length} elements")
            element = Field(field.name, kind_of(kind.element), REQUIRED)
            for item in value:
                _flatten(element, item, flat)
        case _:
            for inner in kind.FIELDS:
                _flatten(inner, getattr(value, inner.name), flat)


class WireStruct(Table):
    """A structure whose size never varies.

    Raises:
        TypeError: when a field is missing, unknown, or there are too many.

    """

    FLEXIBLE: ClassVar[str] = ""
    """Name of the array member of unknown length at the end (``data[0]``), if any."""
    ALIASES: ClassVar[dict[str, str]] = {}
    """Other C names of a field: further members of a union of integers."""
    SIZE: ClassVar[int] = 0
    _STRUCT: ClassVar[struct.Struct | None] = None

    def __init_subclass__(cls) -> None:
        cls.SIZE = sum(_size(f.kind) for f in cls.FIELDS)
        cls._STRUCT = None

    @classmethod
    def _struct(cls) -> struct.Struct:
        # Compiled at first use: most programs need few of the two hundred tables.
        if cls._STRUCT is None:
            cls._STRUCT = struct.Struct(
                "<" + "".join(_format(f.kind) for f in cls.FIELDS)
            )
        return cls._STRUCT

    @classmethod
    def unpack_from(cls, buffer: ReadableBuffer, offset: int = 0) -> Self:
        """Copy the structure out of *buffer*.

        Raises:
            TruncatedError: it reaches beyond the buffer.

        """
        try:
            values = cls._struct().unpack_from(buffer, offset)
        except struct.error:
            size = memoryview(buffer).nbytes
            raise TruncatedError(
                f"{cls.__name__} needs {cls.SIZE} bytes at {offset}, there are {size}"
            ) from None
        flat = iter(values)
        return cls(*[_build(f.kind, flat) for f in cls.FIELDS])

    @classmethod
    def unpack(cls, body: ReadableBuffer) -> Self:
        """Copy the structure from the start of *body*; what follows is ignored.

        Raises:
            TruncatedError: *body* is shorter than the structure.

        """
        return cls.unpack_from(body)

    @classmethod
    def zero(cls) -> Self:
        """Return the structure whose bytes are all zero."""
        return cls.unpack_from(bytes(cls.SIZE))

    def _flat(self) -> list[Any]:
        flat: list[Any] = []
        for field in self.FIELDS:
            _flatten(field, getattr(self, field.name), flat)
        return flat

    def pack(self) -> bytes:
        """Return the ``SIZE`` bytes.

        Raises:
            ValueError: a value does not fit its field.

        """
        try:
            return self._struct().pack(*self._flat())
        except struct.error as error:
            raise ValueError(f"{type(self).__name__}: {error}") from error

    def pack_into(self, buffer: WriteableBuffer, offset: int = 0) -> None:
        """Write the ``SIZE`` bytes into *buffer*.

        Raises:
            ValueError: a value does not fit its field, or *buffer* is too small.

        """
        try:
            self._struct().pack_into(buffer, offset, *self._flat())
        except struct.error as error:
            raise ValueError(f"{type(self).__name__}: {error}") from error

    @classmethod
    def offset(cls, path: str) -> int:
        """Return where a field starts: ``"magic"``, ``"cmd_ring.prod"``, ``"u.copy"``.

        Raises:
            KeyError: there is no such field.

        """
        name, _, rest = path.partition(".")
        name = cls.ALIASES.get(name, name)
        position = 0
        for field in cls.FIELDS:
            if field.name == name:
                return position + (_inner_offset(field.kind, rest) if rest else 0)
            if isinstance(field.kind, Union) and name in field.kind.members:
                return position + _inner_offset(field.kind, path)  # unnamed in C
            position += _size(field.kind)
        if name and name == cls.FLEXIBLE and not rest:
            return cls.SIZE
        raise KeyError(f"{cls.__name__} has no field {path}")

    @classmethod
    def size_of(cls, name: str) -> int:
        """Return the bytes that field *name* takes."""
        return next(_size(f.kind) for f in cls.FIELDS if f.name == name)


def _inner_offset(kind: Any, path: str) -> int:
    if isinstance(kind, Union):
        name, _, rest = path.partition(".")
        member = kind_of(kind.members[name])
        return _inner_offset(member, rest) if rest else 0
    return int(kind.offset(path))
