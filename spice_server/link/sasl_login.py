"""Logins by SASL, in a thread: a step may ask another program, or take its time."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from spice_server.link.cyrus_sasl import CyrusSasl, SaslConnection, cyrus_sasl
from spice_server.link.sasl_layer import SaslLayer

if TYPE_CHECKING:
    from collections.abc import Callable

    from spice_server.link.sasl_exchange import SaslStep
    from vd_interfaces.control import SpiceEndpoint

__all__ = ["SaslLogin", "SaslLogins"]

T = TypeVar("T")


class SaslLogins:
    """All logins of a server: they take turns."""

    def __init__(self) -> None:
        """Load the library.

        Raises:
            OperatorError: it is not there, or not configured.

        """
        self.library: CyrusSasl = cyrus_sasl()
        self.executor = ThreadPoolExecutor(1, "sasl")

    def stop(self) -> None:
        """End the thread."""
        self.executor.shutdown(wait=False, cancel_futures=True)


class SaslLogin:
    """One client's login."""

    def __init__(
        self,
        logins: SaslLogins,
        local: SpiceEndpoint,
        peer: SpiceEndpoint,
        *,
        tls: bool,
    ) -> None:
        self._logins = logins
        self._local = _address(local)
        self._peer = _address(peer)
        self._tls = tls
        self._connection: SaslConnection | None = None

    @property
    def user(self) -> str:
        """Who logged in, once that is over."""
        return "" if self._connection is None else self._connection.user

    @property
    def layer(self) -> SaslLayer | None:
        """What goes around the bytes after the login, if something does."""
        connection = self._connection
        if connection is None or not connection.has_layer:
            return None
        return SaslLayer(connection)

    async def mechanisms(self) -> tuple[str, ...]:
        """Begin, and return what the client may choose from.

        Raises:
            SaslError: there is nothing.

        """
        return await self._in_thread(self._begin)

    def _begin(self) -> tuple[str, ...]:
        self._connection = SaslConnection(
            self._logins.library, self._local, self._peer, tls=self._tls
        )
        return self._connection.mechanisms()

    async def step(self, step: SaslStep) -> tuple[bytes, bool]:
        """Return our part of a step, and whether the login is over.

        Raises:
            SaslError: it failed.

        """
        connection = self._connection
        assert connection is not None  # the exchange's order
        return await self._in_thread(lambda: connection.step(step.mechanism, step.data))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._logins.executor, work)


def _address(end: SpiceEndpoint) -> str | None:
    return f"{end.host};{end.port}" if end.family in {"ipv4", "ipv6"} else None
