from __future__ import annotations

import pytest

from vm_transport.guest_memory import GuestMemory
from vm_transport.ivshmem.header import (
    MAGIC,
    Feature,
    QxlIvshmemDisplay,
    QxlIvshmemHeader,
)
from vm_transport.ivshmem.layout import Layout
from vm_transport.ivshmem.shared_header import SharedHeader


@pytest.fixture
def memory():
    with GuestMemory.create(4096) as memory:
        yield memory


def test_nothing_is_valid_before_it_is_written(memory: GuestMemory) -> None:
    SharedHeader(memory, Layout.plan())
    assert not any(memory.view)


def test_what_a_guest_finds(memory: GuestMemory) -> None:
    layout = Layout.plan(2)
    SharedHeader(memory, layout).write(epoch=3, peer_id=4, irq_base=6)
    header = QxlIvshmemHeader.unpack_from(memory.view)
    assert header.magic == MAGIC
    assert (header.server_epoch, header.server_peer_id) == (3, 4)
    assert header.features == Feature.IO_RING
    assert header.vdi_irq_vector == 8
    displays = [
        QxlIvshmemDisplay.unpack_from(
            memory.view, header.display_desc_offset + k * header.display_desc_size
        )
        for k in range(header.num_displays)
    ]
    assert displays == layout.descriptors(irq_base=6)


def test_the_guests_words_survive_a_take_over_and_can_be_cleared(
    memory: GuestMemory,
) -> None:
    header = SharedHeader(memory, Layout.plan())
    header.write(epoch=1, peer_id=1, irq_base=0)
    assert not header.driver_bound
    for field in ("guest_features", "guest_status"):
        memory.view[QxlIvshmemHeader.offset(field)] = 1
    header.write(epoch=2, peer_id=2, irq_base=2)
    assert header.driver_bound
    assert QxlIvshmemHeader.unpack_from(memory.view).guest_features == 1
    header.clear_guest()
    assert not header.driver_bound
    found = QxlIvshmemHeader.unpack_from(memory.view)
    assert (found.guest_features, found.guest_status) == (0, 0)


def test_what_the_guest_does_to_our_words_changes_nothing(memory: GuestMemory) -> None:
    header = SharedHeader(memory, Layout.plan())
    memory.view[:] = b"\xff" * 4096
    header.write(epoch=1, peer_id=1, irq_base=0)
    expected = Layout.plan().header(features=Feature.IO_RING)
    found = QxlIvshmemHeader.unpack_from(memory.view)
    assert found.size == expected.size
    assert found.display_desc_offset == expected.display_desc_offset
