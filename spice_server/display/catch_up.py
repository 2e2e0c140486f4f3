"""What one client has of a display's surfaces, what it misses, and how it catches up.

Damage is repaired in rounds: what is damaged while a round is under way belongs to the
next one, else the top of a busy screen would keep the rest of it from its turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spice_common.display_message import DamageMap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from spice_common.display_message import DisplayRun
    from spice_server.display.surface import Surfaces

__all__ = ["CatchUp"]


class CatchUp:
    """One client's knowledge; a new client knows nothing."""

    def __init__(self) -> None:
        self._round = DamageMap()
        self._next_round = DamageMap()
        self._queued: dict[int, int] = {}
        """Surfaces (id: serial) the client knows once it got all that waits for it."""
        self._known: dict[int, int] = {}
        """The same for what is on its way already."""

    def queue(self, run: DisplayRun) -> None:
        """Note that *run* waits for the client."""
        _apply(self._queued, run)

    def start(self, run: DisplayRun) -> None:
        """Note that *run* is on its way: the client gets all of it."""
        _apply(self._known, run)

    def miss(self, damage: bytes) -> None:
        """Note what the client is not told of."""
        if damage:
            self._next_round.add(damage)

    def miss_all(self, surfaces: Surfaces) -> None:
        """Note that the client is not told of something, nobody knows of what."""
        for surface_id in surfaces.serials():
            surfaces.damage_all(self._next_round, surface_id)

    def drop(self, runs: Iterable[DisplayRun]) -> None:
        """Note that *runs*, all that waited and was not on its way, are given up."""
        self.miss(b"".join(run.damage for run in runs))
        self._queued = dict(self._known)

    def repair(
        self, surfaces: Surfaces, *, max_bytes: int, max_message: int
    ) -> Iterator[DisplayRun]:
        """Return runs that let the client catch up, about *max_bytes* of them.

        Each has to be passed to :meth:`queue`.
        """
        surfaces_run = surfaces.reconcile(self._queued, self._next_round)
        for surface_id, serial in surfaces_run.events:
            if not serial:
                self._round.forget(surface_id)
        if surfaces_run.starts:
            yield surfaces_run
        if not self._round:
            self._round, self._next_round = self._next_round, self._round
        pixels = surfaces.refresh(self._round, max_bytes, max_message)
        if pixels.starts:
            yield pixels

    @property
    def complete(self) -> bool:
        """Whether nothing is missed, once what waits has arrived."""
        return not self._round and not self._next_round

    def clear(self) -> None:
        """Forget what is missed: the client is gone."""
        self._round.clear()
        self._next_round.clear()


def _apply(surfaces: dict[int, int], run: DisplayRun) -> None:
    for surface_id, serial in run.events:
        if serial:
            surfaces[surface_id] = serial
        else:
            surfaces.pop(surface_id, None)
