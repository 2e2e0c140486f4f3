#!/usr/bin/env python3
"""Build a guest image; `build_image.py --help`."""

from __future__ import annotations

import argparse
import json
import sys

from desktop import build_desktop
from errors import ImageError
from kernel import KERNELS
from tiny import build_tiny

__all__ = ["main"]

_GUESTS = {"tiny": build_tiny, "desktop": build_desktop}


def main(arguments: list[str] | None = None) -> int:
    """Build what *arguments* name and print where it is; 1 if that is impossible."""
    parser = argparse.ArgumentParser(
        prog="build_image.py",
        description="Build a guest with qxld's driver, once per recipe, under build/cache.",
    )
    parser.add_argument("guest", choices=_GUESTS)
    parser.add_argument("--kernel", choices=KERNELS, default=KERNELS[0])
    parser.add_argument(
        "--json", action="store_true", help="print all that running it takes, as JSON"
    )
    options = parser.parse_args(arguments)
    try:
        recipe = _GUESTS[options.guest](options.kernel)
    except (ImageError, OSError) as error:
        print(f"build-image: {options.guest}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"build-image: {options.guest}: interrupted", file=sys.stderr)
        return 130
    if options.json:
        print(json.dumps(recipe.to_json(), indent=2))
    else:
        for path in (recipe.kernel, recipe.initrd, recipe.disk):
            if path is not None:
                print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
