"""Logs on standard error: a line for people, or an object for machines."""

from __future__ import annotations

import json
import logging
import sys
import time

__all__ = ["setup"]

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


class _HumanFormatter(logging.Formatter):
    """``12:00:01.123 warning spice_server.link: text``."""

    def format(self, record: logging.LogRecord) -> str:
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        line = (
            f"{clock}.{int(record.msecs):03d} {record.levelname.lower()} "
            f"{record.name}: {record.getMessage()}"
        )
        if record.exc_info:
            line = f"{line}\n{self.formatException(record.exc_info)}"
        return line


class _JsonFormatter(logging.Formatter):
    """One object a line: time, level, logger, message, and what came as ``extra``."""

    _plain = frozenset(
        vars(logging.LogRecord("", 0, "", 0, "", None, None)) | {"message": 0}
    )

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "time": round(record.created, 6),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry |= {k: v for k, v in vars(record).items() if k not in self._plain}
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


def setup(level: str, style: str) -> None:
    """Send logs of *level* and above to standard error.

    Raises:
        ValueError: *level* or *style* (``human``, ``json``) is not known.

    """
    if level not in _LEVELS:
        raise ValueError(f"log level {level!r} is not one of {', '.join(_LEVELS)}")
    if style not in {"human", "json"}:
        raise ValueError(f"log format {style!r} is not human or json")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter() if style == "json" else _HumanFormatter())
    logging.basicConfig(level=_LEVELS[level], handlers=[handler], force=True)
    # A standard error that is closed or full is no reason for a traceback there.
    logging.raiseExceptions = False
    # qemu.qmp tells every message at debug level and every lost socket as an error;
    # qxld says itself what a lost monitor means.
    logging.getLogger("qemu.qmp").setLevel(logging.CRITICAL)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
