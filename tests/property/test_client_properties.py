"""However bytes are cut they mean the same; whatever they are, the errors are ours."""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st

from spice_client.cursor import CursorChannel
from spice_client.display import DisplayChannel
from spice_client.errors import SpiceClientError
from spice_client.inputs import InputsChannel
from spice_client.link import Link, LinkRequest
from spice_client.main import MainChannel
from spice_protocol.draw import SpiceBrush, SpiceClip, SpicePoint, SpiceQMask, SpiceRect
from spice_protocol.enums import (
    ChannelType,
    SpiceBrushType,
    SpiceSurfaceFlags,
    SpiceSurfaceFmt,
)
from spice_protocol.errors import ProtocolError
from spice_protocol.messages import draw
from spice_protocol.messages.base import BaseMsg, SpiceMsgPing, SpiceMsgSetAck
from spice_protocol.messages.display import DisplayMsg, SpiceMsgDisplaySurfaceCreate
from spice_protocol.messages.tables import Direction, message_class
from tests.fakes.spice_peer import FULL, MINI, framed, link_reply, link_result

if TYPE_CHECKING:
    from spice_client.channel import Channel, Received

CHANNELS: list[type[Channel]] = [
    MainChannel,
    DisplayChannel,
    InputsChannel,
    CursorChannel,
]
CREATE = framed(
    DisplayMsg.SURFACE_CREATE,
    SpiceMsgDisplaySurfaceCreate(
        0, 8, 8, SpiceSurfaceFmt.FMT_32_xRGB, SpiceSurfaceFlags.PRIMARY
    ),
)

small, side = st.integers(-2, 8), st.integers(1, 4)
rects = st.builds(
    lambda top, left, height, width: SpiceRect(top, left, top + height, left + width),
    small,
    small,
    side,
    side,
)
clips = st.builds(SpiceClip, st.none() | st.lists(rects, max_size=3))


def fill(box: SpiceRect, clip: SpiceClip, color: int) -> bytes:
    base = draw.SpiceMsgDisplayBase(0, box, clip)
    brush = SpiceBrush(SpiceBrushType.SOLID, color)
    data = draw.SpiceFill(brush, 8, SpiceQMask(0, SpicePoint(0, 0), None))
    return framed(DisplayMsg.DRAW_FILL, draw.SpiceMsgDisplayDrawFill(base, data))


stream = st.lists(
    st.builds(fill, rects, clips, st.integers(0, 0xFFFFFFFF))
    | st.just(framed(DisplayMsg.MARK))
    | st.builds(
        lambda n, data: framed(BaseMsg.PING, SpiceMsgPing(n, n, data)),
        st.integers(0, 9),
        st.binary(max_size=9),
    )
    | st.builds(
        lambda n: framed(BaseMsg.SET_ACK, SpiceMsgSetAck(1, n)), st.integers(0, 4)
    ),
    max_size=12,
)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


@given(stream, st.lists(st.integers(0, 10_000), max_size=40))
def test_any_fragmentation_gives_the_same_display(
    messages: list[bytes], cuts: list[int]
) -> None:
    data = CREATE + b"".join(messages)
    whole, cut = DisplayChannel(MINI), DisplayChannel(MINI)
    expected = whole.receive_data(data)
    received: list[Received] = []
    for piece in pieces(data, cuts):
        received += cut.receive_data(piece)
    assert received == expected
    assert cut.data_to_send() == whole.data_to_send()
    assert cut.surfaces[0].pixels == whole.surfaces[0].pixels
    assert cut.canvas.complete == whole.canvas.complete
    assert cut.canvas.counts() == whole.canvas.counts()
    assert (cut.serial, cut.bytes_received) == (whole.serial, len(data))
    assert cut.marked is whole.marked


@given(st.binary(max_size=40), st.lists(st.integers(0, 400), max_size=20))
def test_any_fragmentation_gives_the_same_link(rest: bytes, cuts: list[int]) -> None:
    link = Link(LinkRequest(ChannelType.MAIN, password="x"))
    behind = b""
    for piece in pieces(link_reply() + link_result() + rest, cuts):
        behind += piece if link.result is not None else link.receive_data(piece)
    assert link.result is not None
    assert behind == rest


@pytest.mark.parametrize("cls", CHANNELS)
@given(data=st.binary(max_size=300), full=st.booleans())
def test_noise_on_a_channel(cls: type[Channel], data: bytes, full: bool) -> None:
    channel = cls(FULL if full else MINI)
    with contextlib.suppress(SpiceClientError, ProtocolError):
        channel.receive_data(data)


words = st.lists(
    st.integers(0, 64).map(lambda n: n.to_bytes(4, "little"))
    | st.sampled_from(
        [b"\xff" * 4, b"\0\0\0\x80", b"\xff\xff\xff\x7f", b"\x01", b"\x08"]
    ),
    max_size=50,
).map(b"".join)


@pytest.mark.parametrize("cls", CHANNELS)
@given(
    messages=st.lists(
        st.tuples(
            st.integers(1, 8) | st.integers(101, 130) | st.integers(302, 323), words
        ),
        max_size=8,
    )
)
def test_wild_messages_on_a_channel(
    cls: type[Channel], messages: list[tuple[int, bytes]]
) -> None:
    channel = cls(MINI)
    try:
        if cls is DisplayChannel:
            channel.receive_data(CREATE)
        for message_id, body in messages:
            if message_class(cls.TYPE, Direction.MSG, message_id) is not None:
                channel.receive_data(framed(message_id, body))
    except (SpiceClientError, ProtocolError):
        pass


@given(st.binary(max_size=400), st.integers(0, 250))
def test_noise_in_the_link_stage(noise: bytes, keep: int) -> None:
    link = Link(LinkRequest(ChannelType.MAIN))
    with contextlib.suppress(SpiceClientError, ProtocolError):
        link.receive_data((link_reply() + link_result())[:keep] + noise)
