"""``qxld``: the command line."""

from __future__ import annotations

import sys

__all__ = ["main"]

INTERRUPTED = 130
"""What a shell makes of SIGINT."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command that *arguments* name; the exit code."""
    try:
        # Here, because it takes a while, in which Ctrl-C shall not show a traceback.
        from qxld.program import execute  # noqa: PLC0415 - see above

        return execute(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
