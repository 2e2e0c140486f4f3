"""glz: literal streams, sequences through a window, damage, threads, real captures."""

from __future__ import annotations

import hashlib
import random
import struct
import threading
from pathlib import Path

import numpy as np
import pytest

from spice_common.glz import (
    GlzDictionary,
    GlzError,
    GlzWindow,
    MissingImageError,
    decode_header,
)
from spice_common.lz import LzHeader, LzImageType
from spice_protocol.enums import SpiceImageType
from tests.peers.captured_images import (
    SCREEN,
    captured_images,
    expected_screen,
    paint,
)

VECTORS = Path(__file__).parents[2] / "vectors/spice_common/glz"
HEADER = struct.Struct(">IIBIIIQI")
RGB32 = 8
TOP_DOWN = 16
COLOR_TYPES = [
    LzImageType.RGB16,
    LzImageType.RGB24,
    LzImageType.RGB32,
    LzImageType.RGBA,
]


def header(
    image_id: int, head_distance: int, width: int = 4, image_type: int = RGB32
) -> bytes:
    return HEADER.pack(
        0x20205A4C,
        0x00010001,
        image_type | TOP_DOWN,
        width,
        1,
        4 * width,
        image_id,
        head_distance,
    )


def opaque(width: int, height: int) -> LzHeader:
    return LzHeader(LzImageType.RGB32, width, height, top_down=True)


def noise(seed: int, pixels: int) -> bytes:
    rng = random.Random(seed)
    return b"".join(rng.randbytes(3) + b"\0" for _ in range(pixels))


