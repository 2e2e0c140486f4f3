"""PC scancodes, set 1, to QEMU's key numbers.

``KeyValue`` of type ``number`` (qapi/ui.json) carries what QEMU calls a qnum: the set-1
code, with bit 7 set if it had the prefix ``e0``.  QEMU maps it to its own QKeyCode.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "CAPS_LOCK",
    "NUM_LOCK",
    "PAUSE",
    "SCROLL_LOCK",
    "KeyChange",
    "ScancodeReader",
]

CAPS_LOCK = 0x3A
NUM_LOCK = 0x45
SCROLL_LOCK = 0x46
PAUSE = 0xC6

_PREFIX_E0 = 0xE0
_PREFIX_E1 = 0xE1
_RELEASED = 0x80
_GREY = 0x80
_PAUSE_CODES = {b"\x1d\x45": True, b"\x9d\xc5": False}


class KeyChange(NamedTuple):
    """A key went down or up."""

    number: int
    down: bool


class ScancodeReader:
    """Puts the bytes of a keyboard together."""

    def __init__(self) -> None:
        self._extended = False
        self._pause: bytes | None = None

    def push(self, byte: int) -> KeyChange | None:
        """Take one byte; the key that it completes."""
        if self._pause is not None:
            return self._push_pause(byte)
        if byte == _PREFIX_E1:
            self._pause = b""
            return None
        if byte == _PREFIX_E0:
            self._extended = True
            return None
        number = byte & ~_RELEASED | (_GREY if self._extended else 0)
        self._extended = False
        return KeyChange(number, not byte & _RELEASED)

    def _push_pause(self, byte: int) -> KeyChange | None:
        """Only Pause begins with e1: two more bytes follow (e1 1d 45, e1 9d c5)."""
        assert self._pause is not None
        codes = self._pause + bytes([byte])
        if len(codes) < 2:
            self._pause = codes
            return None
        self._pause = None
        self._extended = False
        down = _PAUSE_CODES.get(codes)
        return None if down is None else KeyChange(PAUSE, down)
