"""Every command on every format of surface: what spice-gtk confirmed is still drawn."""

from __future__ import annotations

import pytest

from tests.fakes.drawing_bench import (
    CELLS,
    FORMATS,
    DrawingBench,
    different_cells,
    families,
)
from tests.fakes.drawing_vectors import vectors


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_the_canvas_draws_what_clients_draw(form):
    bench = DrawingBench(form)
    wrong = {}
    for name in families(form):
        bench.draw_family(name)
        digests, wanted = bench.digests(), vectors()[form.name][name]
        rows = [
            row
            for row, pair in enumerate(zip(digests, wanted, strict=True))
            if pair[0] != pair[1]
        ]
        if rows:
            wrong[name] = rows
    assert not wrong


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_most_cases_draw_something(form):
    bench = DrawingBench(form)
    for name in families(form):
        bench.draw_family("nothing")
        before = bench.pixels()
        bench.draw_family(name)
        assert len(different_cells(before, bench.pixels())) > CELLS / 2, name
