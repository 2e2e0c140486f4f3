"""Our displays as pictures in files, as the monitor's ``screendump`` wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Screens"]


class Screens(Protocol):
    """What the guest's displays show; main thread only."""

    def heads(self, device: str | None) -> int:
        """Return how many displays the device of that id has; 0: it is not ours.

        ``None`` stands for the VM's display.
        """

    def dump(
        self,
        head: int,
        filename: str,
        file_format: str,
        done: Callable[[OSError | None], None],
    ) -> None:
        """Write what a display shows into a file, which is made or replaced.

        Args:
            head: number of the display.
            filename: as the operator gave it.
            file_format: ``ppm`` or ``png``.
            done: called later with what went wrong; an error without a number: nothing
                is shown that could be written.

        """
