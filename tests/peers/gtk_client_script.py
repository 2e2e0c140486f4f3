"""The real spice-gtk client library, told what to do on standard input.

Runs under the system's Python (the one that has ``gi``).  Reads one JSON array a line,
``["command", argument, ...]``; prints one JSON object a line: events as they happen,
and ``{"ev": "done", "command": ...}`` after each command.  ``gtk_agent_commands.py`` has
the commands that concern the guest's agent and redirected devices.
"""

from __future__ import annotations

import ctypes
import json
import sys
import time

import gi

gi.require_version("SpiceClientGLib", "2.0")
from gi.repository import GLib, GObject, SpiceClientGLib  # noqa: E402 - versions first
from gtk_agent_commands import AgentCommands  # noqa: E402 - needs the version, too

SCANCODES = {" ": 0x39, "\n": 0x1C, "\t": 0x0F, "`": 0x29, "\\": 0x2B}
for first, row in (
    (0x02, "1234567890-="),
    (0x10, "qwertyuiop[]"),
    (0x1E, "asdfghjkl;'"),
    (0x2C, "zxcvbnm,./"),
):
    SCANCODES.update({key: first + place for place, key in enumerate(row)})
SHIFTED = dict(zip('!@#$%^&*()_+{}|:"<>?~', "1234567890-=[]\\;',./`", strict=True))
LEFT_SHIFT = 0x2A

# A PS/2 keyboard of QEMU's keeps 16 bytes; a guest under TCG takes its time.
KEY_SECONDS = 0.1


def tell(event: str, /, **details: object) -> None:
    print(json.dumps({"ev": event, **details}), flush=True)


class MonitorConfig(ctypes.Structure):
    """SpiceDisplayMonitorConfig."""

    _fields_ = tuple(
        (name, ctypes.c_uint) for name in ("id", "surface", "x", "y", "width", "height")
    )


class Array(ctypes.Structure):
    """GArray."""

    _fields_ = (("data", ctypes.POINTER(MonitorConfig)), ("len", ctypes.c_uint))


def monitors_of(channel) -> list[tuple[int, int, int, int, int]]:
    """Id, width, height and place of each head; PyGObject cannot read a GArray."""
    array = ctypes.POINTER(Array)()
    gobject = ctypes.CDLL("libgobject-2.0.so.0")
    gobject.g_object_get(
        ctypes.c_void_p(hash(channel)), b"monitors", ctypes.byref(array), None
    )
    heads = array.contents.data[: array.contents.len] if array else []
    return [(h.id, h.width, h.height, h.x, h.y) for h in heads]


