"""Which pages may connect."""

from __future__ import annotations

import pytest
from websockets.datastructures import Headers

from spice_server.websocket.origin import OriginPolicy


def refusal(origin, host="127.0.0.1:5930", *, allowed=(), ticketing=False):
    policy = OriginPolicy(allowed, ticketing=ticketing, own_names=["VM1", "vm1.local"])
    headers = Headers({"Host": host} if host else {})
    if origin is not None:
        headers["Origin"] = origin
    return policy.refusal(headers)


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "junk"])
def test_a_ticket_lets_every_page_try(origin):
    assert refusal(origin, ticketing=True) is None


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, "127.0.0.1:5930"),
        ("http://127.0.0.1:5930", "127.0.0.1:5930"),
        ("http://127.0.0.1:8000", "127.0.0.1:5930"),
        ("https://localhost", "192.0.2.7:5930"),
        ("http://a.localhost", "192.0.2.7"),
        ("http://[::1]:80", "[::1]:5930"),
        ("http://192.0.2.7:8000", "192.0.2.7:5930"),
        ("http://[2001:db8::1]", "[2001:DB8::1]:5930"),
        ("http://vm1:5930", "VM1:5930"),
        ("https://vm1.local", "vm1.local:5931"),
    ],
)
def test_without_one_those_of_this_host(origin, host):
    assert refusal(origin, host) is None


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://evil.example", "127.0.0.1:5930"),
        ("null", "127.0.0.1:5930"),
        ("", "127.0.0.1:5930"),
        ("http://192.0.2.8", "192.0.2.7:5930"),
        ("http://vm1", "192.0.2.7:5930"),
        # Who owns a name can let it point here: both then agree on it.
        ("http://evil.example:5930", "evil.example:5930"),
        ("http://127.0.0.1.evil.example", "127.0.0.1"),
        ("http://localhost.evil.example", "localhost"),
        ("http://[::1", "[::1]"),
        ("http://[zz]", "[zz]"),
        ("http://vm1", ""),
    ],
)
def test_and_no_others(origin, host):
    assert "is not allowed" in refusal(origin, host)


def test_two_origins_are_none():
    headers = Headers([("Origin", "http://localhost"), ("Origin", "https://evil")])
    policy = OriginPolicy(ticketing=False)
    assert policy.refusal(headers) == "there are several origins"


@pytest.mark.parametrize("ticketing", [False, True])
def test_a_list_is_all_there_is(ticketing):
    listed = {"allowed": ["https://Portal.example/"], "ticketing": ticketing}
    assert refusal("https://portal.example", **listed) is None
    assert refusal(None, **listed) is None
    assert refusal("http://portal.example", **listed)
    assert refusal("http://localhost", **listed)


def test_any_means_any():
    assert refusal("https://evil.example", allowed=["*"]) is None


def test_what_is_refused_is_not_quoted_at_length():
    assert len(refusal("https://" + "a" * 5000)) < 300
