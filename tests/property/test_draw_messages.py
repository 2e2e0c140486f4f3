"""Commands become messages and come back, whatever they are; bytes never do harm."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from spice_common._c import ffi, lib
from spice_common.command_batch import CommandBatch
from spice_protocol.qxl_dev import QXLCmdType
from tests.fakes.command_memory import CommandMemory
from tests.fakes.draw_commands import flatten, place
from tests.fakes.draw_messages import TYPES, draw_messages, qxl_messages

HEADER = 6
quick = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow]
)


class Messages:
    """A run of messages by the C core."""

    def __init__(self) -> None:
        self.cdata: Any = ffi.gc(lib.display_messages_new(), lib.display_messages_free)

    def write(self, batch: CommandBatch, index: int = 0) -> tuple[int, bytes]:
        """Return type and body of the message for a draw."""
        lib.display_messages_clear(self.cdata)
        assert lib.command_to_message(self.cdata, batch.cdata, index) == 0
        data = bytes(ffi.buffer(self.cdata.data, self.cdata.size))
        kind = int.from_bytes(data[:2], "little")
        assert int.from_bytes(data[2:HEADER], "little") == len(data) - HEADER
        return kind, data[HEADER:]


def read(body: Any, message_type: int) -> tuple[CommandBatch, int]:
    batch = CommandBatch()
    error = lib.message_to_command(body, len(body), message_type, batch.cdata)
    return batch, error


def owned(body: bytes) -> Any:
    return ffi.new("uint8_t[]", body)


@pytest.mark.parametrize("message_type", TYPES)
@given(st.data())
@quick
def test_message_to_command_to_message(message_type: int, data: st.DataObject) -> None:
    message = data.draw(draw_messages(message_type))
    body = owned(message.pack())
    batch, error = read(body, message_type)
    assert error == 0
    assert (batch.num_draws, batch.num_entries) == (1, 1)
    kind, written = Messages().write(batch)
    assert kind == message_type
    assert type(message).unpack(written) == message


@pytest.mark.parametrize("message_type", TYPES)
@given(st.data())
@quick
def test_command_to_message_to_command(message_type: int, data: st.DataObject) -> None:
    message = data.draw(qxl_messages(message_type))
    cuts = data.draw(st.lists(st.integers(0, 60), max_size=4))
    guest = CommandMemory(1 << 16)
    guest.push(QXLCmdType.DRAW, place(guest, message_type, message, cuts))
    batch = CommandBatch()
    assert batch.drain(guest.commands, guest.slots) == 1
    assert batch.take_errors() == {}
    kind, written = Messages().write(batch)
    assert kind == message_type
    assert type(message).unpack(written) == message
    body = owned(written)
    again, error = read(body, message_type)
    assert error == 0
    assert flatten(again.cdata) == flatten(batch.cdata)


@pytest.mark.parametrize("message_type", TYPES)
@given(st.data())
@quick
def test_what_is_cut_short_or_spoilt_leaves_nothing_behind(
    message_type: int, data: st.DataObject
) -> None:
    whole = bytearray(data.draw(draw_messages(message_type)).pack())
    for _ in range(data.draw(st.integers(0, 3))):
        place_of = data.draw(st.integers(0, len(whole) - 1))
        whole[place_of] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    body = owned(bytes(whole[:cut]))
    # cffi's array ends with the body: a sanitizer sees the first byte beyond it.
    batch, error = read(body, message_type)
    assert batch.num_draws == (error == 0)
    if error:
        c = batch.cdata
        assert (c.num_images, c.num_chunks, c.num_clips, c.num_colors) == (0,) * 4
        assert (c.num_segments, c.num_points, c.num_styles) == (0,) * 3
        assert (c.num_glyphs, c.num_glyph_bytes) == (0, 0)
    else:
        Messages().write(batch)


@given(st.integers(0, 600), st.binary(max_size=60))
@quick
def test_other_messages_are_refused(message_type: int, body: bytes) -> None:
    if message_type not in TYPES:
        batch, error = read(owned(body), message_type)
        assert (batch.num_entries, error) == (0, lib.COMMAND_BAD_TYPE)


def test_a_batch_holds_so_many() -> None:
    body = owned(bytes(0))
    batch = CommandBatch()
    batch.cdata.num_entries = lib.MAX_BATCH_COMMANDS
    error = lib.message_to_command(body, 0, TYPES[0], batch.cdata)
    assert error == lib.COMMAND_TOO_BIG
