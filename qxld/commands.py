"""What the subcommands do; each returns the exit code."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import signal
import sys
from typing import TYPE_CHECKING, Any, TypeVar

from qxld.compose import Daemon
from qxld.errors import QxldError, UsageError
from qxld.hot_plug import attach, detach
from qxld.options import configuration
from qxld.qemu_process import (
    QemuProcess,
    display_arguments,
    input_arguments,
    monitor_arguments,
)
from qxld.runtime_dir import runtime_dir
from qxld.settings import (
    attach_options,
    layout,
    password,
    read_password,
)
from qxld.vv_file import write_vv
from spice_client.errors import SpiceClientError
from spice_client.screenshot import screenshot as take_screenshot
from spice_client.tls import TlsTrust
from spice_protocol.errors import ProtocolError
from vm_transport.ivshmem.attach import qemu_arguments

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator, Coroutine, Iterator
    from pathlib import Path

    from qxld.config import QxldConfig

__all__ = ["COMMANDS"]

T = TypeVar("T")


def run(arguments: argparse.Namespace) -> int:
    """Start QEMU together with its display; end when it ends."""
    config = configuration(arguments)
    with runtime_dir(config.runtime_dir) as folder:
        return asyncio.run(_until_signal(_run(arguments, config, folder)))


async def _run(arguments: argparse.Namespace, config: QxldConfig, folder: Path) -> int:
    qmp = folder / "qemu-monitor.sock"
    qmp.unlink(missing_ok=True)
    async with _daemon(config, folder) as daemon:
        command = [
            *arguments.qemu,
            *display_arguments(arguments.qemu),
            *input_arguments(arguments.tablet, arguments.qemu),
            *qemu_arguments(daemon.attach_options),
            *monitor_arguments(qmp),
        ]
        qemu = await QemuProcess.start(command)
        try:
            async with _tasks(qemu.wait()) as ended:
                await _unless(ended, daemon.connect(qmp), "QEMU ended at its start")
                with _announced(arguments, config, daemon, qemu.pid):
                    return await ended
        finally:
            await qemu.stop()


def serve(arguments: argparse.Namespace) -> int:
    """Serve a display to whichever QEMU comes."""
    config = configuration(arguments)
    with runtime_dir(config.runtime_dir) as folder:
        return asyncio.run(_until_signal(_serve(arguments, config, folder)))


async def _serve(
    arguments: argparse.Namespace, config: QxldConfig, folder: Path
) -> int:
    async with _daemon(config, folder) as daemon:
        if config.monitor.qmp is None:
            print(
                "qxld: without --qmp keys and pointer do not reach the guest, "
                "and there is no monitor",
                file=sys.stderr,
            )
        print(f"QEMU options: {_printable(daemon)}", flush=True)
        with _announced(arguments, config, daemon):
            await _follow_qemu(daemon, config.monitor.qmp)
    return 0


async def _follow_qemu(daemon: Daemon, qmp: Path | None) -> None:
    """Keep a connection with QEMU's monitor, whichever QEMU it is."""
    if qmp is None:
        await asyncio.Event().wait()
        return
    while True:
        await daemon.connect(qmp)
        await daemon.qemu_gone.wait()
        await daemon.disconnect()


def attach_command(arguments: argparse.Namespace) -> int:
    """Plug a display into a running QEMU and serve it."""
    config = configuration(arguments)
    if config.monitor.qmp is None:
        raise UsageError("attach needs --qmp, the QMP socket of the running QEMU")
    with runtime_dir(config.runtime_dir) as folder:
        return asyncio.run(_until_signal(_attach(arguments, config, folder)))


async def _attach(
    arguments: argparse.Namespace, config: QxldConfig, folder: Path
) -> int:
    qmp = config.monitor.qmp
    assert qmp is not None
    if not qmp.exists():
        raise QxldError(f"{qmp}: there is no such socket")
    async with _daemon(config, folder) as daemon:
        await daemon.connect(qmp)
        await attach(daemon)
        try:
            with _announced(arguments, config, daemon):
                await daemon.qemu_gone.wait()
        finally:
            if not daemon.qemu_gone.is_set():
                await detach(daemon)
    return 0


