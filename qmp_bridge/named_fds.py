"""What ``getfd`` named: copies of the descriptors, for ``add_client``.

QEMU holds what it was given and gives nothing back, so a copy is kept of every descriptor
that passes.  A copy that outlives its use would keep a connection or a pipe open that
QEMU closed; it goes as soon as any other command says the name.
"""

from __future__ import annotations

import logging
import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from qmp_bridge.commands import Command
    from qmp_bridge.json_parser import JsonValue

__all__ = ["MAX_NAMES", "NamedFds"]

MAX_NAMES = 256
"""Descriptors kept; libvirt names one at a time.  Those named first go first."""

_SEPARATORS = re.compile(r"[:,=\s]+")
"""What stands around a name: ``fd:NAME``, ``fds=NAME:NAME``, and blanks in HMP."""

_log = logging.getLogger(__name__)


class NamedFds:
    """QEMU's named descriptors as far as the bridge passed them on."""

    def __init__(self) -> None:
        self._fds: dict[str, int] = {}
        self._unconfirmed: set[int] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._fds

    def take(self, name: str) -> int | None:
        """Return the descriptor of *name*, which is the caller's now."""
        return self._fds.pop(name, None)

    def close(self) -> None:
        """Forget everything: QEMU, which had the same, is gone."""
        for fd in (*self._fds.values(), *self._unconfirmed):
            os.close(fd)
        self._fds.clear()
        self._unconfirmed.clear()

    def forwarding(
        self, command: Command, fds: Sequence[int]
    ) -> Callable[[bytes], None] | None:
        """See :class:`Watcher`."""
        name = command.arguments.get("fdname")
        if command.name == "getfd" and isinstance(name, str) and fds:
            return self._getfd(name, fds[0])
        if self._fds:
            self._forget_mentioned(dict(command.arguments))
        return None

    def _getfd(self, name: str, fd: int) -> Callable[[bytes], None] | None:
        try:
            copy = os.dup(fd)
        except OSError as error:
            _log.warning("add_client will not know %r: %s", name, error)
            return None
        self._unconfirmed.add(copy)

        def replied(line: bytes) -> None:
            if copy not in self._unconfirmed:  # closed meanwhile
                return
            self._unconfirmed.remove(copy)
            if b'"error"' in line:
                os.close(copy)
            else:
                self._keep(name, copy)

        return replied

    def _keep(self, name: str, fd: int) -> None:
        self._drop(name)
        self._fds[name] = fd
        if len(self._fds) > MAX_NAMES:
            self._drop(next(iter(self._fds)))

    def _drop(self, name: str) -> None:
        fd = self._fds.pop(name, None)
        if fd is not None:
            os.close(fd)

    def _forget_mentioned(self, arguments: JsonValue) -> None:
        for text in _strings(arguments):
            words = {text, *_SEPARATORS.split(text)}
            for name in [name for name in self._fds if _says(text, words, name)]:
                self._drop(name)


def _says(text: str, words: set[str], name: str) -> bool:
    return name in words or (bool(_SEPARATORS.search(name)) and name in text)


def _strings(value: JsonValue) -> Iterator[str]:
    """Yield every string in a value; no recursion, it may be nested deeply."""
    rest: list[JsonValue] = [value]
    while rest:
        item = rest.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            rest.extend(item.values())
        elif isinstance(item, list):
            rest.extend(item)
