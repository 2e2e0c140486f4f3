"""The command line: what the commands are called, take and say of themselves."""

from __future__ import annotations

import argparse
import difflib
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

from qxld.options import OPTIONS

__all__ = ["parse"]

_DESCRIPTION = """\
SPICE for any QEMU, out of process: a QXL display and a SPICE server beside a stock
QEMU that needs no SPICE of its own.
"""

_EPILOG = """\
examples:
  qxld run -- qemu-system-x86_64 -m 1024 -drive file=disk.img,format=raw
  qxld attach --qmp /run/vm.qmp --password-file secret
  qxld screenshot spice://127.0.0.1:5930 --password-file secret -o screen.png

`qxld COMMAND --help` tells the options of a command.  The guest needs a driver for the
display: guest_drivers/README.md.

exit codes: 0 done, or ended by SIGINT or SIGTERM; 1 failed, one line says why; 2 the
command line or the configuration is wrong.  `run` ends with QEMU's own code.
"""


@dataclass(frozen=True, slots=True)
class _Command:
    """What one command says of itself."""

    usage: str
    summary: str
    text: str
    """Description, examples."""


_COMMANDS = {
    "run": _Command(
        "qxld run [OPTION]... -- QEMU [QEMU-OPTION]...",
        "start QEMU together with its display",
        """\
Start QEMU with a QXL display and serve it to SPICE clients; ends when QEMU does, and
QEMU ends when it does (SIGTERM, which lets QEMU close its disks).

QEMU's command line stays as it is.  Added are the display, a tablet (--tablet), a port
for the guest's agent (--agent) and others that are asked for, a QMP monitor for qxld and,
unless it says otherwise, -display none and -vga none.

examples:
  # ask for a password, which is set over the monitor socket that is printed
  qxld run -- qemu-system-x86_64 -m 2048 -drive file=disk.img,format=raw

  # password from a file, TLS only, and a file to open with remote-viewer
  qxld run --password-file secret --port 0 --tls-port 5931 \\
      --x509-dir /etc/pki/libvirt-spice --vv vm.vv -- qemu-system-x86_64 -m 2048 ...
""",
    ),
    "serve": _Command(
        "qxld serve [OPTION]...",
        "serve whichever QEMU comes with the options of qemu-args",
        """\
Serve a display to a QEMU that somebody else starts with the options that
`qxld qemu-args` prints for the same --runtime-dir.  qxld must be first: QEMU connects to
it while it starts.  QEMU may end and come again; qxld ends by SIGINT or SIGTERM.

example:
  qxld serve --runtime-dir /run/vm1 --disable-ticketing &
  qemu-system-x86_64 -m 2048 ... $(qxld qemu-args --runtime-dir /run/vm1)
""",
    ),
    "attach": _Command(
        "qxld attach --qmp PATH [OPTION]...",
        "add a display to a running QEMU",
        """\
Hot-plug a display, and the ports that are asked for, into the QEMU whose QMP socket is
given, and serve them.  Ends with QEMU, or by SIGINT or SIGTERM: they are unplugged then,
the display if the guest lets go of it, and QEMU goes on.  Of what a killed qxld left in
QEMU the display is unplugged first, and the ports are taken over.

QEMU talks to one QMP client a socket: others connect to the socket that qxld offers
(--monitor), which can do all that QEMU's can.

example:
  qemu-system-x86_64 ... -qmp unix:/run/vm1.qmp,server=on,wait=off &
  qxld attach --qmp /run/vm1.qmp --monitor /run/vm1.monitor --vv vm1.vv
""",
    ),
    "qemu-args": _Command(
        "qxld qemu-args --runtime-dir DIR [OPTION]...",
        "print the QEMU options that `serve` wants",
        """\
Print the options to give QEMU, quoted for a shell, for `qxld serve` with the same
configuration: the display, a tablet (--tablet), ports (--agent, --webdav ...), and a QMP
monitor for qxld unless --qmp names one that QEMU has anyhow.

example:
  qemu-system-x86_64 -m 2048 -vga none -display none ... \\
      $(qxld qemu-args --runtime-dir /run/vm1)
""",
    ),
    "record": _Command(
        "qxld record FILE [OPTION]... -- QEMU [QEMU-OPTION]...",
        "start QEMU as `run` does, and record what its guest draws",
        """\
Do what `qxld run` does, and write what the guest draws to FILE, packed if its name ends
in .zst.  `qxld replay FILE` shows it again; so does spice-server-replay.  `run`, `serve`
and `attach` do the same with --record FILE.

If the disk is too slow the record ends there; the guest does not wait.  Of several
displays the first is in FILE, the second in FILE-1 ...

example:
  qxld record desk.qxlrec.zst --disable-ticketing -- qemu-system-x86_64 -m 2048 ...
""",
    ),
    "replay": _Command(
        "qxld replay FILE [OPTION]...",
        "play a recorded desktop to SPICE clients, without a VM",
        """\
Play a file that `qxld record`, or QEMU with SPICE_WORKER_RECORD_FILENAME, wrote
("SPICE_REPLAY 1", packed by zstd or not), as if a guest drew it again.  A file that is
cut off or damaged is played as far as it goes; qxld then says where it is wrong.

Everybody is let in without a password unless --password-file is given.

examples:
  # look at it as it was, and as long as you like
  qxld replay desk.qxlrec.zst --pace 1 --wait-clients 1 --linger 3600

  # measure: as fast as the server takes it, with one client
  qxld replay desk.qxlrec.zst --wait-clients 1 --json
""",
    ),
    "screenshot": _Command(
        "qxld screenshot URI -o FILE [OPTION]...",
        "save what a SPICE server shows",
        """\
Connect to any SPICE server and save its screen as PNG, or as PPM if FILE ends in .ppm.

examples:
  qxld screenshot spice://127.0.0.1:5930 -o screen.png --password-file secret
  qxld screenshot spice+unix:///run/vm1/spice.sock -o screen.png
""",
    ),
}