def qemu_args(arguments: argparse.Namespace) -> int:
    """Print the options that `serve` wants QEMU to have."""
    config = configuration(arguments)
    if config.runtime_dir is None:
        raise UsageError("qemu-args needs --runtime-dir, where `serve` has its socket")
    layout(config.device)
    options = attach_options(config, config.runtime_dir.absolute())
    print(shlex.join(qemu_arguments(options)))
    return 0


def screenshot(arguments: argparse.Namespace) -> int:
    """Save what a SPICE server shows."""
    secret = arguments.password
    if arguments.password_file is not None:
        secret = read_password(arguments.password_file)
    trust = TlsTrust(arguments.ca_file, arguments.host_subject, arguments.insecure)
    try:
        picture = asyncio.run(
            take_screenshot(
                arguments.uri,
                arguments.output,
                password=secret,
                trust=trust,
                display_id=arguments.display,
                timeout_s=arguments.timeout,
            )
        )
    except (SpiceClientError, ProtocolError) as error:
        raise QxldError(str(error)) from error
    print(f"{arguments.output}: {picture.width} x {picture.height}")
    return 0


COMMANDS = {
    "run": run,
    "serve": serve,
    "attach": attach_command,
    "qemu-args": qemu_args,
    "screenshot": screenshot,
}


@contextlib.asynccontextmanager
async def _daemon(config: QxldConfig, folder: Path) -> AsyncIterator[Daemon]:
    """Give a daemon that QEMU and clients can connect to; end it afterwards."""
    daemon = Daemon(config, folder)
    try:
        await daemon.prepare()
        await daemon.listen()
        yield daemon
    finally:
        await daemon.stop()


@contextlib.contextmanager
def _announced(
    arguments: argparse.Namespace,
    config: QxldConfig,
    daemon: Daemon,
    qemu_pid: int | None = None,
) -> Iterator[None]:
    """Tell that clients can connect, in words and in the files asked for."""
    spice = config.spice
    if arguments.vv:
        write_vv(arguments.vv, spice, password(spice))
    uris = _uris(config)
    if arguments.state:
        state = {
            "pid": os.getpid(),
            "qemu_pid": qemu_pid,
            "uris": uris,
            "monitor": str(daemon.monitor_path),
        }
        partial = arguments.state.with_name(arguments.state.name + ".new")
        partial.write_text(json.dumps(state) + "\n", encoding="utf-8")
        partial.rename(arguments.state)
    for uri in uris:
        print(f"SPICE: {uri}", flush=True)
    if config.monitor.qmp or qemu_pid:
        print(f"monitor: {daemon.monitor_path}", flush=True)
    try:
        yield
    finally:
        if arguments.state:
            arguments.state.unlink(missing_ok=True)


def _uris(config: QxldConfig) -> list[str]:
    spice = config.spice
    host = f"[{spice.addr}]" if ":" in spice.addr else spice.addr
    uris = []
    if spice.port:
        uris.append(f"spice://{host}:{spice.port}")
    if spice.tls_port:
        uris.append(f"spice://{host}?tls-port={spice.tls_port}")
    if spice.unix:
        uris.append(f"spice+unix://{spice.unix.absolute()}")
    return uris


def _printable(daemon: Daemon) -> str:
    return shlex.join(qemu_arguments(daemon.attach_options))


@contextlib.asynccontextmanager
async def _tasks(coroutine: Coroutine[Any, Any, T]) -> AsyncIterator[asyncio.Task[T]]:
    """Run *coroutine* beside the block; cancelled at the end of it."""
    task = asyncio.ensure_future(coroutine)
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _unless(
    other: asyncio.Task[int], work: Coroutine[Any, Any, None], why: str
) -> None:
    """Do *work*; it fails with *why* if *other* is done first."""
    async with _tasks(work) as task:
        await asyncio.wait({task, other}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise QxldError(f"{why} (exit code {other.result()})")
        task.result()  # raises what went wrong


async def _until_signal(work: Coroutine[Any, Any, int]) -> int:
    """Do *work* until SIGINT or SIGTERM; a second one does not wait for the end of it."""
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    signals = (signal.SIGINT, signal.SIGTERM)
    asked = False

    def stop() -> None:
        nonlocal asked
        asked = True
        for number in signals:
            loop.remove_signal_handler(number)
        task.cancel()

    for number in signals:
        loop.add_signal_handler(number, stop)
    try:
        return await task
    except asyncio.CancelledError:
        if not asked:
            raise
        return 0
