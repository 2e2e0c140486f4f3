"""QEMU as a child."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from qxld import qemu_process
from qxld.errors import QxldError, UsageError
from qxld.qemu_process import (
    QemuProcess,
    check_command,
    display_arguments,
    input_arguments,
    monitor_arguments,
)

QEMU = "qemu-system-x86_64"


class TestArguments:
    def test_monitor_path_with_a_comma(self):
        assert monitor_arguments(Path("/a,b/q"))[1] == (
            "socket,id=qxld-monitor,path=/a,,b/q,server=on,wait=off"
        )

    @pytest.mark.parametrize(
        ("words", "added"),
        [
            ("", "-display none -vga none"),
            ("-m 1 -vga std", "-display none"),
            ("--vga std -nographic", ""),
            ("-display gtk", "-vga none"),
            ("--display gtk", "-vga none"),
            ("-vnc :0", "-vga none"),
            ("-spice port=1", "-vga none"),
            ("-device VGA", "-display none"),
            ("-device virtio-vga-gl,id=x", "-display none"),
            ("-device qxl-vga", "-display none"),
            ("-device e1000", "-display none -vga none"),
            ("-name qxl", "-display none -vga none"),
            ("-drive file=-vga", "-display none -vga none"),
        ],
    )
    def test_no_second_display_unless_asked_for(self, words, added):
        assert display_arguments([QEMU, *words.split()]) == added.split()

    def test_tablets(self):
        assert input_arguments("none") == []
        assert input_arguments("virtio") == ["-device", "virtio-tablet-pci"]
        assert "usb-tablet,bus=qxld-usb.0" in input_arguments("usb")
        assert input_arguments("usb", [QEMU, "-device", "usb-tablet"]) == []
        assert input_arguments("virtio", [QEMU, "-usbdevice", "tablet"]) == []

    @pytest.mark.parametrize("flag", ["-daemonize", "--daemonize"])
    def test_qemu_must_stay(self, flag):
        check_command([QEMU, "-m", "1"])
        with pytest.raises(UsageError, match="-daemonize"):
            check_command([QEMU, flag])


@pytest.mark.asyncio
class TestProcess:
    async def python(self, script: str) -> QemuProcess:
        return await QemuProcess.start([sys.executable, "-c", script])

    async def test_no_such_program(self, tmp_path):
        with pytest.raises(QxldError, match=r"^cannot start nope: No such file"):
            await QemuProcess.start(["nope"])
        (tmp_path / "x").touch(0o644)
        with pytest.raises(QxldError, match="x: Permission denied"):
            await QemuProcess.start([str(tmp_path / "x")])

    @pytest.mark.parametrize(
        ("script", "code", "told"),
        [
            ("", 0, []),
            ("raise SystemExit(3)", 3, ["QEMU ended with exit code 3"]),
            (
                "import os; os.kill(os.getpid(), 9)",
                137,
                ["QEMU was ended by SIGKILL"],
            ),
            ("import os; os.abort()", 134, ["QEMU was ended by SIGABRT"]),
        ],
    )
    async def test_end_by_itself(self, caplog, script, code, told):
        qemu = await self.python(script)
        assert await qemu.wait() == code
        assert [record.getMessage() for record in caplog.records] == told
        await qemu.stop()

    async def test_stop(self, caplog):
        qemu = await QemuProcess.start(["sleep", "1000"])
        waiting = asyncio.ensure_future(qemu.wait())
        await qemu.stop()
        assert await waiting == 128 + 15
        assert not caplog.records

    async def test_stubborn_one_is_killed_in_the_end(
        self, caplog, monkeypatch, tmp_path
    ):
        qemu = await self.deaf(tmp_path)
        monkeypatch.setattr(qemu_process, "STOP_SECONDS", 0.01)
        await qemu.stop()
        assert await qemu.wait() == 137
        assert [r.getMessage() for r in caplog.records] == [
            "QEMU does not end and is killed",
        ]

    async def test_stubborn_one_is_killed_when_hurried(self, tmp_path):
        qemu = await self.deaf(tmp_path)
        stopping = asyncio.ensure_future(qemu.stop())
        await asyncio.sleep(0)
        stopping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stopping
        assert await qemu.wait() == 137

    async def deaf(self, tmp_path) -> QemuProcess:
        """Start a process that takes no SIGTERM."""
        ready = tmp_path / "ready"
        qemu = await self.python(
            "import signal, pathlib; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            f"pathlib.Path({str(ready)!r}).touch(); signal.pause()"
        )
        while not ready.exists():  # noqa: ASYNC110 - another process' file
            await asyncio.sleep(0.01)
        return qemu
