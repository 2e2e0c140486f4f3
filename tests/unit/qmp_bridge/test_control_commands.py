"""set_password, expire_password, query-spice: corpus/qmp's answers, by version."""

from __future__ import annotations

import pytest

from qmp_bridge.control_commands import ControlCommands
from qmp_bridge.errors import QmpError
from tests.fakes.spice_control import FakeSpiceControl
from vd_interfaces.control import (
    SetPasswordAction,
    SpiceChannel,
    SpiceEndpoint,
    SpiceInfo,
)

OLD, NEW = (7, 2, 22), (11, 1, 3)
NOW = 1_800_000_000
CHANNEL = SpiceChannel(
    SpiceEndpoint("127.0.0.1", "56606", "ipv4"), 0xAC05_7C24, 4, 0, tls=False
)


@pytest.fixture
def control() -> FakeSpiceControl:
    return FakeSpiceControl()


def _commands(control, version=OLD) -> ControlCommands:
    return ControlCommands(control, version, clock=lambda: NOW + 0.75)


def _error(call, *arguments) -> tuple[str, str]:
    with pytest.raises(QmpError) as caught:
        call(*arguments)
    return caught.value.error_class, caught.value.desc


@pytest.mark.parametrize("action", ["keep", "fail", "disconnect"])
def test_set_password(control, action):
    arguments = {"protocol": "spice", "password": "x", "connected": action}
    assert _commands(control).set_password(arguments) == {}
    assert control.password == "x"
    assert control.actions == [SetPasswordAction(action)]


def test_set_password_keeps_clients_unless_told(control):
    _commands(control).set_password({"protocol": "spice", "password": ""})
    assert control.actions == [SetPasswordAction.KEEP]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({}, "Parameter 'protocol' is missing"),
        ({"protocol": "spice"}, "Parameter 'password' is missing"),
        ({"protocol": "spice", "password": 5},
         "Invalid parameter type for 'password', expected: string"),
        ({"protocol": "spice", "password": "x", "connected": "bogus"},
         "Parameter 'connected' does not accept value 'bogus'"),
        ({"protocol": "spice", "password": "x", "connected": 5},
         "Invalid parameter type for 'connected', expected: string"),
        ({"protocol": "spice", "password": "x", "extra": 1},
         "Parameter 'extra' is unexpected"),
        ({"protocol": "spice", "password": "x", "display": "d"},
         "Parameter 'display' is unexpected"),
    ],
)  # fmt: skip
def test_set_password_arguments(control, arguments, error):
    answer = _error(_commands(control).set_password, arguments)
    assert answer == ("GenericError", error)


@pytest.mark.parametrize(
    ("version", "error"),
    [(OLD, "Could not set password"), (NEW, "Unable to set SPICE server ticket")],
)
def test_set_password_refused(control, version, error):
    set_password = _commands(control, version).set_password
    long = {"protocol": "spice", "password": "p" * 61}
    assert _error(set_password, long) == ("GenericError", error)
    control.info.channels = [CHANNEL]
    fail = {"protocol": "spice", "password": "y", "connected": "fail"}
    assert _error(set_password, fail) == ("GenericError", error)


@pytest.mark.parametrize(
    ("version", "error"),
    [(OLD, "Could not set password"), (NEW, "SPICE authentication is disabled")],
)
def test_set_password_without_tickets(control, version, error):
    control.info.auth = "none"
    arguments = {"protocol": "spice", "password": "later"}
    answer = _error(_commands(control, version).set_password, arguments)
    assert answer == ("GenericError", error)


MINUS_ONE = -1.0


