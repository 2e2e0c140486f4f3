"""The command line: one table of options, and the parser made from it."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from qxld.config import QxldConfig, load, override

__all__ = ["OPTIONS", "Option", "configuration", "make_parser"]


@dataclass(frozen=True, slots=True)
class Option:
    """One option that sets one key of the configuration."""

    flag: str
    key: str
    """Where it goes: ``section.field``."""
    help: str
    kind: type | None = str
    """Type of its value; ``None``: a switch."""
    metavar: str | None = None
    repeat: bool = False

    def add_to(self, group: argparse._ArgumentGroup) -> None:
        """Add this option to an argparse group; unset options leave no trace."""
        if self.kind is None:
            group.add_argument(
                self.flag,
                dest=self.key,
                action="store_true",
                default=argparse.SUPPRESS,
                help=self.help,
            )
        else:
            group.add_argument(
                self.flag,
                dest=self.key,
                type=self.kind,
                metavar=self.metavar,
                action="append" if self.repeat else "store",
                default=argparse.SUPPRESS,
                help=self.help,
            )


OPTIONS = {
    "SPICE": (
        Option("--addr", "spice.addr", "address to listen on (127.0.0.1)"),
        Option("--port", "spice.port", "TCP port, 0: none (5930)", int, "N"),
        Option("--tls-port", "spice.tls_port", "TLS port (none)", int, "N"),
        Option("--unix", "spice.unix", "unix socket to listen on", Path, "PATH"),
        Option(
            "--x509-dir",
            "spice.x509_dir",
            "folder of ca-cert.pem, server-cert.pem and server-key.pem",
            Path,
            "DIR",
        ),
        Option(
            "--tls-channel",
            "spice.tls_channels",
            "channel that must use TLS (may be repeated)",
            metavar="NAME",
            repeat=True,
        ),
        Option(
            "--password-file",
            "spice.password_file",
            "file whose first line is the ticket; without it nobody gets in until "
            "set_password came over the monitor",
            Path,
            "FILE",
        ),
        Option(
            "--disable-ticketing",
            "spice.disable_ticketing",
            "let everybody in without a ticket",
            None,
        ),
        Option(
            "--multi-client",
            "spice.multi_client",
            "several clients at once; else a new one replaces the old",
            None,
        ),
        Option("--name", "spice.name", "name of the VM that clients show"),
    ),
    "device": (
        Option("--displays", "device.displays", "QXL displays, 1 to 4 (1)", int, "N"),
        Option("--ram-mib", "device.ram_mib", "drawing memory each (64)", int, "N"),
        Option("--vram-mib", "device.vram_mib", "surface memory each (32)", int, "N"),
        Option(
            "--bar-mib",
            "device.bar_mib",
            "size of the shared memory, a power of two (what is needed)",
            int,
            "N",
        ),
    ),
    "monitor": (
        Option(
            "--monitor",
            "monitor.listen",
            "QMP socket to offer in place of QEMU's (RUNTIME_DIR/monitor.sock)",
            Path,
            "PATH",
        ),
        Option("--qmp", "monitor.qmp", "QMP socket of QEMU", Path, "PATH"),
    ),
    "general": (
        Option(
            "--runtime-dir",
            "runtime_dir",
            "folder of the sockets (a fresh one, removed at the end)",
            Path,
            "DIR",
        ),
        Option("--log-level", "log.level", "debug, info, warning or error (info)"),
        Option("--log-format", "log.format", "human or json (human)"),
    ),
}

_DESCRIPTION = """\
SPICE for any QEMU, out of process: a QXL display and a SPICE server beside a stock
QEMU that needs no SPICE of its own.
"""

_EPILOG = """\
examples:
  qxld run -- qemu-system-x86_64 -m 1024 -drive file=disk.img,format=raw
  qxld attach --qmp /run/vm.qmp --monitor /run/vm.monitor --disable-ticketing
  qxld screenshot spice://127.0.0.1:5930 -o screen.png

The guest needs a driver for the display: guest_drivers/README.md.
exit codes: 0 done, 1 failed (one line says why), 2 wrong usage; run: QEMU's own.
"""


def _common() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False)
    general = parser.add_argument_group("configuration")
    general.add_argument(
        "--config", type=Path, metavar="FILE", help="TOML file; options override it"
    )
    general.add_argument(
        "--vv", type=Path, metavar="FILE", help="write a remote-viewer connection file"
    )
    general.add_argument(
        "--state",
        type=Path,
        metavar="FILE",
        help="write a JSON file of addresses once clients can connect",
    )
    for title, options in OPTIONS.items():
        group = general if title == "general" else parser.add_argument_group(title)
        for option in options:
            option.add_to(group)
    return parser


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="qxld", description=_DESCRIPTION, epilog=_EPILOG, formatter_class=raw
    )
    parser.add_argument("--version", action="version", version=version("qxld"))
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    common = _common()
    run = commands.add_parser(
        "run",
        parents=[common],
        help="start QEMU together with its display",
        description="Start QEMU with a QXL display and serve it; ends when QEMU does.",
    )
    run.add_argument(
        "--tablet",
        choices=("virtio", "usb", "none"),
        default="virtio",
        help="pointer device for absolute positions (virtio)",
    )
    run.add_argument(
        "qemu", nargs="+", metavar="-- QEMU ...", help="QEMU's command line"
    )
    commands.add_parser(
        "serve",
        parents=[common],
        help="wait for a QEMU that was given the options of qemu-args",
        description="Serve a display; QEMU is started by somebody else with the "
        "options that `qxld qemu-args` prints.",
    )
    commands.add_parser(
        "attach",
        parents=[common],
        help="add a display to a running QEMU",
        description="Hot-plug a display into the QEMU behind --qmp and serve it.",
    )
    commands.add_parser(
        "qemu-args",
        parents=[common],
        help="print the QEMU options that `serve` wants",
        description="Print the options to give QEMU, for `qxld serve` with the same "
        "configuration.",
    )
    shot = commands.add_parser(
        "screenshot",
        help="save what a SPICE server shows",
        description="Connect to any SPICE server and save its screen as PNG or PPM.",
    )
    _add_screenshot(shot)
    return parser


def _add_screenshot(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "uri",
        metavar="URI",
        help="spice://host:port, spice://host?port=N&tls-port=N, spice+tls://host:port "
        "or spice+unix:///path",
    )
    add(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="FILE",
        help="picture to write: .png or .ppm",
    )
    add("--password", help="the ticket; others on this host can see it")
    add(
        "--password-file",
        type=Path,
        metavar="FILE",
        help="its first line is the ticket",
    )
    add("--ca-file", type=Path, metavar="FILE", help="PEM certificates to trust")
    add("--host-subject", metavar="DN", help="subject that the certificate must have")
    add("--insecure", action="store_true", help="trust any certificate")
    add("--display", type=int, default=0, metavar="N", help="display to save (0)")
    add("--timeout", type=float, default=30.0, metavar="S", help="seconds to wait (30)")


def configuration(arguments: argparse.Namespace) -> QxldConfig:
    """Return the configuration of the file and the options in *arguments*.

    Raises:
        UsageError: the file is wrong, or an option's value is.

    """
    config = load(arguments.config) if arguments.config else QxldConfig()
    given = vars(arguments)
    tree: dict[str, object] = {}
    for options in OPTIONS.values():
        for option in options:
            if option.key not in given:
                continue
            section, dot, name = option.key.rpartition(".")
            place = tree.setdefault(section, {}) if dot else tree
            assert isinstance(place, dict)
            place[name] = given[option.key]
    return override(config, tree)
