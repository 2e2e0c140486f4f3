"""Every recorded message is read, and written back byte by byte."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from spice_protocol.enums import ChannelType, SpiceImageType
from spice_protocol.errors import ProtocolError
from spice_protocol.messages import base, display, draw, inputs, main, playback, port
from spice_protocol.messages.tables import (
    Direction,
    channel_name,
    message_class,
    message_name,
)

if TYPE_CHECKING:
    from spice_protocol.messages.base import MessageClass

VECTORS = Path(__file__).parents[2] / "vectors" / "spice_protocol" / "messages.txt"


class Vector(NamedTuple):
    direction: Direction
    channel: ChannelType
    id: int
    name: str
    body: bytes

    @property
    def message_class(self) -> MessageClass:
        found = message_class(self.channel, self.direction, self.id)
        assert found is not None
        return found


def load() -> list[Vector]:
    vectors = []
    for line in VECTORS.read_text().splitlines():
        direction, name, _, body = line.split()
        match = re.fullmatch(r"(\w+)\.\w+\((\d+)\)", name)
        assert match
        data = b"" if body == "-" else bytes.fromhex(body)
        channel = ChannelType[match[1]]
        vectors.append(Vector(Direction(direction), channel, int(match[2]), name, data))
    return vectors


def recorded(name: str, direction: Direction = Direction.MSG) -> bytes:
    found = [v.body for v in load() if v.direction is direction and v.name == name]
    assert found
    return found[0]


@pytest.mark.parametrize(
    "vector", load(), ids=lambda v: f"{v.direction.value} {v.name}"
)
class TestRecordedMessages:
    def test_name(self, vector: Vector) -> None:
        name = message_name(vector.channel, vector.direction, vector.id)
        assert name == vector.name

    def test_written_as_read(self, vector: Vector) -> None:
        message = vector.message_class.unpack(vector.body)
        # libspice-server's NOTIFY has one NUL more than message_len says.
        if isinstance(message, base.SpiceMsgNotify):
            assert message.pack() + b"\0" == vector.body
        else:
            assert message.pack() == vector.body

    def test_equal_to_its_copy(self, vector: Vector) -> None:
        cls = vector.message_class
        message = cls.unpack(vector.body)
        assert cls.unpack(message.pack()) == message
        assert repr(message).startswith(cls.__name__)

    def test_truncated_anywhere(self, vector: Vector) -> None:
        # Some messages end in bytes of any number: less of them is a valid message.
        for cut in range(len(vector.body)):
            with contextlib.suppress(ProtocolError):
                vector.message_class.unpack(vector.body[:cut])


def test_init() -> None:
    message = main.SpiceMsgMainInit.unpack(recorded("MAIN.INIT(103)"))
    assert message.display_channels_hint == 1
    assert message.agent_tokens == 10
    assert message.ram_hint == 50323456


def test_channels_list() -> None:
    body = recorded("MAIN.CHANNELS_LIST(104)")
    message = main.SpiceMsgMainChannelsList.unpack(body)
    assert [(c.type, c.id) for c in message.channels] == [(2, 0), (4, 0), (3, 0)]
    assert message.num_of_channels == 3


def test_count_follows_its_list() -> None:
    message = main.SpiceMsgMainChannelsList([])
    message.channels.append(main.SpiceChannelId(ChannelType.DISPLAY, 0))
    assert message.pack() == bytes.fromhex("010000000200")
    assert message.num_of_channels == 1


def test_name_keeps_its_nul() -> None:
    message = main.SpiceMsgMainName.unpack(recorded("MAIN.NAME(113)"))
    assert message.name == b"clients\0"


def test_host_behind_a_pointer() -> None:
    body = recorded("MAIN.MIGRATE_BEGIN_SEAMLESS(116)")
    message = main.SpiceMsgMainMigrateBeginSeamless.unpack(body)
    assert message.dst_info.host_data == b"127.0.0.1\0"
    assert message.dst_info.cert_subject_data is None
    assert message.src_mig_version == 1


def test_port_name_behind_a_pointer() -> None:
    message = port.SpiceMsgPortInit.unpack(recorded("PORT.INIT(201)"))
    assert message.name == b"org.test.port.0\0"
    assert message.opened == 1


def test_volume() -> None:
    message = playback.SpiceMsgAudioVolume.unpack(recorded("PLAYBACK.VOLUME(105)"))
    assert message.volume == [0xBEBE, 0xBEBE]


def test_display_init_is_signed() -> None:
    body = recorded("DISPLAY.INIT(101)", Direction.MSGC)
    message = display.SpiceMsgcDisplayInit.unpack(body)
    assert message.pixmap_cache_size == 20971520
    message.glz_dictionary_window_size = -1
    assert message.pack().endswith(b"\xff\xff\xff\xff")


def test_scancode_is_bare_bytes() -> None:
    body = recorded("INPUTS.KEY_SCANCODE(104)", Direction.MSGC)
    assert body == b"\x03\x83"
    cls = message_class(
        ChannelType.INPUTS, Direction.MSGC, inputs.InputsMsgc.KEY_SCANCODE
    )
    assert cls is base.SpiceMsgData


def test_recorded_images() -> None:
    bodies = [v.body for v in load() if v.name == "DISPLAY.DRAW_COPY(304)"]
    messages = [draw.SpiceMsgDisplayDrawCopy.unpack(body) for body in bodies]
    images = [m.data.src_bitmap for m in messages]
    assert {i.descriptor.type for i in images if i is not None} == {
        SpiceImageType.BITMAP,
        SpiceImageType.QUIC,
        SpiceImageType.LZ_RGB,
        SpiceImageType.GLZ_RGB,
        SpiceImageType.JPEG,
        SpiceImageType.ZLIB_GLZ_RGB,
    }


def test_message_before_the_base_ends_is_the_base_message() -> None:
    assert message_class(ChannelType.DISPLAY, Direction.MSG, 3) is base.SpiceMsgSetAck
    assert message_class(ChannelType.TUNNEL, Direction.MSGC, 3) is base.SpiceMsgcPong


def test_unknown_names() -> None:
    assert message_class(ChannelType.MAIN, Direction.MSG, 999) is None
    assert message_name(ChannelType.MAIN, Direction.MSG, 999) == "MAIN.unknown(999)"
    assert message_name(77, Direction.MSGC, 2) == "channel type 77.ACK(2)"


def test_channel_name() -> None:
    assert channel_name(ChannelType.DISPLAY) == "DISPLAY"
    assert channel_name(ChannelType.DISPLAY, 1) == "DISPLAY:1"


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("channel", ChannelType)
def test_every_id_of_an_enumeration_has_a_structure(
    channel: ChannelType, direction: Direction
) -> None:
    from spice_protocol.messages.tables import _IDS  # noqa: PLC0415 - its inside

    for enumeration in _IDS[direction].get(channel, ()):
        for member in enumeration:
            assert message_class(channel, direction, member) is not None
