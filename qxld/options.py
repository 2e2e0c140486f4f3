"""The options that set a key of the configuration, as one table."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from qxld.config import HTML5_DIR, QxldConfig, load, override

__all__ = ["OPTIONS", "Option", "configuration"]


@dataclass(frozen=True, slots=True)
class Option:
    """One option that sets one key of the configuration."""

    flag: str
    key: str
    """Where it goes: ``section.field``."""
    help: str
    metavar: str | None = None
    """What stands for its value in the help; ``None``: a switch."""
    kind: type = str
    """Type of its value."""
    repeat: bool = False
    const: object = True
    """Value that a switch sets."""
    commands: frozenset[str] = frozenset(
        {"run", "record", "serve", "attach", "qemu-args"}
    )
    """Where it means something."""

    def add_to(
        self, group: argparse._ActionsContainer, *, hidden: bool = False
    ) -> None:
        """Add this option to an argparse group; unset options leave no trace."""
        text = argparse.SUPPRESS if hidden else self.help
        if self.metavar is None:
            group.add_argument(
                self.flag,
                dest=self.key,
                action="store_const",
                const=self.const,
                default=argparse.SUPPRESS,
                help=text,
            )
        else:
            group.add_argument(
                self.flag,
                dest=self.key,
                type=self.kind,
                metavar=self.metavar,
                action="append" if self.repeat else "store",
                default=argparse.SUPPRESS,
                help=text,
            )


_SERVING = frozenset({"run", "record", "serve", "attach"})
_CLIENTS = _SERVING | {"replay"}
_EVERYWHERE = _CLIENTS | {"qemu-args"}

OPTIONS = {
    "where SPICE clients connect": (
        Option(
            "--addr",
            "spice.addr",
            "address to listen on; '' for every one (127.0.0.1)",
            "ADDR",
            commands=_CLIENTS,
        ),
        Option(
            "--port", "spice.port", "TCP port, 0: none (5930)", "N", int,
            commands=_CLIENTS,
        ),
        Option(
            "--tls-port", "spice.tls_port", "TLS port, needs --x509-dir (none)", "N", int,
            commands=_CLIENTS,
        ),
        Option(
            "--unix", "spice.unix", "unix socket to listen on (none)", "PATH", Path,
            commands=_CLIENTS,
        ),
        Option(
            "--html5",
            "spice.html5",
            "serve spice-html5 to browsers on the same ports, and print the address",
            const=HTML5_DIR,
            commands=_CLIENTS,
        ),
        Option(
            "--html5-dir",
            "spice.html5",
            f"the same from another folder than {HTML5_DIR}",
            "DIR",
            Path,
            commands=_CLIENTS,
        ),
        Option(
            "--websocket-origin",
            "spice.websocket_origins",
            "web page that may connect, as https://host, * for all (may be repeated; "
            "all, without a password those of this host)",
            "ORIGIN",
            repeat=True,
            commands=_CLIENTS,
        ),
        Option(
            "--x509-dir",
            "spice.x509_dir",
            "folder of ca-cert.pem, server-cert.pem and server-key.pem",
            "DIR",
            Path,
            commands=_CLIENTS,
        ),
        Option(
            "--tls-channel",
            "spice.tls_channels",
            "channel that must use TLS: main, inputs, ...; default: all that are not "
            "named (may be repeated)",
            "NAME",
            repeat=True,
            commands=_CLIENTS,
        ),
        Option(
            "--plaintext-channel",
            "spice.plaintext_channels",
            "channel that must not use TLS, in the same words (may be repeated)",
            "NAME",
            repeat=True,
            commands=_CLIENTS,
        ),
        Option(
            "--tls-ciphers",
            "spice.tls_ciphers",
            "OpenSSL's list of ciphers for TLS 1.2 (OpenSSL's own)",
            "LIST",
            commands=_CLIENTS,
        ),
    ),
    "who gets in": (
        Option(
            "--tls-verify-peer",
            "spice.tls_verify_peer",
            "over TLS, only clients with a certificate of ca-cert.pem's",
            commands=_CLIENTS,
        ),
        Option(
            "--tls-peer-subject",
            "spice.tls_peer_subjects",
            "with --tls-verify-peer, only that of this subject, as O=Test,CN=me (may be "
            "repeated)",
            "SUBJECT",
            repeat=True,
            commands=_CLIENTS,
        ),
        Option(
            "--sasl",
            "spice.sasl",
            "clients log in as Cyrus SASL's qemu.conf says, in place of the password",
            commands=_CLIENTS,
        ),
        Option(
            "--one-time-password",
            "spice.one_time_password",
            "a password opens one session, until set_password brings the next",
            commands=_CLIENTS,
        ),
        Option(
            "--password-file",
            "spice.password_file",
            "file whose first line is the password; without it nobody gets in until "
            "set_password came over the monitor",
            "FILE",
            Path,
            commands=_CLIENTS,
        ),
        Option(
            "--disable-ticketing",
            "spice.disable_ticketing",
            "let everybody in without a password",
            commands=_CLIENTS,
        ),
        Option(
            "--multi-client",
            "spice.multi_client",
            "several clients at once; else a new one replaces the old",
            commands=_CLIENTS,
        ),
        Option(
            "--name", "spice.name", "name of the VM that clients show (qxld)", "NAME",
            commands=_CLIENTS,
        ),
    ),
    "what clients may do to the guest": (
        Option(
            "--disable-copy-paste",
            "spice.disable_copy_paste",
            "no clipboard between guest and clients",
            commands=_SERVING,
        ),
        Option(
            "--disable-agent-file-xfer",
            "spice.disable_agent_file_xfer",
            "no files dropped into the guest",
            commands=_SERVING,
        ),
        Option(
            "--no-agent-mouse",
            "spice.no_agent_mouse",
            "move the pointer by a tablet only, never by the guest's agent",
            commands=_SERVING,
        ),
    ),
    "how pictures are sent": (
        Option(
            "--image-compression",
            "spice.image_compression",
            "auto_glz, auto_lz, quic, glz, lz, lz4 or off (auto_glz)",
            "MODE",
            commands=_CLIENTS,
        ),
        Option(
            "--jpeg-wan-compression",
            "spice.jpeg_wan_compression",
            "photos as JPEG at first: auto (for slow links), never or always (auto)",
            "MODE",
            commands=_CLIENTS,
        ),
        Option(
            "--zlib-glz-wan-compression",
            "spice.zlib_glz_wan_compression",
            "zlib over GLZ: auto (for slow links), never or always (auto)",
            "MODE",
            commands=_CLIENTS,
        ),
    ),
    "what the guest gets": (
        Option("--displays", "device.displays", "QXL displays, 1 to 4 (1)", "N", int),
        Option(
            "--heads",
            "device.heads",
            "monitors that clients can have on the display, 1 to 4 (4; 1 on each of "
            "several displays)",
            "N",
            int,
        ),
        Option(
            "--ram-mib", "device.ram_mib", "MiB of drawing memory each (64)", "N", int
        ),
        Option(
            "--vram-mib", "device.vram_mib", "MiB of surface memory each (32)", "N", int
        ),
        Option(
            "--bar-mib",
            "device.bar_mib",
            "MiB of all shared memory, a power of two (what is needed)",
            "N",
            int,
        ),
        Option(
            "--bus",
            "device.bus",
            "PCI bus to plug into; attach needs a pcie-root-port's id on q35",
            "ID",
        ),
        Option(
            "--record",
            "device.record",
            "file to record what the guest draws to; packed if it ends in .zst (none)",
            "FILE",
            Path,
            commands=_CLIENTS - {"record"},
        ),
        Option(
            "--tablet",
            "device.tablet",
            "pointer with absolute positions: virtio, usb or none; a tablet that "
            "QEMU has already is kept (virtio)",
            "KIND",
            commands=frozenset({"run", "record", "qemu-args"}),
        ),
    ),
    "what guest and client share": (
        Option(
            "--agent",
            "ports.agent",
            "how spice-vdagent in the guest is reached: by a virtio-serial port "
            "(virtio), by the display's shared memory (ivshmem), auto: either, or none "
            "(auto)",
            "WAY",
        ),
        Option(
            "--webdav",
            "ports.webdav",
            "a folder of the client's, through spice-webdavd in the guest",
        ),
        Option(
            "--usbredir",
            "ports.usbredir",
            "USB devices that a client can lend at a time, 0 to 8 (0)",
            "N",
            int,
        ),
        Option(
            "--smartcard",
            "ports.smartcard",
            "a card reader in the guest for the client's cards",
        ),
        Option(
            "--port-channel",
            "ports.channels",
            "port channel and virtio-serial port of that name (may be repeated)",
            "NAME",
            repeat=True,
        ),
    ),
    "QMP monitors": (
        Option(
            "--qmp",
            "monitor.qmp",
            "QEMU's QMP socket (serve: RUNTIME_DIR/qemu-monitor.sock)",
            "PATH",
            Path,
            commands=frozenset({"serve", "attach", "qemu-args"}),
        ),
        Option(
            "--monitor",
            "monitor.listen",
             "QMP socket to offer in place of QEMU's (RUNTIME_DIR/monitor.sock)",
            "PATH",
            Path,
            commands=_SERVING,
        ),
    ),
    "general": (
        Option(
            "--runtime-dir",
            "runtime_dir",
            "folder of the sockets (a fresh one, removed at the end)",
            "DIR",
            Path,
        ),
        Option(
            "--log-level", "log.level", "debug, info, warning or error (info)", "LEVEL",
            commands=_EVERYWHERE,
        ),
        Option(
            "--log-format", "log.format", "human or json (human)", "FORMAT",
            commands=_EVERYWHERE,
        ),
    ),
}  # fmt: skip
"""Options by the title of their group in the help."""


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
