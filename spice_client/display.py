"""The display channel: surfaces, and the drawings that change them (sans-I/O)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from spice_client.channel import Channel
from spice_client.errors import UnsupportedError
from spice_client.image import ImageCache
from spice_client.surface import Surface, intersect
from spice_common.region import Box
from spice_protocol.enums import (
    ChannelType,
    SpiceBrushType,
    SpiceImageCompression,
    SpiceRopd,
    SpiceSurfaceFlags,
)
from spice_protocol.errors import InvalidValueError, LimitExceededError
from spice_protocol.messages.display import (
    DisplayMsg,
    DisplayMsgc,
    SpiceHead,
    SpiceMsgcDisplayInit,
    SpiceMsgcDisplayPreferredCompression,
    SpiceMsgDisplayInvalList,
    SpiceMsgDisplayInvalPalette,
    SpiceMsgDisplayMonitorsConfig,
    SpiceMsgDisplaySurfaceCreate,
    SpiceMsgDisplaySurfaceDestroy,
)
from spice_protocol.protocol import DisplayCap, has_capability

if TYPE_CHECKING:
    from spice_client.link import LinkResult
    from spice_protocol.draw import SpiceImage, SpiceQMask, SpiceRect
    from spice_protocol.messages.draw import (
        SpiceMsgDisplayBase,
        SpiceMsgDisplayCopyBits,
        SpiceMsgDisplayDrawBlackness,
        SpiceMsgDisplayDrawCopy,
        SpiceMsgDisplayDrawFill,
    )
    from spice_protocol.wire import WireStruct

__all__ = ["DisplayChannel"]

MAX_SURFACES = 1024
"""QXL devices have at most as many."""
MAX_TOTAL_SIZE = 1 << 30
"""Bytes of all surfaces: a server must not make us allocate without end."""

_UNSUPPORTED = (
    DisplayMsg.DRAW_OPAQUE,
    DisplayMsg.DRAW_BLEND,
    DisplayMsg.DRAW_ROP3,
    DisplayMsg.DRAW_STROKE,
    DisplayMsg.DRAW_TEXT,
    DisplayMsg.DRAW_TRANSPARENT,
    DisplayMsg.DRAW_ALPHA_BLEND,
    DisplayMsg.DRAW_COMPOSITE,
    DisplayMsg.STREAM_CREATE,
    DisplayMsg.GL_SCANOUT_UNIX,
)


def _box(rect: SpiceRect) -> Box:
    return Box(rect.left, rect.top, rect.right, rect.bottom)


def _size(box: Box) -> tuple[int, int]:
    return box.right - box.left, box.bottom - box.top


class DisplayChannel(Channel):
    """One display's surfaces as the server draws them.

    Drawings this client does not know raise ``UnsupportedError`` with their names: a
    wrong picture would be worse than none.
    """

    TYPE = ChannelType.DISPLAY
    CAPABILITIES: ClassVar[tuple[int, ...]] = (
        DisplayCap.MONITORS_CONFIG,
        DisplayCap.PREF_COMPRESSION,
    )
    HANDLERS: ClassVar[dict[int, str]] = {
        DisplayMsg.MARK: "handle_mark",
        DisplayMsg.RESET: "handle_reset",
        DisplayMsg.COPY_BITS: "handle_copy_bits",
        DisplayMsg.INVAL_LIST: "handle_inval_list",
        DisplayMsg.INVAL_ALL_PIXMAPS: "handle_inval_all_pixmaps",
        DisplayMsg.INVAL_PALETTE: "handle_inval_palette",
        DisplayMsg.INVAL_ALL_PALETTES: "handle_inval_all_palettes",
        DisplayMsg.DRAW_FILL: "handle_draw_fill",
        DisplayMsg.DRAW_COPY: "handle_draw_copy",
        DisplayMsg.DRAW_BLACKNESS: "handle_draw_blackness",
        DisplayMsg.DRAW_WHITENESS: "handle_draw_whiteness",
        DisplayMsg.DRAW_INVERS: "handle_draw_invers",
        DisplayMsg.SURFACE_CREATE: "handle_surface_create",
        DisplayMsg.SURFACE_DESTROY: "handle_surface_destroy",
        DisplayMsg.MONITORS_CONFIG: "handle_monitors_config",
    }

    def __init__(self, link: LinkResult, channel_id: int = 0) -> None:
        super().__init__(link, channel_id)
        for message_id in _UNSUPPORTED:
            self._handlers[message_id] = partial(self._refuse, message_id)
        self.surfaces: dict[int, Surface] = {}
        self.primary: Surface | None = None
        """The surface that is the screen."""
        self.marked = False
        """The server said that the picture may be shown."""
        self.heads: list[SpiceHead] = []
        """Monitors of the last MONITORS_CONFIG."""
        self.draws = 0
        """Drawings done so far."""
        self._images = ImageCache(self.surfaces)

    def start(self, *, cache_pixels: int = 20 << 20) -> None:
        """Send what a server waits for: INIT, and that raw images are wanted."""
        wish = SpiceMsgcDisplayPreferredCompression(SpiceImageCompression.OFF)
        words = self.link.channel_capabilities
        self.send(DisplayMsgc.INIT, SpiceMsgcDisplayInit(1, cache_pixels, 1, 0))
        if has_capability(words, DisplayCap.PREF_COMPRESSION):
            self.send(DisplayMsgc.PREFERRED_COMPRESSION, wish)

    def _refuse(self, message_id: int, _message: object) -> None:
        raise UnsupportedError(f"the server sent {self.name_of(message_id)}")

    def _surface(self, surface_id: int, message_id: int) -> Surface:
        surface = self.surfaces.get(surface_id)
        if surface is None:
            name = self.name_of(message_id)
            raise InvalidValueError(f"{name}: there is no surface {surface_id}")
        return surface

    def _visible(
        self, base: SpiceMsgDisplayBase, message_id: int
    ) -> tuple[Surface, list[Box]]:
        """Return the surface and what of the drawing's box is drawn."""
        surface = self._surface(base.surface_id, message_id)
        whole = intersect(_box(base.box), surface.box)
        if whole is None:
            return surface, []
        if base.clip.rects is None:
            return surface, [whole]
        parts = (intersect(whole, _box(rect)) for rect in base.clip.rects)
        return surface, [part for part in parts if part is not None]

    def _require_put(self, rop: int, mask: SpiceQMask, message_id: int) -> None:
        if rop != SpiceRopd.OP_PUT:
            raise UnsupportedError(f"{self.name_of(message_id)}: rop {rop:#x}")
        self._require_no_mask(mask, message_id)

    def _require_no_mask(self, mask: SpiceQMask, message_id: int) -> None:
        if mask.bitmap is not None:
            raise UnsupportedError(f"{self.name_of(message_id)}: a mask")

    def handle_mark(self, _message: WireStruct) -> None:
        """Show the picture."""
        self.marked = True

    def handle_reset(self, _message: WireStruct) -> None:
        """Forget all surfaces and caches."""
        self.surfaces.clear()
        self.primary = None
        self.marked = False
        self._images.clear()

    def handle_surface_create(self, message: SpiceMsgDisplaySurfaceCreate) -> None:
        """Make a surface."""
        if message.surface_id in self.surfaces:
            raise InvalidValueError(f"surface {message.surface_id} exists already")
        surface = Surface(message.width, message.height, message.format)
        total = sum(len(other.pixels) for other in self.surfaces.values())
        if len(self.surfaces) >= MAX_SURFACES or total > MAX_TOTAL_SIZE:
            raise LimitExceededError(f"{len(self.surfaces)} surfaces, {total} bytes")
        self.surfaces[message.surface_id] = surface
        if message.flags & SpiceSurfaceFlags.PRIMARY:
            self.primary = surface
            self.marked = False

    def handle_surface_destroy(self, message: SpiceMsgDisplaySurfaceDestroy) -> None:
        """Forget a surface."""
        surface = self._surface(message.surface_id, DisplayMsg.SURFACE_DESTROY)
        del self.surfaces[message.surface_id]
        if surface is self.primary:
            self.primary = None
            self.marked = False

    def handle_monitors_config(self, message: SpiceMsgDisplayMonitorsConfig) -> None:
        """Note where monitors are."""
        self.heads = message.heads

    def handle_draw_copy(self, message: SpiceMsgDisplayDrawCopy) -> None:
        """Copy an image to a surface."""
        name = self.name_of(DisplayMsg.DRAW_COPY)
        data, box = message.data, _box(message.base.box)
        self._require_put(data.rop_descriptor, data.mask, DisplayMsg.DRAW_COPY)
        source = _box(data.src_area)
        if _size(source) != _size(box):
            raise UnsupportedError(f"{name}: scaling {_size(source)} to {_size(box)}")
        bitmap = self._images.bitmap(self._image(data.src_bitmap, name), name)
        surface, parts = self._visible(message.base, DisplayMsg.DRAW_COPY)
        dx, dy = source.left - box.left, source.top - box.top
        for part in parts:
            wanted = Box(
                part.left + dx, part.top + dy, part.right + dx, part.bottom + dy
            )
            try:
                pixels = bitmap.convert(surface.format, wanted)
            except ValueError as error:
                raise InvalidValueError(f"{name}: {error}") from error
            surface.put(part, pixels)
        self.draws += 1

    @staticmethod
    def _image(image: SpiceImage | None, name: str) -> SpiceImage:
        if image is None:
            raise InvalidValueError(f"{name} without an image")
        return image

    def handle_draw_fill(self, message: SpiceMsgDisplayDrawFill) -> None:
        """Paint with one colour."""
        data = message.data
        self._require_put(data.rop_descriptor, data.mask, DisplayMsg.DRAW_FILL)
        if data.brush.type != SpiceBrushType.SOLID:
            name = self.name_of(DisplayMsg.DRAW_FILL)
            raise UnsupportedError(f"{name}: brush type {data.brush.type}")
        self._fill(message.base, data.brush.color, DisplayMsg.DRAW_FILL)

    def handle_draw_blackness(self, message: SpiceMsgDisplayDrawBlackness) -> None:
        """Paint black."""
        self._require_no_mask(message.data.mask, DisplayMsg.DRAW_BLACKNESS)
        self._fill(message.base, 0, DisplayMsg.DRAW_BLACKNESS)

    def handle_draw_whiteness(self, message: SpiceMsgDisplayDrawBlackness) -> None:
        """Paint white."""
        self._require_no_mask(message.data.mask, DisplayMsg.DRAW_WHITENESS)
        self._fill(message.base, 0xFFFFFFFF, DisplayMsg.DRAW_WHITENESS)

    def _fill(self, base: SpiceMsgDisplayBase, color: int, message_id: int) -> None:
        surface, parts = self._visible(base, message_id)
        for part in parts:
            surface.fill(part, color)
        self.draws += 1

    def handle_draw_invers(self, message: SpiceMsgDisplayDrawBlackness) -> None:
        """Invert pixels."""
        self._require_no_mask(message.data.mask, DisplayMsg.DRAW_INVERS)
        surface, parts = self._visible(message.base, DisplayMsg.DRAW_INVERS)
        for part in parts:
            surface.invert(part)
        self.draws += 1

    def handle_copy_bits(self, message: SpiceMsgDisplayCopyBits) -> None:
        """Move pixels inside a surface."""
        surface, parts = self._visible(message.base, DisplayMsg.COPY_BITS)
        dx = message.src_pos.x - message.base.box.left
        dy = message.src_pos.y - message.base.box.top
        # All parts show what was there before any of them was drawn.
        before = surface if len(parts) < 2 else surface.copy()
        for part in parts:
            surface.put(part, before.moved(part, dx, dy))
        self.draws += 1

    def handle_inval_list(self, message: SpiceMsgDisplayInvalList) -> None:
        """Forget cached images."""
        for resource in message.resources:
            self._images.forget(resource.id)

    def handle_inval_all_pixmaps(self, _message: WireStruct) -> None:
        """Forget all cached images."""
        self._images.forget_images()

    def handle_inval_palette(self, message: SpiceMsgDisplayInvalPalette) -> None:
        """Forget a cached palette."""
        self._images.forget_palette(message.id)

    def handle_inval_all_palettes(self, _message: WireStruct) -> None:
        """Forget all cached palettes."""
        self._images.forget_palettes()
