"""Keeping the guest's lock keys as the client's are (KEY_MODIFIERS).

Only the guest knows its lock keys, and tells by the keyboard's LEDs.  A guest reached
through QMP tells nothing.  So what is known is followed here: LEDs when they change,
and every press of a lock key that passes by.  Else a client that has Num Lock on would
switch it off and on with every change of focus.
"""

from __future__ import annotations

from typing import Final

from spice_protocol.enums import SpiceKeyboardModifierFlags

__all__ = ["LockKeys"]

_SCANCODES: Final = {
    SpiceKeyboardModifierFlags.SCROLL_LOCK: 0x46,
    SpiceKeyboardModifierFlags.NUM_LOCK: 0x45,
    SpiceKeyboardModifierFlags.CAPS_LOCK: 0x3A,
}
"""Make codes, set 1; the break code has bit 7 set."""

_FLAGS: Final = {code: flag for flag, code in _SCANCODES.items()}

_PREFIXES: Final = {0xE0: 1, 0xE1: 2}
"""Bytes that follow a prefix: Pause is e1 1d 45, and 45 there is no Num Lock."""


class LockKeys:
    """What the guest's lock keys are believed to be; sans I/O."""

    def __init__(self, leds: int) -> None:
        self.state = SpiceKeyboardModifierFlags(leds & 7)
        """``SPICE_KEYBOARD_MODIFIER_FLAGS_*``."""
        self._leds = leds
        self._skip = 0
        self._down: set[int] = set()

    def leds_changed(self, leds: int) -> bool:
        """Take what the guest shows; True if it differs from what was believed."""
        if leds == self._leds:
            return False
        self._leds = leds
        before, self.state = self.state, SpiceKeyboardModifierFlags(leds & 7)
        return self.state != before

    def pressed(self, byte: int) -> None:
        """Follow one byte of scancode on its way to the guest."""
        if self._skip:
            self._skip -= 1
            return
        self._skip = _PREFIXES.get(byte, 0)
        code = byte & 0x7F
        flag = _FLAGS.get(code)
        if flag is None:
            return
        if byte & 0x80:
            self._down.discard(code)
        elif code not in self._down:  # autorepeat toggles nothing
            self._down.add(code)
            self.state ^= flag

    def to_reach(self, modifiers: int) -> bytes:
        """Return the scancodes that make the lock keys *modifiers*."""
        codes = bytearray()
        for flag, code in _SCANCODES.items():
            if (self.state ^ modifiers) & flag:
                codes += bytes((code, code | 0x80))
        return bytes(codes)
