"""Any bytes are a message or a ProtocolError, and what was read reads again."""

from __future__ import annotations

from hypothesis import given, strategies as st

from spice_protocol.enums import ChannelType
from spice_protocol.errors import ProtocolError
from spice_protocol.messages.tables import Direction, message_class

CLASSES = sorted(
    {
        found
        for channel in ChannelType
        for direction in Direction
        for message_id in range(400)
        if (found := message_class(channel, direction, message_id)) is not None
    },
    key=lambda cls: cls.__name__,
)

# Small numbers at the places of counts, types and offsets get further than noise does.
small_words = st.lists(
    st.integers(0, 120).map(lambda n: n.to_bytes(4, "little")), max_size=40
).map(b"".join)


@given(st.sampled_from(CLASSES), st.binary(max_size=200) | small_words)
def test_any_bytes(cls: type, body: bytes) -> None:
    try:
        message = cls.unpack(body)
    except ProtocolError:
        return
    assert cls.unpack(message.pack()) == message
