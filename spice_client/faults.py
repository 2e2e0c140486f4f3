"""What the C core found wrong with a display's message, in words and exceptions."""

from __future__ import annotations

from typing import Final

from spice_client.errors import UnsupportedError
from spice_common.client_canvas import ClientError
from spice_common.command_batch import error_names
from spice_protocol.enums import SpiceImageType
from spice_protocol.errors import InvalidValueError, LimitExceededError, ProtocolError

__all__ = ["fault"]

_TEXTS: Final = {
    ClientError.TOO_BIG: "{0} bytes",
    ClientError.NO_SURFACE: "there is no surface {0}",
    ClientError.SURFACE_EXISTS: "surface {0} exists already",
    ClientError.BAD_SURFACE: "surface {0} cannot be of this format or size",
    ClientError.NO_IMAGE: "image {0:#x} is not cached",
    ClientError.NO_GLZ_IMAGE: "image {0:#x} refers to one that is not in the window",
    ClientError.NO_PALETTE: "palette {0:#x} is not cached",
    ClientError.REJECTED: "its numbers do not fit what is there (surface {0})",
    ClientError.UNSUPPORTED: "this cannot be drawn (surface {0})",
    ClientError.LIMIT_IMAGES: "more images are cached than was offered ({0:#x})",
    ClientError.LIMIT_PALETTES: "too many palettes are cached ({0:#x})",
    ClientError.LIMIT_SURFACES: "surfaces take too much memory (surface {0})",
}
_UNSUPPORTED = {ClientError.UNSUPPORTED, ClientError.UNSUPPORTED_IMAGE}
_LIMITS = {
    ClientError.TOO_BIG,
    ClientError.LIMIT_IMAGES,
    ClientError.LIMIT_PALETTES,
    ClientError.LIMIT_SURFACES,
}
_REASONS: Final = tuple(error_names())


def _image_type(number: int) -> str:
    try:
        return f"{SpiceImageType(number).name}({number})"
    except ValueError:
        return f"type {number}"


def _text(error: ClientError, detail: int) -> str:
    match error:
        case ClientError.BAD_MESSAGE:
            known = 0 < detail < len(_REASONS)
            return _REASONS[detail] if known else "it is shorter than it says"
        case ClientError.BAD_IMAGE:
            return f"an image of {_image_type(detail)} cannot be decoded"
        case ClientError.UNSUPPORTED_IMAGE:
            return f"images of {_image_type(detail)} are not known"
        case _:
            return _TEXTS[error].format(detail)


def fault(
    channel: str, message: str, error: ClientError, detail: int
) -> ProtocolError | UnsupportedError | MemoryError:
    """Return the exception for what is wrong with *message*."""
    if error is ClientError.NO_MEMORY:
        return MemoryError(f"{channel}: {message}")
    text = f"{channel}: {message}: {_text(error, detail)}"
    if error in _UNSUPPORTED:
        return UnsupportedError(text)
    if error in _LIMITS:
        return LimitExceededError(text)
    return InvalidValueError(text)
