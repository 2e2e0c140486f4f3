"""Channels that wait for each other, lists of messages, a server that changes."""

from __future__ import annotations

import struct

import pytest

from spice_client.channel import Received
from spice_client.cursor import CursorChannel
from spice_client.display import DisplayChannel
from spice_client.options import ClientOptions
from spice_client.session import Session
from spice_common.client_images import GlzDictionary
from spice_common.image_encode import ImageEncoder, ImageSettings, Picture
from spice_protocol.enums import (
    ChannelType,
    SpiceImageCompression,
    SpiceImageFlags,
    SpiceSurfaceFlags,
    SpiceSurfaceFmt,
)
from spice_protocol.errors import (
    InvalidValueError,
    LimitExceededError,
    TruncatedError,
)
from spice_protocol.messages.base import (
    BaseMsg,
    BaseMsgc,
    SpiceMsgSetAck,
    SpiceMsgWaitForChannels,
    SpiceWaitForChannel,
)
from spice_protocol.messages.cursor import CursorMsg
from spice_protocol.messages.display import DisplayMsg
from tests.fakes.image_messages import cached_image, draw_copy, surface_create
from tests.fakes.spice_peer import FULL, MINI, framed, unframed

SIDE = 16
PICTURE = Picture(bytes(range(256)) * 4, SIDE, SIDE)
CREATE = surface_create(
    0, SIDE, SIDE, SpiceSurfaceFmt.FMT_32_xRGB, SpiceSurfaceFlags.PRIMARY
)
MARK = framed(DisplayMsg.MARK)
HIDE = framed(CursorMsg.HIDE)


def image(
    dictionary: GlzDictionary | None = None, image_id: int = 1, flags: int = 0
) -> bytes:
    compression = SpiceImageCompression.GLZ if dictionary else SpiceImageCompression.LZ
    encoded = ImageEncoder().encode(
        PICTURE, ImageSettings(compression), dictionary, image_id=image_id, flags=flags
    )
    return draw_copy(encoded.data, SIDE, SIDE)


def reference(image_id: int) -> bytes:
    return draw_copy(cached_image(image_id, SIDE, SIDE), SIDE, SIDE)


def wait_for(channel_type: int, channel_id: int, serial: int) -> bytes:
    wanted = SpiceWaitForChannel(channel_type, channel_id, serial)
    return framed(BaseMsg.WAIT_FOR_CHANNELS, SpiceMsgWaitForChannels([wanted]))


@pytest.fixture
def displays() -> tuple[DisplayChannel, DisplayChannel]:
    session = Session()
    return DisplayChannel(MINI, 0, session), DisplayChannel(MINI, 1, session)


def test_waiting_for_another_channel(
    displays: tuple[DisplayChannel, DisplayChannel],
) -> None:
    first, second = displays
    first.receive_data(CREATE + wait_for(ChannelType.DISPLAY, 1, 2) + MARK)
    assert first.held_up
    assert not first.marked
    second.receive_data(CREATE)
    first.receive_data(b"")
    assert first.held_up
    second.receive_data(MARK)
    assert not first.held_up
    first.receive_data(b"")
    assert first.marked
    assert (first.serial, second.serial) == (3, 2)


def test_waiting_for_a_channel_that_is_closed(
    displays: tuple[DisplayChannel, DisplayChannel],
) -> None:
    first, second = displays
    first.receive_data(CREATE + wait_for(ChannelType.DISPLAY, 1, 99) + MARK)
    second.leave()
    first.receive_data(b"")
    assert first.marked


def test_an_image_cached_by_another_display(
    displays: tuple[DisplayChannel, DisplayChannel],
) -> None:
    first, second = displays
    first.receive_data(CREATE)
    second.receive_data(CREATE + reference(7) + MARK)
    assert second.held_up
    assert "DISPLAY:1: DISPLAY.DRAW_COPY(304): image 0x7 is not" in str(second.missing)
    first.receive_data(image(image_id=7, flags=SpiceImageFlags.CACHE_ME))
    second.receive_data(b"")
    assert not second.held_up
    assert second.marked
    assert second.surfaces[0].pixels == first.surfaces[0].pixels


def test_a_glz_image_refers_to_another_display(
    displays: tuple[DisplayChannel, DisplayChannel],
) -> None:
    first, second = displays
    dictionary = GlzDictionary(1 << 16)
    earlier, later = image(dictionary), image(dictionary)
    second.receive_data(CREATE + later)
    assert second.held_up
    first.receive_data(CREATE + earlier)
    second.receive_data(b"")
    assert not second.held_up
    assert second.surfaces[0].pixels == first.surfaces[0].pixels


