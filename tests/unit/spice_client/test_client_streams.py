"""Video streams: frames are drawn, clipped, reported on; what cannot be is refused."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from spice_client.display import DisplayChannel
from spice_client.errors import UnsupportedError
from spice_client.options import ClientOptions
from spice_client.session import Session
from spice_client.streams import MAX_STREAMS
from spice_protocol.draw import SpiceClip, SpiceRect
from spice_protocol.enums import (
    SpiceStreamFlags,
    SpiceSurfaceFlags,
    SpiceSurfaceFmt,
    SpiceVideoCodecType,
)
from spice_protocol.errors import InvalidValueError, LimitExceededError
from spice_protocol.messages.display import (
    DisplayMsg,
    DisplayMsgc,
    SpiceMsgcDisplayStreamReport,
    SpiceMsgDisplayStreamActivateReport,
    SpiceMsgDisplayStreamClip,
    SpiceMsgDisplayStreamCreate,
    SpiceMsgDisplayStreamData,
    SpiceMsgDisplayStreamDataSized,
    SpiceMsgDisplayStreamDestroy,
    SpiceStreamDataHeader,
)
from tests.fakes.image_messages import surface_create
from tests.fakes.spice_peer import MINI, framed, unframed

SIDE = 16
CREATE = surface_create(
    0, 2 * SIDE, SIDE, SpiceSurfaceFmt.FMT_32_xRGB, SpiceSurfaceFlags.PRIMARY
)
RED, BLUE = (255, 0, 0), (0, 0, 255)
DEST = SpiceRect(0, SIDE, SIDE, 2 * SIDE)


def jpeg(color: tuple[int, int, int], side: int = SIDE) -> bytes:
    packed = io.BytesIO()
    Image.new("RGB", (side, side), color).save(packed, "JPEG", quality=95)
    return packed.getvalue()


def stream(
    number: int = 0,
    *,
    codec: int = SpiceVideoCodecType.MJPEG,
    flags: int = SpiceStreamFlags.TOP_DOWN,
) -> bytes:
    message = SpiceMsgDisplayStreamCreate(
        0, number, flags, codec, 0, SIDE, SIDE, SIDE, SIDE, DEST, SpiceClip()
    )
    return framed(DisplayMsg.STREAM_CREATE, message)


def frame(data: bytes, time: int = 0, number: int = 0) -> bytes:
    message = SpiceMsgDisplayStreamData(SpiceStreamDataHeader(number, time), data)
    return framed(DisplayMsg.STREAM_DATA, message)


def color_at(display: DisplayChannel, x: int, y: int) -> tuple[int, ...]:
    assert display.primary is not None
    picture = display.primary.picture()
    at = 3 * (y * picture.width + x)
    return tuple(picture.rgb[at : at + 3])


def close(shown: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return all(abs(a - b) < 4 for a, b in zip(shown, wanted, strict=True))


@pytest.fixture
def display() -> DisplayChannel:
    display = DisplayChannel(MINI)
    display.receive_data(CREATE + stream())
    return display


def test_frames_are_drawn(display: DisplayChannel) -> None:
    display.receive_data(frame(jpeg(RED)))
    assert close(color_at(display, SIDE, 0), RED)
    assert color_at(display, SIDE - 1, 0) == (0, 0, 0)
    display.receive_data(frame(jpeg(BLUE)))
    assert close(color_at(display, 2 * SIDE - 1, SIDE - 1), BLUE)
    assert display.streams.stream(0).frames == 2


def test_a_clip(display: DisplayChannel) -> None:
    display.receive_data(frame(jpeg(RED)))
    clip = SpiceMsgDisplayStreamClip(0, SpiceClip([SpiceRect(0, SIDE, 4, SIDE + 4)]))
    display.receive_data(framed(DisplayMsg.STREAM_CLIP, clip) + frame(jpeg(BLUE)))
    assert close(color_at(display, SIDE + 3, 3), BLUE)
    assert close(color_at(display, SIDE + 4, 4), RED)


def test_a_frame_of_its_own_size(display: DisplayChannel) -> None:
    message = SpiceMsgDisplayStreamDataSized(
        SpiceStreamDataHeader(0, 0), 8, 8, SpiceRect(0, 0, 8, 8), jpeg(BLUE, 8)
    )
    display.receive_data(framed(DisplayMsg.STREAM_DATA_SIZED, message))
    assert close(color_at(display, 7, 7), BLUE)
    assert color_at(display, 8, 8) == (0, 0, 0)


def test_reports(display: DisplayChannel) -> None:
    activate = SpiceMsgDisplayStreamActivateReport(0, 77, 2, 1000)
    display.receive_data(framed(DisplayMsg.STREAM_ACTIVATE_REPORT, activate))
    for time in (10, 20, 30, 40, 50):
        display.receive_data(frame(jpeg(RED), time))
    sent = unframed(display.data_to_send())
    assert [message_id for message_id, _ in sent] == [DisplayMsgc.STREAM_REPORT] * 2
    reports = [SpiceMsgcDisplayStreamReport.unpack(body) for _, body in sent]
    assert [(r.start_frame_mm_time, r.end_frame_mm_time) for r in reports] == [
        (10, 20),
        (30, 40),
    ]
    assert all((r.unique_id, r.num_frames, r.num_drops) == (77, 2, 0) for r in reports)


def test_the_end_of_streams(display: DisplayChannel) -> None:
    destroy = framed(DisplayMsg.STREAM_DESTROY, SpiceMsgDisplayStreamDestroy(0))
    display.receive_data(destroy + stream(0) + stream(1))
    display.receive_data(framed(DisplayMsg.STREAM_DESTROY_ALL))
    assert not display.streams.streams
    with pytest.raises(InvalidValueError, match="DISPLAY:0: there is no stream 0"):
        display.receive_data(destroy)


@pytest.mark.parametrize(
    "refused",
    [
        {"codec": SpiceVideoCodecType.VP8},
        {"flags": 0},
    ],
)
def test_what_cannot_be_drawn(display: DisplayChannel, refused: dict[str, int]) -> None:
    display.receive_data(stream(1, **refused))
    with pytest.raises(UnsupportedError):
        display.receive_data(frame(b"x", number=1))


def test_a_sink_takes_any_codec() -> None:
    display = DisplayChannel(MINI, 0, Session(ClientOptions(paint=False)))
    display.receive_data(stream(codec=SpiceVideoCodecType.H264) + frame(b"x") * 3)
    assert display.streams.stream(0).frames == 3


def test_damaged_frames(display: DisplayChannel) -> None:
    with pytest.raises(InvalidValueError, match=r"STREAM_DATA.*JPEG\(105\) cannot be"):
        display.receive_data(frame(jpeg(RED)[:50]))


def test_limits(display: DisplayChannel) -> None:
    for number in range(1, MAX_STREAMS):
        display.receive_data(stream(number))
    with pytest.raises(LimitExceededError, match="1024 streams"):
        display.receive_data(stream(MAX_STREAMS))
    with pytest.raises(InvalidValueError, match="stream 0 exists"):
        DisplayChannel(MINI).receive_data(stream() * 2)
