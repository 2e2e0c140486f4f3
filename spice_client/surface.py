"""Surfaces as a server made them; the pixels are the C core's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spice_client.errors import UnsupportedError
from spice_client.picture import Picture
from spice_common.bitmap import surface_pixel_size

if TYPE_CHECKING:
    from spice_common.client_canvas import CanvasSurface, ClientCanvas
    from spice_common.region import Box

__all__ = ["Surface"]


class Surface:
    """One surface, for looking at; good as long as the server keeps it."""

    __slots__ = ("_canvas", "info")

    def __init__(self, canvas: ClientCanvas, info: CanvasSurface) -> None:
        self._canvas = canvas
        self.info = info

    @property
    def id(self) -> int:
        """The server's name for it."""
        return self.info.id

    @property
    def width(self) -> int:
        """In pixels."""
        return self.info.width

    @property
    def height(self) -> int:
        """In pixels."""
        return self.info.height

    @property
    def format(self) -> int:
        """``SPICE_SURFACE_FMT_*``."""
        return self.info.format

    @property
    def pixels(self) -> bytes:
        """A copy of its pixels in its format, rows without padding, the top one first.

        Raises:
            UnsupportedError: the surface is gone, or its pixels have no whole bytes.

        """
        return self._checked(surface_pixel_size(self.format))

    def _checked(self, pixel_size: int) -> bytes:
        current = self._canvas.surface(self.id)
        if current is None or current.serial != self.info.serial or not pixel_size:
            raise UnsupportedError(f"surface {self.id} cannot be read")
        return self._canvas.read(current, pixel_size)

    @property
    def complete(self) -> bool:
        """Whether it is the screen, and every pixel was drawn at least once."""
        return self._canvas.primary == self.info and self._canvas.complete

    def picture(self, part: Box | None = None) -> Picture:
        """Return the picture, or the *part* of it that lies on the surface.

        Raises:
            UnsupportedError: the surface is gone.

        """
        if self._canvas.surface(self.id) != self.info:
            raise UnsupportedError(f"surface {self.id} is gone")
        words = self._canvas.read_argb(self.info)
        rgb = bytearray(3 * self.width * self.height)
        for channel, byte in enumerate((2, 1, 0)):
            rgb[channel::3] = words[byte::4]
        picture = Picture(self.width, self.height, bytes(rgb))
        return picture if part is None else picture.cropped(part)

    def rgb(self) -> bytes:
        """Return the picture as bytes of red, green and blue, top row first.

        Raises:
            UnsupportedError: the surface is gone.

        """
        return self.picture().rgb
