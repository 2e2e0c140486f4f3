"""One picture of a display, from a server to a file."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from spice_client.connect import connect
from spice_client.errors import NoDisplayError
from spice_client.options import ClientOptions
from spice_protocol.enums import ChannelType

if TYPE_CHECKING:
    from pathlib import Path

    from spice_client.connect import Client
    from spice_client.display import DisplayChannel
    from spice_client.picture import Picture
    from spice_client.tls import TlsTrust

__all__ = ["screenshot", "take_picture"]

TIMEOUT_S = 20.0
"""How long to wait for each answer, and for a picture."""
QUIET_S = 0.3
"""A server sends the whole screen first; one that draws only parts is believed to be
done after that many seconds without a drawing."""


async def take_picture(client: Client, display_id: int = 0) -> Picture:
    """Wait until a display shows something and return it.

    Args:
        client: a session with display channels.
        display_id: of a display channel; without such a one, a monitor of display 0.

    Raises:
        NoDisplayError: the session has no such display.
        UnsupportedError: the server drew what this client cannot draw.
        SpiceClientError, ProtocolError: the session broke.

    """
    channel, monitor = _find(client, display_id)
    await _settled(client, channel)
    if monitor is None:
        surface = channel.primary
        assert surface is not None
        return surface.picture()
    await client.wait_until(lambda: bool(channel.heads))
    for screen in channel.screens:
        if screen.monitor_id == monitor:
            return screen.picture()
    monitors = ", ".join(str(screen.monitor_id) for screen in channel.screens)
    raise NoDisplayError(
        f"there is neither a display {display_id} nor such a monitor of display 0, "
        f"which has {monitors}"
    )


def _find(client: Client, display_id: int) -> tuple[DisplayChannel, int | None]:
    opened = {number for kind, number in client.connections if kind == _DISPLAY}
    if display_id in opened or 0 not in opened:
        return client.display(display_id), None
    return client.display(0), display_id


_DISPLAY = ChannelType.DISPLAY


async def _settled(client: Client, display: DisplayChannel) -> None:
    """Return when the screen is drawn all over, or nothing is drawn any more."""

    def complete() -> bool:
        primary = display.primary
        return display.marked and primary is not None and primary.complete

    await client.wait_until(lambda: display.marked and display.primary is not None)
    draws = -1
    while not complete() and display.draws != draws:
        draws = display.draws
        try:
            async with asyncio.timeout(QUIET_S):
                await client.wait_until(complete)
        except TimeoutError:
            continue
    await client.wait_until(lambda: display.primary is not None)


async def screenshot(
    uri: str,
    path: Path,
    *,
    password: str | None = None,
    trust: TlsTrust | None = None,
    display_id: int = 0,
    options: ClientOptions | None = None,
) -> Picture:
    """Write what a display shows to *path*: PPM if it is named so, otherwise PNG.

    Args:
        uri: an address, see :func:`spice_client.uri.parse_uri`.
        path: file to write.
        password: the ticket.
        trust: whom to trust over TLS.
        display_id: see :func:`take_picture`.
        options: how the client presents itself, and how long it waits.

    Raises:
        NoDisplayError: there is no such display, or no picture in time.
        SpiceClientError, ProtocolError: see :func:`spice_client.connect.connect`.
        OSError: the file cannot be written.

    """
    options = options or ClientOptions(timeout_s=TIMEOUT_S)
    timeout_s = options.timeout_s
    async with connect(
        uri, password=password, trust=trust, channels=(), options=options
    ) as client:
        await _open_display(client, display_id)
        try:
            async with asyncio.timeout(timeout_s):
                picture = await take_picture(client, display_id)
        except TimeoutError as error:
            text = f"display {display_id} shows nothing for {timeout_s:g} seconds"
            raise NoDisplayError(text) from error
    data = picture.ppm() if path.suffix == ".ppm" else picture.png()
    await asyncio.to_thread(path.write_bytes, data)
    return picture


async def _open_display(client: Client, display_id: int) -> None:
    # Only the one that is wanted: libspice-server 0.15.1 may crash when a display
    # channel is closed as soon as it was opened.
    channels = await client.list_channels()
    for number in (display_id, 0):
        if (ChannelType.DISPLAY, number) in channels:
            await client.open_channel(ChannelType.DISPLAY, number)
            return
    raise NoDisplayError(f"the server has no display channel {display_id}")
