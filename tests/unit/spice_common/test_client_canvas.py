"""A server's bytes on a client's canvas: codecs, caches, bounds, counters."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

from spice_common.client_canvas import (
    ClientCanvas,
    ClientError,
    PictureCache,
    Progress,
    Reason,
)
from spice_common.client_images import GlzDictionary
from spice_common.image_encode import (
    EncodedImage,
    ImageEncoder,
    ImageSettings,
    Picture,
)
from spice_protocol.enums import (
    SpiceImageCompression,
    SpiceImageFlags,
    SpiceImageType,
    SpiceSurfaceFlags,
    SpiceSurfaceFmt,
)
from spice_protocol.messages.base import BaseMsg
from spice_protocol.messages.display import DisplayMsg
from tests.fakes.image_messages import cached_image, draw_copy, surface_create
from tests.fakes.spice_peer import framed

WIDTH, HEIGHT = 33, 17
XRGB, ARGB = SpiceSurfaceFmt.FMT_32_xRGB, SpiceSurfaceFmt.FMT_32_ARGB
PRIMARY = SpiceSurfaceFlags.PRIMARY
CREATE = surface_create(0, WIDTH, HEIGHT, XRGB, PRIMARY)


def photo(seed: int = 1, format_: SpiceSurfaceFmt = XRGB) -> Picture:
    """Return a picture that is smooth with some noise on it."""
    random = np.random.default_rng(seed)
    pixel_size = {16: 2, 8: 1}.get(format_, 4)
    slope = np.add.outer(np.arange(HEIGHT), np.arange(WIDTH * pixel_size)) * 2
    values = (slope + random.integers(0, 3, slope.shape)).astype(np.uint8)
    if format_ == XRGB:
        values[:, 3::4] = 0
    if format_ == SpiceSurfaceFmt.FMT_16_555:
        values[:, 1::2] &= 0x7F
    return Picture(values.tobytes(), WIDTH, HEIGHT, format_)


def encoded(
    picture: Picture,
    compression: SpiceImageCompression,
    dictionary: GlzDictionary | None = None,
    *,
    image_id: int = 7,
    flags: int = 0,
    **settings: bool,
) -> EncodedImage:
    return ImageEncoder().encode(
        picture,
        ImageSettings(compression, **settings),
        dictionary,
        image_id=image_id,
        flags=flags,
    )


def take(canvas: ClientCanvas, *messages: bytes) -> Progress:
    return canvas.receive(b"".join(messages))


def pixels(canvas: ClientCanvas, surface_id: int = 0, pixel_size: int = 4) -> bytes:
    surface = canvas.surface(surface_id)
    assert surface is not None
    return canvas.read(surface, pixel_size)


@pytest.fixture
def canvas() -> ClientCanvas:
    canvas = ClientCanvas(PictureCache())
    assert take(canvas, CREATE).messages == 1
    return canvas


COMPRESSIONS = [c for c in SpiceImageCompression if c]


@pytest.mark.parametrize("zlib_glz", [False, True], ids=["", "zlib"])
@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("format_", [XRGB, ARGB, SpiceSurfaceFmt.FMT_16_555])
def test_what_is_encoded_is_shown(
    format_: SpiceSurfaceFmt, compression: SpiceImageCompression, zlib_glz: bool
) -> None:
    canvas = ClientCanvas(PictureCache())
    take(canvas, surface_create(1, WIDTH, HEIGHT, format_))
    dictionary = GlzDictionary(1 << 20)
    for seed in (1, 2, 1):
        picture = photo(seed, format_)
        image = encoded(picture, compression, dictionary, zlib_glz=zlib_glz)
        message = draw_copy(image.data, WIDTH, HEIGHT, surface_id=1)
        assert take(canvas, message).consumed == len(message)
        shown = pixels(canvas, 1, 2 if format_ == 16 else 4)
        assert shown == picture.pixels
    kinds = set(canvas.counts().images)
    if compression is SpiceImageCompression.QUIC:
        assert kinds == {SpiceImageType.QUIC}
    if compression is SpiceImageCompression.GLZ and zlib_glz and format_ == XRGB:
        assert SpiceImageType.ZLIB_GLZ_RGB in kinds


def test_alpha_planes() -> None:
    canvas = ClientCanvas(PictureCache())
    take(canvas, surface_create(1, WIDTH, HEIGHT, SpiceSurfaceFmt.FMT_8_A))
    picture = photo(1, SpiceSurfaceFmt.FMT_8_A)
    for compression in COMPRESSIONS:
        image = encoded(picture, compression)
        take(canvas, draw_copy(image.data, WIDTH, HEIGHT, surface_id=1))
        assert pixels(canvas, 1, 1) == picture.pixels


def jpeg_of(picture: Picture) -> bytes:
    words = np.frombuffer(picture.pixels, np.uint8).reshape(HEIGHT, WIDTH, 4)
    packed = io.BytesIO()
    Image.fromarray(words[:, :, 2::-1].copy()).save(packed, "JPEG", quality=85)
    return packed.getvalue()


def jpeg_image(data: bytes, image_id: int = 9, flags: int = 0) -> bytes:
    kind = SpiceImageType.JPEG
    descriptor = struct.pack("<QBBII", image_id, kind, flags, WIDTH, HEIGHT)
    return descriptor + struct.pack("<I", len(data)) + data


def test_jpeg_is_what_other_libraries_see(canvas: ClientCanvas) -> None:
    data = jpeg_of(photo())
    assert not take(canvas, draw_copy(jpeg_image(data), WIDTH, HEIGHT)).error
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(image.convert("RGB")).astype(int)
    shown = np.frombuffer(pixels(canvas), np.uint8).reshape(HEIGHT, WIDTH, 4)
    assert np.abs(shown[:, :, 2::-1] - expected).max() <= 1


def test_jpeg_with_alpha() -> None:
    canvas = ClientCanvas(PictureCache())
    take(canvas, surface_create(1, WIDTH, HEIGHT, ARGB))
    picture = photo(1, ARGB)
    image = encoded(picture, SpiceImageCompression.QUIC, jpeg=True)
    assert (image.type, image.lossy) == (SpiceImageType.JPEG_ALPHA, True)
    take(canvas, draw_copy(image.data, WIDTH, HEIGHT, surface_id=1))
    assert pixels(canvas, 1)[3::4] == bytes(picture.pixels)[3::4]


def reference(image_id: int, kind: SpiceImageType = SpiceImageType.FROM_CACHE) -> bytes:
    return draw_copy(cached_image(image_id, WIDTH, HEIGHT, kind), WIDTH, HEIGHT)


def inval(*image_ids: int) -> bytes:
    body = struct.pack("<H", len(image_ids))
    body += b"".join(struct.pack("<BQ", 1, image_id) for image_id in image_ids)
    return framed(DisplayMsg.INVAL_LIST, body)


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_cached_images(
    canvas: ClientCanvas, compression: SpiceImageCompression
) -> None:
    first, second = photo(1), photo(2)
    for number, picture in ((1, first), (2, second)):
        image = encoded(
            picture, compression, image_id=number, flags=SpiceImageFlags.CACHE_ME
        )
        take(canvas, draw_copy(image.data, WIDTH, HEIGHT))
    assert canvas.cache.num_images == 2
    assert canvas.cache.image_bytes >= 2 * 4 * WIDTH * HEIGHT
    take(canvas, reference(1))
    assert pixels(canvas) == first.pixels
    take(canvas, reference(2))
    assert pixels(canvas) == second.pixels
    take(canvas, inval(1, 99))
    progress = take(canvas, reference(2), reference(1), reference(2))
    assert (progress.messages, progress.reason) == (1, Reason.FAILED)
    assert (progress.error, progress.detail) == (ClientError.NO_IMAGE, 1)
    canvas.cache.forget_images()
    assert (canvas.cache.num_images, canvas.cache.image_bytes) == (0, 0)
    assert take(canvas, reference(2)).error is ClientError.NO_IMAGE


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_what_the_void_byte_means(compression: SpiceImageCompression) -> None:
    """A cached image that says its high bits are set is opaque wherever it is drawn."""
    canvas = ClientCanvas(PictureCache())
    take(canvas, surface_create(0, WIDTH, HEIGHT, ARGB))
    flags = SpiceImageFlags.CACHE_ME | SpiceImageFlags.HIGH_BITS_SET
    opaque = encoded(photo(), compression, image_id=5, flags=flags)
    take(canvas, draw_copy(opaque.data, WIDTH, HEIGHT))
    assert pixels(canvas)[3::4] == b"\xff" * (WIDTH * HEIGHT)
    void = encoded(photo(), compression)
    take(canvas, draw_copy(void.data, WIDTH, HEIGHT))
    assert not any(pixels(canvas)[3::4])
    take(canvas, reference(5))
    assert pixels(canvas)[3::4] == b"\xff" * (WIDTH * HEIGHT)


def test_a_lossy_image_is_replaced(canvas: ClientCanvas) -> None:
    lossless = SpiceImageType.FROM_CACHE_LOSSLESS
    data = jpeg_image(jpeg_of(photo()), 5, SpiceImageFlags.CACHE_ME)
    take(canvas, draw_copy(data, WIDTH, HEIGHT))
    assert not take(canvas, reference(5)).error
    assert take(canvas, reference(5, lossless)).error is ClientError.NO_IMAGE
    better = encoded(
        photo(),
        SpiceImageCompression.LZ,
        image_id=5,
        flags=SpiceImageFlags.CACHE_REPLACE_ME,
    )
    take(canvas, draw_copy(better.data, WIDTH, HEIGHT))
    assert not take(canvas, reference(5, lossless)).error
    assert pixels(canvas) == photo().pixels
    assert canvas.cache.num_images == 1


def test_no_more_is_cached_than_was_offered() -> None:
    canvas = ClientCanvas(PictureCache(image_pixels=0))
    take(canvas, surface_create(0, 2048, 2048, XRGB, PRIMARY))
    picture = Picture(bytes(4 << 22), 2048, 2048)
    progress = None
    for number in range(4):
        image = encoded(
            picture,
            SpiceImageCompression.LZ,
            image_id=number,
            flags=SpiceImageFlags.CACHE_ME,
        )
        progress = take(canvas, draw_copy(image.data, 2048, 2048))
        if progress.error:
            break
    assert progress is not None
    assert progress.error is ClientError.LIMIT_IMAGES


def test_glz_image_that_comes_on_another_channel() -> None:
    cache = PictureCache()
    first, second = ClientCanvas(cache), ClientCanvas(cache)
    dictionary = GlzDictionary(1 << 20)
    earlier, later = (
        draw_copy(
            encoded(photo(), SpiceImageCompression.GLZ, dictionary).data, WIDTH, HEIGHT
        )
        for _ in range(2)
    )
    for canvas in (first, second):
        take(canvas, CREATE)
    waits = take(second, later)
    assert (waits.consumed, waits.error) == (0, ClientError.NO_GLZ_IMAGE)
    assert not any(pixels(second))
    assert not take(first, earlier).error
    assert not take(second, later).error
    assert pixels(second) == pixels(first) == photo().pixels


@pytest.mark.parametrize("full", [False, True])
def test_messages_in_pieces(full: bool) -> None:
    image = encoded(photo(), SpiceImageCompression.QUIC).data
    body = draw_copy(image, WIDTH, HEIGHT)[6:]
    run = framed(314, CREATE[6:], mini=not full) + framed(304, body, mini=not full)
    canvas = ClientCanvas(PictureCache())
    buffer, calls = bytearray(), 0
    for start in range(0, len(run), 50):
        buffer += run[start : start + 50]
        progress = canvas.receive(buffer, full_header=full)
        assert progress.reason is Reason.MORE
        del buffer[: progress.consumed]
        calls += progress.messages
    assert (calls, buffer) == (2, b"")
    assert pixels(canvas) == photo().pixels


def test_other_messages_are_the_callers(canvas: ClientCanvas) -> None:
    ping = framed(BaseMsg.PING, bytes(12))
    progress = take(canvas, inval(), ping, inval())
    assert (progress.messages, progress.reason) == (1, Reason.OTHER)
    assert (progress.type, progress.consumed) == (BaseMsg.PING, len(inval()))
    assert not canvas.takes(BaseMsg.PING)
    assert canvas.takes(DisplayMsg.DRAW_COMPOSITE)
    assert not canvas.takes(DisplayMsg.STREAM_DATA)


def test_sub_messages_are_the_callers() -> None:
    canvas = ClientCanvas(PictureCache())
    header = struct.pack("<QHII", 1, DisplayMsg.MARK, 0, 2)
    progress = canvas.receive(header, full_header=True)
    assert progress.reason is Reason.OTHER
    assert not canvas.marked


def test_bounds(canvas: ClientCanvas) -> None:
    huge = struct.pack("<HI", DisplayMsg.DRAW_FILL, 0xFFFFFFFF)
    progress = take(canvas, huge)
    assert (progress.error, progress.detail) == (ClientError.TOO_BIG, 0xFFFFFFFF)
    for body in (b"", b"\0" * 5, b"\xff" * 60):
        assert canvas.message(DisplayMsg.DRAW_COPY, body)[0] is ClientError.BAD_MESSAGE
        assert canvas.message(DisplayMsg.SURFACE_CREATE, body)[0]
    cut_off = struct.pack("<HBQ", 9, 1, 1)
    assert canvas.message(DisplayMsg.INVAL_LIST, cut_off)[0] is ClientError.BAD_MESSAGE


def test_sizes_that_are_not_possible() -> None:
    with pytest.raises(ValueError, match="image cache"):
        PictureCache(image_pixels=-1)
    with pytest.raises(ValueError, match="GLZ window"):
        PictureCache(window_pixels=1 << 26)


def test_counting_without_painting() -> None:
    canvas = ClientCanvas(PictureCache(), paint=False)
    image = encoded(photo(), SpiceImageCompression.QUIC).data
    message = draw_copy(image, WIDTH, HEIGHT)
    broken = draw_copy(image[:30], WIDTH, HEIGHT)
    progress = take(canvas, CREATE, message, message, broken)
    assert (progress.messages, progress.error) == (4, ClientError.OK)
    assert canvas.surface_ids() == []
    counts = canvas.counts()
    assert counts.draws == 0
    assert counts.messages == {
        DisplayMsg.DRAW_COPY: (3, 2 * len(message) + len(broken)),
        DisplayMsg.SURFACE_CREATE: (1, len(CREATE)),
    }
    bodies = 2 * (len(message) - 6) + len(broken) - 6
    assert counts.images == {SpiceImageType.QUIC: (3, bodies, 3 * WIDTH * HEIGHT)}


def test_complete_once_all_is_drawn(canvas: ClientCanvas) -> None:
    image = encoded(photo(), SpiceImageCompression.LZ).data
    assert not canvas.complete
    take(canvas, draw_copy(image, WIDTH, HEIGHT, x=1))
    assert not canvas.complete
    take(canvas, draw_copy(image, WIDTH, HEIGHT, x=1 - WIDTH))
    assert canvas.complete
    take(canvas, surface_create(1, 4, 4, XRGB))
    assert canvas.complete
    take(canvas, surface_create(2, WIDTH, HEIGHT, XRGB, PRIMARY))
    assert not canvas.complete


def test_reading_what_is_gone(canvas: ClientCanvas) -> None:
    surface = canvas.primary
    assert surface is not None
    take(canvas, framed(DisplayMsg.SURFACE_DESTROY, bytes(4)))
    assert canvas.primary is None
    with pytest.raises(ValueError, match="surface 0"):
        canvas.read(surface, 4)
    with pytest.raises(ValueError, match="surface 0"):
        canvas.read_argb(surface)


def test_argb_words(canvas: ClientCanvas) -> None:
    image = encoded(photo(), SpiceImageCompression.LZ4).data
    take(canvas, draw_copy(image, WIDTH, HEIGHT))
    assert canvas.primary is not None
    words = canvas.read_argb(canvas.primary)
    assert words[3::4] == b"\xff" * (WIDTH * HEIGHT)
    assert words[::4] == bytes(photo().pixels)[::4]
