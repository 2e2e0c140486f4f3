"""Ring arithmetic; the layout itself is compared with C in tests/parity."""

from __future__ import annotations

import pytest

from spice_protocol.ipc_ring import RingLayout, power2_align, ring_count


@pytest.mark.parametrize(
    ("value", "aligned"), [(1, 1), (2, 2), (3, 4), (16, 16), (17, 32), (33, 64)]
)
def test_power2_align(value: int, aligned: int) -> None:
    assert power2_align(value) == aligned


def test_layout_rounds_up() -> None:
    layout = RingLayout(element_size=12, size=5)
    assert (layout.num_items, layout.item_stride) == (8, 16)
    assert layout.index_mask == 7
    assert layout.total_size == 20 + 8 * 16


def test_item_offset_masks_free_running_indices() -> None:
    layout = RingLayout(8, 8)
    assert layout.item_offset(0) == 20
    assert layout.item_offset(9) == 28
    assert layout.item_offset(0xFFFFFFFF) == 20 + 7 * 8


def test_indices_wrap_at_32_bits() -> None:
    layout = RingLayout(8, 8)
    assert ring_count(2, 0xFFFFFFFF) == 3
    assert layout.is_empty(5, 5)
    assert layout.is_full(4, 0xFFFFFFFC)
    assert not layout.is_full(3, 0xFFFFFFFC)


def test_a_broken_ring_counts_more_than_it_holds() -> None:
    assert ring_count(0, 1) > RingLayout(8, 8).num_items
