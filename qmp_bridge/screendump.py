"""``screendump`` of our own displays, as QEMU's own (qapi/ui.json)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qmp_bridge.arguments import Arguments
from qmp_bridge.commands import CommandTable, Later, LocalCommand, Relay
from qmp_bridge.errors import QmpError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from qmp_bridge.json_parser import JsonValue
    from vd_interfaces.screens import Screens

__all__ = ["FORMATS", "Dump", "ScreendumpCommand"]

FORMATS = ("ppm", "png")
_CREATES = (11, 0, 0)
"""QEMU that says "create"; measured on 7.2 and 11.1."""


@dataclass(slots=True)
class Dump:
    """A display of ours, and where its picture goes."""

    device: str | None
    """As it was named."""
    head: int
    filename: str
    file_format: str


class ScreendumpCommand:
    """Answers for the displays that are ours; QEMU answers for its own."""

    def __init__(self, screens: Screens, version: tuple[int, int, int]) -> None:
        """Answer as QEMU *version* would."""
        self._screens = screens
        self._failure = (
            "Could not create '{}': {}"
            if version >= _CREATES
            else "failed to open file '{}': {}"
        )

    def table(self) -> CommandTable:
        """Rows for ``commands.CommandTable``."""
        return {"screendump": LocalCommand(self.screendump)}

    def screendump(self, arguments: Mapping[str, JsonValue]) -> Relay | Later:
        """Answer ``screendump``.

        Raises:
            QmpError: the arguments are wrong.

        """
        members = Arguments(arguments)
        filename = members.string("filename")
        device = members.optional_string("device")
        head = members.optional_integer("head")
        file_format = members.optional_enum("format", FORMATS, "ppm")
        members.finish()
        if device is None and head is not None:
            raise QmpError("'head' must be specified together with 'device'")
        number = self.head_of(device, head or 0)
        if number is None:
            return Relay()

        return self.dump(
            Dump(device, number, filename, file_format),
            lambda error: {} if error is None else error,
        )

    def head_of(self, device: str | None, head: int) -> int | None:
        """Return which of our displays is meant; ``None``: it is QEMU's.

        Raises:
            QmpError: our device has no such head.

        """
        heads = self._screens.heads(device)
        if not heads:
            return None
        if not 0 <= head < heads:
            # QEMU has it in a C int.
            shown = (head + (1 << 31)) % (1 << 32) - (1 << 31)
            raise QmpError(
                f"Device {device} (head {shown}) is not bound to a QemuConsole"
            )
        return head

    def dump(
        self, dump: Dump, answer: Callable[[QmpError | None], JsonValue | QmpError]
    ) -> Later:
        """Write a display into a file; *answer* makes an answer of what went wrong.

        If no device was named and the guest shows nothing on ours, QEMU is asked.
        """

        def begin(settle: Callable[[JsonValue | Relay | QmpError], None]) -> None:
            def dumped(error: OSError | None) -> None:
                if error is None:
                    settle(answer(None))
                elif error.errno is None and dump.device is None:
                    settle(Relay())
                else:
                    settle(answer(self._error(dump.filename, error)))

            self._screens.dump(dump.head, dump.filename, dump.file_format, dumped)

        return Later(begin)

    def _error(self, filename: str, error: OSError) -> QmpError:
        if error.errno is None:
            return QmpError(str(error))
        return QmpError(self._failure.format(filename, os.strerror(error.errno)))
