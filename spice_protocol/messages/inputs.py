"""Messages of the inputs channel (spice.proto, InputsChannel)."""

from __future__ import annotations

import enum

from spice_protocol.messages.base import MessageClass, SpiceMsgData, SpiceMsgEmpty
from spice_protocol.wire import WireStruct, i32, u8, u16, u32

__all__ = [
    "MSG",
    "MSGC",
    "InputsMsg",
    "InputsMsgc",
    "SpiceMsgInputsInit",
    "SpiceMsgInputsKeyModifiers",
    "SpiceMsgcInputsKeyDown",
    "SpiceMsgcInputsKeyUp",
    "SpiceMsgcInputsMouseMotion",
    "SpiceMsgcInputsMousePosition",
    "SpiceMsgcInputsMousePress",
    "SpiceMsgcInputsMouseRelease",
]


class InputsMsg(enum.IntEnum):
    """``SPICE_MSG_INPUTS_*``: server to client."""

    INIT = 101
    KEY_MODIFIERS = 102
    MOUSE_MOTION_ACK = 111


class InputsMsgc(enum.IntEnum):
    """``SPICE_MSGC_INPUTS_*``: client to server."""

    KEY_DOWN = 101
    KEY_UP = 102
    KEY_MODIFIERS = 103
    KEY_SCANCODE = 104
    MOUSE_MOTION = 111
    MOUSE_POSITION = 112
    MOUSE_PRESS = 113
    MOUSE_RELEASE = 114


class SpiceMsgInputsInit(WireStruct):
    """Lock keys of the guest when the channel opens."""

    keyboard_modifiers: u16


class SpiceMsgInputsKeyModifiers(WireStruct):
    """``SPICE_KEYBOARD_MODIFIER_FLAGS_*``, either direction."""

    modifiers: u16


class SpiceMsgcInputsKeyDown(WireStruct):
    """A key went down: up to four bytes of scancode set 1, first byte lowest."""

    code: u32


class SpiceMsgcInputsKeyUp(WireStruct):
    """A key went up: its break code, packed as in KEY_DOWN."""

    code: u32


class SpiceMsgcInputsMouseMotion(WireStruct):
    """Relative motion, server mouse mode."""

    dx: i32
    dy: i32
    buttons_state: u16


class SpiceMsgcInputsMousePosition(WireStruct):
    """Pointer at a pixel of a display, client mouse mode."""

    x: u32
    y: u32
    buttons_state: u16
    display_id: u8


class SpiceMsgcInputsMousePress(WireStruct):
    """``SPICE_MOUSE_BUTTON_*`` went down; the mask may or may not show it."""

    button: u8
    buttons_state: u16


class SpiceMsgcInputsMouseRelease(WireStruct):
    """``SPICE_MOUSE_BUTTON_*`` went up."""

    button: u8
    buttons_state: u16


MSG: dict[int, MessageClass] = {
    InputsMsg.INIT: SpiceMsgInputsInit,
    InputsMsg.KEY_MODIFIERS: SpiceMsgInputsKeyModifiers,
    InputsMsg.MOUSE_MOTION_ACK: SpiceMsgEmpty,
}
MSGC: dict[int, MessageClass] = {
    InputsMsgc.KEY_DOWN: SpiceMsgcInputsKeyDown,
    InputsMsgc.KEY_UP: SpiceMsgcInputsKeyUp,
    InputsMsgc.KEY_MODIFIERS: SpiceMsgInputsKeyModifiers,
    InputsMsgc.KEY_SCANCODE: SpiceMsgData,
    InputsMsgc.MOUSE_MOTION: SpiceMsgcInputsMouseMotion,
    InputsMsgc.MOUSE_POSITION: SpiceMsgcInputsMousePosition,
    InputsMsgc.MOUSE_PRESS: SpiceMsgcInputsMousePress,
    InputsMsgc.MOUSE_RELEASE: SpiceMsgcInputsMouseRelease,
}
