"""From qxld's configuration to the settings of its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qxld.errors import UsageError
from qxld.qemu_process import TABLETS
from spice_protocol.protocol import SPICE_MAX_PASSWORD_LENGTH
from spice_server.agent.policy import AgentPolicy
from spice_server.config import ChannelSecurity, ServerConfig, TlsConfig, channel_type
from spice_server.display.compression import COMPRESSIONS, WAN_MODES, Compression
from spice_server.errors import OperatorError
from vm_transport.errors import LayoutError
from vm_transport.ivshmem.attach import AttachOptions
from vm_transport.ivshmem.layout import Layout

if TYPE_CHECKING:
    from pathlib import Path

    from qxld.config import DeviceConfig, QxldConfig, SpiceConfig
    from spice_protocol.enums import ChannelType

__all__ = [
    "MIB",
    "attach_options",
    "channel_security",
    "check_tablet",
    "client_host",
    "compression",
    "layout",
    "max_heads",
    "password",
    "read_password",
    "server_config",
]

MIB = 1 << 20
DEFAULT_CHANNEL = "default"
"""Stands for every channel that is not named, as in QEMU's ``tls-channel``."""
MAX_DISPLAYS = 4
"""What clients and agents handle; the memory layout has room for more."""


def layout(device: DeviceConfig) -> Layout:
    """Return how the displays lie in shared memory.

    Raises:
        UsageError: sizes or numbers that are impossible, and which would do.

    """
    if not 1 <= device.displays <= MAX_DISPLAYS:
        raise UsageError(
            f"{device.displays} displays: there can be 1 to {MAX_DISPLAYS}"
        )
    try:
        plan = Layout.plan(
            displays=device.displays,
            ram_size=device.ram_mib * MIB,
            vram_size=device.vram_mib * MIB,
            bar_size=None if device.bar_mib is None else device.bar_mib * MIB,
        )
        plan.check_vectors(device.vectors)
    except LayoutError as error:
        raise UsageError(str(error)) from error
    return plan


def max_heads(device: DeviceConfig) -> int:
    """Return how many monitors there can be on each display.

    Raises:
        UsageError: an impossible number, or several on several displays: clients count
            monitors over all displays and could not tell which is meant.

    """
    if device.displays > 1:
        if device.heads not in {None, 1}:
            raise UsageError(f"{device.displays} displays have 1 head each")
        return 1
    heads = MAX_DISPLAYS if device.heads is None else device.heads
    if not 1 <= heads <= MAX_DISPLAYS:
        raise UsageError(f"{heads} heads: there can be 1 to {MAX_DISPLAYS}")
    return heads


def attach_options(config: QxldConfig, folder: Path) -> AttachOptions:
    """Return how QEMU reaches the device."""
    return AttachOptions(
        path=folder / "ivshmem.sock",
        vectors=config.device.vectors,
        bus=config.device.bus,
    )


def check_tablet(device: DeviceConfig) -> None:
    """Refuse tablets that there are not.

    Raises:
        UsageError: there is no such tablet.

    """
    if device.tablet not in TABLETS:
        raise UsageError(f"tablet {device.tablet!r}: there are {', '.join(TABLETS)}")


def client_host(addr: str) -> str:
    """Return where a client on this host connects if *addr* is listened on."""
    match addr:
        case "" | "0.0.0.0":  # noqa: S104 - compared, not bound
            return "127.0.0.1"
        case "::":
            return "::1"
        case _:
            return addr


def password(spice: SpiceConfig) -> str:
    """Return the ticket of the password file; empty without one.

    Raises:
        UsageError: the file cannot be read or holds no password.

    """
    return read_password(spice.password_file) if spice.password_file else ""


