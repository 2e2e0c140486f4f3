"""What can go wrong while an image is built, in words for whoever wants the image."""

from __future__ import annotations

__all__ = ["ImageError"]


class ImageError(Exception):
    """The image cannot be built; the text says why and what would help."""
