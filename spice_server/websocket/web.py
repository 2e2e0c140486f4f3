"""What a server does for those that speak HTTP: one for all its connections."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from spice_server.websocket.opening import Opening
from spice_server.websocket.origin import OriginPolicy
from spice_server.websocket.pages import Pages

if TYPE_CHECKING:
    from websockets.http11 import Request

    from spice_server.config import ServerConfig
    from spice_server.websocket.pages import Answer

__all__ = ["Web"]


class Web:
    """WebSockets for everybody, pages if there are any."""

    def __init__(self, config: ServerConfig) -> None:
        """Follow *config*.

        Raises:
            OperatorError: there are no pages where it says.

        """
        self._origins = OriginPolicy(
            config.websocket_origins,
            ticketing=config.ticketing,
            own_names=_names_of_this_host(),
        )
        self._pages = None if config.pages is None else Pages(config.pages)

    def opening(self) -> Opening:
        """Return what finds out what a new connection speaks."""
        return Opening(self._origins, pages=self._pages is not None)

    def answer(self, request: Request) -> Answer:
        """Return the response to a request; there are pages."""
        assert self._pages is not None  # else the opening asks for none
        return self._pages.answer(request)


def _names_of_this_host() -> list[str]:
    """Return what the host calls itself, and what that is on its own network."""
    name = socket.gethostname()
    short = name.partition(".")[0]
    return [name, short, f"{short}.local"]
