"""The exact bytes that QEMU 7.2 and 11.1 were seen to accept."""

from __future__ import annotations

from vm_transport.ivshmem.messages import (
    Message,
    decode,
    handshake,
    refusal,
    take_over,
)


def test_the_handshake_of_a_fresh_device() -> None:
    sequence = handshake(9, 1, [10, 11, 12], [20, 21])
    assert [(m.encode().hex(" "), m.fd) for m in sequence] == [
        ("00 00 00 00 00 00 00 00", None),  # protocol version
        ("00 00 00 00 00 00 00 00", None),  # QEMU's id
        ("ff ff ff ff ff ff ff ff", 9),  # shared memory
        ("01 00 00 00 00 00 00 00", 10),  # peer 1: doorbells
        ("01 00 00 00 00 00 00 00", 11),
        ("01 00 00 00 00 00 00 00", 12),
        ("00 00 00 00 00 00 00 00", 20),  # QEMU itself: interrupts
        ("00 00 00 00 00 00 00 00", 21),
    ]


def test_a_take_over_has_vectors_only() -> None:
    sequence = take_over(2, [10], [20])
    assert sequence == [Message(2, 10), Message(0, 20)]


def test_no_sequence_ever_says_that_a_peer_left() -> None:
    """``<peer>`` without a descriptor, which makes QEMU free what it still uses."""
    for message in [*handshake(9, 1, [10], [20])[2:], *take_over(2, [10], [20])]:
        assert message.fd is not None


def test_the_refusal_is_a_version_qemu_does_not_know() -> None:
    (message,) = refusal()
    assert message.number != 0
    assert message.fd is None


def test_numbers_survive_the_wire() -> None:
    for number in (0, 1, -1, 0xFFFF, 2**63 - 1, -(2**63)):
        assert decode(Message(number).encode()) == number
