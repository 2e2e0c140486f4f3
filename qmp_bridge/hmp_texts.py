"""What the human monitor says about SPICE (ui/ui-hmp-cmds.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qmp_bridge.json_parser import JsonValue

__all__ = [
    "HELP_INFO_SPICE",
    "INFO_SPICE_EXTRA",
    "NO_INFO_SPICE",
    "describe_server",
    "with_info_spice",
]

HELP_INFO_SPICE = "info spice  -- show the spice server status\r\n"
INFO_SPICE_EXTRA = (
    "spice: extraneous characters at the end of line\r\n"
    'Try "help info spice" for more information\r\n'
)
NO_INFO_SPICE = "unknown command: 'info spice'\r\n"
"""What a QEMU that was built without SPICE says."""

_CHANNELS = {
    1: "main",
    2: "display",
    3: "inputs",
    4: "cursor",
    5: "playback",
    6: "record",
    7: "tunnel",
    8: "smartcard",
    9: "usbredir",
    10: "port",
    11: "webdav",
}
"""SPICE_CHANNEL_*"""


def describe_server(info: Mapping[str, JsonValue]) -> str:
    """Return the text of ``info spice``: *info* is what query-spice returns."""
    if not info["enabled"]:
        return "Server: disabled\r\n"
    host = info.get("host")
    lines = ["Server:"]
    if "port" in info:
        lines.append(f"     address: {host}:{info['port']}")
    if "tls-port" in info:
        lines.append(f"     address: {host}:{info['tls-port']} [tls]")
    lines += [
        f"    migrated: {'true' if info['migrated'] else 'false'}",
        f"        auth: {info.get('auth')}",
        f"    compiled: {info.get('compiled-version')}",
        f"  mouse-mode: {info['mouse-mode']}",
    ]
    channels = info.get("channels")
    assert isinstance(channels, list)
    if not channels:
        lines.append("Channels: none")
    for channel in channels:
        assert isinstance(channel, dict)
        lines += _channel(channel)
    return "".join(f"{line}\r\n" for line in lines)


def _channel(channel: Mapping[str, JsonValue]) -> list[str]:
    type_ = channel["channel-type"]
    name = _CHANNELS.get(type_, "unknown") if isinstance(type_, int) else "unknown"
    tls = " [tls]" if channel["tls"] else ""
    return [
        "Channel:",
        f"     address: {channel['host']}:{channel['port']}{tls}",
        f"     session: {channel['connection-id']}",
        f"     channel: {type_}:{channel['channel-id']}",
        f"     channel name: {name}",
    ]


def with_info_spice(text: str) -> str:
    """Add ``info spice`` to the list of ``help info``, which is sorted."""
    lines = text.splitlines(keepends=True)
    if HELP_INFO_SPICE in lines or not lines or not lines[0].startswith("info "):
        return text
    # A description may go on in a line of its own, which begins with a blank.
    later = [
        index
        for index, line in enumerate(lines)
        if line.startswith("info ") and line.split()[1] > "spice"
    ]
    lines.insert(later[0] if later else len(lines), HELP_INFO_SPICE)
    return "".join(lines)
