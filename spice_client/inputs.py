"""The inputs channel: keys and pointer to the guest (sans-I/O)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from spice_client.channel import Channel
from spice_client.keyboard import break_code, make_code, scancodes_of
from spice_protocol.enums import ChannelType, SpiceMouseButton, SpiceMouseButtonMask
from spice_protocol.messages.base import SpiceMsgData
from spice_protocol.messages.inputs import (
    InputsMsg,
    InputsMsgc,
    SpiceMsgcInputsKeyDown,
    SpiceMsgcInputsKeyUp,
    SpiceMsgcInputsMouseMotion,
    SpiceMsgcInputsMousePosition,
    SpiceMsgcInputsMousePress,
    SpiceMsgcInputsMouseRelease,
    SpiceMsgInputsInit,
    SpiceMsgInputsKeyModifiers,
)
from spice_protocol.protocol import (
    SPICE_INPUT_MOTION_ACK_BUNCH,
    InputsCap,
    has_capability,
)

if TYPE_CHECKING:
    from spice_client.link import LinkResult
    from spice_client.session import Session
    from spice_protocol.wire import WireStruct

__all__ = ["InputsChannel"]

MAX_UNACKNOWLEDGED = 2 * SPICE_INPUT_MOTION_ACK_BUNCH
"""Motion messages in flight, as spice-gtk has it; more motion is summed up."""


class InputsChannel(Channel):
    """A keyboard and a mouse."""

    TYPE = ChannelType.INPUTS
    HANDLERS: ClassVar[dict[int, str]] = {
        InputsMsg.INIT: "handle_init",
        InputsMsg.KEY_MODIFIERS: "handle_key_modifiers",
        InputsMsg.MOUSE_MOTION_ACK: "handle_mouse_motion_ack",
    }

    def __init__(
        self, link: LinkResult, channel_id: int = 0, session: Session | None = None
    ) -> None:
        super().__init__(link, channel_id, session)
        self.modifiers = 0
        """``SPICE_KEYBOARD_MODIFIER_FLAGS_*`` the guest shows lit."""
        self.buttons = 0
        """``SPICE_MOUSE_BUTTON_MASK_*`` that are down."""
        self._in_flight = 0
        self._motion = (0, 0)
        self._position: tuple[int, int, int] | None = None

    def handle_init(self, message: SpiceMsgInputsInit) -> None:
        """Note the lock keys."""
        self.modifiers = message.keyboard_modifiers

    def handle_key_modifiers(self, message: SpiceMsgInputsKeyModifiers) -> None:
        """Note the lock keys."""
        self.modifiers = message.modifiers

    def handle_mouse_motion_ack(self, _message: WireStruct) -> None:
        """Send motion that had to wait."""
        self._in_flight = max(0, self._in_flight - SPICE_INPUT_MOTION_ACK_BUNCH)
        self._flush_motion()

    def key_down(self, key: int) -> None:
        """Press a key (scancode of set 1; see :mod:`spice_client.keyboard`)."""
        code = int.from_bytes(make_code(key), "little")
        self.send(InputsMsgc.KEY_DOWN, SpiceMsgcInputsKeyDown(code))

    def key_up(self, key: int) -> None:
        """Release a key."""
        code = int.from_bytes(break_code(key), "little")
        self.send(InputsMsgc.KEY_UP, SpiceMsgcInputsKeyUp(code))

    def press_and_release(self, key: int) -> None:
        """Type one key, in one message if the server has KEY_SCANCODE."""
        if has_capability(self.link.channel_capabilities, InputsCap.KEY_SCANCODE):
            data = make_code(key) + break_code(key)
            self.send(InputsMsgc.KEY_SCANCODE, SpiceMsgData(data))
        else:
            self.key_down(key)
            self.key_up(key)

    def type_text(self, text: str) -> None:
        """Type *text* as on a US keyboard; the server must have KEY_SCANCODE.

        Raises:
            ValueError: a character is on no key.

        """
        codes = scancodes_of(text)
        if codes:
            self.send(InputsMsgc.KEY_SCANCODE, SpiceMsgData(codes))

    def set_modifiers(self, modifiers: int) -> None:
        """Ask for these lock keys to be lit."""
        message = SpiceMsgInputsKeyModifiers(modifiers)
        self.send(InputsMsgc.KEY_MODIFIERS, message)

    def move(self, dx: int, dy: int) -> None:
        """Move the mouse; server mouse mode."""
        self._motion = (self._motion[0] + dx, self._motion[1] + dy)
        self._flush_motion()

    def move_to(self, x: int, y: int, display_id: int = 0) -> None:
        """Put the pointer on a pixel; client mouse mode."""
        self._position = (x, y, display_id)
        self._flush_motion()

    def _flush_motion(self) -> None:
        if self._in_flight >= MAX_UNACKNOWLEDGED:
            return
        if self._motion != (0, 0):
            motion = SpiceMsgcInputsMouseMotion(*self._motion, self.buttons)
            self._motion = (0, 0)
            self._in_flight += 1
            self.send(InputsMsgc.MOUSE_MOTION, motion)
        if self._position is not None:
            x, y, display_id = self._position
            self._position = None
            self._in_flight += 1
            position = SpiceMsgcInputsMousePosition(x, y, self.buttons, display_id)
            self.send(InputsMsgc.MOUSE_POSITION, position)

    def button_down(self, button: int) -> None:
        """Press ``SPICE_MOUSE_BUTTON_*``; wheel steps never stay down."""
        if button not in _WHEEL:
            self.buttons |= _mask(button)
        message = SpiceMsgcInputsMousePress(button, self.buttons)
        self.send(InputsMsgc.MOUSE_PRESS, message)

    def button_up(self, button: int) -> None:
        """Release ``SPICE_MOUSE_BUTTON_*``."""
        self.buttons &= ~_mask(button)
        message = SpiceMsgcInputsMouseRelease(button, self.buttons)
        self.send(InputsMsgc.MOUSE_RELEASE, message)

    def click(self, button: int = SpiceMouseButton.LEFT) -> None:
        """Press and release a button, or turn the wheel by one step."""
        self.button_down(button)
        self.button_up(button)


_WHEEL = (SpiceMouseButton.UP, SpiceMouseButton.DOWN)


def _mask(button: int) -> int:
    return SpiceMouseButtonMask[SpiceMouseButton(button).name].value