_DAEMONS = ("run", "record", "serve", "attach")
_STARTS_QEMU = ("run", "record")


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are two lines, not a page."""

    def error(self, message: str) -> NoReturn:
        """Complain and end with exit code 2."""
        print(
            f"{self.prog}: {message}\n{self.prog}: --help tells more", file=sys.stderr
        )
        raise SystemExit(2)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse a command line, the process's own by default.

    Raises:
        SystemExit: with 0 after ``--help`` or ``--version``, 2 if it is wrong.

    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    parser, commands = _make_parsers()
    if not words:
        parser.print_help(sys.stderr)
        raise SystemExit(2)
    # All after the first -- is QEMU's, whatever it looks like.
    end = words.index("--") if "--" in words else len(words)
    given, unknown = parser.parse_known_args(words[:end])
    command = commands[given.command]
    if given.command in _STARTS_QEMU:
        given.qemu = words[end + 1 :]
        if not given.qemu:
            command.error(
                "QEMU's command line is missing; it goes behind two dashes: "
                f"qxld {given.command}{' FILE' if given.command == 'record' else ''}"
                " -- qemu-system-x86_64 -m 2048"
            )
    else:
        unknown += [word for word in words[end:] if word != "--"] or words[end:]
    if unknown:
        command.error(_unknown(unknown, command))
    return given


def _unknown(words: list[str], parser: argparse.ArgumentParser) -> str:
    """Say what is wrong with words that no option takes."""
    word = words[0].partition("=")[0]
    if not word.startswith("-"):
        return f"{word!r} is not expected here"
    others = [
        command
        for options in OPTIONS.values()
        for option in options
        if option.flag == word
        for command in sorted(option.commands - {"qemu-args"})
    ]
    if others:
        return f"{word} is an option of {' and '.join(others)}"
    close = difflib.get_close_matches(word, parser._option_string_actions, n=1)  # noqa: SLF001 - argparse tells nobody else
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"there is no option {word}{hint}"


def _make_parsers() -> tuple[_Parser, dict[str, _Parser]]:
    """Return the parser of the whole, and those of the commands."""
    raw = argparse.RawDescriptionHelpFormatter
    listed = "\n".join(f"  {name:<11} {c.summary}" for name, c in _COMMANDS.items())
    parser = _Parser(
        prog="qxld",
        usage="qxld COMMAND [OPTION]...",
        description=f"{_DESCRIPTION}\ncommands:\n{listed}",
        epilog=_EPILOG,
        formatter_class=raw,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=version("qxld"))
    group = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", help=argparse.SUPPRESS
    )
    commands: dict[str, _Parser] = {}
    for name, command in _COMMANDS.items():
        commands[name] = group.add_parser(
            name,
            prog=f"qxld {name}",
            usage=command.usage,
            description=command.text,
            formatter_class=raw,
            allow_abbrev=False,
        )
        if name == "screenshot":
            _add_screenshot(commands[name])
            continue
        if name == "replay":
            _add_replay(commands[name])
        elif name == "record":
            commands[name].add_argument(
                "file", type=Path, metavar="FILE", help="what to write"
            )
        _add_options(commands[name], name)
    return parser, commands


def _add_options(parser: argparse.ArgumentParser, command: str) -> None:
    """Add the options that set keys, and those about files."""
    for title, options in OPTIONS.items():
        shown = [option for option in options if command in option.commands]
        group = parser.add_argument_group(title) if shown else parser
        if title == "general":
            _add_files(group, command)
        for option in options:
            if option in shown:
                option.add_to(group)
            elif command == "qemu-args":
                # Taken too, so that it can be given the options of `serve`.
                option.add_to(group, hidden=True)


def _add_files(group: argparse._ActionsContainer, command: str) -> None:
    add = group.add_argument
    add("--config", type=Path, metavar="FILE", help="TOML file; options override it")
    if command not in _DAEMONS:
        return
    add(
        "--vv",
        type=Path,
        metavar="FILE",
        help="write a connection file for remote-viewer, with the password if known",
    )
    add(
        "--state",
        type=Path,
        metavar="FILE",
        help="write a JSON file of addresses once clients can connect; removed at the end",
    )


def _add_replay(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="the record, packed by zstd or not")
    add(
        "--pace",
        default="max",
        metavar="N",
        help="N times as fast as recorded, or max: as fast as possible (max)",
    )
    add(
        "--max-gap",
        type=_seconds,
        default=0.0,
        metavar="S",
        help="with --pace: make longer pauses S recorded seconds long (as they are)",
    )
    add(
        "--wait-clients",
        type=int,
        default=0,
        metavar="N",
        help="do not begin before N clients show the display (0)",
    )
    add(
        "--linger",
        type=_seconds,
        default=0.0,
        metavar="S",
        help="go on serving the last picture for S seconds (0)",
    )
    add(
        "--json",
        action="store_true",
        help="print the figures as an object, the last line of standard output",
    )


def _seconds(word: str) -> float:
    """Return a time that an option gives.

    Raises:
        ArgumentTypeError: it is none.

    """
    try:
        seconds = float(word)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e9:
        raise argparse.ArgumentTypeError(f"{word!r} is not a number of seconds")
    return seconds


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
    add("--password", help="the password; others on this host can see it")
    add(
        "--password-file",
        type=Path,
        metavar="FILE",
        help="its first line is the password",
    )
    add("--ca-file", type=Path, metavar="FILE", help="PEM certificates to trust")
    add("--host-subject", metavar="DN", help="subject that the certificate must have")
    add("--insecure", action="store_true", help="trust any certificate")
    add("--display", type=int, default=0, metavar="N", help="display to save (0)")
    add("--timeout", type=float, default=30.0, metavar="S", help="seconds to wait (30)")
