"""Whatever real servers sent to real clients, this client takes, and shows the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image

from spice_client.cursor import CursorChannel
from spice_client.display import DisplayChannel
from spice_client.inputs import InputsChannel
from spice_client.main import MainChannel
from spice_client.session import Session
from tests.fakes import captures

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from spice_client.channel import Channel
    from spice_client.picture import Picture

CLASSES = {
    cls.TYPE: cls for cls in (MainChannel, DisplayChannel, InputsChannel, CursorChannel)
}
EXPECTED = captures.FOLDER / "compression-expected-640x480.png"
SIZE = (640, 480)
EXACT = ["auto-glz", "auto-lz", "glz", "lz", "off", "quic", "zlib-glz"]

pytestmark = pytest.mark.skipif(
    not captures.captures(), reason="../shared/corpus/captures is not there"
)


def play(
    path: Path, observe: Callable[[Channel], None] = lambda _: None
) -> list[Channel]:
    sessions: dict[int, Session] = {}
    played: dict[tuple[int, int, int], Channel] = {}
    for captured in captures.channels(path):
        cls = CLASSES.get(captured.type)
        if cls is None:
            continue
        key = (captured.session_id, captured.type, captured.id)
        channel = played.get(key)
        if channel is not None and channel.migrating:
            channel.relink(captured.link)
        else:
            if channel is not None:  # a session of its own on the other server
                sessions.pop(captured.session_id)
            session = sessions.setdefault(captured.session_id, Session())
            channel = played[key] = cls(captured.link, captured.id, session)
        for piece in captured.pieces:
            channel.receive_data(piece)
            observe(channel)
        assert not channel.held_up
        channel.leave()
    return list(played.values())


@pytest.mark.parametrize("path", captures.captures(), ids=lambda path: path.stem)
def test_a_recorded_session(path: Path) -> None:
    play(path)


def shown(name: str) -> Image.Image:
    """Return what the guest's picture looked like before the guest went on to text."""
    seen: list[Picture] = []

    def observe(channel: Channel) -> None:
        primary = channel.primary if isinstance(channel, DisplayChannel) else None
        if primary is not None and (primary.width, primary.height) == SIZE:
            seen.append(primary.picture())

    play(captures.FOLDER / f"compression-{name}.spcap.gz", observe)
    return Image.frombytes("RGB", SIZE, seen[-1].rgb)


def expected(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


@pytest.mark.parametrize("name", EXACT)
def test_pixels_are_those_the_guest_drew(name: str) -> None:
    assert shown(name).tobytes() == expected(EXPECTED).tobytes()


def test_jpeg_is_decoded_as_another_client_does() -> None:
    saved = expected(captures.FOLDER / "compression-jpeg.png")
    assert shown("jpeg").tobytes() == saved.tobytes()
