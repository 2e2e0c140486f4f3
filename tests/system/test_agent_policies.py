"""What an operator forbids does not happen, whatever agent and client would like."""

from __future__ import annotations

import pytest

from tests.peers.agent_guest import SERVER_MODE, UTF8_TEXT

pytestmark = [pytest.mark.system, pytest.mark.interop, pytest.mark.slow]

COPY_PASTE = 1 << 3 | 1 << 5 | 1 << 6
"""VD_AGENT_CAP_CLIPBOARD, _BY_DEMAND and _SELECTION."""
FILE_XFER_DISABLED = 1 << 10


@pytest.fixture
def client(strict_guest):
    with strict_guest.client() as client:
        client.wait_agent()
        yield client
    strict_guest.clear()


def test_no_copy_and_paste(strict_guest, client, tmp_path):
    agents = [event for event in client.events if event["ev"] == "agent"]
    assert agents[-1]["caps"] & COPY_PASTE == 0
    strict_guest.shell.run("echo secret >/tmp/copied")
    strict_guest.copy(0, UTF8_TEXT, "/tmp/copied")
    text = tmp_path / "text"
    text.write_text("secret")
    client.send("clipboard-offer", 0, UTF8_TEXT, str(text))
    # What is allowed comes after what is not.
    client.send("monitor", 1000, 700)
    client.wait("primary", width=1000, height=700)
    assert not client.seen("clipboard-grab")
    assert "secret" in strict_guest.shell.run("xclip -selection clipboard -o")
    client.send("monitor", 1024, 768)
    client.wait("primary", width=1024, height=768)


def test_no_files(strict_guest, client, tmp_path):
    agents = [event for event in client.events if event["ev"] == "agent"]
    assert agents[-1]["caps"] & FILE_XFER_DISABLED
    path = tmp_path / "file"
    path.write_bytes(bytes(1000))
    client.send("file-copy", str(path))
    assert client.wait("file-copied")["error"]
    assert strict_guest.downloads() == {}


def test_the_agents_pointer_is_not_used(strict_guest, client):
    client.wait_state("mouse-mode", mode=SERVER_MODE)
    client.send("mouse-mode", 2)
    strict_guest.agent("restart")
    client.wait("agent", connected=False)
    client.wait_agent()
    assert not client.seen("mouse-mode", mode=2)
