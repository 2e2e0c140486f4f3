"""What clients keep for all their display channels, which live in several threads."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from spice_common.client_images import GlzDictionary, PixmapCache
from spice_server.display.compression import Compression

if TYPE_CHECKING:
    from spice_protocol.messages.display import SpiceMsgcDisplayInit

__all__ = ["ClientCaches", "Pictures"]


class ClientCaches:
    """Finds the caches of each client; shared by the display channels of a server.

    A client has one GLZ dictionary for all its displays: what one channel sent another
    may refer to, and a client waits for what it has not got yet.  Of its pixmap cache
    every display has a part of its own, so that none has to wait for another.
    """

    def __init__(self, num_displays: int = 1) -> None:
        self._num_displays = num_displays
        self._lock = Lock()
        self._dictionaries: WeakValueDictionary[tuple[int, int], GlzDictionary] = (
            WeakValueDictionary()
        )

    def dictionary(
        self, session_id: int, init: SpiceMsgcDisplayInit
    ) -> GlzDictionary | None:
        """Return a client's GLZ dictionary; ``None`` if it offers no window."""
        if init.glz_dictionary_window_size <= 0:
            return None
        key = session_id, init.glz_dictionary_id
        with self._lock:
            dictionary = self._dictionaries.get(key)
            if dictionary is None:
                dictionary = GlzDictionary(init.glz_dictionary_window_size)
                self._dictionaries[key] = dictionary
        return dictionary

    def pixmaps(self, init: SpiceMsgcDisplayInit) -> PixmapCache | None:
        """Make the cache of one channel of a client; ``None`` if there is no room."""
        pixels = init.pixmap_cache_size // self._num_displays
        return PixmapCache(pixels) if pixels > 0 else None


@dataclass(frozen=True, slots=True)
class Pictures:
    """How the pictures of a server are made."""

    compression: Compression = field(default_factory=Compression)
    caches: ClientCaches = field(default_factory=ClientCaches)
    """Shared by all displays."""
