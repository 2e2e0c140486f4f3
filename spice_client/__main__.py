"""``python -m spice_client screenshot URI FILE`` and ``python -m spice_client sink URI``.

A screenshot of a SPICE server's display, and a client that counts what a server sends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from spice_client.errors import SpiceClientError
from spice_client.options import COMMON_CAPABILITIES, ClientOptions
from spice_client.screenshot import screenshot
from spice_client.sink import Sink
from spice_client.tls import TlsTrust
from spice_protocol.enums import (
    ChannelType,
    SpiceImageCompression,
    SpiceVideoCodecType,
)
from spice_protocol.errors import ProtocolError
from spice_protocol.protocol import SpiceCommonCap

__all__ = ["main", "parser"]

_EXIT = "Exit codes: 0 done, 1 not done (standard error says why), 2 wrong usage."
_URI = (
    "spice://host:port, spice://host?port=..&tls-port=.., "
    "spice+tls://host:port or spice+unix:///path"
)
_PIXEL_SIZE = 4
CONNECT_TIMEOUT_S = 10.0


def _compression(text: str) -> int:
    try:
        return SpiceImageCompression[text.upper()]
    except KeyError:
        names = ", ".join(c.name.lower() for c in SpiceImageCompression if c)
        raise argparse.ArgumentTypeError(f"{text!r} is none of {names}") from None


def _codecs(text: str) -> tuple[int, ...]:
    try:
        return tuple(SpiceVideoCodecType[name.upper()] for name in text.split(","))
    except KeyError as error:
        names = ", ".join(c.name.lower() for c in SpiceVideoCodecType)
        raise argparse.ArgumentTypeError(f"{error} is none of {names}") from None


def _bits(text: str) -> tuple[int, ...]:
    try:
        bits = tuple(int(word, 0) for word in text.split(",") if word)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if any(not 0 <= bit < 1024 for bit in bits):
        raise argparse.ArgumentTypeError("capability bits are 0 to 1023")
    return bits


def _channels(text: str) -> tuple[int, ...]:
    try:
        return tuple(ChannelType[name.upper()] for name in text.split(",") if name)
    except KeyError as error:
        raise argparse.ArgumentTypeError(f"{error} is no channel") from None


def _add_connection(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("connection")
    group.add_argument("--password", help="the ticket; others on this host can see it")
    group.add_argument(
        "--password-file", type=Path, help="file whose first line is the ticket"
    )
    group.add_argument("--ca-file", type=Path, help="PEM certificates to trust")
    group.add_argument(
        "--host-subject", help="subject of the certificate, such as O=Example,CN=host"
    )
    group.add_argument("--insecure", action="store_true", help="trust any certificate")


def _add_manners(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what the client is like")
    group.add_argument(
        "--full-header", action="store_true", help="do without short message headers"
    )
    group.add_argument(
        "--display-caps",
        type=_bits,
        metavar="BIT,..",
        help="capability bits of display channels instead of this client's own",
    )
    group.add_argument(
        "--cache-mb", type=float, default=80, metavar="N", help="image cache [80]"
    )
    group.add_argument(
        "--glz-mb", type=float, default=16, metavar="N", help="GLZ window [16]"
    )
    group.add_argument(
        "--compression", type=_compression, help="image compression to ask for"
    )
    group.add_argument(
        "--codecs", type=_codecs, default=(), help="video codecs to ask for: mjpeg,vp8"
    )


def _add_screenshot(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("uri", help=_URI)
    parser.add_argument("file", type=Path, help="picture to write: .png or .ppm")
    parser.add_argument(
        "--display",
        type=int,
        default=0,
        metavar="N",
        help="display channel to save, or monitor of display 0 [0]",
    )
    parser.add_argument(
        "--timeout", type=float, default=20.0, metavar="S", help="seconds to wait [20]"
    )


def _add_sink(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("uri", help=_URI)
    parser.add_argument(
        "--channels",
        type=_channels,
        default=(ChannelType.DISPLAY, ChannelType.CURSOR),
        metavar="NAME,..",
        help="channels to open besides main [display,cursor]",
    )
    parser.add_argument("--paint", action="store_true", help="decode and draw it all")
    parser.add_argument(
        "--dump-ppm", type=Path, metavar="FILE", help="with --paint: the last picture"
    )
    parser.add_argument(
        "--mbps", type=float, default=0, help="read displays at no more 10^6 bit/s"
    )
    parser.add_argument(
        "--rtt-ms", type=float, default=0, help="hold answers back that long"
    )
    parser.add_argument(
        "--idle",
        type=float,
        default=1.5,
        metavar="S",
        help="silence that ends the sink after SIGUSR1 or with --until-idle [1.5]",
    )
    parser.add_argument(
        "--until-idle", action="store_true", help="end at the first silence"
    )
    parser.add_argument("--out", type=Path, help="write the report there")


def parser() -> argparse.ArgumentParser:
    """Return the command line's description."""
    result = argparse.ArgumentParser(
        prog="python -m spice_client", description="A headless SPICE client."
    )
    commands = result.add_subparsers(dest="command", required=True)
    for name, text, add in (
        ("screenshot", "Save what a SPICE server's display shows.", _add_screenshot),
        ("sink", "Take what a server sends and report it as JSON.", _add_sink),
    ):
        command = commands.add_parser(name, help=text, description=text, epilog=_EXIT)
        add(command)
        _add_connection(command)
        _add_manners(command)
    return result