class Client:
    """One session; the commands are its methods named ``do_*``."""

    def __init__(self, options: dict[str, str]) -> None:
        self.loop = GLib.MainLoop()
        self.channels: dict[str, object] = {}
        self.primaries: dict[int, tuple[int, int, int, int, int]] = {}
        self.session = SpiceClientGLib.Session()
        for key, value in options.items():
            self.session.set_property(key, value)
        if "enable-usbredir" not in options:
            self.session.set_property("enable-usbredir", False)
        self.session.set_property("enable-audio", False)
        self.agent = AgentCommands(self.session, self.channels, tell)
        self.listen(self.session, "channel-new", self.on_channel)
        self.listen(self.session, "disconnected", lambda _s: tell("disconnected"))

    @staticmethod
    def listen(thing, signal, callback) -> None:
        GObject.Object.connect(thing, signal, callback)

    @staticmethod
    def name(channel) -> str:
        kind = SpiceClientGLib.Channel.type_to_string(
            channel.get_property("channel-type")
        )
        return f"{kind}:{channel.get_property('channel-id')}"

    def on_channel(self, _session, channel) -> None:
        name = self.name(channel)
        self.channels[name] = channel
        self.listen(channel, "channel-event", self.on_event)
        if isinstance(channel, SpiceClientGLib.MainChannel):
            self.listen(channel, "main-mouse-update", self.on_mouse_mode)
            self.agent.watch_main(channel)
        elif isinstance(channel, SpiceClientGLib.DisplayChannel):
            number = channel.get_property("channel-id")
            self.listen(
                channel,
                "display-primary-create",
                lambda _c, *primary: self.on_primary(number, primary),
            )
            self.listen(
                channel,
                "display-primary-destroy",
                lambda _c: self.primaries.pop(number, None),
            )
            self.listen(
                channel, "display-mark", lambda _c, m: tell("mark", id=number, mark=m)
            )
            self.listen(
                channel,
                "display-invalidate",
                lambda _c, *area: tell("invalidate", id=number, area=area),
            )
            self.listen(
                channel,
                "notify::monitors",
                lambda c, _p: tell("monitors", id=number, heads=monitors_of(c)),
            )
        elif isinstance(channel, SpiceClientGLib.CursorChannel):
            self.listen(
                channel,
                "cursor-set",
                lambda _c, w, h, x, y, _p: tell("cursor-set", size=(w, h), hot=(x, y)),
            )
            self.listen(
                channel, "cursor-move", lambda _c, x, y: tell("cursor-move", x=x, y=y)
            )
            self.listen(channel, "cursor-hide", lambda _c: tell("cursor-hide"))
            self.listen(channel, "cursor-reset", lambda _c: tell("cursor-reset"))
        elif isinstance(channel, SpiceClientGLib.InputsChannel):
            self.listen(
                channel,
                "inputs-modifiers",
                lambda c: tell("modifiers", leds=int(c.get_property("key-modifiers"))),
            )
        # The device manager connects those of USB.
        others = (SpiceClientGLib.MainChannel, SpiceClientGLib.UsbredirChannel)
        if not isinstance(channel, others):
            SpiceClientGLib.Channel.connect(channel)

    def on_event(self, channel, event) -> None:
        error = channel.get_error() if int(event) >= 20 else None
        tell(
            "channel",
            channel=self.name(channel),
            event=SpiceClientGLib.ChannelEvent(event).value_nick,
            error=error.message if error else None,
        )

    def on_mouse_mode(self, channel) -> None:
        tell("mouse-mode", mode=channel.get_property("mouse-mode"))

    def on_primary(self, number, primary) -> None:
        form, width, height, stride, _shm, data = primary
        self.primaries[number] = (form, width, height, stride, data)
        tell("primary", id=number, width=width, height=height, format=form)

    # commands

    def do_connect(self) -> None:
        if not SpiceClientGLib.Session.connect(self.session):
            tell("failed")

    def do_picture(self, path, number=0) -> None:
        """Write a display's pixels as they are, rows of BGRX; none: no size."""
        nothing = (0, 0, 0, 0, 0)
        _form, width, height, stride, data = self.primaries.get(number, nothing)
        raw = ctypes.string_at(data, stride * height) if data else b""
        rows = (raw[y * stride :][: width * 4] for y in range(height))
        with open(path, "wb") as file:  # noqa: PTH123 - a plain script
            file.write(b"".join(rows))
        tell("picture", width=width, height=height)

    def do_type(self, text) -> None:
        inputs = self.channels["inputs:0"]
        for key in text:
            shift = key.isupper() or key in SHIFTED
            code = SCANCODES[SHIFTED.get(key, key.lower())]
            if shift:
                inputs.key_press(LEFT_SHIFT)
            inputs.key_press_and_release(code)
            if shift:
                inputs.key_release(LEFT_SHIFT)
            self.pause(KEY_SECONDS)

    @staticmethod
    def pause(seconds) -> None:
        context = GLib.MainContext.default()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            context.iteration(False)
            time.sleep(0.001)

    def do_key(self, code) -> None:
        self.channels["inputs:0"].key_press_and_release(code)

    def do_position(self, x, y, number=0) -> None:
        self.channels["inputs:0"].position(x, y, number, 0)

    def do_motion(self, dx, dy) -> None:
        self.channels["inputs:0"].motion(dx, dy, 0)

    def do_click(self, button) -> None:
        self.channels["inputs:0"].button_press(button, 1 << (button - 1))
        self.channels["inputs:0"].button_release(button, 0)

    def do_mouse_mode(self, mode) -> None:
        self.channels["main:0"].request_mouse_mode(mode)

    def do_monitor(self, width, height, number=0) -> None:
        """Ask for a size as a resized window does."""
        main = self.channels["main:0"]
        main.update_display_enabled(number, True, False)
        main.update_display(number, 0, 0, width, height, False)
        tell("sent", ok=main.send_monitor_config())

    def do_layout(self, *monitors) -> None:
        """Ask for monitors of (width, height, x, y); null: that one is off."""
        main = self.channels["main:0"]
        main.set_property("disable-display-align", True)
        main.set_property("disable-display-position", False)
        for number in range(4):
            monitor = monitors[number] if number < len(monitors) else None
            main.update_display_enabled(number, monitor is not None, False)
            if monitor is not None:
                width, height, x, y = monitor
                main.update_display(number, x, y, width, height, False)
        tell("sent", ok=main.send_monitor_config())

    def do_disconnect(self) -> None:
        self.session.disconnect()

    def on_line(self, source, _condition) -> bool:
        line = source.readline()
        if not line:
            self.loop.quit()
            return False
        name, *arguments = json.loads(line)
        method = "do_" + name.replace("-", "_")
        getattr(self if hasattr(self, method) else self.agent, method)(*arguments)
        tell("done", command=name)
        return True


def main(kind: type[Client] = Client) -> None:
    """Be a client of that *kind* until standard input ends."""
    client = kind(json.loads(sys.argv[1]))
    GLib.io_add_watch(
        sys.stdin.fileno(),
        GLib.IO_IN | GLib.IO_HUP,
        lambda *_: client.on_line(sys.stdin, 0),
    )
    client.loop.run()


if __name__ == "__main__":
    main()
