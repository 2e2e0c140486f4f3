"""Our client against libspice-server in a stock QEMU, whose screendump is the judge."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

import pytest

from spice_client.__main__ import main
from spice_client.connect import Client, connect
from spice_client.display import DisplayChannel
from spice_client.errors import (
    AuthenticationError,
    ConnectError,
    LinkError,
    NoDisplayError,
)
from spice_client.link import Link, LinkRequest
from spice_client.main import MainChannel
from spice_client.screenshot import screenshot, take_picture
from spice_client.tls import TlsTrust
from spice_protocol.enums import ChannelType
from spice_protocol.protocol import SpiceCommonCap
from tests.fakes.pki import write_pki
from tests.peers import stock_qemu
from tests.peers.programs import PATIENCE, Picture, free_port
from tests.peers.stock_qemu import StockQemu

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spice_client.channel import Channel

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(bool(stock_qemu.missing()), reason=str(stock_qemu.missing())),
]

TEXT = (720, 400)
PICTURE = (640, 480)
PICTURE_COLORS = 300_000
"""The guest's picture has a little more once it is painted to its end."""


@pytest.fixture
def port() -> int:
    return free_port()


# One for each test: libspice-server may crash when a client leaves early.
@pytest.fixture
def qemu(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[StockQemu]:
    spice = f"addr=127.0.0.1,port={port},disable-ticketing=on,image-compression=off"
    with StockQemu(tmp_path_factory.mktemp("stock"), spice) as running:
        yield running


async def same_picture(client: Client, qemu: StockQemu, *, colors: int = 2) -> Picture:
    """Wait until client and QEMU agree on a picture of at least that many colours.

    The guest draws on its own and QEMU tells nobody when; hence looking again.
    """
    async with asyncio.timeout(PATIENCE):
        while True:
            taken = await take_picture(client)
            dumped = qemu.screendump()
            same = (taken.width, taken.height, taken.rgb) == (
                dumped.width,
                dumped.height,
                dumped.rgb,
            )
            if same and dumped.colors() >= colors:
                return dumped
            await asyncio.sleep(0.05)


async def show(client: Client, key: str, size: tuple[int, int]) -> None:
    """Press a key of the guest's and wait for a screen of that size."""
    display = client.display()
    client.inputs.type_text(key)
    await client.flush()

    def shown() -> bool:
        primary = display.primary
        return (
            display.marked
            and primary is not None
            and (primary.width, primary.height) == size
        )

    async with asyncio.timeout(PATIENCE):
        await client.wait_until(shown)


@pytest.mark.asyncio
async def test_screen_keys_and_modes(qemu: StockQemu, port: int) -> None:
    async with connect(f"spice://127.0.0.1:{port}") as client:
        await show(client, "1", TEXT)
        empty = await same_picture(client, qemu)
        assert empty.colors() == 2

        client.inputs.type_text("Hello, World")
        await client.flush()
        while (await same_picture(client, qemu)).rgb == empty.rgb:
            pass  # the keys are still on their way

        await show(client, "2", PICTURE)
        await same_picture(client, qemu, colors=PICTURE_COLORS)
        assert client.main.name == "boot sector"
        assert client.main.notices == ["keyboard channel is insecure"]
        assert client.cursor().initialized
        [head] = client.display().heads
        assert (head.width, head.height) == PICTURE
        await show(client, "1", TEXT)


@pytest.mark.asyncio
@pytest.mark.parametrize("compression", ["auto_glz", "quic", "auto_lz"])
async def test_a_server_that_would_compress(tmp_path: Path, compression: str) -> None:
    port = free_port()
    spice = (
        f"addr=127.0.0.1,port={port},disable-ticketing=on,"
        f"image-compression={compression}"
    )
    with StockQemu(tmp_path, spice) as qemu:
        async with connect(f"spice://127.0.0.1:{port}") as client:
            await show(client, "2", PICTURE)
            await same_picture(client, qemu, colors=PICTURE_COLORS)


@pytest.mark.asyncio
async def test_qxl_device_in_vga_mode(tmp_path: Path) -> None:
    port = free_port()
    spice = f"addr=127.0.0.1,port={port},disable-ticketing=on"
    with StockQemu(tmp_path, spice, ["-vga", "qxl"]) as qemu:
        async with connect(f"spice://127.0.0.1:{port}") as client:
            await show(client, "1", TEXT)
            await same_picture(client, qemu)


def test_command_line(qemu: StockQemu, port: int, tmp_path: Path) -> None:
    path = tmp_path / "screen.ppm"
    assert main(["screenshot", f"spice://127.0.0.1:{port}", str(path)]) == 0
    assert Picture.from_ppm(path.read_bytes()).colors() > 1


def test_refusals_on_the_command_line(
    qemu: StockQemu, port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "screen.png")
    uri = f"spice://127.0.0.1:{port}"
    assert main(["screenshot", f"spice+tls://127.0.0.1:{port}", path]) == 1
    assert main(["screenshot", f"spice://127.0.0.1:{free_port()}", path]) == 1
    # The last one: libspice-server may crash when a client leaves that early.
    assert main(["screenshot", uri, path, "--display", "3"]) == 1
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 3
    assert "TLS" in errors[0]
    assert errors[1].endswith("Connection refused")
    assert errors[2] == (
        "spice_client: there is neither a display 3 nor such a monitor of display 0, "
        "which has 0"
    )


@pytest.mark.asyncio
async def test_passwords(tmp_path: Path) -> None:
    port = free_port()
    uri, png = f"spice://127.0.0.1:{port}", tmp_path / "screen.png"
    secret = ["-vga", "std", "-object", "secret,id=ticket,data=sekret"]
    spice = f"addr=127.0.0.1,port={port},password-secret=ticket"
    with StockQemu(tmp_path, spice, secret) as qemu:
        for wrong in (None, "", "Sekret", "sekret2", "x" * 60, "x" * 61):
            with pytest.raises(AuthenticationError, match="does not accept"):
                await screenshot(uri, png, password=wrong)
        assert not png.exists()
        await screenshot(uri, png, password="sekret")
        await screenshot(f"{uri}?password=sekret", png)
        qemu.monitor.execute("expire_password", protocol="spice", time="now")
        with pytest.raises(AuthenticationError):
            await screenshot(uri, png, password="sekret")


@pytest.mark.asyncio
async def test_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "spice.sock"
    with StockQemu(tmp_path, f"unix=on,addr={path},disable-ticketing=on"):
        picture = await screenshot(f"spice+unix://{path}", tmp_path / "screen.png")
        assert (picture.width, picture.height) == TEXT
        assert (tmp_path / "screen.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.asyncio
async def test_tls(tmp_path: Path) -> None:
    port, tls_port = free_port(), free_port()
    write_pki(tmp_path)
    png = tmp_path / "screen.png"
    spice = (
        f"addr=127.0.0.1,port={port},tls-port={tls_port},disable-ticketing=on,"
        f"x509-dir={tmp_path},tls-channel=main,tls-channel=display"
    )
    uri = f"spice+tls://127.0.0.1:{tls_port}"
    good = TlsTrust(tmp_path / "ca-cert.pem")
    with StockQemu(tmp_path, spice):
        await screenshot(uri, png, trust=good)
        # NEED_SECURED on the plain port, as tls-channel asks for.
        both = f"spice://127.0.0.1?port={port}&tls-port={tls_port}"
        await screenshot(both, png, trust=good)
        subject = TlsTrust(good.ca_file, "O=Test,CN=spice-test")
        await screenshot(uri, png, trust=subject)
        await screenshot(uri, png, trust=TlsTrust(insecure=True))
        with pytest.raises(ConnectError, match="subject is not O=Test,CN=other"):
            await screenshot(uri, png, trust=TlsTrust(good.ca_file, "O=Test,CN=other"))
        with pytest.raises(ConnectError, match="TLS: "):
            await screenshot(uri, png)
        with pytest.raises(LinkError, match="NEED_SECURED"):
            await screenshot(f"spice://127.0.0.1:{port}", png)


@pytest.mark.asyncio
async def test_no_display(tmp_path: Path) -> None:
    port = free_port()
    spice = f"addr=127.0.0.1,port={port},disable-ticketing=on"
    refused = pytest.raises(NoDisplayError, match="no display channel 0")
    with StockQemu(tmp_path, spice, ["-vga", "none"]), refused:
        await screenshot(f"spice://127.0.0.1:{port}", tmp_path / "screen.png")


@pytest.mark.parametrize(
    "capabilities",
    [
        (),
        (SpiceCommonCap.PROTOCOL_AUTH_SELECTION,),
        (SpiceCommonCap.MINI_HEADER,),
    ],
    ids=["none", "full headers", "ticket at once"],
)
def test_older_clients_capabilities(
    qemu: StockQemu, port: int, capabilities: tuple[int, ...]
) -> None:
    """The protocol objects alone, on blocking sockets, without newer capabilities."""

    def open_channel(cls: type[Channel], session: int) -> tuple[socket.socket, Channel]:
        connection = socket.create_connection(("127.0.0.1", port))
        connection.settimeout(PATIENCE)
        link = Link(LinkRequest(cls.TYPE, 0, session, cls.CAPABILITIES, capabilities))
        rest = b""
        while link.result is None:
            connection.sendall(link.data_to_send())
            rest = link.receive_data(connection.recv(4096))
        assert link.result.mini_header is (SpiceCommonCap.MINI_HEADER in capabilities)
        channel = cls(link.result)
        channel.receive_data(rest)
        return connection, channel

    def receive(connection: socket.socket, channel: Channel) -> None:
        connection.sendall(channel.data_to_send())
        data = connection.recv(65536)
        assert data
        channel.receive_data(data)

    main_socket, main_channel = open_channel(MainChannel, 0)
    assert isinstance(main_channel, MainChannel)
    with main_socket:
        while main_channel.channels is None:
            receive(main_socket, main_channel)
        assert main_channel.init is not None
        session = main_channel.init.session_id
        display_socket, display = open_channel(DisplayChannel, session)
        assert isinstance(display, DisplayChannel)
        assert ChannelType.DISPLAY in {c.type for c in main_channel.channels}
        with display_socket:
            display.start()
            while not (display.marked and display.primary and display.primary.complete):
                receive(display_socket, display)
            display_socket.settimeout(1)  # looks again, if nothing more comes
            for _ in range(int(PATIENCE)):
                wanted = qemu.screendump().rgb
                if display.primary.rgb() == wanted:
                    break
                with contextlib.suppress(TimeoutError):
                    receive(display_socket, display)
            assert display.primary.rgb() == wanted
