"""spice-html5 in a headless browser: Debian's pages as they are, from our own port."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from qxld.config import HTML5_DIR
from spice_server.config import TlsConfig
from spice_server.websocket.pages import START_PAGE
from tests.fakes.display_bench import DisplayBench
from tests.fakes.input_sink import RecordingSink
from tests.fakes.pki import write_pki
from tests.fakes.scribble import scribble
from tests.fakes.spice_channels import running_server
from tests.peers.headless_browser import Browser, missing_browser
from tests.peers.headless_client import HeadlessClient
from tests.peers.programs import eventually
from tests.peers.qxld_replay import QxldReplay

_absent = missing_browser() or (
    None if (HTML5_DIR / START_PAGE).is_file() else "spice-html5 is not installed"
)

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(_absent is not None, reason=str(_absent)),
]

WIDTH, HEIGHT = 640, 480
CANVAS = "#spice-screen canvas"
ROOT = Path(__file__).parents[2]


def page(port: int, query: str = "", scheme: str = "http") -> str:
    return f"{scheme}://127.0.0.1:{port}/{START_PAGE}?{query}"


def wait_canvas(browser: Browser) -> None:
    script = f"document.querySelector({json.dumps(CANVAS)})"
    browser.eventually("there is a canvas", f"!!{script}")


def drawn(bench: DisplayBench) -> np.ndarray:
    data = np.frombuffer(bench.screen(), np.uint8)
    return data.reshape(bench.height, bench.width, 4)[..., 2::-1]


def wait_equal(browser: Browser, bench: DisplayBench) -> None:
    """Wait until the canvas shows the guest's framebuffer, to the last bit."""
    wanted = drawn(bench)
    eventually(
        "the browser shows what was drawn",
        lambda: np.array_equal(np.asarray(browser.canvas(CANVAS)), wanted),
    )


def complaints(browser: Browser) -> list[str]:
    """Return what the page could not do, but for what has nothing to show."""
    harmless = ("Display Mark", "Inval All Palettes", "channel is insecure")
    browser.run("1")  # what it said since has come by now
    return [
        line
        for line in browser.console
        if not line.startswith(("log: Connected", "warning: Canvas2D", "log: delta"))
        and not any(word in line for word in harmless)
    ]


async def in_browser(bench, work, *, scheme="http", query="password=sekret", **config):
    """Let *work* use a browser, in a thread, that has opened the server's page."""

    def visit(server):
        control = server.control
        port = control.port if scheme == "http" else control.tls_port
        with Browser() as browser:
            browser.open(page(port, query, scheme))
            work(browser, server)
            assert complaints(browser) == []

    async with running_server(
        bench.worker.display, bench.worker.cursor, pages=HTML5_DIR, **config
    ) as server:
        await asyncio.to_thread(visit, server)


def look(bench: DisplayBench, browser: Browser, _server) -> None:
    wait_canvas(browser)
    for seed in range(2, 5):
        wait_equal(browser, bench)
        scribble(bench, seed)
    bench.guest.destroy_primary()
    bench.width, bench.height = 320, 200
    bench.guest.create_primary(320, 200)
    scribble(bench, 6)
    wait_canvas(browser)
    wait_equal(browser, bench)


@pytest.mark.asyncio
async def test_the_picture_is_the_guests():
    with DisplayBench(WIDTH, HEIGHT) as bench:
        scribble(bench, 1)
        await in_browser(bench, partial(look, bench))


@pytest.mark.asyncio
async def test_over_tls_and_without_a_password(tmp_path):
    def work(browser, _server):
        wait_canvas(browser)
        wait_equal(browser, bench)
        assert all(url.startswith("wss://") for url in browser.sockets)
        assert len(browser.sockets) == 4

    tls = TlsConfig.from_directory(write_pki(tmp_path))
    with DisplayBench(WIDTH, HEIGHT) as bench:
        scribble(bench, 1)
        await in_browser(
            bench, work, scheme="https", query="", ticketing=False, tls_port=0, tls=tls
        )


@pytest.mark.asyncio
async def test_who_gives_no_password_is_asked_for_it():
    def work(browser, server):
        browser.prompt_answer = "sekret"
        wait_canvas(browser)
        wait_equal(browser, bench)
        assert browser.prompts == ["Password"]
        assert server.stats.refused == {"PERMISSION_DENIED": 1}
        assert "log: ERROR: Error: Permission denied." in browser.console
        browser.console.clear()

    with DisplayBench(WIDTH, HEIGHT) as bench:
        scribble(bench, 1)
        await in_browser(bench, work, query="")


