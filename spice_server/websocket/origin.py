"""Which web pages may open a WebSocket to us (RFC 6455, 10.2).

A browser lets any page open a WebSocket to any server that it can reach, and only tells
the server whose page it is.  What a page can do depends on who is let in:

* With ticketing the ticket decides.  It is no cookie: a browser adds it to nothing, so
  a foreign page knows as little as any stranger on the network.  Every page may
  connect; where spice-html5 was loaded from does not matter.
* Without ticketing whoever reaches the port gets in, and that would be every page that
  the user of this host opens.  So a page must come from the host it connects to, on
  any port, or from the user's own machine.  A name that is not ours does not count,
  even if both agree on it: whoever owns a name can let it point here.

An operator who knows better lists origins; then just these are let in.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from websockets.datastructures import Headers

__all__ = ["ANY", "OriginPolicy"]

ANY: Final = "*"
"""Every page."""


class OriginPolicy:
    """Decides about the pages of browsers; other clients send no Origin."""

    def __init__(
        self,
        allowed: Sequence[str] = (),
        *,
        ticketing: bool,
        own_names: Sequence[str] = (),
    ) -> None:
        """Allow the origins *allowed*, or without any what the module says.

        *own_names* are what this host is called.
        """
        self._allowed = {origin.lower().rstrip("/") for origin in allowed}
        self._any = ANY in self._allowed or (ticketing and not allowed)
        self._own_names = {name.lower() for name in own_names}

    def refusal(self, headers: Headers) -> str | None:
        """Return why a page may not connect, for its author; ``None``: it may."""
        origins = headers.get_all("Origin")
        if self._any or not origins:
            return None
        if len(origins) > 1:
            return "there are several origins"
        origin = origins[0].lower()
        if self._allowed:
            known = origin in self._allowed
        else:
            known = self._is_close(origin, headers.get_all("Host"))
        return None if known else f"origin {origin[:200]!r} is not allowed"

    def _is_close(self, origin: str, hosts: list[str]) -> bool:
        """Whether a page is of the host it connects to, or of the user's machine."""
        page = _host_of(origin)
        if page is None:
            return False
        if _is_loopback(page):
            return True
        same = len(hosts) == 1 and page == _host_of(f"//{hosts[0].lower()}")
        return same and (_is_address(page) or page in self._own_names)


def _host_of(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True  # browsers do not ask anybody for these (RFC 6761, 6.3)
    return _is_address(host) and ipaddress.ip_address(host).is_loopback