def read_password(path: Path) -> str:
    """Return the first line of a password file.

    Raises:
        UsageError: the file cannot be read or holds no password.

    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: it is not UTF-8 text") from error
    line = text.partition("\n")[0].rstrip("\r")
    if not line:
        raise UsageError(f"{path}: its first line is empty")
    if "\0" in line:
        raise UsageError(f"{path}: a password cannot hold a NUL")
    if len(line.encode()) > SPICE_MAX_PASSWORD_LENGTH:
        raise UsageError(
            f"{path}: a password has at most {SPICE_MAX_PASSWORD_LENGTH} bytes"
        )
    return line


def server_config(config: QxldConfig) -> ServerConfig:
    """Return the SPICE server's settings.

    Raises:
        UsageError: settings that contradict each other or do not exist.

    """
    spice = config.spice
    if not (spice.port or spice.tls_port or spice.unix):
        raise UsageError(
            "nothing to listen on: give a port, a TLS port or a unix socket"
        )
    for name, port in (("port", spice.port), ("tls-port", spice.tls_port)):
        if not 0 <= port <= 65535:
            raise UsageError(f"{name} {port}: ports are 1 to 65535")
    if spice.port and spice.port == spice.tls_port:
        raise UsageError(f"port and TLS port are both {spice.port}")
    if spice.tls_port and spice.x509_dir is None:
        raise UsageError("a TLS port needs certificates: give x509-dir, their folder")
    if spice.sasl and (spice.password_file or spice.one_time_password):
        raise UsageError("with sasl there are no passwords of qxld's")
    security, default_security = channel_security(spice)
    return ServerConfig(
        addr=spice.addr,
        port=spice.port or None,
        tls_port=spice.tls_port or None,
        unix_path=spice.unix,
        tls=_tls(spice),
        ticketing=not spice.disable_ticketing,
        sasl=spice.sasl,
        password=password(spice),
        one_time=spice.one_time_password,
        multi_client=spice.multi_client,
        name=spice.name,
        pages=spice.html5,
        websocket_origins=spice.websocket_origins,
        security=security,
        default_security=default_security,
        agent=AgentPolicy(
            copy_paste=not spice.disable_copy_paste,
            file_transfer=not spice.disable_agent_file_xfer,
            pointer=not spice.no_agent_mouse,
        ),
    )


def channel_security(
    spice: SpiceConfig,
) -> tuple[dict[ChannelType, ChannelSecurity], ChannelSecurity]:
    """Return how channels may be opened, by their type, and how all others may.

    Raises:
        UsageError: a channel is not known or must be both, or there is no such port.

    """
    wanted = (
        (spice.tls_channels, "TLS port", spice.tls_port, ChannelSecurity.SECURE),
        (
            spice.plaintext_channels,
            "port",
            spice.port or spice.unix,
            ChannelSecurity.INSECURE,
        ),
    )
    found: dict[str, ChannelSecurity] = {}
    for names, what, there, security in wanted:
        if names and not there:
            raise UsageError(f"{security.value} channels need a {what}")
        for name in map(str.lower, names):
            if found.setdefault(name, security) is not security:
                raise UsageError(f"channel {name!r} is to be secure and insecure")
    default = found.pop(DEFAULT_CHANNEL, ChannelSecurity.ANY)
    try:
        return {channel_type(name): how for name, how in found.items()}, default
    except OperatorError as error:
        raise UsageError(str(error)) from error


def _tls(spice: SpiceConfig) -> TlsConfig | None:
    if spice.tls_peer_subjects and not spice.tls_verify_peer:
        raise UsageError("client certificates of what subject: give tls-verify-peer")
    if spice.x509_dir is None:
        return None
    return TlsConfig.from_directory(
        spice.x509_dir,
        ciphers=spice.tls_ciphers,
        verify_peer=spice.tls_verify_peer,
        peer_subjects=spice.tls_peer_subjects,
    )


def compression(config: QxldConfig) -> Compression:
    """Return how pictures are packed.

    Raises:
        UsageError: there is no such way.

    """
    spice = config.spice
    for what, mode, known in (
        ("image compression", spice.image_compression, COMPRESSIONS),
        ("JPEG compression", spice.jpeg_wan_compression, WAN_MODES),
        ("zlib-GLZ compression", spice.zlib_glz_wan_compression, WAN_MODES),
    ):
        if mode not in known:
            raise UsageError(f"{what} {mode!r}: there are {', '.join(known)}")
    return Compression(
        images=spice.image_compression,
        jpeg=spice.jpeg_wan_compression,
        zlib_glz=spice.zlib_glz_wan_compression,
    )
