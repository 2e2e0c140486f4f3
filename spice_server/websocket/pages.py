"""Static pages over HTTP: the files of one folder, as spice-html5 is installed.

Only files inside the folder are served, also through symbolic links; folders are not
listed.  What a page may do is told to the browser: see :mod:`.page_policy`.
"""

from __future__ import annotations

import email.utils
import os
import stat
import time
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from spice_server.errors import OperatorError
from spice_server.websocket.page_policy import security_headers

if TYPE_CHECKING:
    from websockets.http11 import Request

__all__ = ["MAX_PAGE", "START_PAGE", "Answer", "Pages"]

START_PAGE: Final = "spice_auto.html"
"""What spice-html5 calls the page that connects by itself to where it came from."""

MAX_PAGE: Final = 8 * 1024 * 1024
"""Bytes of a file.  It is read at once and sent from memory; the largest of
spice-html5 has 1.7 MB."""

CONTENT_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".gif": "image/gif",
    ".htm": "text/html; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/vnd.microsoft.icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".md": "text/plain; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""Types by suffix: the same on every host.  Modules run only as JavaScript."""


@dataclass(slots=True)
class Answer:
    """An HTTP response."""

    status: HTTPStatus
    data: bytes
    """All of it: status line, headers, body."""


class Pages:
    """The pages of one folder."""

    def __init__(self, folder: Path) -> None:
        """Serve *folder*.

        Raises:
            OperatorError: it does not hold spice-html5.

        """
        if not (folder / START_PAGE).is_file():
            raise OperatorError(
                f"{folder} holds no {START_PAGE}: install spice-html5, or name its folder"
            )
        self._folder = folder.resolve()

    def answer(self, request: Request) -> Answer:
        """Return the response to a GET or HEAD *request*."""
        head_only = request.method == "HEAD"
        name = unquote(request.path.partition("?")[0]).lstrip("/")
        if not name:
            # Relative, for those who see us below another path.
            return _answer(HTTPStatus.FOUND, {"Location": START_PAGE}, head_only)
        found = self._read(name)
        if found is None:
            return _answer(HTTPStatus.NOT_FOUND, {}, head_only)
        body, state = found
        headers = {
            "ETag": f'"{state.st_mtime_ns:x}-{state.st_size:x}"',
            "Last-Modified": email.utils.formatdate(state.st_mtime, usegmt=True),
            "Cache-Control": "no-cache",  # ask each time: 304 is cheap
        }
        if _is_known(request, headers):
            return _answer(HTTPStatus.NOT_MODIFIED, headers, head_only)
        kind = CONTENT_TYPES.get(Path(name).suffix.lower(), "application/octet-stream")
        return _answer(
            HTTPStatus.OK, headers | security_headers(kind, body), head_only, body
        )

    def _read(self, name: str) -> tuple[bytes, os.stat_result] | None:
        """Return bytes and state of a file; ``None``: there is none to be served."""
        try:
            path = (self._folder / name).resolve(strict=True)
            inside = path.is_relative_to(self._folder) and not name.endswith("/")
            if not inside or not path.is_file():
                return None
            # It may be something else by now: never wait for a FIFO's writer.
            flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW
            with open(os.open(path, flags), "rb") as file:  # noqa: PTH123 - a descriptor
                state = os.fstat(file.fileno())
                if not stat.S_ISREG(state.st_mode) or state.st_size > MAX_PAGE:
                    return None
                return file.read(MAX_PAGE), state
        except (OSError, ValueError, RuntimeError):
            # Not there, a NUL in its name, or links that go round.
            return None


def _is_known(request: Request, headers: dict[str, str]) -> bool:
    """Whether the browser has what it asks for (RFC 9110, 13.1)."""
    tags = request.headers.get_all("If-None-Match")
    if tags:
        wanted = {tag.strip().removeprefix("W/") for t in tags for tag in t.split(",")}
        return headers["ETag"] in wanted or "*" in wanted
    # Browsers send back what they were given.
    return headers["Last-Modified"] in request.headers.get_all("If-Modified-Since")


def _answer(
    status: HTTPStatus,
    headers: dict[str, str],
    head_only: bool,  # noqa: FBT001 - as the request says
    body: bytes | None = None,
) -> Answer:
    if body is None and status is not HTTPStatus.NOT_MODIFIED:
        headers = headers | {"Content-Type": "text/plain; charset=utf-8"}
        body = f"{status.phrase}\n".encode()
    body = body or b""
    fields = {
        "Date": email.utils.formatdate(time.time(), usegmt=True),
        "Connection": "close",
        "X-Content-Type-Options": "nosniff",
        **headers,
    }
    if status is not HTTPStatus.NOT_MODIFIED:
        fields["Content-Length"] = str(len(body))
    lines = [f"HTTP/1.1 {status:d} {status.phrase}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    return Answer(status, head if head_only else head + body)
