"""One picture of a display, from a server to a file."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from spice_client.connect import connect
from spice_client.errors import NoDisplayError
from spice_client.picture import Picture
from spice_protocol.enums import ChannelType

if TYPE_CHECKING:
    from pathlib import Path

    from spice_client.connect import Client
    from spice_client.tls import TlsTrust

__all__ = ["screenshot", "take_picture"]

QUIET_S = 0.3
"""A server sends the whole screen first; one that draws only parts is believed to be
done after that many seconds without a drawing."""


async def take_picture(client: Client, display_id: int = 0) -> Picture:
    """Wait until a display shows something and return it.

    Raises:
        NoDisplayError: the session has no such display.
        UnsupportedError: the server drew what this client cannot draw.
        SpiceClientError, ProtocolError: the session broke.

    """
    display = client.display(display_id)

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
    surface = display.primary
    assert surface is not None
    return Picture(surface.width, surface.height, surface.rgb())


async def screenshot(
    uri: str,
    path: Path,
    *,
    password: str | None = None,
    trust: TlsTrust | None = None,
    display_id: int = 0,
    timeout_s: float = 20.0,
) -> Picture:
    """Write what a display shows to *path*: PPM if it is named so, otherwise PNG.

    Raises:
        NoDisplayError: there is no such display, or no picture within *timeout_s*.
        SpiceClientError, ProtocolError: see :func:`spice_client.connect.connect`.
        OSError: the file cannot be written.

    """
    async with connect(
        uri, password=password, trust=trust, channels=(), timeout_s=timeout_s
    ) as client:
        # Only the one that is wanted: libspice-server 0.15.1 may crash when a display
        # channel is closed as soon as it was opened.
        if (ChannelType.DISPLAY, display_id) in await client.list_channels():
            await client.open_channel(ChannelType.DISPLAY, display_id)
        try:
            async with asyncio.timeout(timeout_s):
                picture = await take_picture(client, display_id)
        except TimeoutError as error:
            text = f"display {display_id} shows nothing for {timeout_s:g} seconds"
            raise NoDisplayError(text) from error
    data = picture.ppm() if path.suffix == ".ppm" else picture.png()
    await asyncio.to_thread(path.write_bytes, data)
    return picture
