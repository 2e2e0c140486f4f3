"""A CD and a folder of the client's in the guest."""

from __future__ import annotations

import hashlib
import random

import pytest

from tests.peers.programs import eventually

pytestmark = [pytest.mark.system, pytest.mark.interop, pytest.mark.slow]

SHARE = "http://localhost:9843"


@pytest.fixture
def disc(tmp_path):
    """An image of 4 MiB and some sectors."""
    path = tmp_path / "disc.iso"
    path.write_bytes(random.Random(9).randbytes(4 * 1024 * 1024 + 5 * 2048))
    return path


def test_an_emulated_usb_cd_is_read_in_the_guest(agent_guest, disc):
    with agent_guest.client(**{"enable-usbredir": True}) as client:
        client.wait_agent()
        client.send("share-cd", str(disc))
        client.wait("usb-device")
        client.send("redirect")
        told = client.wait("redirected")
        assert told["ok"], told
        eventually(
            "the guest has the disc",
            lambda: (
                "yes" in agent_guest.shell.run("test -b /dev/sr0 && echo yes || true")
            ),
        )
        size = disc.stat().st_size
        eventually(
            "it is readable",
            lambda: (
                agent_guest.shell.run(
                    "dd if=/dev/sr0 of=/tmp/disc bs=64k 2>/dev/null; stat -c %s /tmp/disc"
                )
                == f"{size}\n"
            ),
        )
        digest = hashlib.sha256(disc.read_bytes()).hexdigest()
        assert agent_guest.hash_of("/tmp/disc") == digest
        client.send("unredirect")
        eventually(
            "the guest has lost it",
            lambda: "no" in agent_guest.shell.run("test -b /dev/sr0 || echo no"),
        )
    agent_guest.shell.run("rm /tmp/disc")


def test_a_shared_folder_is_listed_and_read(agent_guest, tmp_path):
    share = tmp_path / "share"
    (share / "below").mkdir(parents=True)
    (share / "hello.txt").write_text("from the client\n")
    large = random.Random(5).randbytes(3_000_000)
    (share / "below" / "large.bin").write_bytes(large)
    curl = "curl -s --max-time 120"

    with agent_guest.client(**{"shared-dir": str(share)}) as client:
        client.wait_state("channel", channel="webdav:0", event="opened")
        ask = f"{curl} -X PROPFIND -H 'Depth: 1' {SHARE}/ || true"
        # The guest may ask before the client has begun to serve.
        eventually("it is listed", lambda: "hello.txt" in agent_guest.shell.run(ask))
        assert "below" in agent_guest.shell.run(ask)
        text = agent_guest.shell.run(f"{curl} {SHARE}/hello.txt")
        assert text == "from the client\n"
        agent_guest.shell.run(f"{curl} {SHARE}/below/large.bin >/tmp/large")
        assert agent_guest.hash_of("/tmp/large") == hashlib.sha256(large).hexdigest()
        agent_guest.shell.run(
            f"{curl} -H Expect: -T /tmp/large {SHARE}/written.bin; rm /tmp/large"
        )
        written = share / "written.bin"
        eventually("it is written", lambda: written.read_bytes() == large)
