"""The events of the SPICE server: SPICE_* (qapi/ui.json)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qmp_bridge.json_parser import JsonValue
    from vd_interfaces.control import ChannelEvent, SpiceChannel, SpiceEndpoint

__all__ = ["channel_members", "event_message", "migrate_completed"]


def event_message(event: ChannelEvent, now: float) -> JsonValue:
    """Describe *event* as QEMU would at *now* (seconds since 1970)."""
    server = _endpoint(event.server)
    client = _endpoint(event.client)
    if event.channel is not None:
        server["auth"] = event.auth
        client = channel_members(event.channel)
    return _stamped(event.kind.value, now) | {
        "data": {"server": server, "client": client}
    }


def migrate_completed(now: float) -> JsonValue:
    """Return SPICE_MIGRATE_COMPLETED, which has no data."""
    return _stamped("SPICE_MIGRATE_COMPLETED", now)


def _stamped(name: str, now: float) -> dict[str, JsonValue]:
    microseconds = int(now * 1_000_000)
    return {
        "timestamp": {
            "seconds": microseconds // 1_000_000,
            "microseconds": microseconds % 1_000_000,
        },
        "event": name,
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
