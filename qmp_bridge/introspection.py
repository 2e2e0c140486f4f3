"""query-commands, query-qmp-schema and query-events of a QEMU built without SPICE.

It answers them; what the bridge adds to its commands and events is put in where they are
not listed.  Debian's QEMU lists them also without its SPICE modules: then its bytes pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qmp_bridge.commands import CommandTable, LocalCommand, Relay

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qmp_bridge.json_parser import JsonValue

__all__ = ["EVENTS", "introspection_table"]

EVENTS = (
    "SPICE_CONNECTED",
    "SPICE_INITIALIZED",
    "SPICE_DISCONNECTED",
    "SPICE_MIGRATE_COMPLETED",
)
_COMMAND = "query-spice"
"""The only command that QEMU leaves out (``if: CONFIG_SPICE`` in qapi/ui.json)."""

# What these are made of (qapi/ui.json, qapi/sockets.json); a type whose name begins with
# a dollar sign gets a number in QEMU's answer that nothing else has.
_BASIC_INFO = {"host": "str", "port": "str", "family": "$family"}
_OBJECTS: dict[str, dict[str, str]] = {
    "$none": {},
    "$basic": _BASIC_INFO,
    "$server": _BASIC_INFO | {"*auth": "str"},
    "$channel": _BASIC_INFO
    | {
        "connection-id": "int",
        "channel-type": "int",
        "channel-id": "int",
        "tls": "bool",
    },
    "$info": {
        "enabled": "bool",
        "migrated": "bool",
        "*host": "str",
        "*port": "int",
        "*tls-port": "int",
        "*auth": "str",
        "*compiled-version": "str",
        "mouse-mode": "$mouse-mode",
        "*channels": "$channels",
    },
    "$both": {"server": "$basic", "client": "$basic"},
    "$initialized": {"server": "$server", "client": "$channel"},
}
_ENUMS = {
    "$family": ("ipv4", "ipv6", "unix", "vsock", "unknown"),
    "$mouse-mode": ("client", "server", "unknown"),
}
_ARRAYS = {"$channels": "$channel"}
_EVENT_DATA = dict(
    zip(EVENTS, ("$both", "$initialized", "$both", "$none"), strict=True)
)
_BUILTIN = {"str": "string", "int": "int", "bool": "boolean"}


def introspection_table() -> CommandTable:
    """Rows for ``commands.CommandTable``."""
    return {
        "query-commands": LocalCommand(lambda _arguments: Relay(_add_commands)),
        "query-events": LocalCommand(lambda _arguments: Relay(_add_events)),
        "query-qmp-schema": LocalCommand(lambda _arguments: Relay(_add_schema)),
    }


def _listed(reply: Mapping[str, JsonValue]) -> dict[str, Mapping[str, JsonValue]]:
    """Return the entries of a reply by name."""
    entries = reply.get("return")
    if not isinstance(entries, list):
        return {}
    return {
        name: entry
        for entry in entries
        if isinstance(entry, dict) and isinstance(name := entry.get("name"), str)
    }


def _add_commands(reply: Mapping[str, JsonValue]) -> JsonValue:
    return _with_names(reply, [_COMMAND])


def _add_events(reply: Mapping[str, JsonValue]) -> JsonValue:
    return _with_names(reply, EVENTS)


def _with_names(reply: Mapping[str, JsonValue], names: Sequence[str]) -> JsonValue:
    listed, entries = _listed(reply), reply.get("return")
    missing: list[JsonValue] = [{"name": name} for name in names if name not in listed]
    if not isinstance(entries, list) or not missing:
        return None  # an error, or nothing to add
    return entries + missing


def _add_schema(reply: Mapping[str, JsonValue]) -> JsonValue:
    listed, entries = _listed(reply), reply.get("return")
    missing = {name for name in (_COMMAND, *EVENTS) if name not in listed}
    if not isinstance(entries, list) or not missing:
        return None
    return entries + _schema(listed, missing)


def _schema(
    listed: Mapping[str, Mapping[str, JsonValue]], missing: set[str]
) -> list[JsonValue]:
    numbers = [int(name) for name in listed if name.isdigit()]
    first = max(numbers, default=-1) + 1
    made = [*_OBJECTS, *_ENUMS]
    names = {name: str(first + index) for index, name in enumerate(made)}
    names |= {name: f"[{names[element]}]" for name, element in _ARRAYS.items()}
    new: list[JsonValue] = []
    if _COMMAND in missing:
        new.append(
            {
                "name": _COMMAND,
                "meta-type": "command",
                "arg-type": names["$none"],
                "ret-type": names["$info"],
            }
        )
    new += [
        {"name": name, "meta-type": "event", "arg-type": names[data]}
        for name, data in _EVENT_DATA.items()
        if name in missing
    ]
    new += [_object(names, name, members) for name, members in _OBJECTS.items()]
    new += [_enum(names[name], values) for name, values in _ENUMS.items()]
    new += [
        {"name": names[name], "meta-type": "array", "element-type": names[element]}
        for name, element in _ARRAYS.items()
    ]
    new += [
        {"name": name, "meta-type": "builtin", "json-type": json_type}
        for name, json_type in _BUILTIN.items()
        if name not in listed
    ]
    return new


def _object(
    names: Mapping[str, str], name: str, members: Mapping[str, str]
) -> JsonValue:
    described: list[JsonValue] = []
    for member, type_ in members.items():
        entry: dict[str, JsonValue] = {
            "name": member.removeprefix("*"),
            "type": names.get(type_, type_),
        }
        if member.startswith("*"):
            entry["default"] = None
        described.append(entry)
    return {"name": names[name], "meta-type": "object", "members": described}


def _enum(name: str, values: Sequence[str]) -> JsonValue:
    members: list[JsonValue] = [{"name": value} for value in values]
    plain: list[JsonValue] = list(values)
    return {"name": name, "meta-type": "enum", "members": members, "values": plain}
