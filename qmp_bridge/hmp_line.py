"""A human monitor's command line, cut as QEMU cuts it (monitor/hmp.c).

Only what is well formed is understood: for everything else QEMU's own words are the
answer, so a line that does not fit is simply given to QEMU.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qmp_bridge.hmp_expression import ExpressionError, calculate

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["parse_line"]

_BLANKS = " \t\n\v\f\r"
_BUFFER = 1023
"""Bytes of a string argument; QEMU cuts off the rest."""
_ESCAPES = {"n": "\n", "r": "\r", "\\": "\\", "'": "'", '"': '"'}


class _MalformedError(Exception):
    """QEMU would not understand it, or says so in its own words."""


def parse_line(
    line: str, name: str, parameters: Sequence[str]
) -> dict[str, str | int] | None:
    """Return the arguments of command *name*; ``None``: it is another, or malformed.

    Args:
        line: all that was typed.
        name: a command, or a command and its sub-command.
        parameters: ``key:type`` as in hmp-commands.hx; of its types ``s`` (a string),
            ``i`` (an integer of 32 bits), a question mark after them, and ``-xs`` (the
            flag *x* and a string) are known.

    """
    reader = _Reader(line)
    for word in name.split():
        if reader.word() != word:
            return None
    arguments: dict[str, str | int] = {}
    try:
        for parameter in parameters:
            key, _, type_ = parameter.partition(":")
            value = reader.argument(type_)
            if value is not None:
                arguments[key] = value
    except _MalformedError:
        return None
    return arguments if reader.at_end() else None


class _Reader:
    def __init__(self, line: str) -> None:
        self._line = line
        self._position = 0

    def at_end(self) -> bool:
        while self._position < len(self._line) and self._peek() in _BLANKS:
            self._position += 1
        return self._position == len(self._line)

    def _peek(self) -> str:
        return self._line[self._position : self._position + 1]

    def word(self) -> str:
        """Take what goes to the next blank."""
        if self.at_end():
            return ""
        start = self._position
        while self._peek() and self._peek() not in _BLANKS:
            self._position += 1
        return self._line[start : self._position]

    def argument(self, type_: str) -> str | int | None:
        """Take an argument; ``None``: there is none, and need not be."""
        if type_.startswith("-"):
            return self._flag(type_[1])
        if self.at_end():
            if type_.endswith("?"):
                return None
            raise _MalformedError
        return self._number() if type_[0] == "i" else self._string()

    def _flag(self, letter: str) -> str | None:
        if self.at_end() or self._peek() != "-":
            return None
        if self._line[self._position + 1 : self._position + 2] != letter:
            raise _MalformedError
        self._position += 2
        if self.at_end():
            raise _MalformedError
        return self._string()

    def _string(self) -> str:
        text = self._quoted() if self._peek() == '"' else self.word()
        return text.encode()[:_BUFFER].decode(errors="ignore")

    def _quoted(self) -> str:
        self._position += 1
        characters: list[str] = []
        while (character := self._peek()) != '"':
            if not character:
                raise _MalformedError
            self._position += 1
            if character == "\\":
                character = _ESCAPES.get(self._peek(), "")
                if not character:
                    raise _MalformedError
                self._position += 1
            characters.append(character)
        self._position += 1
        return "".join(characters)

    def _number(self) -> int:
        """Take an integer of 32 bits, which may have to be calculated."""
        try:
            value, self._position = calculate(self._line, self._position)
        except ExpressionError as error:
            raise _MalformedError from error
        if value >> 32:
            raise _MalformedError
        return value