@pytest.mark.asyncio
async def test_keys_and_pointer_reach_the_guest():
    sink = RecordingSink()

    def work(browser, _server):
        wait_canvas(browser)
        left, top = browser.run(
            "(c => [c.getBoundingClientRect().left + c.clientLeft,"
            " c.getBoundingClientRect().top + c.clientTop])"
            f"(document.querySelector({json.dumps(CANVAS)}))"
        )

        def move():
            browser.mouse("mouseMoved", left + 20, top + 30)
            browser.mouse("mouseMoved", left + 100, top + 50)
            return any(call[0] == "position" for call in sink.calls)

        eventually("the pointer moves", move)
        browser.mouse("mousePressed", left + 100, top + 50, 1)
        browser.mouse("mouseReleased", left + 100, top + 50)
        eventually("the button is up", lambda: ("buttons", 0) in sink.calls)
        for text in "qxl":
            browser.key(text, f"Key{text.upper()}", ord(text.upper()))
        eventually("keys came", lambda: len(sink.scancodes) >= 6)

    with DisplayBench(WIDTH, HEIGHT) as bench:
        scribble(bench, 1)
        await in_browser(bench, work, sink=sink)
    assert sink.scancodes == bytes.fromhex("1090 2dad 26a6")
    assert ("buttons", 1) in sink.calls
    positions = [call[1:3] for call in sink.calls if call[0] == "position"]
    assert (100, 50) in positions


@pytest.mark.asyncio
async def test_the_guest_gets_the_size_of_the_window():
    layouts = []

    def work(browser, _server):
        wait_canvas(browser)
        eventually("the page tells its size", lambda: layouts)
        for width, height in ((1200, 900), (811, 613)):
            layouts.clear()
            browser.resize(width, height)
            eventually("the page tells its new size", lambda: layouts)
            (head,) = layouts[-1].heads
            assert width - 40 <= head.width <= width
            assert head.height <= height
            bench.guest.destroy_primary()
            bench.width, bench.height = head.width, head.height
            bench.guest.create_primary(head.width, head.height)
            scribble(bench, width)
            wait_equal(browser, bench)

    with DisplayBench(WIDTH, HEIGHT) as bench:
        async with running_server(
            bench.worker.display, bench.worker.cursor, pages=HTML5_DIR
        ) as server:
            server.agent.set_display_agent(layouts.append)

            def visit():
                with Browser() as browser:
                    browser.open(page(server.control.port, "password=sekret"))
                    work(browser, server)

            await asyncio.to_thread(visit)


@pytest.mark.asyncio
async def test_an_address_cannot_bring_scripts():
    """spice-html5 puts its title into the page as it comes."""
    title = "<img src=x onerror='window.foreign=1'>"

    def work(browser, _server):
        wait_canvas(browser)
        assert browser.run("document.querySelectorAll('#hostname img').length") == 1
        browser.eventually("it was loaded in vain", "document.images[0].complete")
        browser.run("document.querySelector('#login button').click()")
        assert browser.run("document.querySelector('#Sidenav').className") == (
            "SidenavOpen"
        )
        assert browser.run("window.foreign") is None
        found = [line for line in browser.console if "Content Security Policy" in line]
        assert found
        browser.console.clear()

    with DisplayBench(WIDTH, HEIGHT) as bench:
        await in_browser(bench, work, query=f"password=sekret&title={title}")


@pytest.mark.parametrize("mode", ["auto_glz", "quic", "off"])
def test_a_recorded_desktop(mode):
    """As its user would start it; qxld's own client judges."""
    stream = ROOT / "tests/vectors/replay/console-kms.qxlrec.zst"
    options = ("--html5", "--disable-ticketing", "--linger", 3600)
    with QxldReplay(stream, mode, *options) as replay, Browser() as browser:
        replay.wait_up()
        browser.open(f"http://127.0.0.1:{replay.port}/")
        wait_canvas(browser)
        with HeadlessClient(replay.port) as client:
            client.wait_picture()
            try:
                eventually(
                    "the browser shows what another client does",
                    lambda: browser.canvas(CANVAS).tobytes() == client.picture().rgb,
                )
            except AssertionError as error:
                error.add_note("\n".join(browser.console))
                raise
