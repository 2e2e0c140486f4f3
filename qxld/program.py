"""The program as a whole: a command line in, an exit code out."""

from __future__ import annotations

import sys

from qmp_bridge.errors import BridgeError
from qxld import logs
from qxld.command_line import parse
from qxld.commands import COMMANDS
from qxld.errors import QxldError, UsageError
from qxld.options import configuration
from spice_server.errors import OperatorError
from vd_interfaces.control import ControlError
from vm_transport.errors import TransportError

__all__ = ["execute"]


def execute(arguments: list[str] | None = None) -> int:
    """Run the command that *arguments* name; the exit code.

    What goes wrong outside becomes one line on standard error.
    """
    parsed = parse(arguments)
    try:
        if parsed.command != "screenshot":
            log = configuration(parsed).log
            try:
                logs.setup(log.level, log.format)
            except ValueError as error:
                raise UsageError(str(error)) from error
        return COMMANDS[parsed.command](parsed)
    except QxldError as error:
        return _complain(error, error.exit_code)
    except (OperatorError, TransportError, BridgeError, ControlError) as error:
        return _complain(error, QxldError.exit_code)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _complain(f"{where}{error.strerror or error}", QxldError.exit_code)


def _complain(error: object, code: int) -> int:
    print(f"qxld: {error}", file=sys.stderr)
    return code
