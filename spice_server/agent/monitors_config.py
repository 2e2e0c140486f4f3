"""The monitors a client asks for: VDAgentMonitorsConfig (vd_agent.h).

What stock does is divided between QEMU, which passes places on as they come, and the
guest's agent, which makes something of them: it moves the whole so that it begins at
0, 0, and without ``FLAG_USE_POS`` puts monitors side by side.  Here both is done at
once, since a driver can make nothing of a negative place.
"""

from __future__ import annotations

from typing import Final

from spice_protocol.vd_agent import (
    VDAgentConfigMonitorsFlag,
    VDAgentMonConfig,
    VDAgentMonitorsConfig,
)
from spice_server.errors import ClientError
from vd_interfaces.qxl import Head, MonitorsConfig

__all__ = ["read_layout"]

MAX_MONITORS: Final = 256
"""Monitors of a message: stock's bound; clients send all they could have."""

MAX_HEADS: Final = 64
"""What QXLRom.client_monitors_config holds; those beyond are nobody's."""

MAX_SIDE: Final = 32767
"""Pixels; a surface's largest side."""


def read_layout(body: bytes) -> MonitorsConfig:
    """Read a VDAgentMonitorsConfig: heads that are on, the corner of all at 0, 0.

    A head's id is its place in the message, which can have gaps (sparse).

    Raises:
        ClientError: no monitor, too many, or one of an impossible size or place.
        ProtocolError: it is cut off.

    """
    header = VDAgentMonitorsConfig.unpack_from(body)
    if header.num_of_monitors > MAX_MONITORS:
        raise ClientError(f"{header.num_of_monitors} monitors, at most {MAX_MONITORS}")
    heads = []
    for number in range(header.num_of_monitors):
        place = VDAgentMonitorsConfig.SIZE + number * VDAgentMonConfig.SIZE
        monitor = VDAgentMonConfig.unpack_from(body, place)
        if number < MAX_HEADS and monitor.width and monitor.height:
            _check_size(number, monitor)
            heads.append(
                Head(number, 0, monitor.width, monitor.height, monitor.x, monitor.y)
            )
    if not heads:
        raise ClientError("no monitor is on")
    if not header.flags & VDAgentConfigMonitorsFlag.USE_POS:
        _put_in_a_row(heads)
    _move_to_origin(heads)
    return MonitorsConfig(heads, MAX_HEADS)


def _check_size(number: int, monitor: VDAgentMonConfig) -> None:
    if max(monitor.width, monitor.height) > MAX_SIDE:
        raise ClientError(f"monitor {number} of {monitor.width} x {monitor.height}")


def _put_in_a_row(heads: list[Head]) -> None:
    x = 0
    for head in heads:
        head.x, head.y = x, 0
        x += head.width


def _move_to_origin(heads: list[Head]) -> None:
    left = min(head.x for head in heads)
    top = min(head.y for head in heads)
    for head in heads:
        head.x -= left
        head.y -= top
        if max(head.x + head.width, head.y + head.height) > MAX_SIDE:
            raise ClientError(
                f"monitor {head.id} of {head.width} x {head.height} "
                f"at {head.x}, {head.y} of the desktop"
            )
