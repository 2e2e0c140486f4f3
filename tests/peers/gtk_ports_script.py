"""The real spice-gtk client library with ports, USB devices and smart cards.

Run as ``gtk_client_script`` is, with more events and commands.
"""

from __future__ import annotations

import ctypes
import hashlib

from gi.repository import GLib, SpiceClientGLib
from gtk_client_script import Client, main, tell

LIBRARY = "libspice-client-glib-2.0.so.8"


class PortsClient(Client):
    """One session."""

    def __init__(self, options: dict[str, str]) -> None:
        certificates = options.pop("smartcard-certificates", "")
        super().__init__(options)
        self.session.set_property("enable-usbredir", True)
        if certificates:
            self.session.set_property("enable-smartcard", True)
            self.session.set_property("smartcard-certificates", certificates.split(","))
        self.received: dict[str, bytes] = {}
        self.kept: list[object] = []

    def on_channel(self, session, channel) -> None:
        if isinstance(channel, SpiceClientGLib.UsbredirChannel):
            # The device manager connects it.
            self.channels[self.name(channel)] = channel
            self.listen(channel, "channel-event", self.on_event)
            return
        if isinstance(channel, SpiceClientGLib.PortChannel):
            self.listen(channel, "notify::port-opened", self.on_port)
            self.listen(channel, "port-data", self.on_data)
        super().on_channel(session, channel)

    def on_port(self, channel, _property) -> None:
        name, opened = (channel.get_property(f"port-{p}") for p in ("name", "opened"))
        tell("port", port=name, opened=opened)

    def on_data(self, channel, data, size) -> None:
        name = channel.get_property("port-name")
        piece = ctypes.string_at(data, size)
        self.received[name] = self.received.get(name, b"") + piece
        tell("port-data", port=name)

    def port(self, name):
        return next(
            channel
            for channel in self.channels.values()
            if isinstance(channel, SpiceClientGLib.PortChannel)
            and channel.get_property("port-name") == name
        )

    def do_received(self, name) -> None:
        data = self.received.get(name, b"")
        digest = hashlib.sha256(data).hexdigest()
        tell("received", size=len(data), sha256=digest, end=data[-80:].decode("latin1"))

    def do_write(self, name, text, times=1) -> None:
        # write_async does not copy, and PyGObject frees: the C function is called.
        data = text.encode() * times
        buffer = ctypes.create_string_buffer(data, len(data))
        self.kept.append(buffer)
        write = ctypes.CDLL(LIBRARY).spice_port_channel_write_async
        channel = ctypes.c_void_p(hash(self.port(name)))
        write(channel, buffer, ctypes.c_size_t(len(data)), None, None, None)

    def do_break(self, name) -> None:
        self.port(name).event(2)

    def do_cd(self, path) -> None:
        """Lend an emulated CD drive with the image *path*."""
        manager = SpiceClientGLib.UsbDeviceManager.get(self.session)
        self.kept.append(manager)
        self.listen(manager, "device-added", self.on_device)
        tell("cd", made=bool(manager.create_shared_cd_device(path)))

    def on_device(self, manager, device) -> None:
        self.kept.append(device)

        def connected(_manager, result) -> None:
            try:
                tell("usb", connected=manager.connect_device_finish(result))
            except GLib.Error as error:
                tell("usb", connected=False, error=error.message)

        manager.connect_device_async(device, None, connected)

    def do_bytes(self, name) -> None:
        count = self.channels[name].get_property("total-read-bytes")
        tell("bytes", channel=name, count=count)


if __name__ == "__main__":
    main(PortsClient)
