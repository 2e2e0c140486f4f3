"""A client's keys and pointer to the guest, by QMP ``input-send-event`` (qapi/ui.json).

Commands are sent without waiting for replies, up to a bound; beyond it they wait here,
where motion on motion becomes one.  One command is one packet of the guest's device
(QEMU syncs after each), so two changes of a button never share one.

QMP does not tell which keyboard LEDs are lit: ``leds`` is what the locks would show if
all were off at first and nobody else had pressed them.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from typing import TYPE_CHECKING, Protocol

from qmp_bridge.desktop import Desktop
from qmp_bridge.input_packet import InputPacket, button_event, key_event
from qmp_bridge.scancodes import (
    CAPS_LOCK,
    NUM_LOCK,
    SCROLL_LOCK,
    KeyChange,
    ScancodeReader,
)
from spice_protocol.enums import SpiceKeyboardModifierFlags, SpiceMouseButtonMask

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping

    from vd_interfaces.qxl import Rect

__all__ = ["CommandPipe", "QmpInputSink"]

_log = logging.getLogger(__name__)

MAX_IN_FLIGHT = 4
"""Commands not answered; enough to never wait for a QEMU that keeps up."""

MAX_PENDING = 4096
"""Packets that wait for a QEMU that hangs; then only releases are still taken."""

MICE_INTERVAL_S = 2.0
"""Seconds between looks at query-mice: no event tells when a guest uses its tablet."""

# To QAPI InputButton.
_BUTTONS = {
    SpiceMouseButtonMask.LEFT: "left",
    SpiceMouseButtonMask.MIDDLE: "middle",
    SpiceMouseButtonMask.RIGHT: "right",
    SpiceMouseButtonMask.SIDE: "side",
    SpiceMouseButtonMask.EXTRA: "extra",
}
_WHEEL = {
    SpiceMouseButtonMask.UP: "wheel-up",
    SpiceMouseButtonMask.DOWN: "wheel-down",
}

# By key number.
_LOCKS = {
    SCROLL_LOCK: SpiceKeyboardModifierFlags.SCROLL_LOCK,
    NUM_LOCK: SpiceKeyboardModifierFlags.NUM_LOCK,
    CAPS_LOCK: SpiceKeyboardModifierFlags.CAPS_LOCK,
}


class CommandPipe(Protocol):
    """A way to QEMU that keeps order (``qemu_link.QemuPipe``)."""

    def submit(self, message: bytes, on_reply: Callable[[bytes], None]) -> None:
        """Send a command; *on_reply* gets the line of the answer."""


class QmpInputSink:
    """``vd_interfaces.input.InputSink`` for a guest with any input devices of QEMU's."""

    def __init__(self, pipe: CommandPipe) -> None:
        """Send through *pipe*; ``start`` begins to watch for a tablet."""
        self._pipe = pipe
        self._scancodes = ScancodeReader()
        self._pending: deque[InputPacket] = deque()
        self._in_flight = 0
        self._keys: set[int] = set()
        self._button_mask = 0
        self._desktop = Desktop({})
        self._has_tablet = False
        self._leds = 0
        self._callbacks: list[Callable[[], None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._asking = False
        self.dropped = 0
        """Presses not sent because QEMU hung."""
        self.refused = 0
        """Commands that QEMU answered with an error: no such device."""

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look for a tablet now and again, until ``stop``."""
        self._loop = loop
        self._watch()

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop = None

    def refresh(self) -> None:
        """Look for a tablet now."""
        if not self._asking:
            self._asking = True
            self._pipe.submit(b'{"execute":"query-mice"}', self._on_mice)

    # vd_interfaces.input.InputSink

    @property
    def has_tablet(self) -> bool:
        """Whether the guest uses an absolute pointing device."""
        return self._has_tablet

    @property
    def leds(self) -> int:
        """``SPICE_KEYBOARD_MODIFIER_FLAGS_*`` that the locks pressed here would show."""
        return self._leds

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call *callback* whenever ``leds`` or ``has_tablet`` may have changed."""
        self._callbacks.append(callback)

    def push_scancode(self, byte: int) -> None:
        """One byte of a PC scancode, set 1."""
        change = self._scancodes.push(byte)
        if change is not None:
            self._push_key(change)

    def motion(self, dx: int, dy: int, dz: int, buttons: int) -> None:
        """Relative motion; *dz* below 0 is a step of the wheel up."""
        wheel = 0
        if dz:
            wheel = SpiceMouseButtonMask.UP if dz < 0 else SpiceMouseButtonMask.DOWN
        changes = self._change_buttons(buttons, wheel)
        if changes or dx or dy:
            self._put(InputPacket(changes, "rel", dx, dy))

    def position(self, x: int, y: int, buttons: int, display_id: int) -> None:
        """Pointer at pixel (*x*, *y*) of a display: the tablet covers the desktop."""
        changes = self._change_buttons(buttons)
        self._put(InputPacket(changes, "abs", *self._desktop.locate(display_id, x, y)))

    def buttons(self, buttons: int) -> None:
        """Buttons changed without motion; wheel steps are buttons 4 and 5."""
        changes = self._change_buttons(buttons)
        if changes:
            self._put(InputPacket(changes))

    def set_displays(self, displays: Mapping[int, Rect]) -> None:
        """Where displays lie on the guest's desktop."""
        self._desktop = Desktop(displays)

    def release_all(self) -> None:
        """Release every key and button that is down."""
        self._scancodes = ScancodeReader()
        for number in sorted(self._keys):
            self._push_key(KeyChange(number, down=False))
        self.buttons(0)

    def _push_key(self, change: KeyChange) -> None:
        if self._full and (change.down or change.number not in self._keys):
            self._drop()
            return
        if change.down:
            if change.number not in self._keys:
                self._toggle_lock(change.number)
            self._keys.add(change.number)
        else:
            self._keys.discard(change.number)
        self._put(InputPacket([key_event(change)]))

    def _toggle_lock(self, number: int) -> None:
        if number in _LOCKS:
            self._leds ^= _LOCKS[number]
            self._changed()

    def _change_buttons(self, buttons: int, wheel: int = 0) -> list[str]:
        """Note the buttons' state; the events that lead to it."""
        if self._full and (wheel or buttons & ~self._button_mask):
            self._drop()
            buttons, wheel = buttons & self._button_mask, 0
        changed = buttons ^ self._button_mask
        self._button_mask = buttons
        events = [
            button_event(name, down=bool(buttons & bit))
            for bit, name in _BUTTONS.items()
            if changed & bit
        ]
        for bit, name in _WHEEL.items():
            if (buttons & changed | wheel) & bit:
                events += [
                    button_event(name, down=True),
                    button_event(name, down=False),
                ]
        return events

    def _put(self, packet: InputPacket) -> None:
        if self._pending and self._pending[-1].merge(packet):
            return
        if self._full and not packet.changes:
            return
        self._pending.append(packet)
        self._flush()

    @property
    def _full(self) -> bool:
        return len(self._pending) >= MAX_PENDING

    def _drop(self) -> None:
        if not self.dropped:
            _log.warning("QEMU takes no input; key presses are dropped")
        self.dropped += 1

    def _flush(self) -> None:
        while self._pending and self._in_flight < MAX_IN_FLIGHT:
            self._in_flight += 1
            self._pipe.submit(self._pending.popleft().command(), self._on_reply)

    def _on_reply(self, line: bytes) -> None:
        self._in_flight -= 1
        if b'"error"' in line:
            if not self.refused:
                _log.warning("QEMU refuses input: %s", line.decode("ascii", "replace"))
            self.refused += 1
        self._flush()

    def _watch(self) -> None:
        self.refresh()
        if self._loop is not None:
            self._timer = self._loop.call_later(MICE_INTERVAL_S, self._watch)

    def _on_mice(self, line: bytes) -> None:
        self._asking = False
        mice = json.loads(line).get("return", [])
        has_tablet = any(mouse["current"] and mouse["absolute"] for mouse in mice)
        if has_tablet != self._has_tablet:
            self._has_tablet = has_tablet
            self._changed()

    def _changed(self) -> None:
        for callback in self._callbacks:
            callback()
