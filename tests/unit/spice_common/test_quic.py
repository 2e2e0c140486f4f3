"""quic: the same bits as another implementation, there and back, damage, captures."""

from __future__ import annotations

import random
import struct
import threading
from pathlib import Path

import pytest
from PIL import Image

from spice_common.quic import (
    QuicDecoder,
    QuicEncoder,
    QuicHeader,
    QuicImageType,
)
from spice_protocol.enums import ChannelType
from tests.fakes import captures

ENCODER, DECODER = QuicEncoder(), QuicDecoder()
VECTORS = Path(__file__).parents[2] / "vectors" / "spice_common" / "quic"
CAPTURE = captures.FOLDER / "compression-quic.spcap.gz"
EXPECTED = captures.FOLDER / "compression-expected-640x480.png"
KINDS = ("noise", "gradient", "text", "blocks", "flat")


def picture(header: QuicHeader, kind: str) -> bytes:
    """Pixels that are always the same, of *kind*."""
    rng = random.Random(f"{header.type.name} {header.width} {header.height} {kind}")
    pixel_size = header.type.row_size(1)
    paper, ink = (rng.randbytes(pixel_size) for _ in range(2))
    pixels = bytearray()
    for y in range(header.height):
        for x in range(header.width):
            if kind == "noise":
                pixels += rng.randbytes(pixel_size)
            elif kind == "gradient":
                noise = rng.randrange(4)
                pixels += bytes(
                    (x * (c + 1) + y * 2 + noise) & 255 for c in range(pixel_size)
                )
            elif kind == "text":
                pixels += ink if y % 8 < 5 and rng.random() < 0.3 else paper
            elif kind == "blocks":
                pixels += bytes([(x // 9 * 40 + y // 7 * 25) & 255]) * pixel_size
            else:
                pixels += paper
    return bytes(pixels)


def kept(image_type: QuicImageType, pixels: bytes | bytearray) -> bytes:
    """The bits of pixels that an image keeps."""
    masks = {QuicImageType.RGB16: b"\xff\x7f", QuicImageType.RGB32: b"\xff\xff\xff\0"}
    mask = masks.get(image_type, b"\xff")
    return bytes(byte & mask[i % len(mask)] for i, byte in enumerate(pixels))


def encode(header: QuicHeader, pixels: bytes) -> bytes:
    data = ENCODER.encode(header, pixels)
    assert data is not None
    return data


@pytest.mark.parametrize("path", sorted(VECTORS.glob("*.quic")), ids=lambda p: p.stem)
def test_the_bits_of_another_implementation(path: Path) -> None:
    data = path.read_bytes()
    header = QuicHeader.parse(data)
    pixels = picture(header, path.stem.split("-")[1])

    image = DECODER.decode(data)

    assert image.header == header
    assert bytes(image.pixels) == kept(header.type, pixels)
    assert encode(header, pixels) == data


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(1, 1), (2, 1), (3, 5), (17, 13), (1, 99), (2500, 2)])
@pytest.mark.parametrize("image_type", QuicImageType)
def test_there_and_back(
    image_type: QuicImageType, size: tuple[int, int], kind: str
) -> None:
    header = QuicHeader(image_type, *size)
    pixels = picture(header, kind)

    image = DECODER.decode(encode(header, pixels))

    assert image.header == header
    assert bytes(image.pixels) == kept(image_type, pixels)


def test_rows_may_be_apart_and_upside_down() -> None:
    header = QuicHeader(QuicImageType.RGB24, 5, 3)
    rows = [bytes(range(15 * y, 15 * y + 15)) for y in range(3)]
    data = encode(header, b"".join(rows))

    assert ENCODER.encode(header, b"gap".join(rows), stride=18) == data
    assert ENCODER.encode(header, b"gap".join(reversed(rows)), stride=-18) == data


def test_more_than_wanted_is_nothing() -> None:
    header = QuicHeader(QuicImageType.RGB32, 30, 20)
    pixels = picture(header, "gradient")
    data = encode(header, pixels)

    assert ENCODER.encode(header, pixels, max_size=len(data)) == data
    assert ENCODER.encode(header, pixels, max_size=len(data) - 1) is None
    assert ENCODER.encode(header, pixels, max_size=0) is None


def test_pixels_must_be_there() -> None:
    with pytest.raises(ValueError, match="pixels are no"):
        ENCODER.encode(QuicHeader(QuicImageType.RGB32, 4, 4), bytes(63))
    with pytest.raises(ValueError, match="pixels are no"):
        ENCODER.encode(QuicHeader(QuicImageType.GRAY, 65537, 1), bytes(65537))


def test_colors_become_32_bits() -> None:
    small = QuicHeader(QuicImageType.RGB24, 7, 4)
    pixels = picture(small, "noise")
    wide = b"".join(pixels[i : i + 3] + b"\0" for i in range(0, len(pixels), 3))

    assert DECODER.decode(encode(small, pixels), QuicImageType.RGB32).pixels == wide

    large = QuicHeader(QuicImageType.RGB32, 7, 4)
    assert DECODER.decode(encode(large, wide), QuicImageType.RGB24).pixels == pixels

    red = struct.pack("<H", 0x13 << 10) * 6
    data = encode(QuicHeader(QuicImageType.RGB16, 3, 2), red)
    assert DECODER.decode(data, QuicImageType.RGB32).pixels == b"\0\0\x9c\0" * 6


def test_what_cannot_be_wanted() -> None:
    header = QuicHeader(QuicImageType.RGBA, 7, 4)
    data = encode(header, picture(header, "noise"))

    with pytest.raises(ValueError, match="cannot be decoded to RGB32"):
        DECODER.decode(data, QuicImageType.RGB32)
    with pytest.raises(ValueError, match="too large"):
        DECODER.decode(data, max_size=7 * 4 * 4 - 1)


@pytest.mark.parametrize(
    ("at", "word"), [(0, 0), (4, 1), (8, 0), (8, 6), (12, 0), (12, 65537), (16, 0)]
)
def test_no_header(at: int, word: int) -> None:
    header = QuicHeader(QuicImageType.RGB32, 4, 4)
    data = bytearray(encode(header, picture(header, "noise")))
    data[at : at + 4] = struct.pack("<I", word)

    with pytest.raises(ValueError, match="not a QUIC image"):
        QuicHeader.parse(data)
    with pytest.raises(ValueError, match="not a QUIC image"):
        DECODER.decode(data)


def test_cut_off() -> None:
    header = QuicHeader(QuicImageType.RGBA, 40, 10)
    data = encode(header, picture(header, "gradient"))

    for size in range(20):
        with pytest.raises(ValueError, match="not a QUIC image"):
            DECODER.decode(data[:size])
    for size in range(20, len(data) - 4):
        with pytest.raises(ValueError, match="ends too early"):
            DECODER.decode(data[:size])


def test_damage_is_an_error_or_another_picture() -> None:
    header = QuicHeader(QuicImageType.RGB16, 40, 30)
    data = encode(header, picture(header, "text"))
    rng = random.Random(5)
    faults = 0

    for _ in range(500):
        damaged = bytearray(data)
        damaged[rng.randrange(20, len(data))] ^= 1 << rng.randrange(8)
        try:
            image = DECODER.decode(damaged)
        except ValueError:
            faults += 1
        else:
            assert len(image.pixels) == 40 * 30 * 2
    assert 0 < faults < 500


def test_pixels_that_change_are_some_picture() -> None:
    header = QuicHeader(QuicImageType.RGBA, 256, 64)
    pixels = bytearray(picture(header, "flat"))
    done = threading.Event()

    def change() -> None:
        rng = random.Random(1)
        while not done.is_set():
            at = rng.randrange(len(pixels))
            pixels[at : at + 64] = rng.randbytes(len(pixels[at : at + 64]))

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(100):
            data = ENCODER.encode(header, pixels)
            assert data is not None
            assert DECODER.decode(data).header == header
    finally:
        done.set()
        thread.join()


def recorded() -> list[tuple[tuple[int, int, int, int], bytes]]:
    """Return the boxes (left, top, right, bottom) and QUIC data of a server's images."""
    (channel,) = (
        c for c in captures.channels(CAPTURE) if c.type == ChannelType.DISPLAY
    )
    stream, images, at = b"".join(channel.pieces), [], -1
    while (at := stream.find(b"QUIC\0\0\0\0", at + 1)) >= 0:
        # DRAW_COPY: surface id, box, .. 57 bytes, descriptor of 18 bytes, size, data
        top, left, bottom, right = struct.unpack_from("<4i", stream, at - 75)
        (size,) = struct.unpack_from("<I", stream, at - 4)
        images.append(((left, top, right, bottom), stream[at : at + size]))
    return images


@pytest.mark.skipif(not CAPTURE.exists(), reason="no recorded sessions here")
def test_images_of_a_real_server() -> None:
    images = recorded()
    with Image.open(EXPECTED) as image:
        wanted = image.convert("RGB")
    screen = Image.new("RGB", wanted.size)
    seen = False

    for (left, top, right, bottom), data in images:
        decoded = DECODER.decode(data)
        size = (right - left, bottom - top)
        assert (decoded.header.width, decoded.header.height) == size
        pixels = bytes(decoded.pixels)
        screen.paste(Image.frombytes("RGB", size, pixels, "raw", "BGRX"), (left, top))
        seen = seen or screen.tobytes() == wanted.tobytes()
        assert encode(decoded.header, pixels) == data
    assert len(images) > 50
    assert seen
