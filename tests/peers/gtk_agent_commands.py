"""What the scripted spice-gtk client does with the guest's agent and with devices.

Runs beside ``gtk_client_script.py``, under the system's Python.
"""

from __future__ import annotations

import ctypes
import hashlib

import gi

gi.require_version("SpiceClientGLib", "2.0")
from gi.repository import Gio, GLib, GObject, SpiceClientGLib  # noqa: E402

GTK = ctypes.CDLL("libspice-client-glib-2.0.so.8")
# PyGObject frees a progress callback as soon as the call returns, and the library calls
# it later: so these two functions are called past it.
PROGRESS = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)
READY = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)


class GError(ctypes.Structure):
    _fields_ = (
        ("domain", ctypes.c_uint32),
        ("code", ctypes.c_int),
        ("message", ctypes.c_char_p),
    )


GTK.spice_main_channel_file_copy_finish.argtypes = (
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.POINTER(ctypes.POINTER(GError)),
)


def listen(thing, signal, callback) -> None:
    GObject.Object.connect(thing, signal, callback)


class AgentCommands:
    """Commands ``do_*`` of a client that has a session, channels and ``tell``."""

    def __init__(self, session, channels, tell) -> None:
        self.session = session
        self.channels = channels
        self.tell = tell
        self.offers: dict[tuple[int, int], str] = {}
        self.wanted: dict[tuple[int, int], str] = {}
        self.transfers: dict[str, object] = {}
        self.copies: list[object] = []
        self.usb = None
        self.devices: list[object] = []

    @property
    def main(self):
        return self.channels["main:0"]

    def watch_main(self, channel) -> None:
        listen(channel, "main-agent-update", self.on_agent)
        listen(channel, "main-clipboard-selection-grab", self.on_grab)
        listen(channel, "main-clipboard-selection-request", self.on_request)
        listen(channel, "main-clipboard-selection", self.on_clipboard)
        listen(channel, "main-clipboard-selection-release", self.on_release)
        listen(channel, "new-file-transfer", self.on_transfer)

    def on_agent(self, channel) -> None:
        connected = channel.get_property("agent-connected")
        words = channel.get_property("agent-caps-0")
        self.tell("agent", connected=connected, caps=words)

    # clipboard

    def on_grab(self, _channel, selection, types, count) -> bool:
        if isinstance(types, int):
            types = (ctypes.c_uint32 * count).from_address(types)
        kinds = [int(types[place]) for place in range(count)]
        self.tell("clipboard-grab", selection=selection, types=kinds)
        return True

    def on_request(self, channel, selection, kind) -> bool:
        path = self.offers.get((selection, kind))
        self.tell("clipboard-request", selection=selection, type=kind)
        if path is None:
            return False
        with open(path, "rb") as file:  # noqa: PTH123 - a plain script
            data = file.read()
        channel.clipboard_selection_notify(selection, kind, data)
        return True

    def on_clipboard(self, _channel, selection, kind, data, size) -> None:
        content = ctypes.string_at(data, size) if isinstance(data, int) else bytes(data)
        path = self.wanted.get((selection, kind))
        if path is not None:
            with open(path, "wb") as file:  # noqa: PTH123 - a plain script
                file.write(content)
        digest = hashlib.sha256(content).hexdigest()
        self.tell("clipboard", selection=selection, type=kind, size=size, sha256=digest)

    def on_release(self, _channel, selection) -> None:
        self.tell("clipboard-release", selection=selection)

    def do_clipboard_offer(self, selection, kind, path) -> None:
        """Own a selection; the content of *path* is what it holds."""
        self.offers[selection, kind] = path
        self.main.clipboard_selection_grab(selection, [kind])

    def do_clipboard_fetch(self, selection, kind, path) -> None:
        """Ask for what the guest offered; it comes as an event, and into *path*."""
        self.wanted[selection, kind] = path
        self.main.clipboard_selection_request(selection, kind)

    def do_clipboard_release(self, selection) -> None:
        self.main.clipboard_selection_release(selection)

    # files

    def on_transfer(self, _channel, task) -> None:
        name = GObject.Object.get_property(task, "file").get_basename()
        self.transfers[name] = task
        listen(
            task,
            "finished",
            lambda _task, error: self.tell(
                "transferred", name=name, error=error.message if error else None
            ),
        )
        self.tell("transfer", name=name)

    def do_file_copy(self, *paths) -> None:
        """Drop files into the guest, with the progress of all of them together."""
        files = [Gio.File.new_for_path(path) for path in paths]
        sources = (ctypes.c_void_p * (len(files) + 1))(*map(hash, files), None)
        progress = PROGRESS(
            lambda current, total, _data: self.tell("progress", at=current, of=total)
        )
        ready = READY(lambda channel, result, _data: self.copied(channel, result))
        self.copies.append((files, sources, progress, ready))
        GTK.spice_main_channel_file_copy_async(
            ctypes.c_void_p(hash(self.main)), sources, 0, None, progress, None, ready,
            None,
        )  # fmt: skip

    def copied(self, channel, result) -> None:
        error = ctypes.POINTER(GError)()
        good = GTK.spice_main_channel_file_copy_finish(
            channel, result, ctypes.byref(error)
        )
        message = error.contents.message.decode() if error else None
        self.tell("file-copied", ok=bool(good), error=message)

    def do_file_cancel(self, name) -> None:
        SpiceClientGLib.FileTransferTask.cancel(self.transfers[name])

    # devices

    def do_share_cd(self, path) -> None:
        """Make *path* an emulated USB CD; ``usb-device`` tells when it is there."""
        manager = SpiceClientGLib.UsbDeviceManager.get(self.session)
        self.usb = manager
        # get_devices() crashes PyGObject: a device is taken from its signal.
        listen(manager, "device-added", self.on_device)
        listen(
            manager,
            "device-error",
            lambda _m, _d, error: self.tell("usb-error", error=error.message),
        )
        manager.create_shared_cd_device(path)

    def on_device(self, _manager, device) -> None:
        self.devices.append(device)
        self.tell("usb-device", name=device.get_description("%s %s %s at %d-%d"))

    def do_redirect(self) -> None:
        """Give the first device to the guest; ``redirected`` tells how that went."""

        def finish(manager, result) -> None:
            try:
                self.tell("redirected", ok=manager.connect_device_finish(result))
            except GLib.Error as error:
                self.tell("redirected", ok=False, error=error.message)

        self.usb.connect_device_async(self.devices[0], None, finish)

    def do_unredirect(self) -> None:
        self.usb.disconnect_device(self.devices[0])
