"""OpenSSL's own client judges what the server's TLS allows."""

from __future__ import annotations

import asyncio
import contextlib
import shutil

import pytest
import pytest_asyncio

from spice_server.config import TlsConfig
from tests.fakes.pki import write_pki
from tests.fakes.spice_channels import running_server

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.interop,
    pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed"),
]

WEAK = ("-cipher", "DEFAULT@SECLEVEL=0")
"""Lets the client itself do what is to be refused."""


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return write_pki(tmp_path_factory.mktemp("pki"))


@contextlib.asynccontextmanager
async def serving(pki, **options):
    tls = TlsConfig.from_directory(pki, **options)
    async with running_server(port=None, tls_port=0, tls=tls) as server:
        yield server


@pytest_asyncio.fixture
async def server(pki):
    async with serving(pki) as server:
        yield server


NO_SPICE = b"what\n" * 4
"""Is answered by what is not encrypted any more: a link reply, and the end."""


async def s_client(server, *options, say=b"") -> tuple[int, str]:
    """Connect, say something, hang up; the exit code and all that was printed."""
    if say is NO_SPICE:
        options = ("-ign_eof", *options)
    port = server.control.tls_port
    process = await asyncio.create_subprocess_exec(
        *("openssl", "s_client", "-connect", f"127.0.0.1:{port}", *options),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    text, _ = await process.communicate(say)
    assert process.returncode is not None
    return process.returncode, text.decode(errors="replace")


def trusting(pki, *options):
    return ("-CAfile", str(pki / "ca-cert.pem"), "-verify_return_error", *options)


@pytest.mark.parametrize(
    ("option", "name"), [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")]
)
async def test_versions_that_are_spoken(server, pki, option, name):
    code, text = await s_client(server, *trusting(pki, option))
    assert code == 0
    assert f"New, {name}, Cipher is " in text
    assert "Verify return code: 0 (ok)" in text
    assert "Compression: NONE" in text


@pytest.mark.parametrize("option", ["-tls1", "-tls1_1"])
async def test_versions_that_are_not(server, option):
    code, text = await s_client(server, option, *WEAK)
    assert code != 0
    assert "alert protocol version" in text


async def test_nobody_renegotiates(server):
    # A line of a single R makes s_client ask for it, Q would end it.
    code, text = await s_client(server, "-tls1_2", say=b"R\nQ\n")
    assert "RENEGOTIATING" in text
    assert code != 0
    assert "no renegotiation" in text


async def test_ciphers_by_option(pki):
    name = "ECDHE-ECDSA-CHACHA20-POLY1305"
    async with serving(pki, ciphers=name) as server:
        code, text = await s_client(server, "-tls1_2")
        assert code == 0
        assert f"Cipher is {name}" in text
        code, text = await s_client(
            server, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"
        )
        assert code != 0
        assert "handshake failure" in text


def as_client(folder, name="client"):
    return (
        *("-cert", str(folder / f"{name}-cert.pem")),
        *("-key", str(folder / f"{name}-key.pem")),
    )


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
async def test_a_client_s_certificate_is_asked_for(pki, tmp_path, version):
    stranger = write_pki(tmp_path)
    async with serving(pki, verify_peer=True) as server:
        # With 1.3 the client is through before the server has judged: what counts is
        # whether it is answered.
        ours = await s_client(server, version, *as_client(pki), say=NO_SPICE)
        assert "REDQ" in ours[1]
        for options, alert in (
            ((), "certificate required" if version == "-tls1_3" else "handshake fail"),
            (as_client(stranger), "alert"),
        ):
            _code, text = await s_client(server, version, *options, say=NO_SPICE)
            assert alert in text
            assert "REDQ" not in text


async def test_of_certain_subjects_only(pki):
    for subject, answered in (
        ("O=Test, CN=somebody", True),
        ("O=Test,CN=somebody else", False),
    ):
        async with serving(pki, verify_peer=True, peer_subjects=(subject,)) as server:
            _code, text = await s_client(server, *as_client(pki), say=NO_SPICE)
            assert ("REDQ" in text) is answered


async def test_a_client_that_comes_again_is_verified_by_its_session(pki, tmp_path):
    tickets = str(tmp_path / "session")
    async with serving(pki, verify_peer=True) as server:
        first = ("-tls1_2", "-sess_out", tickets, *as_client(pki))
        assert (await s_client(server, *first, say=NO_SPICE))[0] == 0
        again = ("-tls1_2", "-sess_in", tickets)
        _code, text = await s_client(server, *again, say=NO_SPICE)
        assert "Reused, TLSv1.2" in text
        assert "REDQ" in text


async def test_a_new_certificate_is_shown_to_those_who_come_later(tmp_path):
    pki = write_pki(tmp_path / "live")
    async with serving(pki) as server:
        assert "CN = spice-test" in (await s_client(server))[1]
        for path in write_pki(tmp_path / "new", "renewed").iterdir():
            path.replace(pki / path.name)
        server.control.reload_certificates()
        code, text = await s_client(server, *trusting(pki))
        assert code == 0
        assert "CN = renewed" in text
