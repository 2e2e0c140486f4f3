"""What the subcommands do; each returns the exit code."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import shlex
import socket
from typing import TYPE_CHECKING, Any, TypeVar

from qmp_bridge.errors import QemuGone
from qxld.announcement import Announcement, say
from qxld.compose import Daemon
from qxld.config import override
from qxld.errors import QxldError, UsageError
from qxld.hot_plug import attach as plug_in, clear_away, detach
from qxld.interruption import on_hangup, until_signal
from qxld.options import configuration
from qxld.port_plug import PortPlug
from qxld.ports import port_arguments
from qxld.qemu_process import (
    QemuProcess,
    check_command,
    display_arguments,
    input_arguments,
    monitor_arguments,
)
from qxld.replay import replay
from qxld.runtime_dir import qemu_monitor_path, runtime_dir
from qxld.settings import attach_options, check_tablet, layout, read_password
from spice_client.errors import SpiceClientError
from spice_client.options import ClientOptions
from spice_client.screenshot import screenshot as take_screenshot
from spice_client.tls import TlsTrust
from spice_protocol.errors import ProtocolError
from vm_transport.ivshmem.attach import qemu_arguments

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator, Coroutine
    from pathlib import Path

    from qxld.config import QxldConfig

__all__ = ["COMMANDS"]

T = TypeVar("T")

_ALIVE = {0, errno.EAGAIN}
"""What connecting to a socket that somebody listens on gives."""

_log = logging.getLogger(__name__)


def run(arguments: argparse.Namespace) -> int:
    """Start QEMU together with its display; end when it ends."""
    return _run_with(configuration(arguments), arguments)


def record(arguments: argparse.Namespace) -> int:
    """Do what `run` does, and record what the guest draws."""
    config = override(configuration(arguments), {"device": {"record": arguments.file}})
    return _run_with(config, arguments)


def _run_with(config: QxldConfig, arguments: argparse.Namespace) -> int:
    check_tablet(config.device)
    check_command(arguments.qemu)
    if config.monitor.qmp is not None:
        raise UsageError("monitor.qmp is for serve and attach: run makes its own")
    announcement = _announcement(arguments, config)
    with runtime_dir(config.runtime_dir) as folder:
        work = _run(arguments.qemu, config, folder, announcement)
        return asyncio.run(until_signal(work))


async def _run(
    command: list[str], config: QxldConfig, folder: Path, announcement: Announcement
) -> int:
    async with _daemon(config, folder, announcement) as daemon:
        _remove_stale(daemon.qemu_monitor)
        ours = [
            *display_arguments(command),
            *input_arguments(config.device.tablet, command),
            *qemu_arguments(daemon.attach_options),
            *monitor_arguments(daemon.qemu_monitor),
        ]
        given = [*command, *ours]
        ports = port_arguments(config.ports, folder, given)
        qemu = await QemuProcess.start([*given, *ports])
        try:
            async with _beside(qemu.wait()) as ended:
                if await _before(ended, daemon.connect(patient=True)):
                    with announcement.made(daemon.monitor_path, qemu.pid):
                        await ended
                return ended.result()
        finally:
            await qemu.stop()
            daemon.qemu_monitor.unlink(missing_ok=True)
            daemon.ports.remove_sockets()


def _remove_stale(path: Path) -> None:
    """Remove the monitor socket of an earlier run, unless its QEMU runs still."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(0)
        # A QEMU whose monitor is taken has a full backlog: EAGAIN.
        if path.exists() and probe.connect_ex(str(path)) in _ALIVE:
            raise QxldError(
                f"{path}: the QEMU of an earlier run still serves it; end that QEMU, "
                f"or give it a display again with `qxld attach --qmp {path}`"
            )
    path.unlink(missing_ok=True)


def serve(arguments: argparse.Namespace) -> int:
    """Serve a display to whichever QEMU comes."""
    config = configuration(arguments)
    announcement = _announcement(arguments, config)
    with runtime_dir(config.runtime_dir) as folder:
        return asyncio.run(until_signal(_serve(config, folder, announcement)))


async def _serve(config: QxldConfig, folder: Path, announcement: Announcement) -> int:
    async with _daemon(config, folder, announcement) as daemon:
        say(f"QEMU options: {shlex.join(_options_of_qemu(config, folder))}")
        with announcement.made(daemon.monitor_path):
            while True:
                await daemon.connect(patient=True)
                await daemon.qemu_gone.wait()
                await daemon.disconnect()


