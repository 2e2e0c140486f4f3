"""``python -m benchmarks.codecs``: how fast the image codecs are, and what they gain.

MB/s are of the pixels' bytes, of the fastest of many rounds on one core's CPU time.  What
is measured is the C core with memory that is there already, as the server calls it.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from spice_common import lz
from spice_common.glz import GlzDictionary, GlzWindow
from spice_common.lz import LzEncoder, LzHeader, LzImageType
from spice_common.quic import QuicDecoder, QuicEncoder, QuicHeader, QuicImageType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SIZE = (1024, 768)
TILE = 64
"""Pixels of a side of the small images, which are what damage is often made of."""
PHOTO_NOISE = 5
GLZ_PIXELS = 4 << 20
"""Of a client's window."""


@dataclass(slots=True)
class Pixels:
    """An image of 32-bit pixels, B G R and a byte that is no color."""

    name: str
    width: int
    height: int
    data: bytes


@dataclass(slots=True)
class Codec:
    """One codec, made ready for one image."""

    size: int
    """Bytes of the encoded image."""
    encode: Callable[[], object]
    decode: Callable[[], object]


def quic(pixels: Pixels) -> Codec:
    """Make QUIC ready for *pixels*."""
    encoder, decoder = QuicEncoder(), QuicDecoder()
    header = QuicHeader(QuicImageType.RGB32, pixels.width, pixels.height)
    data = encoder.encode(header, pixels.data)
    assert data is not None
    encoded, decoded = bytearray(len(data)), bytearray(len(pixels.data))
    return Codec(
        len(data),
        lambda: encoder.encode_into(encoded, header, pixels.data),
        lambda: decoder.decode_into(decoded, data, header.type),
    )


def lz_codec(pixels: Pixels) -> Codec:
    """Make LZ ready for *pixels*."""
    encoder = LzEncoder()
    header = LzHeader(LzImageType.RGB32, pixels.width, pixels.height, top_down=True)
    data = encoder.encode(header, pixels.data)
    encoded, decoded = bytearray(2 * len(pixels.data)), bytearray(len(pixels.data))
    return Codec(
        len(data),
        lambda: encoder.encode_into(encoded, header, pixels.data),
        lambda: lz.decode_into(decoded, data, 4 * pixels.width, header.type),
    )


def glz_codec(pixels: Pixels) -> Codec:
    """Make GLZ ready for *pixels*, which repeat no image of before."""
    dictionary, window = GlzDictionary(GLZ_PIXELS), GlzWindow(2 * GLZ_PIXELS)
    header = LzHeader(LzImageType.RGB32, pixels.width, pixels.height, top_down=True)
    data = dictionary.encode(header, pixels.data)
    assert data is not None
    encoded, decoded = bytearray(2 * len(pixels.data)), bytearray(len(pixels.data))

    def encode() -> None:
        dictionary.reset()
        dictionary.encode_into(encoded, header, pixels.data)

    def decode() -> None:
        window.clear()
        window.decode_into(decoded, data, 4 * pixels.width)

    return Codec(len(data), encode, decode)


def glz_again(pixels: Pixels) -> Codec:
    """Make GLZ ready for *pixels* of which the client has a copy (decode: the first)."""
    codec = glz_codec(pixels)
    dictionary = GlzDictionary(GLZ_PIXELS)
    header = LzHeader(LzImageType.RGB32, pixels.width, pixels.height, top_down=True)
    encoded = bytearray(2 * len(pixels.data))
    dictionary.encode_into(encoded, header, pixels.data)
    codec.size = dictionary.encode_into(encoded, header, pixels.data)
    codec.encode = lambda: dictionary.encode_into(encoded, header, pixels.data)
    return codec


CODECS: dict[str, Callable[[Pixels], Codec]] = {
    "quic": quic,
    "lz": lz_codec,
    "glz": glz_codec,
    "glz again": glz_again,
}


def _pixels(name: str, image: Image.Image) -> Pixels:
    rgb = image.convert("RGB")
    return Pixels(name, *rgb.size, rgb.tobytes("raw", "BGRX"))


def _photo() -> Image.Image:
    """Soft shapes, and the noise of a camera."""
    rng = random.Random(1)
    width, height = SIZE
    noise = Image.frombytes("RGB", SIZE, rng.randbytes(width * height * 3))
    shapes = Image.frombytes("RGB", (24, 18), rng.randbytes(24 * 18 * 3))
    soft = shapes.resize(SIZE, Image.Resampling.BICUBIC)
    return Image.blend(soft, noise, PHOTO_NOISE / 256)


def _desktop() -> Image.Image:
    """Windows of text over each other."""
    image = Image.new("RGB", SIZE, (60, 90, 140))
    draw = ImageDraw.Draw(image)
    for i in range(4):
        left, top = 40 + i * 170, 30 + i * 90
        box = (left, top, left + 460, top + 380)
        draw.rectangle(box, fill=(250, 250, 250), outline=(80, 80, 80))
        draw.rectangle((left, top, left + 460, top + 22), fill=(200, 205, 215))
        for line in range(26):
            number = line * 2654435761 % 2**32
            text = f"{line} The quick brown fox jumps over the lazy dog: 0x{number:08x}"
            draw.text((left + 8, top + 28 + line * 13), text, fill=(20, 20, 30))
    return image


def _gradient() -> Image.Image:
    across = Image.linear_gradient("L").resize(SIZE)
    down = across.transpose(Image.Transpose.ROTATE_180)
    return Image.merge("RGB", (across, down, Image.radial_gradient("L").resize(SIZE)))


def images(files: list[Path]) -> Iterator[Pixels]:
    """Yield what is drawn here, and what is in *files*."""
    drawn = {"photo": _photo(), "desktop": _desktop(), "gradient": _gradient()}
    for name, image in drawn.items():
        yield _pixels(name, image)
    for name in ("photo", "desktop"):
        left, top = 100, 100
        tile = drawn[name].crop((left, top, left + TILE, top + TILE))
        yield _pixels(f"{name} {TILE} x {TILE}", tile)
    yield _pixels("one color", Image.new("RGB", SIZE, (60, 90, 140)))
    for file in files:
        with Image.open(file) as image:
            yield _pixels(file.stem, image)


def fastest(function: Callable[[], object], seconds: float) -> float:
    """Return the CPU seconds of the fastest of the rounds that fit into *seconds*."""
    best, end = math.inf, time.monotonic() + seconds
    while time.monotonic() < end or best == math.inf:
        start = time.thread_time()
        function()
        best = min(best, time.thread_time() - start)
    return best


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description="MB/s of the image codecs")
    parser.add_argument("files", nargs="*", type=Path, help="pictures of your own")
    parser.add_argument("--codec", choices=CODECS, action="append")
    parser.add_argument("--seconds", type=float, default=0.5, help="for each figure")
    args = parser.parse_args()
    print(
        f"{'image':<24} {'codec':<10} {'ratio':>8} {'encode MB/s':>12} {'decode MB/s':>12}"
    )
    for pixels in images(args.files):
        for name in args.codec or CODECS:
            codec = CODECS[name](pixels)
            megabytes = len(pixels.data) / 1e6
            encode = megabytes / fastest(codec.encode, args.seconds)
            decode = megabytes / fastest(codec.decode, args.seconds)
            ratio = len(pixels.data) / codec.size
            print(
                f"{pixels.name:<24} {name:<10} {ratio:8.2f} {encode:12,.0f} {decode:12,.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
