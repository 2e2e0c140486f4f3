"""Pointer modes with a guest whose only tablet is its agent, and agents that die."""

from __future__ import annotations

import hashlib

import pytest

from tests.peers.agent_guest import (
    CLIENT_MODE,
    SERVER_MODE,
    UTF8_TEXT,
    copy_until_grabbed,
    fetch,
    offer_until_pasted,
)
from tests.peers.programs import eventually

pytestmark = [pytest.mark.system, pytest.mark.interop, pytest.mark.slow]

MIB = 1024 * 1024


@pytest.fixture
def client(agent_guest):
    agent_guest.clear()
    with agent_guest.client() as client:
        client.wait_inputs()
        client.wait_agent()
        yield client
    agent_guest.agent("start")
    agent_guest.clear()


def put(guest, client, x: int, y: int) -> None:
    """Move the pointer to a place, and see it there.

    X makes 16 bits of a place in between, and rounds down.  A new tablet's first moves
    are lost until X has opened it, so the hand goes on moving.
    """

    def there() -> bool:
        client.send("position", x + (1 if x == 0 else -1), y)
        client.send("position", x, y)
        seen = guest.pointer()
        return abs(seen[0] - x) <= 1 and abs(seen[1] - y) <= 1

    eventually(f"X has the pointer at {x}, {y}", there)


def test_the_pointer_is_where_the_client_has_it(agent_guest, client):
    client.wait_state("mouse-mode", mode=CLIENT_MODE)
    width, height = map(int, agent_guest.shell.run("screen-mode").split("x"))
    corners = [(0, 0), (width - 1, 0), (0, height - 1), (width - 1, height - 1)]
    for x, y in (*corners, (300, 200), (701, 503)):
        put(agent_guest, client, x, y)


def test_buttons_and_wheel_arrive_through_the_agent(agent_guest, client):
    client.wait_state("mouse-mode", mode=CLIENT_MODE)
    log = "/tmp/buttons"
    agent_guest.shell.run(
        "{ stdbuf -oL xev -event button -geometry 300x300+500+300 -name buttons &"
        f" }} >{log} 2>&1; xdotool search --sync --onlyvisible --name '^buttons$'"
        " windowraise >/dev/null"
    )
    put(agent_guest, client, 650, 450)
    for button in (1, 2, 3, 4, 5):
        client.send("click", button)
        pressed = f"grep -c 'button {button},' {log} || true"
        eventually(
            f"press and release of button {button}",
            lambda pressed=pressed: int(agent_guest.shell.run(pressed)) == 2,
        )
    agent_guest.shell.run(f"killall xev; rm {log}")


def test_modes_follow_the_agent(agent_guest, client):
    client.wait_state("mouse-mode", mode=CLIENT_MODE)
    agent_guest.agent("stop")
    eventually("it is gone", lambda: client.seen("agent", connected=False))
    client.wait_state("mouse-mode", mode=SERVER_MODE)
    agent_guest.shell.run("xdotool mousemove 400 300")
    client.send("motion", 20, 10)
    eventually("a mouse moved", lambda: agent_guest.pointer() > (400, 300))
    agent_guest.agent("start")
    client.wait_agent()
    client.wait_state("mouse-mode", mode=CLIENT_MODE)
    put(agent_guest, client, 200, 100)


def test_the_client_may_ask_for_the_other_mode(agent_guest, client):
    client.wait_state("mouse-mode", mode=CLIENT_MODE)
    client.send("mouse-mode", SERVER_MODE)
    client.wait("mouse-mode", mode=SERVER_MODE)
    agent_guest.shell.run("xdotool mousemove 400 300")
    client.send("motion", 20, 10)
    eventually("a mouse moved", lambda: agent_guest.pointer() > (400, 300))
    client.send("mouse-mode", CLIENT_MODE)
    client.wait("mouse-mode", mode=CLIENT_MODE)


@pytest.mark.parametrize("how", ["restart", "kill"])
def test_an_agent_that_goes_in_the_middle_of_a_file(agent_guest, client, tmp_path, how):
    """What was cut off is not finished; what comes next is whole."""
    path = tmp_path / "cut-off"
    path.write_bytes(bytes(100 * MIB))
    client.send("file-copy", str(path))
    client.wait("progress")
    if how == "kill":
        agent_guest.kill_agent()
    else:
        agent_guest.agent("restart")
    # Which of both is told first is the library's business.
    eventually("it is gone", lambda: client.seen("agent", connected=False))
    eventually("the copy failed", lambda: client.seen("file-copied", ok=False))
    client.wait_agent()
    client.wait_state("mouse-mode", mode=CLIENT_MODE)

    data = hashlib.sha512(how.encode()).digest() * 3000
    whole = tmp_path / "whole"
    whole.write_bytes(data)
    client.send("file-copy", str(whole))
    assert client.wait("file-copied")["error"] is None
    assert agent_guest.downloads()["whole"] == hashlib.sha256(data).hexdigest()
    text = tmp_path / "text"
    text.write_text(f"after {how}")
    came = offer_until_pasted(agent_guest, client, 0, UTF8_TEXT, text)
    assert came == hashlib.sha256(text.read_bytes()).hexdigest()


def test_an_agent_that_goes_in_the_middle_of_a_paste(agent_guest, client, tmp_path):
    agent_guest.shell.run("head -c 20000000 /dev/zero | tr '\\0' x >/tmp/copied")
    copy_until_grabbed(agent_guest, client, 0, UTF8_TEXT, "/tmp/copied")
    client.send("clipboard-fetch", 0, UTF8_TEXT, str(tmp_path / "never"))
    agent_guest.kill_agent()
    eventually("it is gone", lambda: client.seen("agent", connected=False))
    client.wait_agent()
    agent_guest.shell.run("echo anew >/tmp/copied")
    copy_until_grabbed(agent_guest, client, 0, UTF8_TEXT, "/tmp/copied")
    assert fetch(client, 0, UTF8_TEXT, tmp_path / "fetched") == b"anew\n"
