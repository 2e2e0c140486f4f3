"""SPICE_CONNECTED, SPICE_INITIALIZED and SPICE_DISCONNECTED (qapi/ui.json)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qmp_bridge.json_parser import JsonValue
    from vd_interfaces.control import ChannelEvent, SpiceChannel, SpiceEndpoint

__all__ = ["channel_members", "event_message"]


def event_message(event: ChannelEvent, now: float) -> JsonValue:
    """Describe *event* as QEMU would at *now* (seconds since 1970)."""
    server = _endpoint(event.server)
    client = _endpoint(event.client)
    if event.channel is not None:
        server["auth"] = event.auth
        client = channel_members(event.channel)
    microseconds = int(now * 1_000_000)
    return {
        "timestamp": {
            "seconds": microseconds // 1_000_000,
            "microseconds": microseconds % 1_000_000,
        },
        "event": event.kind.value,
        "data": {"server": server, "client": client},
    }


def channel_members(channel: SpiceChannel) -> dict[str, JsonValue]:
    """Describe a channel as QAPI's SpiceChannel."""
    return _endpoint(channel.client) | {
        "connection-id": _int32(channel.connection_id),
        "channel-type": channel.channel_type,
        "channel-id": channel.channel_id,
        "tls": channel.tls,
    }


def _endpoint(endpoint: SpiceEndpoint) -> dict[str, JsonValue]:
    return {"host": endpoint.host, "port": endpoint.port, "family": endpoint.family}


def _int32(value: int) -> int:
    """Sign of a C int: libspice-server holds the connection id in one."""
    return (value + (1 << 31)) % (1 << 32) - (1 << 31)
