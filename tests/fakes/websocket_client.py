"""What a client sends to open a WebSocket, and its frames, as bytes."""

from __future__ import annotations

__all__ = ["HANDSHAKE", "frame", "handshake"]

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
"""That of RFC 6455, 1.3."""


def handshake(path: str = "/", **headers: str) -> bytes:
    """Return a request to open a WebSocket; a header that is empty is left out."""
    fields = {
        "Host": "127.0.0.1:5930",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"GET {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in fields.items() if value]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


HANDSHAKE = handshake()


def frame(opcode: int, payload: bytes = b"", *, final: bool = True) -> bytes:
    """Return a client's frame; its mask is zero, so the payload can be read."""
    first = (0x80 if final else 0) | opcode
    size = len(payload)
    if size < 126:
        head = bytes([first, 0x80 | size])
    elif size < 65536:
        head = bytes([first, 0xFE]) + size.to_bytes(2, "big")
    else:
        head = bytes([first, 0xFF]) + size.to_bytes(8, "big")
    return head + bytes(4) + payload
