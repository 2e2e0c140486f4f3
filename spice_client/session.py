"""What the channels of one session share (sans-I/O)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from spice_client.options import ClientOptions
from spice_common.client_canvas import PictureCache
from spice_protocol.enums import ChannelType

if TYPE_CHECKING:
    from spice_protocol.messages.base import SpiceWaitForChannel

__all__ = ["HasSerial", "Session"]


class HasSerial(Protocol):
    """A channel, as far as others wait for it."""

    serial: int
    """Number of the last message that was handled."""


class Session:
    """The channels that are open, and the caches of all displays.

    Images cached by one display are used by others, and a GLZ image may refer to one
    that comes on another channel: such a channel waits for the others.

    Raises:
        ValueError: the options offer caches that cannot be.

    """

    def __init__(self, options: ClientOptions | None = None) -> None:
        self.options = options or ClientOptions()
        self.channels: dict[tuple[int, int], HasSerial] = {}
        """By type and id."""
        self.opening: set[tuple[int, int]] = set()
        """Those that are being linked: the server may count on them already."""
        self.cache = PictureCache(
            self.options.image_cache_pixels, self.options.glz_window_pixels
        )
        """Images and GLZ window, as large as they are offered to the server."""

    def add(self, kind: int, number: int, channel: HasSerial) -> None:
        """Take a channel in, by type and id."""
        self.channels[kind, number] = channel

    def remove(self, kind: int, number: int, channel: HasSerial) -> None:
        """Forget a channel that is closed."""
        if self.channels.get((kind, number)) is channel:
            del self.channels[kind, number]

    def reached(self, wanted: SpiceWaitForChannel) -> bool:
        """Whether a channel got as far as *wanted* says; closed ones never hold."""
        channel = self.channels.get((wanted.channel_type, wanted.channel_id))
        return channel is None or channel.serial >= wanted.message_serial

    def has_other_displays(self, number: int) -> bool:
        """Whether an image may still come on a display channel other than *number*."""
        here = (ChannelType.DISPLAY, number)
        return any(
            key[0] == ChannelType.DISPLAY and key != here
            for key in self.channels.keys() | self.opening
        )
