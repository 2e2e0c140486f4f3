from __future__ import annotations

import itertools

import pytest
from hypothesis import given, strategies as st

from vm_transport.errors import LayoutError
from vm_transport.ivshmem.header import Feature, QxlIvshmemHeader
from vm_transport.ivshmem.layout import MAX_BAR_SIZE, Layout

MIB = 1 << 20


def test_one_display_takes_128_mib() -> None:
    layout = Layout.plan()
    assert layout.size == 128 * MIB
    (display,) = layout.displays
    assert display.ram.size == 64 * MIB
    assert display.vram.size == 32 * MIB
    assert (display.notify_vector, display.io_vector, display.irq) == (0, 1, 0)
    assert (layout.vdi_vector, layout.vdi_irq) == (2, 1)
    assert (layout.num_doorbells, layout.num_interrupts) == (3, 2)


@given(
    displays=st.integers(1, 16),
    ram_pages=st.integers(2048, 40000),
    vram_pages=st.integers(1, 20000),
)
def test_windows_never_overlap_and_vectors_are_distinct(
    displays: int, ram_pages: int, vram_pages: int
) -> None:
    try:
        layout = Layout.plan(
            displays, ram_size=4096 * ram_pages, vram_size=4096 * vram_pages
        )
    except LayoutError:
        assert displays * (ram_pages + vram_pages) * 4096 > MAX_BAR_SIZE // 2
        return
    assert layout.size & (layout.size - 1) == 0
    windows = [layout.vdi] + [
        window
        for place in layout.displays
        for window in (place.io, place.rom, place.ram, place.vram)
    ]
    windows.sort(key=lambda window: window.offset)
    assert windows[0].offset >= 4096
    for low, high in itertools.pairwise(windows):
        assert low.offset + low.size <= high.offset
    assert windows[-1].offset + windows[-1].size <= layout.size
    assert all(w.offset % 4096 == w.size % 4096 == 0 for w in windows)
    windows = sorted(windows + layout.beside_devices(), key=lambda w: w.offset)
    ends = [0, *(window.offset + window.size for window in windows)]
    assert [window.offset for window in windows] == ends[:-1]
    assert ends[-1] == layout.size
    doorbells = [v for d in layout.displays for v in (d.notify_vector, d.io_vector)]
    assert [*doorbells, layout.vdi_vector] == list(range(layout.num_doorbells))
    interrupts = [d.irq for d in layout.displays]
    assert [*interrupts, layout.vdi_irq] == list(range(layout.num_interrupts))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bar_size": 3 * MIB}, "not a power of two .*ask for 128 MiB"),
        ({"bar_size": 0}, "not a power of two"),
        ({"bar_size": -128 * MIB}, "not a power of two"),
        ({"bar_size": 64 * MIB}, "64 MiB is too small .*ask for 128 MiB"),
        ({"bar_size": 4096 * MIB}, "4096 MiB is too large"),
        ({"displays": 0}, "1 to 16"),
        ({"displays": 17}, "1 to 16"),
        ({"displays": 16, "ram_size": 256 * MIB}, "at most 2048 MiB"),
        ({"ram_size": 64 * MIB + 1}, "RAM of .*whole pages"),
        ({"ram_size": 4096}, "at least 8192 KiB"),
        ({"vram_size": 0}, "VRAM of 0 bytes"),
    ],
)
def test_sizes_that_cannot_be_are_refused(
    options: dict[str, int], message: str
) -> None:
    with pytest.raises(LayoutError, match=message):
        Layout.plan(**options)


def test_more_than_needed_may_be_asked_for() -> None:
    assert Layout.plan(bar_size=512 * MIB).size == 512 * MIB


@pytest.mark.parametrize("vectors", [0, 2, 257])
def test_vectors_must_suffice_and_be_addressable(vectors: int) -> None:
    with pytest.raises(LayoutError, match=f"vectors={vectors}"):
        Layout.plan().check_vectors(vectors)


@pytest.mark.parametrize("vectors", [3, 32, 256])
def test_vectors_that_suffice(vectors: int) -> None:
    Layout.plan().check_vectors(vectors)


def test_the_header_is_not_valid_before_magic() -> None:
    header = Layout.plan(2).header(features=Feature.IO_RING)
    assert header.magic == 0
    assert header.num_displays == 2
    assert header.header_size == QxlIvshmemHeader.SIZE
    assert header.features == Feature.IO_RING


def test_descriptors_follow_the_interrupts_base() -> None:
    first, second = Layout.plan(2).descriptors(irq_base=6)
    assert (first.irq_vector, second.irq_vector) == (6, 7)
    assert (second.notify_vector, second.io_vector) == (2, 3)
