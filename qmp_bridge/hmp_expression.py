"""Numbers of the human monitor: expressions, as QEMU calculates them (monitor/hmp.c).

::

    sum    = logic { ("+" | "-") logic }
    logic  = product { ("&" | "|" | "^") product }
    product = unary { ("*" | "/" | "%") unary }
    unary  = ("+" | "-" | "~") unary | "(" sum ")" | "'" character "'" | number

Registers (``$pc``) are QEMU's to know.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ExpressionError", "calculate"]

_BLANKS = " \t\n\v\f\r"
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*")
_MAX_DEPTH = 32
"""Nested expressions; a person types two."""


class ExpressionError(Exception):
    """It is no expression, or one that only QEMU can calculate."""


def calculate(text: str, position: int) -> tuple[int, int]:
    """Return the value (64 bits, signed) of what begins at *position*, and its end.

    Raises:
        ExpressionError: see there.

    """
    expression = _Expression(text, position)
    value = expression.sum()
    return value, expression.position


class _Expression:
    def __init__(self, text: str, position: int) -> None:
        self._text = text
        self.position = position
        self._depth = 0
        self._skip(0)

    def _peek(self) -> str:
        return self._text[self.position : self.position + 1]

    def _skip(self, count: int) -> None:
        """Go on after *count* characters and blanks."""
        self.position += count
        while self._peek() and self._peek() in _BLANKS:
            self.position += 1

    def sum(self) -> int:
        return self._chain("+-", lambda: self._chain("&|^", self._product))

    def _product(self) -> int:
        return self._chain("*/%", self._unary)

    def _chain(self, operators: str, operand: Callable[[], int]) -> int:
        value = operand()
        while (operator := self._peek()) and operator in operators:
            self._skip(1)
            value = _signed(_apply(operator, value, operand()))
        return value

    def _unary(self) -> int:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ExpressionError("too deep")
        first = self._peek()
        if first and first in "+-~":
            self._skip(1)
            value = self._unary()
            value = {"+": value, "-": -value, "~": ~value}[first]
        elif first == "(":
            self._skip(1)
            value = self.sum()
            if self._peek() != ")":
                raise ExpressionError("')' expected")
            self._skip(1)
        elif first == "'":
            value = self._character()
        else:
            value = self._number()
        self._depth -= 1
        return _signed(value)

    def _character(self) -> int:
        character = self._text[self.position + 1 : self.position + 2]
        end = self._text[self.position + 2 : self.position + 3]
        if not character.isascii() or not character or end != "'":
            raise ExpressionError("a character is expected")
        self._skip(3)
        return ord(character)

    def _number(self) -> int:
        match = _NUMBER.match(self._text, self.position)
        if match is None:
            raise ExpressionError("a number is expected")
        number = match[0]
        octal = number.startswith("0") and number.isdigit()
        value = int(number[:32], 8 if octal else 0) if len(number) < 32 else 1 << 64
        if value >> 64:
            raise ExpressionError("too large")
        self._skip(len(number))
        return value


def _apply(operator: str, left: int, right: int) -> int:
    if operator in "/%":
        if not right:
            raise ExpressionError("division by zero")
        quotient = abs(left) // abs(right)
        quotient = -quotient if (left < 0) != (right < 0) else quotient
        return quotient if operator == "/" else left - quotient * right
    return {
        "+": left + right,
        "-": left - right,
        "*": left * right,
        "&": left & right,
        "|": left | right,
        "^": left ^ right,
    }[operator]


def _signed(value: int) -> int:
    """Keep 64 bits."""
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)
