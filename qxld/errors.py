"""Errors that end a command, each with the exit code it ends with.

::

    QxldError            1  something outside failed: a port, a socket, a program
    └── UsageError       2  the command line or the configuration is wrong
"""

from __future__ import annotations

__all__ = ["QxldError", "UsageError"]


class QxldError(Exception):
    """What stopped the command, in one line for its user."""

    exit_code = 1


class UsageError(QxldError):
    """The command line or the configuration file is wrong."""

    exit_code = 2
