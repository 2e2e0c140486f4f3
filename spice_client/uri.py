"""Addresses of SPICE servers.

``spice://host:port``, ``spice://host?port=5900&tls-port=5901``, ``spice+tls://host:port``
and ``spice+unix:///path``, as virt-viewer writes them; ``password`` may be in the query.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from spice_client.errors import UriError

__all__ = ["ServerAddress", "parse_uri"]


@dataclass(slots=True)
class ServerAddress:
    """Where a server listens: a host and one or two ports, or a unix socket."""

    host: str = ""
    port: int | None = None
    tls_port: int | None = None
    path: str = ""
    """Of a unix socket; nothing else is set then."""
    password: str | None = None


def _port(text: str | None, uri: str) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise UriError(f"{uri}: {text!r} is no port")
    return int(text)


def parse_uri(uri: str) -> ServerAddress:
    """Take an address apart.

    Raises:
        UriError: it is none of the forms above.

    """
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
        port = None if parts.port is None else _port(str(parts.port), uri)
    except ValueError as error:
        raise UriError(f"{uri}: {error}") from error
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    password = query.get("password")
    if parts.scheme == "spice+unix":
        path = unquote(parts.path)
        if not path or parts.netloc:
            raise UriError(f"{uri}: a unix socket is written spice+unix:///path")
        return ServerAddress(path=path, password=password)
    if parts.scheme not in {"spice", "spice+tls"}:
        raise UriError(f"{uri}: the scheme must be spice, spice+tls or spice+unix")
    address = ServerAddress(
        host=host,
        port=_port(query.get("port"), uri),
        tls_port=_port(query.get("tls-port"), uri),
        password=password,
    )
    if parts.scheme == "spice+tls":
        address.tls_port = port or address.tls_port
    else:
        address.port = port or address.port
    if not host:
        raise UriError(f"{uri}: there is no host")
    if address.port is None and address.tls_port is None:
        raise UriError(f"{uri}: there is no port")
    return address