def expected(image_type: LzImageType, pixels: bytes) -> bytes:
    """*pixels* as a decoder gives them: 32 bits, alpha 0 where there is none."""
    if image_type == LzImageType.RGBA:
        return pixels
    if image_type == LzImageType.RGB16:
        words = np.frombuffer(pixels, "<u2").astype(np.uint32)
        channels = [(words >> shift) & 31 for shift in (10, 5, 0)]
        red, green, blue = ((c << 3 | c >> 2) for c in channels)
        return (red << 16 | green << 8 | blue).astype("<u4").tobytes()
    size = 3 if image_type == LzImageType.RGB24 else 4
    wide = np.zeros((len(pixels) // size, 4), np.uint8)
    wide[:, :3] = np.frombuffer(pixels, np.uint8).reshape(-1, size)[:, :3]
    return wide.tobytes()


LITERALS = b"\x03" + bytes(range(12))
FOUR = bytes.fromhex("00010200 03040500 06070800 090a0b00")


def test_streams_by_hand() -> None:
    window = GlzWindow(1000)

    first = window.decode(header(0, 0) + LITERALS)
    # All four pixels of the image before: length 4, place 0, one image back.
    second = window.decode(header(1, 1) + b"\x80\x00\x01")
    # Two from its place 2, then the same again from this image (distance 2).
    third = window.decode(header(2, 2) + b"\x42\x00\x02" + b"\x41\x00\x00")

    assert first.pixels == second.pixels == FOUR
    assert third.pixels == FOUR[8:] * 2


def test_the_encoder_writes_such_streams() -> None:
    dictionary = GlzDictionary(1000)
    pixels = noise(1, 40)

    first = dictionary.encode(opaque(40, 1), pixels)
    second = dictionary.encode(opaque(40, 1), pixels)

    assert first is not None
    assert first[:33] == header(0, 0, 40)
    assert second == header(1, 1, 40) + b"\xe0\x21\x00\x01"


@pytest.mark.parametrize("image_type", COLOR_TYPES)
@pytest.mark.parametrize("window_pixels", [600, 5000, 1 << 20])
def test_sequences_come_out_as_they_went_in(
    image_type: LzImageType, window_pixels: int
) -> None:
    dictionary, window = GlzDictionary(window_pixels), GlzWindow(1 << 21)
    rng = random.Random(f"{image_type} {window_pixels}")
    memory = bytearray(noise(7, 4000))
    not_sent = 0

    for _ in range(150):
        width, height = rng.randint(1, 40), rng.randint(1, 16)
        size = image_type.row_size(width) * height
        start = rng.randrange(len(memory) - size)
        memory[start : start + 60] = bytes([rng.randrange(256)] * 60)
        pixels = bytes(memory[start : start + size])
        data = dictionary.encode(LzHeader(image_type, width, height, False), pixels)
        if data is None:
            assert width * height > window_pixels - 64
            not_sent += 1
            continue
        assert window.decode(data).pixels == expected(image_type, pixels)

    assert dictionary.stats.next_id == 150 - not_sent
    assert dictionary.stats.window_pixels <= window_pixels
    assert dictionary.stats.matched_earlier > 0


def test_an_image_that_does_not_fit_leaves_no_trace() -> None:
    dictionary, window = GlzDictionary(10000), GlzWindow(20000)
    pixels = noise(2, 400)

    assert dictionary.encode(opaque(20, 20), pixels, max_size=1000) is None
    data = dictionary.encode(opaque(20, 20), pixels)

    assert data is not None
    assert decode_header(data).id == 0
    assert window.decode(data).pixels == pixels


def test_images_leave_the_window_on_both_sides() -> None:
    dictionary, window = GlzDictionary(1024), GlzWindow(2048)
    pictures = [noise(seed, 400) for seed in range(6)]

    for picture in pictures:
        data = dictionary.encode(opaque(20, 20), picture)
        assert data is not None
        assert window.decode(data).pixels == picture
        assert decode_header(data).window_head_distance <= 1
    again = dictionary.encode(opaque(20, 20), pictures[0])

    assert again is not None
    assert len(again) > 1200  # nothing to repeat it from
    assert dictionary.stats.memory < 64 << 10


def test_reset_repeats_nothing_but_counts_on() -> None:
    dictionary = GlzDictionary(10000)
    dictionary.encode(opaque(20, 20), noise(3, 400))

    dictionary.reset()
    data = dictionary.encode(opaque(20, 20), noise(3, 400))

    assert data is not None
    assert GlzWindow(1000).decode(data).pixels == noise(3, 400)
    assert decode_header(data).id == 1
    assert decode_header(data).window_head_distance == 0


def test_channels_may_bring_images_in_any_order() -> None:
    dictionary, window = GlzDictionary(10000), GlzWindow(20000)
    first = dictionary.encode(opaque(20, 20), noise(4, 400))
    second = dictionary.encode(opaque(20, 20), noise(4, 400))
    assert first is not None
    assert second is not None

    with pytest.raises(MissingImageError):
        window.decode(second)
    window.decode(first)

    assert window.decode(second).pixels == noise(4, 400)


DAMAGED = {
    "empty": b"",
    "no magic": bytes(60),
    "palette": header(0, 0, 4, 5) + LITERALS,
    "older than the first": header(0, 1) + LITERALS,
    "no packets": header(0, 0),
    "half a pixel": header(0, 0) + LITERALS[:-1],
    "a match too long": header(0, 0) + b"\x00\x01\x02\x03\x80\x00\x00",
    "before the start": header(0, 0) + b"\x00\x01\x02\x03\x61\x00\x00",
    "no such image": header(0, 0) + b"\x80\x00\x01",
    "half a match": header(0, 0) + b"\x00\x01\x02\x03\x60\x00",
    "half a distance": header(0, 0) + b"\x00\x01\x02\x03\x60\x00\xc0\x01",
    "half a far place": header(0, 0) + b"\x00\x01\x02\x03\x70\x00\x20",
    "an endless length": header(0, 0) + b"\xe0" + b"\xff" * 50,
    "more after it": header(0, 0) + LITERALS + b"\x00",
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_damaged_data_are_refused_and_change_nothing(data: bytes) -> None:
    window = GlzWindow(1000)

    with pytest.raises(GlzError):
        window.decode(data)

    assert window.decode(header(0, 0) + LITERALS).pixels == FOUR


@pytest.mark.parametrize(
    "match",
    [b"\x81\x00\x01", b"\xa0\x00\x01", b"\x80\x01\x01"],
    ids=["place and length", "length", "place"],
)
def test_a_match_ends_with_its_image(match: bytes) -> None:
    window = GlzWindow(1000)
    window.decode(header(0, 0) + LITERALS)

    with pytest.raises(GlzError, match="damaged"):
        window.decode(header(1, 1, 5) + match)


def test_a_window_is_bounded() -> None:
    window = GlzWindow(7)
    window.decode(header(0, 0) + LITERALS)

    with pytest.raises(GlzError, match="too large"):
        window.decode(header(1, 1) + LITERALS)
    with pytest.raises(GlzError, match="too large"):
        window.decode(header(1, 1, 1 << 24))


@pytest.mark.parametrize("image_id", [0, 4, 1 << 40])
def test_an_id_is_used_once_and_in_turn(image_id: int) -> None:
    window = GlzWindow(100)
    window.decode(header(4, 0) + LITERALS)

    with pytest.raises(GlzError, match="id"):
        window.decode(header(image_id, 0) + LITERALS)


def test_clear_begins_anew() -> None:
    window = GlzWindow(7)
    window.decode(header(5, 0) + LITERALS)

    window.clear()

    assert window.decode(header(0, 0) + LITERALS).pixels == FOUR


def test_threads_share_a_dictionary() -> None:
    dictionary, window = GlzDictionary(1 << 16), GlzWindow(1 << 17)
    results: dict[int, tuple[bytes, bytes]] = {}

    def encode_many(seed: int) -> None:
        for i in range(100):
            pixels = noise(seed * 7 + i % 5, 300)
            data = dictionary.encode(opaque(30, 10), pixels)
            assert data is not None
            results[decode_header(data).id] = (data, pixels)

    threads = [threading.Thread(target=encode_many, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results) == list(range(300))
    for image_id in range(300):
        data, pixels = results[image_id]
        assert window.decode(data).pixels == pixels


@pytest.mark.parametrize("image_type", [LzImageType.PLT8, LzImageType.A8])
def test_types_without_colors_are_refused(image_type: LzImageType) -> None:
    with pytest.raises(ValueError, match="pixels are no"):
        GlzDictionary(100).encode(LzHeader(image_type, 4, 1, True), bytes(4))


@pytest.mark.parametrize(
    "name", ["compression-glz", "compression-zlib-glz", "compression-auto-glz"]
)
def test_what_libspice_server_sent(name: str) -> None:
    screen = np.zeros((*SCREEN, 3), np.uint8)
    window, again = GlzWindow(1 << 22), GlzWindow(1 << 22)
    dictionary = GlzDictionary(1 << 22)
    images = [i for i in captured_images(name) if i.type != SpiceImageType.LZ_RGB]

    for image in images:
        decoded = window.decode(image.data)
        paint(screen, image, decoded.header.width, bytes(decoded.pixels))
        data = dictionary.encode(decoded.header, decoded.pixels)
        assert data is not None
        assert again.decode(data).pixels == decoded.pixels

    assert len(images) > 40
    if name != "compression-auto-glz":  # which sent a part as QUIC
        assert np.array_equal(screen, expected_screen())


def test_vectors() -> None:
    window = GlzWindow(1 << 20)
    for line in (VECTORS / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split()
        image = window.decode((VECTORS / name).read_bytes())
        assert hashlib.sha256(image.pixels).hexdigest() == digest
