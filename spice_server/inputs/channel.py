"""The inputs channel: keys and pointer to the guest (spice.proto, InputsChannel)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, ClassVar, Final

from spice_protocol.enums import ChannelType, SpiceMouseButton
from spice_protocol.messages.inputs import (
    InputsMsg,
    InputsMsgc,
    SpiceMsgcInputsKeyDown,
    SpiceMsgcInputsMouseMotion,
    SpiceMsgcInputsMousePosition,
    SpiceMsgcInputsMousePress,
    SpiceMsgInputsInit,
    SpiceMsgInputsKeyModifiers,
)
from spice_protocol.protocol import InputsCap
from spice_server.channel.channel import Channel
from spice_server.channel.channel_client import ChannelClient
from spice_server.errors import ClientError
from spice_server.inputs.lock_keys import LockKeys
from spice_server.inputs.motion_ack import MotionAck

if TYPE_CHECKING:
    from collections.abc import Callable

    from spice_server.agent.agent import Agent
    from spice_server.channel.connection import Connection
    from spice_server.channel.link_info import LinkInfo
    from spice_server.main.mouse_mode import MouseMode
    from vd_interfaces.input import InputSink

__all__ = ["InputsChannel", "InputsClient"]

MAX_SCANCODE: Final = 32
"""Bytes of a KEY_SCANCODE message: a press and a release are 2 to 12."""


class InputsClient(ChannelClient):
    """One client's keyboard and mouse."""

    logger: ClassVar[logging.Logger] = logging.getLogger(__name__)

    def __init__(
        self, channel: InputsChannel, connection: Connection, link: LinkInfo
    ) -> None:
        super().__init__(connection, link)
        self._channel = channel
        self._sink = channel.sink
        self._motion_ack = MotionAck()

    def handlers(self) -> dict[int, Callable[[memoryview], None]]:
        """Return the handlers of the base and the inputs messages."""
        return super().handlers() | {
            InputsMsgc.KEY_DOWN: self.handle_key,
            InputsMsgc.KEY_UP: self.handle_key,
            InputsMsgc.KEY_MODIFIERS: self.handle_key_modifiers,
            InputsMsgc.KEY_SCANCODE: self.handle_key_scancode,
            InputsMsgc.MOUSE_MOTION: self.handle_mouse_motion,
            InputsMsgc.MOUSE_POSITION: self.handle_mouse_position,
            InputsMsgc.MOUSE_PRESS: self.handle_mouse_press,
            InputsMsgc.MOUSE_RELEASE: self.handle_mouse_release,
        }

    def greet(self) -> None:
        """Say which lock keys are on."""
        message = SpiceMsgInputsInit(self._channel.lock_keys.state)
        self.send(InputsMsg.INIT, message.pack())

    def cleanup(self) -> None:
        """Release what the client held down."""
        self._sink.release_all()
        self._channel.agent.release_all()

    # -- keyboard --------------------------------------------------------------

    def handle_key(self, body: memoryview) -> None:
        """KEY_DOWN and KEY_UP: up to four bytes, the first one lowest, ended by 0."""
        code = SpiceMsgcInputsKeyDown.unpack(body).code
        self._channel.push_scancodes(code.to_bytes(4, "little").partition(b"\0")[0])

    def handle_key_scancode(self, body: memoryview) -> None:
        """KEY_SCANCODE: the bytes of presses and releases as they are."""
        if len(body) > MAX_SCANCODE:
            raise ClientError(f"{len(body)} bytes, at most {MAX_SCANCODE}")
        self._channel.push_scancodes(bytes(body))

    def handle_key_modifiers(self, body: memoryview) -> None:
        """KEY_MODIFIERS: make the guest's lock keys the client's."""
        modifiers = SpiceMsgInputsKeyModifiers.unpack(body).modifiers
        codes = self._channel.lock_keys.to_reach(modifiers)
        self._channel.push_scancodes(codes)

    # -- pointer ---------------------------------------------------------------

    def handle_mouse_motion(self, body: memoryview) -> None:
        """MOUSE_MOTION: relative, server mouse mode only."""
        message = SpiceMsgcInputsMouseMotion.unpack(body)
        self._acknowledge()
        if not self._channel.mouse_mode.is_client:
            self._sink.motion(message.dx, message.dy, 0, message.buttons_state)

    def handle_mouse_position(self, body: memoryview) -> None:
        """MOUSE_POSITION: absolute, client mouse mode only."""
        message = SpiceMsgcInputsMousePosition.unpack(body)
        self._acknowledge()
        if self._channel.mouse_mode.is_client:
            self._channel.pointer.position(
                message.x, message.y, message.buttons_state, message.display_id
            )

    def handle_mouse_press(self, body: memoryview) -> None:
        """MOUSE_PRESS: whether or not the client's mask shows the button already."""
        message = SpiceMsgcInputsMousePress.unpack(body)
        self._channel.pointer.buttons(message.buttons_state | _mask(message.button))

    def handle_mouse_release(self, body: memoryview) -> None:
        """MOUSE_RELEASE: whether or not the client's mask still shows the button."""
        message = SpiceMsgcInputsMousePress.unpack(body)
        self._channel.pointer.buttons(message.buttons_state & ~_mask(message.button))

    def _acknowledge(self) -> None:
        if self._motion_ack.received():
            self.send(InputsMsg.MOUSE_MOTION_ACK)


def _mask(button: int) -> int:
    """Return the SpiceMouseButtonMask of a button, 0 for one that is not known."""
    known = SpiceMouseButton.LEFT <= button <= SpiceMouseButton.EXTRA
    return 1 << button - SpiceMouseButton.LEFT if known else 0


class InputsChannel(Channel):
    """The inputs channel of all sessions; they share one keyboard and mouse."""

    type: ClassVar[ChannelType] = ChannelType.INPUTS
    capabilities: ClassVar[tuple[int, ...]] = (InputsCap.KEY_SCANCODE,)

    def __init__(self, sink: InputSink, mouse_mode: MouseMode, agent: Agent) -> None:
        super().__init__()
        self.sink = sink
        self.agent = agent
        self.mouse_mode = mouse_mode
        self.lock_keys = LockKeys(sink.leds)
        sink.on_change(self._sink_changed)

    def create_client(self, connection: Connection, link: LinkInfo) -> InputsClient:
        """Make the client of a new link."""
        return InputsClient(self, connection, link)

    @property
    def pointer(self) -> InputSink | Agent:
        """Who takes the pointer: in client mode an agent comes before a tablet."""
        by_agent = self.mouse_mode.is_client and self.agent.takes_pointer
        return self.agent if by_agent else self.sink

    def push_scancodes(self, codes: bytes) -> None:
        """Let the guest see *codes*; clients learn what lock keys they change."""
        before = self.lock_keys.state
        for byte in codes:
            self.lock_keys.pressed(byte)
            self.sink.push_scancode(byte)
        if self.lock_keys.state != before:
            self._send_modifiers()

    def _sink_changed(self) -> None:
        if self.lock_keys.leds_changed(self.sink.leds):
            self._send_modifiers()

    def _send_modifiers(self) -> None:
        message = SpiceMsgInputsKeyModifiers(self.lock_keys.state).pack()
        for client in self.clients.values():
            client.send(InputsMsg.KEY_MODIFIERS, message)
