"""Displays that write no files."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FakeScreens"]


class FakeScreens:
    """Two displays of device ``qxld0``; the test says how writing ends."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, str, str]] = []
        self.waiting: list[Callable[[OSError | None], None]] = []

    def heads(self, device: str | None) -> int:
        return 2 if device in {None, "qxld0"} else 0

    def dump(
        self,
        head: int,
        filename: str,
        file_format: str,
        done: Callable[[OSError | None], None],
    ) -> None:
        self.asked.append((head, filename, file_format))
        self.waiting.append(done)
