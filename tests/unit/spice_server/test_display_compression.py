"""How a client's pictures are made, and that it gets them so."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from spice_protocol.enums import ChannelType, SpiceImageCompression, SpiceImageType
from spice_protocol.messages.display import DisplayMsg, DisplayMsgc
from spice_protocol.protocol import DisplayCap, capability_words
from spice_protocol.qxl_dev import QXLRect
from spice_server.channel.link_info import LinkInfo
from spice_server.display.compression import (
    COMPRESSIONS,
    Compression,
    choose_settings,
)
from tests.fakes.display_bench import DisplayBench

SIDE = 256


def link(*capabilities: int, low_bandwidth: bool = False) -> LinkInfo:
    return LinkInfo(
        1,
        ChannelType.DISPLAY,
        0,
        (),
        capability_words(capabilities),
        mini_header=True,
        tls=False,
        low_bandwidth=low_bandwidth,
    )


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_every_name_is_a_mode(name):
    settings = choose_settings(Compression(name), link(DisplayCap.LZ4_COMPRESSION))
    assert settings.compression == SpiceImageCompression[name.upper()]


def test_a_client_without_lz4_gets_lz():
    settings = choose_settings(Compression("lz4"), link())
    assert settings.compression == SpiceImageCompression.LZ
    assert not settings.lz4


def test_what_the_client_prefers_goes_first():
    preferred = SpiceImageCompression.QUIC
    settings = choose_settings(Compression("glz"), link(), preferred=preferred)
    assert settings.compression == SpiceImageCompression.QUIC


@pytest.mark.parametrize(
    ("mode", "slow", "wanted"),
    [
        ("auto", True, True),
        ("auto", False, False),
        ("always", False, True),
        ("never", True, False),
    ],
)
def test_lossy_and_deflated_pictures_are_for_slow_links(mode, slow, wanted):
    compression = Compression(jpeg=mode, zlib_glz=mode)
    settings = choose_settings(compression, link(low_bandwidth=slow))
    assert settings.jpeg == settings.zlib_glz == wanted


def test_composite_is_for_those_who_can():
    assert choose_settings(Compression(), link(DisplayCap.COMPOSITE)).composite
    assert not choose_settings(Compression(), link()).composite


def test_spice_html5_is_known_by_what_it_can():
    html5 = (
        DisplayCap.SIZED_STREAM, DisplayCap.STREAM_REPORT, DisplayCap.MULTI_CODEC,
        DisplayCap.CODEC_MJPEG, DisplayCap.CODEC_VP8,
    )  # fmt: skip
    assert capability_words(html5) == (0x711,)
    settings = choose_settings(Compression(jpeg="always"), link(*html5))
    assert settings.pictures
    assert not settings.jpeg, "it draws them when they are decoded, not in order"
    assert not choose_settings(Compression(), link()).pictures
    spice_gtk = link()
    spice_gtk.channel_caps = (0x6FBF,)
    assert not choose_settings(Compression(), spice_gtk).pictures


# ---- through a worker


def photo(seed: int) -> bytes:
    """Return smooth pixels with a little noise, as of a camera."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    smooth = (x + 2 * y)[..., None] * np.array([1, 2, 3]) // 8 + 40
    rough = np.random.default_rng(seed).integers(4, size=(SIDE, SIDE, 3))
    pixels = np.zeros((SIDE, SIDE, 4), np.uint8)
    pixels[..., :3] = smooth + rough
    return pixels.tobytes()


def next_image_type(client) -> int:
    """Return the type of the image of the next DRAW_COPY without a clip."""
    body = client.receive_until(DisplayMsg.DRAW_COPY)
    (offset,) = struct.unpack_from("<I", body, 21)
    return body[offset + 8]


def show(bench: DisplayBench, seed: int) -> None:
    bench.draw(bench.guest.draw_copy, photo(seed), QXLRect(0, 0, SIDE, SIDE))
    bench.flush()


def test_a_client_is_sent_what_it_prefers():
    with DisplayBench(SIDE, SIDE) as bench:
        client = bench.display_client()
        client.receive_until(DisplayMsg.MARK)
        client.send(DisplayMsgc.PREFERRED_COMPRESSION, b"\x04")
        show(bench, 0)
        seen = set()
        for seed in range(1, 20):
            seen.add(next_image_type(client))
            if SpiceImageType.QUIC in seen:
                break
            show(bench, seed)
        assert SpiceImageType.QUIC in seen


def test_a_preference_that_there_is_not_ends_the_client():
    with DisplayBench() as bench:
        client = bench.display_client()
        client.send(DisplayMsgc.PREFERRED_COMPRESSION, b"\x63")
        assert client.closed()


def test_photos_are_sent_lossily_and_then_exactly():
    with DisplayBench(SIDE, SIDE, Compression(jpeg="always")) as bench:
        client = bench.display_client()
        client.receive_until(DisplayMsg.MARK)
        show(bench, 0)
        assert next_image_type(client) == SpiceImageType.JPEG
        while (kind := next_image_type(client)) == SpiceImageType.JPEG:
            pass
        assert kind == SpiceImageType.QUIC
