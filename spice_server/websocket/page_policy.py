"""What the pages we serve may do: headers that browsers obey.

spice-html5 puts a parameter of its address into the page unescaped.  So a link to our
own page could run a stranger's script, which would count as ours where pages of this
host are trusted (:mod:`.origin`).  Therefore only scripts run that are files of ours or
stand in the page's file as it is on the disk: the policy names them by their hash.
"""

from __future__ import annotations

import base64
import hashlib
from html.parser import HTMLParser
from typing import Final

__all__ = ["inline_scripts", "security_headers"]

_ALWAYS: Final = {
    # The address may hold a password, and nobody else is to be told.
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}

_POLICY: Final = (
    "default-src 'none'; "
    "script-src 'self'{scripts}; worker-src 'self'; "
    "style-src 'self' 'unsafe-inline'; "
    "font-src 'self'; "
    "img-src 'self' data: blob:; "  # cursors, and pictures as JPEG
    "media-src 'self' blob:; "  # sound and video come through MediaSource
    "connect-src 'self' ws: wss:; "  # its address may name another server
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


class _Scripts(HTMLParser):
    """Collects what a page runs beside its files."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[str] = []
        self.handlers: list[str] = []
        self._block: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handlers += [v for name, v in attrs if name.startswith("on") and v]
        if tag == "script" and not any(name == "src" for name, _ in attrs):
            self._block = []

    def handle_data(self, data: str) -> None:
        if self._block is not None:
            self._block.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "script" and self._block is not None:
            self.blocks.append("".join(self._block))
            self._block = None


def inline_scripts(page: str) -> tuple[list[str], list[str]]:
    """Return script blocks and event handlers of an HTML *page*."""
    parser = _Scripts()
    parser.feed(page)
    parser.close()
    return parser.blocks, parser.handlers


def security_headers(content_type: str, body: bytes) -> dict[str, str]:
    """Return the headers that limit a file; a page's scripts are those of *body*."""
    headers = {"Content-Type": content_type, **_ALWAYS}
    if content_type.startswith("text/html"):
        text = body.decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n")
        blocks, handlers = inline_scripts(text)
        hashes = dict.fromkeys(map(_source, blocks + handlers))
        unsafe = [" 'unsafe-hashes'"] if handlers else []  # these handlers, by hash
        scripts = "".join(unsafe + [f" {source}" for source in hashes])
        headers["Content-Security-Policy"] = _POLICY.format(scripts=scripts)
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
    return headers


def _source(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
