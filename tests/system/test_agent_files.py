"""Files dropped into the guest by spice-gtk."""

from __future__ import annotations

import hashlib
import random

import pytest

from tests.peers.programs import eventually

pytestmark = [pytest.mark.system, pytest.mark.interop, pytest.mark.slow]

MIB = 1024 * 1024


@pytest.fixture
def client(agent_guest):
    agent_guest.clear()
    with agent_guest.client() as client:
        client.wait_agent()
        yield client
    agent_guest.clear()


@pytest.fixture
def make(tmp_path):
    """Make a file of random bytes; its path and hash."""

    def write(name: str, size: int, seed: int = 1) -> tuple[str, str]:
        data = random.Random(seed).randbytes(size)
        path = tmp_path / name
        path.write_bytes(data)
        return str(path), hashlib.sha256(data).hexdigest()

    return write


def test_fifty_mebibytes_arrive_with_progress(agent_guest, client, make):
    path, digest = make("große Datei.bin", 50 * MIB)
    client.send("file-copy", path)
    assert client.wait("file-copied")["error"] is None
    progress = [event["at"] for event in client.events if event["ev"] == "progress"]
    assert len(progress) > 10
    assert progress == sorted(progress)
    assert progress[-1] == 50 * MIB
    assert agent_guest.downloads() == {"große Datei.bin": digest}


def test_two_files_at_once(agent_guest, client, make):
    first, first_hash = make("first", 3 * MIB, 1)
    second, second_hash = make("second", 5 * MIB + 1, 2)
    empty, empty_hash = make("empty", 0)
    client.send("file-copy", first, empty)
    client.send("file-copy", second)
    assert client.wait("file-copied")["error"] is None
    assert client.wait("file-copied")["error"] is None
    wanted = {"first": first_hash, "second": second_hash, "empty": empty_hash}
    assert agent_guest.downloads() == wanted


def test_a_name_that_is_taken_already(agent_guest, client, make):
    path, first = make("twice.txt", 1000, 1)
    client.send("file-copy", path)
    assert client.wait("file-copied")["error"] is None
    path, second = make("twice.txt", 2000, 2)
    client.send("file-copy", path)
    assert client.wait("file-copied")["error"] is None
    there = agent_guest.downloads()
    assert there["twice.txt"] == first
    assert sorted(there.values()) == sorted([first, second])


def test_a_cancelled_transfer(agent_guest, client, make):
    path, _ = make("cancelled", 200 * MIB)
    client.send("file-copy", path)
    client.wait("progress")
    client.send("file-cancel", "cancelled")
    assert client.wait("file-copied")["error"]

    def removed() -> bool:
        # spice-gtk keeps what it has to say of it until its main channel is woken.
        client.send("clipboard-release", 0)
        return not agent_guest.names()

    eventually("the agent removes it", removed)
    path, digest = make("next", MIB)
    client.send("file-copy", path)
    assert client.wait("file-copied")["error"] is None
    assert agent_guest.downloads() == {"next": digest}


def test_a_client_that_leaves_in_the_middle(agent_guest, client, make):
    path, _ = make("unfinished", 200 * MIB)
    client.send("file-copy", path)
    client.wait("progress")
    client.process.kill()
    eventually("the agent removes it", lambda: not agent_guest.names())
    path, digest = make("after", MIB)
    with agent_guest.client() as another:
        another.wait_agent()
        another.send("file-copy", path)
        assert another.wait("file-copied")["error"] is None
        assert agent_guest.downloads() == {"after": digest}
