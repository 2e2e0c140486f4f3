"""How often a wrong password may be tried: who guesses is not listened to for a while.

Every wrong password is a debt of its peer's, and of all peers together; debts are
forgiven at a steady rate.  A peer whose debt is full is refused before its password is
looked at, so that not even the right one tells a guesser anything.  While all peers
together are too deep in debt, which takes many of them, each gets a single try.  So a
peer that never failed always gets in with the right password, whatever others do.

Time is given by the caller, in seconds of a monotonic clock.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vd_interfaces.control import SpiceEndpoint

__all__ = ["Attempts", "Debt", "peer_key"]

PEER_FAILURES: Final = 10
"""Wrong passwords in a row: more than people need, few for a guesser."""

PEER_SECONDS: Final = 6.0
"""Seconds that forgive a peer one: ten a minute in the long run."""

OVERALL_FAILURES: Final = 100
"""Wrong passwords of all peers in a row."""

OVERALL_SECONDS: Final = 0.5
"""Seconds that forgive all of them one."""

MAX_PEERS: Final = 4096
"""Peers that are remembered, the latest to fail: some hundred KiB.  Whoever has more
addresses than that gets one try with each, and has all of them slowed down."""


@dataclass(slots=True)
class Debt:
    """Failures that are forgiven over time."""

    seconds: float
    """Until one is forgiven."""
    _failures: float = 0.0
    _counted_at: float = 0.0

    def failures(self, now: float) -> float:
        """Return how many are not forgiven yet."""
        return max(0.0, self._failures - (now - self._counted_at) / self.seconds)

    def add(self, now: float) -> None:
        """Count one more."""
        self._failures = self.failures(now) + 1.0
        self._counted_at = now


class Attempts:
    """Who failed how often lately."""

    def __init__(self) -> None:
        self._peers: OrderedDict[str, Debt] = OrderedDict()
        self._overall = Debt(OVERALL_SECONDS)

    def __len__(self) -> int:
        """Return how many peers are remembered."""
        return len(self._peers)

    def allows(self, peer: str, now: float) -> bool:
        """Tell whether a password of *peer*'s is to be looked at."""
        debt = self._peers.get(peer)
        if debt is None:
            return True
        scarce = self._overall.failures(now) > OVERALL_FAILURES - 1
        # One more must fit: whole failures count, as they were a moment ago.
        return debt.failures(now) <= (0.0 if scarce else PEER_FAILURES - 1)

    def failed(self, peer: str, now: float) -> None:
        """Count a wrong password of *peer*'s."""
        self._overall.add(now)
        self._peers.setdefault(peer, Debt(PEER_SECONDS)).add(now)
        self._peers.move_to_end(peer)
        if len(self._peers) > MAX_PEERS:
            self._peers.popitem(last=False)


def peer_key(peer: SpiceEndpoint) -> str:
    """Return who *peer* is: its address; of IPv6 the network that one host can have."""
    if peer.family not in {"ipv4", "ipv6"}:
        return peer.family
    try:
        address = ipaddress.ip_address(peer.host.partition("%")[0])
    except ValueError:
        return peer.host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address), 64), strict=False))
