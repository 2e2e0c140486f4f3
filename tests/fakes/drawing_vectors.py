"""Digests of what the canvas draws, as spice-gtk confirmed it.

``python -m tests.fakes.drawing_vectors`` writes the file anew; the test in
``tests/interop/test_gtk_canvas.py`` then says whether spice-gtk agrees.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path

from tests.fakes.drawing_bench import FORMATS, DrawingBench, families

__all__ = ["vectors"]

PATH = Path(__file__).parents[1] / "vectors" / "canvas.json"


@functools.cache
def vectors() -> dict[str, dict[str, list[str]]]:
    """Return the digests of rows of cells, by format and family."""
    found: dict[str, dict[str, list[str]]] = json.loads(PATH.read_text("utf-8"))
    return found


def main() -> None:
    """Write the digests of what is drawn now."""
    made: dict[str, dict[str, list[str]]] = {}
    for form in FORMATS:
        bench = DrawingBench(form)
        made[form.name] = {}
        for name in families(form):
            bench.draw_family(name)
            made[form.name][name] = bench.digests()
    PATH.write_text(json.dumps(made, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
