"""What qxld can be told, by a TOML file and by the command line.

The dataclasses are the table: a field is a key of its section in the file, and an
option of the command line if :mod:`qxld.options` gives it one.
"""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from qxld.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "HTML5_DIR",
    "DeviceConfig",
    "LogConfig",
    "MonitorConfig",
    "PortsConfig",
    "QxldConfig",
    "SpiceConfig",
    "load",
    "override",
]

HTML5_DIR: Final = Path("/usr/share/spice-html5")
"""Where Debian's package installs spice-html5."""


@dataclass(frozen=True, slots=True)
class DeviceConfig:
    """``[device]``: what the guest sees."""

    displays: int = 1
    """Number of QXL displays, 1 to 4."""
    heads: int | None = None
    """Monitors that clients can have on the display, 1 to 4; unset: 4, and 1 if there
    are several displays."""
    ram_mib: int = 64
    """Drawing memory of a display in MiB."""
    vram_mib: int = 32
    """Surface memory of a display in MiB."""
    bar_mib: int | None = None
    """Size of the shared memory in MiB, a power of two; unset: what is needed."""
    vectors: int = 32
    """MSI-X vectors of the device; spare ones let a restarted qxld reconnect."""
    bus: str | None = None
    """PCI bus to plug into; for ``attach`` on q35 the id of a pcie-root-port."""
    record: Path | None = None
    """File to record what the guest draws to, for ``qxld replay``."""
    tablet: str = "virtio"
    """Pointer with absolute positions that QEMU is given: virtio, usb or none."""


@dataclass(frozen=True, slots=True)
class PortsConfig:
    """``[ports]``: byte streams between guest and client."""

    agent: str = "auto"
    """How the guest's agent is reached: virtio, ivshmem, auto (either) or none."""
    webdav: bool = False
    """Let clients share a folder with the guest."""
    channels: tuple[str, ...] = ()
    """Names of port channels, each with a virtio-serial port of that name."""
    usbredir: int = 0
    """USB devices that a client can lend at a time, 0 to 8."""
    smartcard: bool = False
    """Let a client lend its smart card."""


@dataclass(frozen=True, slots=True)
class SpiceConfig:
    """``[spice]``: where and how clients connect."""

    addr: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 5930
    """TCP port; 0: none."""
    tls_port: int = 0
    """TLS port; 0: none."""
    unix: Path | None = None
    """Unix socket to listen on."""
    html5: Path | None = None
    """Folder of spice-html5 to serve to browsers; unset: no pages."""
    websocket_origins: tuple[str, ...] = ()
    """Web pages that may connect, as ``https://host``, ``*`` for all; none given: all,
    with disable_ticketing those of this host."""
    x509_dir: Path | None = None
    """Directory of ca-cert.pem, server-cert.pem and server-key.pem."""
    tls_ciphers: str | None = None
    """OpenSSL cipher list for TLS 1.2; unset: OpenSSL's."""
    tls_verify_peer: bool = False
    """Let clients in over TLS only with a certificate of ca-cert.pem's."""
    tls_peer_subjects: tuple[str, ...] = ()
    """Subjects of the client certificates that are let in; none given: all."""
    tls_channels: tuple[str, ...] = ()
    """Channels that clients must open over TLS; ``default``: all that are not named."""
    plaintext_channels: tuple[str, ...] = ()
    """Channels that clients must not open over TLS; ``default`` as above."""
    password_file: Path | None = None
    """File whose first line is the ticket; without it nobody gets in until
    ``set_password`` came over the monitor."""
    disable_ticketing: bool = False
    """Let everybody in without a ticket."""
    sasl: bool = False
    """Let clients log in by SASL (Cyrus SASL's qemu.conf), and not by password."""
    one_time_password: bool = False
    """Let a password open one session only, until ``set_password`` brings the next."""
    multi_client: bool = False
    """Let several clients in at once; else a new one replaces the old."""
    name: str = "qxld"
    """Name of the VM that clients show."""
    disable_copy_paste: bool = False
    """Let no clipboard pass between guest and clients."""
    disable_agent_file_xfer: bool = False
    """Let no files pass from clients to the guest."""
    no_agent_mouse: bool = False
    """Move the pointer by a tablet only, never by the guest's agent."""
    image_compression: str = "auto_glz"
    """How pictures are packed: auto_glz, auto_lz, quic, glz, lz, lz4 or off."""
    jpeg_wan_compression: str = "auto"
    """Photos as JPEG at first: auto (for slow links), never or always."""
    zlib_glz_wan_compression: str = "auto"
    """zlib over GLZ: auto (for slow links), never or always."""


