"""A headless Chromium that a test drives, over the Chrome DevTools Protocol.

No driver program is needed: the browser offers a WebSocket, on which a command is a
JSON object with an id, answered by one with the same id.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from PIL import Image
from websockets.sync.client import ClientConnection, connect

from tests.peers.programs import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Browser", "missing_browser"]

PROGRAMS = ("chromium-headless-shell", "chromium", "google-chrome")


def missing_browser() -> str | None:
    """Why there is no browser, if there is none."""
    if any(map(shutil.which, PROGRAMS)):
        return None
    return f"none of {', '.join(PROGRAMS)} is installed"


class Browser:
    """One browser with one page."""

    def __init__(self, width: int = 1000, height: int = 800) -> None:
        """Start; the window has *width* x *height* pixels."""
        self.console: list[str] = []
        """What pages and the browser had to say."""
        self.sockets: list[str] = []
        """WebSockets that pages opened, by address."""
        self.prompts: list[str] = []
        """What pages asked for by ``prompt()``."""
        self.prompt_answer = ""
        """What they are answered."""
        self._profile = tempfile.TemporaryDirectory(prefix="qxld-browser-")
        program = next(filter(None, map(shutil.which, PROGRAMS)))
        self._process = subprocess.Popen(
            [
                program, "--headless", "--no-sandbox", "--disable-gpu",
                "--disable-dev-shm-usage", "--no-first-run", "--mute-audio",
                "--remote-debugging-port=0", "--ignore-certificate-errors",
                f"--user-data-dir={self._profile.name}",
                f"--window-size={width},{height}", "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._stack = contextlib.ExitStack()
        self._next_id = 0
        self._session: str | None = None
        self._socket: ClientConnection | None = None
        try:
            self._socket = self._stack.enter_context(
                connect(self._address(), max_size=None)
            )
            self._attach()
            self.resize(width, height)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _address(self) -> str:
        """Wait until the browser has told where it listens."""
        told = Path(self._profile.name) / "DevToolsActivePort"

        def lines() -> list[str]:
            assert self._process.poll() is None, "the browser ended"
            return told.read_text().splitlines() if told.exists() else []

        eventually("the browser listens", lambda: len(lines()) == 2)
        port, path = lines()
        return f"ws://127.0.0.1:{port}{path}"

    def _attach(self) -> None:
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(t["targetId"] for t in targets if t["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=page, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    # -- the protocol ----------------------------------------------------------

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Give a command, return its result."""
        number = self._send(method, parameters)
        for message in self._messages():
            if message.get("id") == number:
                assert "error" not in message, f"{method}: {message['error']}"
                result: dict[str, Any] = message["result"]
                return result
        raise AssertionError("the browser ended")

    def _send(self, method: str, parameters: dict[str, object]) -> int:
        assert self._socket is not None
        self._next_id += 1
        command = {"id": self._next_id, "method": method, "params": parameters}
        if self._session is not None:
            command["sessionId"] = self._session
        self._socket.send(json.dumps(command))
        return self._next_id

    def _messages(self) -> Iterator[dict[str, Any]]:
        assert self._socket is not None
        while True:
            message = json.loads(self._socket.recv(timeout=PATIENCE))
            self._note(message)
            yield message

    def _note(self, message: dict[str, Any]) -> None:
        parameters = message.get("params", {})
        match message.get("method"):
            case "Runtime.consoleAPICalled":
                words = [
                    str(a.get("value", a.get("description")))
                    for a in parameters["args"]
                ]
                self.console.append(f"{parameters['type']}: {' '.join(words)}")
            case "Runtime.exceptionThrown":
                details = parameters["exceptionDetails"]
                said = details.get("exception", {}).get("description", details["text"])
                self.console.append(f"exception: {said}")
            case "Log.entryAdded":
                entry = parameters["entry"]
                self.console.append(f"{entry['level']}: {entry['text']}")
            case "Page.javascriptDialogOpening":
                # Until it is closed, the page answers nothing.
                self.prompts.append(parameters["message"])
                answer = {"accept": True, "promptText": self.prompt_answer}
                self._send("Page.handleJavaScriptDialog", answer)
            case "Network.webSocketCreated":
                self.sockets.append(parameters["url"])

    # -- the page --------------------------------------------------------------

    def open(self, url: str) -> None:
        """Go to *url*."""
        told = self.call("Page.navigate", url=url)
        assert not told.get("errorText"), told

    def run(self, script: str) -> Any:
        """Return the value of a JavaScript expression in the page."""
        done = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def eventually(self, what: str, script: str) -> None:
        """Wait until a JavaScript expression is true."""
        eventually(what, lambda: self.run(script))

    def resize(self, width: int, height: int) -> None:
        """Give the window's inside a size."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip

    def key(self, text: str, code: str, key_code: int, modifiers: int = 0) -> None:
        """Press and release a key: what it types, its name, its keyCode."""
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent", type=kind, key=text, code=code,
                windowsVirtualKeyCode=key_code, modifiers=modifiers,
            )  # fmt: skip

    def mouse(self, kind: str, x: float, y: float, buttons: int = 0) -> None:
        """Send a mouse event: mouseMoved, mousePressed or mouseReleased."""
        button = "none" if kind == "mouseMoved" else "left"
        self.call(
            "Input.dispatchMouseEvent", type=kind, x=x, y=y,
            button=button, buttons=buttons, clickCount=int(button != "none"),
        )  # fmt: skip

    def canvas(self, selector: str) -> Image.Image:
        """Return the pixels of a canvas, as it holds them."""
        url = self.run(
            f"document.querySelector({json.dumps(selector)}).toDataURL('image/png')"
        )
        data = base64.b64decode(url.partition(",")[2])
        return Image.open(io.BytesIO(data)).convert("RGB")

    def screenshot(self) -> Image.Image:
        """Return what the window shows."""
        data = base64.b64decode(self.call("Page.captureScreenshot")["data"])
        return Image.open(io.BytesIO(data)).convert("RGB")

    def close(self) -> None:
        """End the browser."""
        if self._socket is not None:
            with contextlib.suppress(Exception):
                self._session = None
                self.call("Browser.close")
            self._stack.close()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._profile.cleanup()
