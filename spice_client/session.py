"""What the channels of one session share (sans-I/O)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spice_client.options import ClientOptions
from spice_common.client_canvas import PictureCache
from spice_protocol.enums import ChannelType

if TYPE_CHECKING:
    from spice_client.channel import Channel
    from spice_protocol.messages.base import SpiceWaitForChannel

__all__ = ["Session"]


class Session:
    """The channels that are open, and the caches of all displays.

    Images cached by one display are used by others, and a GLZ image may refer to one
    that comes on another channel: such a channel waits for the others.
    """

    def __init__(self, options: ClientOptions | None = None) -> None:
        self.options = options or ClientOptions()
        self.channels: dict[tuple[int, int], Channel] = {}
        """By type and id."""
        self._cache: PictureCache | None = None

    @property
    def cache(self) -> PictureCache:
        """Images and GLZ window, as large as they are offered to the server."""
        if self._cache is None:
            options = self.options
            self._cache = PictureCache(
                options.image_cache_pixels, options.glz_window_pixels
            )
        return self._cache

    def add(self, channel: Channel) -> None:
        """Take a channel in."""
        self.channels[channel.TYPE, channel.id] = channel

    def remove(self, channel: Channel) -> None:
        """Forget a channel that is closed."""
        if self.channels.get((channel.TYPE, channel.id)) is channel:
            del self.channels[channel.TYPE, channel.id]

    def reached(self, wanted: SpiceWaitForChannel) -> bool:
        """Whether a channel got as far as *wanted* says; closed ones never hold."""
        channel = self.channels.get((wanted.channel_type, wanted.channel_id))
        return channel is None or channel.serial >= wanted.message_serial

    def has_other_displays(self, channel: Channel) -> bool:
        """Whether an image may still come on another display's channel."""
        return any(
            other is not channel
            for other in self.channels.values()
            if other.TYPE is ChannelType.DISPLAY
        )
