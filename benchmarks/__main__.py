"""Run every benchmark and keep the results: ``python -m benchmarks [NAME...]``."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Final

BENCHMARKS: Final = ("drain", "latency")
"""Modules with ``main(["--json", FILE])``."""
RESULTS: Final = Path(__file__).parent / "results"


def main() -> int:
    """Run those named, or all."""
    RESULTS.mkdir(exist_ok=True)
    for name in sys.argv[1:] or BENCHMARKS:
        print(f"== {name}", flush=True)
        module = importlib.import_module(f"benchmarks.{name}")
        if module.main(["--json", str(RESULTS / f"{name}.json")]):
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
