"""What can go wrong at the monitor, and whose fault it is.

::

    BridgeError
     +-- QemuError               QEMU's fault
     |    +-- QemuGone           its monitor connection is closed
     |    +-- QemuProtocolError  it said something that is not QMP
     |    +-- CommandFailed      it refused a command of ours
     +-- MonitorSocketError      the operator's: our listening socket cannot be made
     +-- QmpError                the monitor client's: answered as a QMP error
          +-- JsonError          its bytes are not JSON
"""

from __future__ import annotations

__all__ = [
    "BridgeError",
    "CommandFailed",
    "JsonError",
    "MonitorSocketError",
    "QemuError",
    "QemuGone",
    "QemuProtocolError",
    "QmpError",
]


class BridgeError(Exception):
    """Something is wrong between a monitor client, us and QEMU."""


class QemuError(BridgeError):
    """QEMU's side of the bridge failed."""


class QemuGone(QemuError):  # noqa: N818 - says what happened
    """QEMU closed its monitor connection, or never opened it."""


class QemuProtocolError(QemuError):
    """QEMU's monitor sent what is not QMP."""


class CommandFailed(QemuError):  # noqa: N818 - as above
    """QEMU answered one of our own commands with an error."""

    def __init__(self, command: str, error_class: str, desc: str) -> None:
        super().__init__(f"{command}: {desc}")
        self.command = command
        self.error_class = error_class
        """QAPI ``QapiErrorClass``."""
        self.desc = desc


class MonitorSocketError(BridgeError):
    """The socket that monitor clients connect to cannot be made."""


class QmpError(BridgeError):
    """What a monitor client asked cannot be done; QMP's ``error`` object."""

    def __init__(self, desc: str, error_class: str = "GenericError") -> None:
        super().__init__(desc)
        self.desc = desc
        self.error_class = error_class
        """QAPI ``QapiErrorClass``."""


class JsonError(QmpError):
    """Bytes that are not JSON, in the words of QEMU's parser."""

    def __init__(self, desc: str, line: int = 0, column: int = 0) -> None:
        super().__init__(desc)
        self.line = line
        """Line of the stream, from 1; 0: no place is told."""
        self.column = column