@pytest.mark.parametrize(
    ("time", "old", "new"),
    [
        ("now", 0.0, 0.0),
        ("never", None, None),
        ("+60", NOW + 60.0, NOW + 60.0),
        ("+0", float(NOW), float(NOW)),
        ("+-1", NOW - 1.0, NOW - 1.0),
        ("++5", NOW + 5.0, NOW + 5.0),
        ("+", float(NOW), "error"),
        ("-1", MINUS_ONE, MINUS_ONE),
        ("2000000000", 2e9, 2e9),
        ("18446744073709551615", MINUS_ONE, MINUS_ONE),
        ("18446744073709551616", MINUS_ONE, "error"),
        ("99999999999999999999999", MINUS_ONE, "error"),
        ("9223372036854775807", None, None),
        (" 5", 5.0, 5.0),
        ("\t\n 5", 5.0, 5.0),
        ("5 ", 5.0, "error"),
        ("abc", 0.0, "error"),
        ("", 0.0, "error"),
        ("+abc", float(NOW), "error"),
        ("Never", 0.0, "error"),
        ("0x10", 0.0, "error"),
        ("1e3", 1.0, "error"),
        ("007", 7.0, 7.0),
        ("٣", 0.0, "error"),
    ],
)
@pytest.mark.parametrize("version", [OLD, NEW])
def test_expire_password(control, version, time, old, new):
    expire = _commands(control, version).expire_password
    arguments = {"protocol": "spice", "time": time}
    expected = old if version == OLD else new
    if expected == "error":
        error = f"Parameter 'time' doesn't take value '{time}'"
        assert _error(expire, arguments) == ("GenericError", error)
    else:
        assert expire(arguments) == {}
        assert control.expiry == expected


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"protocol": "spice"}, "Parameter 'time' is missing"),
        ({"protocol": "spice", "time": 5},
         "Invalid parameter type for 'time', expected: string"),
        ({"protocol": "spice", "time": "now", "x": 1}, "Parameter 'x' is unexpected"),
    ],
)  # fmt: skip
def test_expire_password_arguments(control, arguments, error):
    answer = _error(_commands(control).expire_password, arguments)
    assert answer == ("GenericError", error)


def test_query_spice_on_tcp(control):
    control.info.tls_port = 5931
    control.info.mouse_mode = "server"
    control.info.channels = [CHANNEL]
    assert _commands(control).query_spice({}) == {
        "migrated": False, "enabled": True, "auth": "spice", "port": 5930,
        "compiled-version": "0.15.2", "tls-port": 5931, "host": "127.0.0.1",
        "channels": [
            {"port": "56606", "family": "ipv4", "channel-type": 4,
             "connection-id": -1408926684, "host": "127.0.0.1", "channel-id": 0,
             "tls": False},
        ],
        "mouse-mode": "server",
    }  # fmt: skip


def test_query_spice_on_a_unix_socket(control):
    control.info = SpiceInfo(
        enabled=True, migrated=False, host="/run/x/qs.sock", auth="none"
    )
    answer = _commands(control).query_spice({})
    assert isinstance(answer, dict)
    assert "port" not in answer
    assert "tls-port" not in answer
    assert (answer["host"], answer["channels"]) == ("/run/x/qs.sock", [])


def test_query_spice_takes_no_arguments(control):
    answer = _error(_commands(control).query_spice, {"x": 1})
    assert answer == ("GenericError", "Parameter 'x' is unexpected")


def test_nothing_works_while_spice_is_off(control):
    control.info = SpiceInfo(enabled=False, migrated=False, mouse_mode="unknown")
    commands = _commands(control)
    assert commands.query_spice({}) == {
        "migrated": False,
        "enabled": False,
        "mouse-mode": "client",
    }
    off = ("DeviceNotActive", "SPICE is not in use")
    password = {"protocol": "spice", "password": "x"}
    assert _error(commands.set_password, password) == off
    bogus = {"protocol": "spice", "time": "bogus"}
    assert _error(commands.expire_password, bogus) == off
    checked = _error(_commands(control, NEW).expire_password, bogus)
    assert checked == ("GenericError", "Parameter 'time' doesn't take value 'bogus'")


def test_only_spice_is_ours(control):
    table = _commands(control).table()
    assert set(table) == {"set_password", "expire_password", "query-spice"}
    assert table["set_password"].ours({"protocol": "spice"})
    assert not table["set_password"].ours({"protocol": "vnc"})
    assert not table["expire_password"].ours({})
    assert table["query-spice"].ours({})