def attach(arguments: argparse.Namespace) -> int:
    """Plug a display into a running QEMU and serve it."""
    config = configuration(arguments)
    if config.monitor.qmp is None:
        raise UsageError("attach needs --qmp, the QMP socket of the running QEMU")
    announcement = _announcement(arguments, config)
    with runtime_dir(config.runtime_dir) as folder:
        work = _attach(config, config.monitor.qmp, folder, announcement)
        return asyncio.run(until_signal(work))


async def _attach(
    config: QxldConfig, qmp: Path, folder: Path, announcement: Announcement
) -> int:
    await clear_away(qmp, attach_options(config, folder))
    async with _daemon(config, folder, announcement) as daemon:
        await daemon.connect(patient=False)
        await plug_in(daemon)
        plug = PortPlug(daemon.ports, daemon.own_monitor)
        try:
            await plug.plug_in()
            with announcement.made(daemon.monitor_path):
                await daemon.qemu_gone.wait()
                _log.info("QEMU ended")
        finally:
            if not daemon.qemu_gone.is_set():
                with contextlib.suppress(QemuGone):
                    await plug.unplug()
                await detach(daemon)
    return 0


def qemu_args(arguments: argparse.Namespace) -> int:
    """Print the options that `serve` wants QEMU to have."""
    config = configuration(arguments)
    if config.runtime_dir is None:
        raise UsageError("qemu-args needs --runtime-dir, where `serve` has its socket")
    layout(config.device)
    print(shlex.join(_options_of_qemu(config, config.runtime_dir.absolute())))
    return 0


def _options_of_qemu(config: QxldConfig, folder: Path) -> list[str]:
    """Return what a QEMU that somebody else starts must be given."""
    check_tablet(config.device)
    monitor = [] if config.monitor.qmp else monitor_arguments(qemu_monitor_path(folder))
    given = [
        *qemu_arguments(attach_options(config, folder)),
        *input_arguments(config.device.tablet),
        *monitor,
    ]
    return [*given, *port_arguments(config.ports, folder, given)]


def screenshot(arguments: argparse.Namespace) -> int:
    """Save what a SPICE server shows."""
    secret = arguments.password
    if arguments.password_file is not None:
        secret = read_password(arguments.password_file)
    trust = TlsTrust(arguments.ca_file, arguments.host_subject, arguments.insecure)
    work = take_screenshot(
        arguments.uri,
        arguments.output,
        password=secret,
        trust=trust,
        display_id=arguments.display,
        options=ClientOptions(timeout_s=arguments.timeout),
    )
    try:
        picture = asyncio.run(work)
    except (SpiceClientError, ProtocolError) as error:
        raise QxldError(str(error)) from error
    print(f"{arguments.output}: {picture.width} x {picture.height}")
    return 0


COMMANDS = {
    "run": run,
    "serve": serve,
    "attach": attach,
    "qemu-args": qemu_args,
    "record": record,
    "replay": replay,
    "screenshot": screenshot,
}


def _announcement(arguments: argparse.Namespace, config: QxldConfig) -> Announcement:
    return Announcement(config.spice, vv=arguments.vv, state=arguments.state)


@contextlib.asynccontextmanager
async def _daemon(
    config: QxldConfig, folder: Path, announcement: Announcement
) -> AsyncIterator[Daemon]:
    """Give a daemon that QEMU and clients can connect to; end it afterwards."""
    announcement.forget()
    daemon = Daemon(config, folder)
    try:
        await daemon.prepare()
        await daemon.listen()
        announcement.write_vv()
        # Without TLS there is nothing to read again: a closed terminal ends qxld.
        hangup = (
            on_hangup(daemon.reload_certificates) if config.spice.tls_port else None
        )
        with hangup or contextlib.nullcontext():
            yield daemon
    finally:
        await daemon.stop()


@contextlib.asynccontextmanager
async def _beside(coroutine: Coroutine[Any, Any, T]) -> AsyncIterator[asyncio.Task[T]]:
    """Run *coroutine* beside the block; cancelled at the end of it."""
    task = asyncio.ensure_future(coroutine)
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _before(other: asyncio.Task[int], work: Coroutine[Any, Any, None]) -> bool:
    """Do *work*; False if *other* was done first."""
    async with _beside(work) as task:
        await asyncio.wait({task, other}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()  # raises what went wrong
        return task.done()
