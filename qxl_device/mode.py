"""What every QXL_IO_* port does to the device's mode, and where it is illegal.

The table below is the state machine: a row per port, a column per mode.  A cell is the
mode after the port did its work, or why it does none.  QEMU's hw/display/qxl.c is the
reference; where it only marks a guest bug and goes on, we refuse instead.
"""

from __future__ import annotations

import enum
from types import MappingProxyType
from typing import TYPE_CHECKING

from spice_protocol.qxl_dev import QxlIo

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PORT_TABLE", "Mode", "Verdict"]


class Mode(enum.Enum):
    """Who draws, and whether there is a primary surface."""

    UNDEFINED = "undefined"
    """A driver may be setting up: no primary surface."""
    VGA = "vga"
    """The VGA half of the device shows text or firmware graphics."""
    COMPAT = "compat"
    """A qxl-1 driver chose a mode of the ROM's table (QXL_IO_SET_MODE)."""
    NATIVE = "native"
    """A driver made its own primary surface."""


class Verdict(enum.Enum):
    """Why a port does nothing in a mode."""

    NOTHING_TO_DO = "nothing to do"
    """Legal and already so: succeeds."""
    REFUSED = "refused"
    """Out of place, and forgiven: drivers did that (QEMU: "be nice")."""
    GUEST_BUG = "guest bug"
    """Nothing is served any more until QXL_IO_RESET."""


_U, _V, _C, _N = Mode.UNDEFINED, Mode.VGA, Mode.COMPAT, Mode.NATIVE
_NOTHING, _REFUSED, _BUG = Verdict.NOTHING_TO_DO, Verdict.REFUSED, Verdict.GUEST_BUG

_ROWS: dict[QxlIo, tuple[Mode | Verdict, ...]] = {
    # in mode:                         UNDEFINED VGA       COMPAT NATIVE
    QxlIo.NOTIFY_CMD:                  (_U,       _REFUSED, _C,    _N),
    QxlIo.NOTIFY_CURSOR:               (_U,       _REFUSED, _C,    _N),
    QxlIo.UPDATE_AREA:                 (_U,       _REFUSED, _C,    _N),
    QxlIo.UPDATE_IRQ:                  (_U,       _V,       _C,    _N),
    QxlIo.NOTIFY_OOM:                  (_U,       _REFUSED, _C,    _N),
    QxlIo.RESET:                       (_U,       _U,       _U,    _U),
    QxlIo.SET_MODE:                    (_C,       _C,       _C,    _C),
    QxlIo.LOG:                         (_U,       _V,       _C,    _N),
    QxlIo.MEMSLOT_ADD:                 (_U,       _V,       _C,    _N),
    QxlIo.MEMSLOT_DEL:                 (_U,       _V,       _C,    _N),
    QxlIo.DETACH_PRIMARY:              (_BUG,     _REFUSED, _BUG,  _BUG),
    QxlIo.ATTACH_PRIMARY:              (_BUG,     _REFUSED, _BUG,  _BUG),
    QxlIo.CREATE_PRIMARY:              (_N,       _N,       _N,    _BUG),
    QxlIo.DESTROY_PRIMARY:             (_NOTHING, _REFUSED, _U,    _U),
    QxlIo.DESTROY_SURFACE_WAIT:        (_U,       _REFUSED, _C,    _N),
    QxlIo.DESTROY_ALL_SURFACES:        (_U,       _REFUSED, _U,    _U),
    QxlIo.UPDATE_AREA_ASYNC:           (_U,       _REFUSED, _C,    _N),
    QxlIo.MEMSLOT_ADD_ASYNC:           (_U,       _V,       _C,    _N),
    QxlIo.CREATE_PRIMARY_ASYNC:        (_N,       _N,       _N,    _BUG),
    QxlIo.DESTROY_PRIMARY_ASYNC:       (_NOTHING, _REFUSED, _U,    _U),
    QxlIo.DESTROY_SURFACE_ASYNC:       (_U,       _REFUSED, _C,    _N),
    QxlIo.DESTROY_ALL_SURFACES_ASYNC:  (_U,       _REFUSED, _U,    _U),
    QxlIo.FLUSH_SURFACES_ASYNC:        (_U,       _REFUSED, _C,    _N),
    QxlIo.FLUSH_RELEASE:               (_U,       _REFUSED, _C,    _N),
    QxlIo.MONITORS_CONFIG_ASYNC:       (_U,       _REFUSED, _C,    _N),
}  # fmt: skip

PORT_TABLE: Mapping[tuple[Mode, QxlIo], Mode | Verdict] = MappingProxyType(
    {
        (mode, port): cell
        for port, row in _ROWS.items()
        for mode, cell in zip((_U, _V, _C, _N), row, strict=True)
    }
)
"""What a port does in a mode; every pair is there."""