@dataclass(frozen=True, slots=True)
class MonitorConfig:
    """``[monitor]``: QMP."""

    qmp: Path | None = None
    """QMP socket of QEMU; unset: qemu-monitor.sock in the runtime folder."""
    listen: Path | None = None
    """Monitor socket to offer; unset: monitor.sock in the runtime folder."""


@dataclass(frozen=True, slots=True)
class LogConfig:
    """``[log]``: what is told, and how."""

    level: str = "info"
    """debug, info, warning or error."""
    format: str = "human"
    """human or json."""


@dataclass(frozen=True, slots=True)
class QxldConfig:
    """Everything."""

    runtime_dir: Path | None = None
    """Folder of the sockets; unset: a fresh one that is removed at the end."""
    device: DeviceConfig = field(default_factory=DeviceConfig)
    ports: PortsConfig = field(default_factory=PortsConfig)
    spice: SpiceConfig = field(default_factory=SpiceConfig)
    monitor: MonitorConfig = field(default_factory=MonitorConfig)
    log: LogConfig = field(default_factory=LogConfig)


def load(path: Path) -> QxldConfig:
    """Read a TOML file.

    Raises:
        UsageError: it cannot be read, or says something qxld does not know.

    """
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: it is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: {error}") from error
    try:
        return override(QxldConfig(), tree)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def override(config: QxldConfig, tree: Mapping[str, object]) -> QxldConfig:
    """Return *config* with the values of *tree*, which is shaped as the file is.

    Raises:
        UsageError: an unknown key, or a value of the wrong kind.

    """
    return typing.cast("QxldConfig", _override(config, tree, ""))


def _override(config: Any, tree: Mapping[str, object], prefix: str) -> object:  # noqa: ANN401 - any of the dataclasses
    kinds = typing.get_type_hints(type(config))
    changes: dict[str, object] = {}
    for key, value in tree.items():
        name = key.replace("-", "_")
        if name not in kinds:
            raise UsageError(_unknown(prefix + key, kinds))
        current = getattr(config, name)
        if dataclasses.is_dataclass(current):
            if not isinstance(value, dict):
                raise UsageError(f"{prefix}{key}: expected a section")
            changes[name] = _override(current, value, f"{prefix}{key}.")
        else:
            changes[name] = _convert(prefix + key, kinds[name], value)
    return dataclasses.replace(config, **changes)


def _unknown(key: str, kinds: Mapping[str, object]) -> str:
    known = [name.replace("_", "-") for name in kinds]
    close = difflib.get_close_matches(key.rpartition(".")[2], known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else f" (known: {', '.join(known)})"
    return f"unknown key {key!r}{hint}"


def _convert(key: str, kind: object, value: object) -> object:
    """Check one value against the type of its field; paths and tuples are built."""
    kinds = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    if value is None and type(None) in kinds:
        return None
    if typing.get_origin(kind) is tuple:
        if isinstance(value, (list, tuple)) and all(isinstance(v, str) for v in value):
            return tuple(value)
        raise UsageError(f"{key}: expected a list of strings, got {value!r}")
    if Path in kinds and isinstance(value, (str, Path)):
        return Path(value)
    for wanted, word in ((bool, "true or false"), (int, "an integer"), (str, "text")):
        if wanted in kinds:
            if isinstance(value, wanted) and isinstance(value, bool) == (
                wanted is bool
            ):
                return value
            raise UsageError(f"{key}: expected {word}, got {value!r}")
    raise UsageError(f"{key}: expected a path, got {value!r}")