def test_nobody_else_can_bring_it() -> None:
    display = DisplayChannel(MINI)
    with pytest.raises(InvalidValueError, match=r"DISPLAY:0: .*image 0x7 is not"):
        display.receive_data(CREATE + reference(7))
    dictionary = GlzDictionary(1 << 16)
    image(dictionary)
    display = DisplayChannel(MINI)
    with pytest.raises(InvalidValueError, match="not in the window"):
        display.receive_data(CREATE + image(dictionary))


def test_images_are_forgotten_when_others_got_that_far(
    displays: tuple[DisplayChannel, DisplayChannel],
) -> None:
    first, second = displays
    keep = image(image_id=7, flags=SpiceImageFlags.CACHE_ME)
    wait = SpiceMsgWaitForChannels([SpiceWaitForChannel(ChannelType.DISPLAY, 1, 2)])
    first.receive_data(CREATE + keep + framed(DisplayMsg.INVAL_ALL_PIXMAPS, wait))
    cache = first.session.cache
    assert cache.num_images == 1
    second.receive_data(CREATE + reference(7))
    assert not second.held_up
    first.receive_data(MARK)
    assert first.marked
    assert cache.num_images == 0


def listed(*messages: bytes) -> bytes:
    """Return the body of a LIST: SpiceSubMessageList, then the messages."""
    body = struct.pack("<H", len(messages))
    offset = 2 + 4 * len(messages)
    for message in messages:
        body += struct.pack("<I", offset)
        offset += len(message)
    return body + b"".join(messages)


def test_a_list_of_messages(displays: tuple[DisplayChannel, DisplayChannel]) -> None:
    first, second = displays
    keep = image(image_id=7, flags=SpiceImageFlags.CACHE_ME)
    first.receive_data(CREATE + keep)
    inval = framed(DisplayMsg.INVAL_LIST, struct.pack("<HBQ", 1, 1, 7))
    wait = wait_for(ChannelType.DISPLAY, 1, 1)
    first.receive_data(framed(BaseMsg.LIST, listed(wait, inval)) + MARK)
    assert first.held_up
    assert first.session.cache.num_images == 1
    second.receive_data(CREATE)
    first.receive_data(b"")
    assert first.marked
    assert first.session.cache.num_images == 0
    assert first.serial == 4


def test_sub_messages_come_before_their_message() -> None:
    channel = CursorChannel(FULL)
    ack = framed(BaseMsg.SET_ACK, SpiceMsgSetAck(1, 2))
    header = struct.pack("<QHII", 1, CursorMsg.HIDE, 2 + 4 + len(ack), 0)
    # An offset of 0 is no list: it must stand behind the message's own fields.
    body = b"\0" + listed(ack)[:2] + struct.pack("<I", 7) + ack
    header = struct.pack("<QHII", 1, CursorMsg.HIDE, len(body), 1)
    received = channel.receive_data(header + body)
    assert [message.id for message in received] == [BaseMsg.SET_ACK, CursorMsg.HIDE]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"\1", TruncatedError),
        (struct.pack("<HI", 1, 99), TruncatedError),
        (struct.pack("<HIHI", 1, 6, 1, 99), TruncatedError),
        (struct.pack("<H", 0xFFFF), LimitExceededError),
        (listed(framed(BaseMsg.LIST, b"\0\0")), InvalidValueError),
    ],
)
def test_lists_that_lead_nowhere(body: bytes, error: type[Exception]) -> None:
    with pytest.raises(error, match="CURSOR:0: "):
        CursorChannel(MINI).receive_data(framed(BaseMsg.LIST, body))


def test_going_on_at_another_server() -> None:
    display = DisplayChannel(MINI)
    migrate = framed(BaseMsg.MIGRATE, struct.pack("<I", 3))
    display.receive_data(
        CREATE
        + framed(BaseMsg.SET_ACK, SpiceMsgSetAck(1, 2))
        + image(image_id=7, flags=SpiceImageFlags.CACHE_ME)
        + migrate
        + MARK[:3]
    )
    assert display.migrating
    display.relink(FULL)
    assert not display.migrating
    assert display.data_to_send() == b""
    data = framed(DisplayMsg.MARK, mini=False)
    data += framed(DisplayMsg.DRAW_COPY, reference(7)[6:], mini=False)
    display.receive_data(data * 3)
    assert display.marked
    assert display.serial == 6
    assert display.data_to_send() == b""


def test_options_reach_the_channels() -> None:
    session = Session(ClientOptions(paint=False, image_cache_pixels=1))
    display = DisplayChannel(MINI, 3, session)
    [received] = display.receive_data(
        CREATE + reference(1) + framed(BaseMsg.SET_ACK, SpiceMsgSetAck(1, 2)) + MARK * 4
    )
    assert isinstance(received, Received)
    assert display.primary is None
    assert unframed(display.data_to_send())[1:] == [(BaseMsgc.ACK, b"")] * 2
    assert display.label == "DISPLAY:3"
