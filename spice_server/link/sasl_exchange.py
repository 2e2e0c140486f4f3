"""The SASL part of the link stage as a state table, no I/O (``reds.cpp``, spice-gtk).

::

    LIST ─► NAME_SIZE ─► NAME ─► SIZE ─► DATA ─► ANSWER ─► DONE
                                  ▲                 │
                                  └─────────────────┘

The server lists its mechanisms; the client names one and brings its first data; each
answer of the server's says whether more must follow.  All are a size and as many bytes.
Data ends with a NUL that is not part of it, so that nothing (size 0) and an empty
string (size 1) are different, which SASL cares about.
"""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass
from typing import Final

from spice_protocol.errors import ProtocolError

__all__ = [
    "MAX_SASL_DATA",
    "SASL_TRANSITIONS",
    "SaslExchange",
    "SaslInput",
    "SaslList",
    "SaslState",
    "SaslStep",
]

MAX_SASL_DATA: Final = 64 * 1024
"""Bytes of one step: what Kerberos' largest tickets need."""

MAX_NAME: Final = 100
"""Bytes of a mechanism's name: libspice-server's bound; SASL's own is 20."""

MAX_STEPS: Final = 32
"""Steps of one exchange; mechanisms have up to four."""

_WORD: Final = struct.Struct("<I")


class SaslState(enum.Enum):
    """What is awaited."""

    LIST = enum.auto()
    """Our :meth:`SaslExchange.list_mechanisms`."""
    NAME_SIZE = enum.auto()
    NAME = enum.auto()
    SIZE = enum.auto()
    DATA = enum.auto()
    ANSWER = enum.auto()
    """Our :meth:`SaslExchange.answer`."""
    DONE = enum.auto()


class SaslInput(enum.Enum):
    """What moves it on."""

    LIST = enum.auto()
    NAME_SIZE = enum.auto()
    NAME = enum.auto()
    SIZE = enum.auto()
    DATA = enum.auto()
    CONTINUE = enum.auto()
    COMPLETE = enum.auto()


SASL_TRANSITIONS: Final[dict[tuple[SaslState, SaslInput], SaslState]] = {
    (SaslState.LIST, SaslInput.LIST): SaslState.NAME_SIZE,
    (SaslState.NAME_SIZE, SaslInput.NAME_SIZE): SaslState.NAME,
    (SaslState.NAME, SaslInput.NAME): SaslState.SIZE,
    (SaslState.SIZE, SaslInput.SIZE): SaslState.DATA,
    (SaslState.DATA, SaslInput.DATA): SaslState.ANSWER,
    (SaslState.ANSWER, SaslInput.CONTINUE): SaslState.SIZE,
    (SaslState.ANSWER, SaslInput.COMPLETE): SaslState.DONE,
}
"""The whole exchange; what is absent cannot happen."""


@dataclass(slots=True)
class SaslList:
    """The client wants to know which mechanisms there are."""


@dataclass(slots=True)
class SaslStep:
    """What the client brings for one step."""

    mechanism: str | None
    """The mechanism it chose, with the first step."""
    data: bytes | None
    """``None`` is not the same as empty."""


class SaslExchange:
    """One client's login, from the list to the last answer."""

    def __init__(self) -> None:
        self.state = SaslState.LIST
        self._mechanisms: tuple[str, ...] = ()
        self._chosen: str | None = None
        self._size = 0
        self._steps = 0

    def needed(self) -> int | None:
        """Return how many bytes the present state awaits; ``None``: it is our turn."""
        match self.state:
            case SaslState.NAME_SIZE | SaslState.SIZE:
                return _WORD.size
            case SaslState.NAME | SaslState.DATA:
                return self._size
            case _:
                return None

    def receive(self, data: bytes) -> SaslStep | None:
        """Take as many bytes as are needed; a step awaits our answer.

        Raises:
            ProtocolError: it is too much, or no mechanism of ours.

        """
        match self.state:
            case SaslState.NAME_SIZE:
                self._take_size(data, 1, MAX_NAME)
                self._advance(SaslInput.NAME_SIZE)
            case SaslState.NAME:
                self._chosen = self._mechanism(data)
                self._advance(SaslInput.NAME)
            case SaslState.SIZE:
                self._take_size(data, 0, MAX_SASL_DATA)
                self._count_step()
                self._advance(SaslInput.SIZE)
            case _:
                self._advance(SaslInput.DATA)
                chosen, self._chosen = self._chosen, None
                return SaslStep(chosen, data[:-1] if data else None)
        return None

    def _take_size(self, data: bytes, least: int, most: int) -> None:
        (size,) = _WORD.unpack(data)
        if not least <= size <= most:
            raise ProtocolError(f"{size} bytes of {self.state.name} in SASL")
        self._size = size

    def _mechanism(self, data: bytes) -> str:
        name = data.decode("ascii", "replace")
        if name not in self._mechanisms:
            raise ProtocolError(f"there is no SASL mechanism {name!r}")
        return name

    def _count_step(self) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise ProtocolError("SASL comes to no end")

    def list_mechanisms(self, mechanisms: tuple[str, ...]) -> bytes:
        """Return what tells the client of *mechanisms*."""
        self._mechanisms = mechanisms
        self._advance(SaslInput.LIST)
        text = f",{','.join(mechanisms)},".encode()
        return _WORD.pack(len(text)) + text

    def answer(self, data: bytes, *, complete: bool) -> bytes:
        """Return what tells the client the server's part of a step."""
        self._advance(SaslInput.COMPLETE if complete else SaslInput.CONTINUE)
        sized = _WORD.pack(len(data) + 1) + data + b"\0" if data else _WORD.pack(0)
        return sized + bytes([complete])

    def _advance(self, sasl_input: SaslInput) -> None:
        self.state = SASL_TRANSITIONS[self.state, sasl_input]
