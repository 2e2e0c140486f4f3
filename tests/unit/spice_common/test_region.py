"""Regions against sets of pixels."""

from __future__ import annotations

from hypothesis import given, strategies as st

from spice_common.region import Box, Region

SIDE = 12
coordinate = st.integers(-2, SIDE)
boxes = st.builds(
    lambda left, top, width, height: Box(left, top, left + width, top + height),
    coordinate,
    coordinate,
    st.integers(0, 6),
    st.integers(0, 6),
)


def pixels(region: Region | Box) -> set[tuple[int, int]]:
    parts = region.boxes() if isinstance(region, Region) else [region]
    return {
        (x, y)
        for box in parts
        for y in range(box.top, box.bottom)
        for x in range(box.left, box.right)
    }


@given(st.lists(st.tuples(st.sampled_from(["add", "subtract", "intersect"]), boxes)))
def test_operations_are_those_of_sets(steps):
    region, expected = Region(), set()
    names = {"add": "union", "subtract": "difference", "intersect": "intersection"}
    for name, box in steps:
        getattr(region, name)(box)
        expected = getattr(expected, names[name])(pixels(box))
    assert pixels(region) == expected
    assert region.area == len(expected)
    assert bool(region) == bool(expected)


@given(st.lists(boxes), st.lists(boxes))
def test_operations_with_regions(first, second):
    a, b = Region(first), Region(second)
    for name, operator in [
        ("add", "__or__"),
        ("subtract", "__sub__"),
        ("intersect", "__and__"),
    ]:
        result = Region(first)
        getattr(result, name)(b)
        assert pixels(result) == getattr(pixels(a), operator)(pixels(b))
    assert (a == b) == (pixels(a) == pixels(b))


@given(st.lists(boxes))
def test_rectangles_are_disjoint_bands(parts):
    found = Region(parts).boxes()
    assert sum((b.right - b.left) * (b.bottom - b.top) for b in found) == len(
        pixels(Region(parts))
    )
    assert found == sorted(found, key=lambda box: (box.top, box.left))


def test_extents_and_points():
    region = Region([Box(1, 2, 3, 4), Box(10, 20, 30, 40)])
    assert region.extents == Box(1, 2, 30, 40)
    assert (1, 2) in region
    assert (3, 4) not in region
    region.clear()
    assert region.extents == Box(0, 0, 0, 0)
    assert not region
    assert repr(region) == "Region([])"


def test_the_whole_plane():
    low, high = -(1 << 31), (1 << 31) - 1
    region = Region([Box(low, low, high, high)])
    region.subtract(Box(0, 0, 1, 1))
    assert (0, 0) not in region
    assert (1, 1) in region
    assert region != 7
