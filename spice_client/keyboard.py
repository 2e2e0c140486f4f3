"""Scancodes of set 1 on a US keyboard, for typing text into a guest."""

from __future__ import annotations

__all__ = ["EXTENDED", "KEYS", "break_code", "make_code", "scancodes_of"]

LEFT_SHIFT = 0x2A
EXTENDED = 0xE000
"""Or'ed to a key that sends E0 first, as the cursor keys do."""

KEYS: dict[str, int] = {
    "esc": 0x01, "backspace": 0x0E, "tab": 0x0F, "enter": 0x1C, "ctrl": 0x1D,
    "shift": LEFT_SHIFT, "alt": 0x38, "space": 0x39, "caps_lock": 0x3A,
    "f1": 0x3B, "f2": 0x3C, "f3": 0x3D, "f4": 0x3E, "f5": 0x3F, "f6": 0x40,
    "f7": 0x41, "f8": 0x42, "f9": 0x43, "f10": 0x44, "num_lock": 0x45,
    "scroll_lock": 0x46, "f11": 0x57, "f12": 0x58,
    "home": EXTENDED | 0x47, "up": EXTENDED | 0x48, "page_up": EXTENDED | 0x49,
    "left": EXTENDED | 0x4B, "right": EXTENDED | 0x4D, "end": EXTENDED | 0x4F,
    "down": EXTENDED | 0x50, "page_down": EXTENDED | 0x51,
    "insert": EXTENDED | 0x52, "delete": EXTENDED | 0x53,
}  # fmt: skip
"""Keys by QAPI-like names."""

_ROWS = (
    (0x02, "1234567890-=", "!@#$%^&*()_+"),
    (0x10, "qwertyuiop[]", "QWERTYUIOP{}"),
    (0x1E, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (0x2B, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
)
_CHARACTERS: dict[str, tuple[int, bool]] = {
    " ": (KEYS["space"], False),
    "\n": (KEYS["enter"], False),
    "\t": (KEYS["tab"], False),
}
for _first, _plain, _shifted in _ROWS:
    for _index, (_lower, _upper) in enumerate(zip(_plain, _shifted, strict=True)):
        _CHARACTERS[_lower] = (_first + _index, False)
        _CHARACTERS[_upper] = (_first + _index, True)


def make_code(key: int) -> bytes:
    """Return the bytes a key sends when it goes down."""
    return bytes([0xE0, key & 0x7F]) if key & EXTENDED else bytes([key])


def break_code(key: int) -> bytes:
    """Return the bytes a key sends when it goes up."""
    made = make_code(key)
    return made[:-1] + bytes([made[-1] | 0x80])


def scancodes_of(text: str) -> bytes:
    """Return what typing *text* sends.

    Raises:
        ValueError: a character is on no key.

    """
    codes = bytearray()
    for character in text:
        if character not in _CHARACTERS:
            raise ValueError(f"{character!r} is on no key of a US keyboard")
        key, shift = _CHARACTERS[character]
        stroke = make_code(key) + break_code(key)
        if shift:
            stroke = make_code(LEFT_SHIFT) + stroke + break_code(LEFT_SHIFT)
        codes += stroke
    return bytes(codes)
