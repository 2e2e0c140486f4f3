"""Keys and pointer as the wire wants them."""

from __future__ import annotations

import pytest

from spice_client import keyboard
from spice_client.inputs import InputsChannel
from spice_protocol.enums import SpiceMouseButton
from spice_protocol.messages.inputs import (
    InputsMsg,
    InputsMsgc,
    SpiceMsgInputsInit,
    SpiceMsgInputsKeyModifiers,
)
from tests.fakes.spice_peer import FULL, MINI, framed, unframed

UP = keyboard.KEYS["up"]


@pytest.fixture
def inputs() -> InputsChannel:
    return InputsChannel(MINI)


def test_modifiers(inputs: InputsChannel) -> None:
    inputs.receive_data(framed(InputsMsg.INIT, SpiceMsgInputsInit(2)))
    assert inputs.modifiers == 2
    message = SpiceMsgInputsKeyModifiers(4)
    inputs.receive_data(framed(InputsMsg.KEY_MODIFIERS, message))
    assert inputs.modifiers == 4
    inputs.set_modifiers(1)
    assert unframed(inputs.data_to_send()) == [(InputsMsgc.KEY_MODIFIERS, b"\x01\0")]


def test_scancodes_of_one_key(inputs: InputsChannel) -> None:
    inputs.press_and_release(keyboard.KEYS["enter"])
    inputs.press_and_release(UP)
    assert unframed(inputs.data_to_send()) == [
        (InputsMsgc.KEY_SCANCODE, b"\x1c\x9c"),
        (InputsMsgc.KEY_SCANCODE, b"\xe0\x48\xe0\xc8"),
    ]


def test_long_presses(inputs: InputsChannel) -> None:
    inputs.key_down(UP)
    inputs.key_up(UP)
    inputs.key_down(0x2A)
    assert unframed(inputs.data_to_send()) == [
        (InputsMsgc.KEY_DOWN, b"\xe0\x48\0\0"),
        (InputsMsgc.KEY_UP, b"\xe0\xc8\0\0"),
        (InputsMsgc.KEY_DOWN, b"\x2a\0\0\0"),
    ]


def test_server_without_scancodes() -> None:
    inputs = InputsChannel(FULL)
    inputs.press_and_release(0x1C)
    data = inputs.data_to_send()
    assert data[8:10] == bytes([InputsMsgc.KEY_DOWN, 0])
    assert data[30:32] == bytes([InputsMsgc.KEY_UP, 0])


def test_text(inputs: InputsChannel) -> None:
    inputs.type_text("aA 1!\n")
    [(message_id, codes)] = unframed(inputs.data_to_send())
    assert message_id == InputsMsgc.KEY_SCANCODE
    assert codes.hex(" ", 2) == ("1e9e 2a1e 9eaa 39b9 0282 2a02 82aa 1c9c")
    inputs.type_text("")
    assert inputs.data_to_send() == b""


def test_text_that_is_on_no_key(inputs: InputsChannel) -> None:
    with pytest.raises(ValueError, match="'é' is on no key"):
        inputs.type_text("café")


def test_every_printable_character_has_a_key() -> None:
    text = "".join(chr(code) for code in range(0x20, 0x7F))
    assert keyboard.scancodes_of(text)


def test_motion_waits_for_acks(inputs: InputsChannel) -> None:
    for _ in range(20):
        inputs.move(1, -1)
    messages = unframed(inputs.data_to_send())
    assert len(messages) == 8
    inputs.receive_data(framed(InputsMsg.MOUSE_MOTION_ACK))
    [(message_id, body)] = unframed(inputs.data_to_send())
    assert message_id == InputsMsgc.MOUSE_MOTION
    assert body == (12).to_bytes(4, "little") + (-12).to_bytes(
        4, "little", signed=True
    ) + bytes(2)


def test_last_position_wins(inputs: InputsChannel) -> None:
    for x in range(20):
        inputs.move_to(x, 2 * x, 1)
    assert len(unframed(inputs.data_to_send())) == 8
    inputs.receive_data(framed(InputsMsg.MOUSE_MOTION_ACK))
    [(message_id, body)] = unframed(inputs.data_to_send())
    assert message_id == InputsMsgc.MOUSE_POSITION
    assert body == bytes.fromhex("13000000 26000000 0000 01")


def test_buttons(inputs: InputsChannel) -> None:
    inputs.button_down(SpiceMouseButton.LEFT)
    inputs.click(SpiceMouseButton.RIGHT)
    inputs.button_up(SpiceMouseButton.LEFT)
    assert unframed(inputs.data_to_send()) == [
        (InputsMsgc.MOUSE_PRESS, b"\x01\x01\0"),
        (InputsMsgc.MOUSE_PRESS, b"\x03\x05\0"),
        (InputsMsgc.MOUSE_RELEASE, b"\x03\x01\0"),
        (InputsMsgc.MOUSE_RELEASE, b"\x01\0\0"),
    ]


def test_wheel_is_never_down(inputs: InputsChannel) -> None:
    inputs.click(SpiceMouseButton.UP)
    assert unframed(inputs.data_to_send()) == [
        (InputsMsgc.MOUSE_PRESS, b"\x04\0\0"),
        (InputsMsgc.MOUSE_RELEASE, b"\x04\0\0"),
    ]