def _options(arguments: argparse.Namespace) -> ClientOptions:
    common: tuple[int, ...] = COMMON_CAPABILITIES
    if arguments.full_header:
        common = tuple(bit for bit in common if bit != SpiceCommonCap.MINI_HEADER)
    capabilities: dict[int, tuple[int, ...]] = {}
    if arguments.display_caps is not None:
        capabilities[ChannelType.DISPLAY] = arguments.display_caps
    sinking = arguments.command == "sink"
    return ClientOptions(
        common_capabilities=common,
        channel_capabilities=capabilities,
        channels=arguments.channels if sinking else (),
        image_cache_pixels=int(arguments.cache_mb * (1 << 20)) // _PIXEL_SIZE,
        glz_window_pixels=int(arguments.glz_mb * (1 << 20)) // _PIXEL_SIZE,
        preferred_compression=arguments.compression,
        preferred_codecs=arguments.codecs,
        paint=not sinking or arguments.paint,
        max_mbps=arguments.mbps if sinking else 0.0,
        reply_delay_s=arguments.rtt_ms / 1000 if sinking else 0.0,
        timeout_s=CONNECT_TIMEOUT_S if sinking else arguments.timeout,
    )


async def _screenshot(
    arguments: argparse.Namespace, password: str | None, trust: TlsTrust
) -> None:
    picture = await screenshot(
        arguments.uri,
        arguments.file,
        password=password,
        trust=trust,
        display_id=arguments.display,
        options=_options(arguments),
    )
    sys.stdout.write(f"{arguments.file}: {picture.width} x {picture.height}\n")


async def _sink(
    arguments: argparse.Namespace, password: str | None, trust: TlsTrust
) -> None:
    sink = Sink(arguments.uri, _options(arguments), idle_s=arguments.idle)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, sink.finish)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, sink.stop)
    if arguments.until_idle:
        sink.finish()
    report = await sink.run(password=password, trust=trust)
    text = json.dumps(report.data, separators=(",", ":")) + "\n"
    if arguments.out is None:
        sys.stdout.write(text)
    else:
        await asyncio.to_thread(arguments.out.write_text, text)
    if arguments.dump_ppm is not None:
        if report.picture is None:
            raise SpiceClientError("there is no picture to write: nothing was painted")
        ppm = report.picture.ppm()
        await asyncio.to_thread(arguments.dump_ppm.write_bytes, ppm)


def main(words: list[str] | None = None) -> int:
    """Run the command line; the exit code."""
    arguments = parser().parse_args(words)
    run = _sink if arguments.command == "sink" else _screenshot
    trust = TlsTrust(arguments.ca_file, arguments.host_subject, arguments.insecure)
    try:
        password = arguments.password
        if arguments.password_file is not None:
            password = arguments.password_file.read_text().partition("\n")[0]
        asyncio.run(run(arguments, password, trust))
    except (SpiceClientError, ProtocolError, OSError, ValueError) as error:
        sys.stderr.write(f"spice_client: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
