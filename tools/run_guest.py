"""`make run`: a guest, QEMU and qxld together; `make stop` ends them.

The pieces are started the way an operator would: a cached image is built, `qxld run`
starts QEMU, the ticket is set over the QMP monitor that qxld offers, and what to do
next is printed once the guest says that its screen is up.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from run_state import Stop, alone, clear_away, lives, read_state, say

ROOT = Path(__file__).resolve().parent.parent
READY = "QXLD-GUEST-READY"
BOOT_SECONDS = {"tiny": 300, "desktop": 900}
STOP_SECONDS = 60
"""How long the end may take: qxld itself gives QEMU 20 seconds."""


def build_image(guest: str) -> dict[str, object]:
    """Build the guest's image if it is not cached; its recipe of QEMU options."""
    script = ROOT / "guest_drivers" / "images" / "build_image.py"
    done = subprocess.run(
        [sys.executable, str(script), guest, "--json"],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Stop(f"the {guest} image could not be built")
    recipe: dict[str, object] = json.loads(done.stdout)
    return recipe


def qemu_command(recipe: dict[str, object]) -> list[str]:
    """Return QEMU's command line for a guest.

    TCG unless ACCEL says otherwise: it is slow but works on every machine, while a
    /dev/kvm inside a VM need not.
    """
    arguments = recipe["qemu_args"]
    assert isinstance(arguments, list)
    accelerator = os.environ.get("ACCEL", "tcg")
    return ["qemu-system-x86_64", "-accel", accelerator, *arguments]


def checked_port(text: str) -> int:
    """Return a port's number."""
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise Stop(f"PORT={text}: a port is a number from 1 to 65535")
    return int(text)


def check_free(port: int) -> None:
    """Refuse a port that somebody else listens on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Stop(f"port {port}: {error.strerror}; try PORT=N") from error


def qmp_command(path: Path, *commands: dict[str, object]) -> None:
    """Run QMP commands over a monitor socket."""
    with socket.socket(socket.AF_UNIX) as monitor:
        monitor.settimeout(60)
        monitor.connect(str(path))
        stream = monitor.makefile("rw", encoding="utf-8", newline="\n")
        stream.readline()
        negotiate: dict[str, object] = {"execute": "qmp_capabilities"}
        for command in (negotiate, *commands):
            stream.write(json.dumps(command) + "\n")
            stream.flush()
            while True:
                line = stream.readline()
                if not line:
                    raise Stop("the monitor went away")
                answer = json.loads(line)
                if "error" in answer:
                    raise Stop(f"{command['execute']}: {answer['error']['desc']}")
                if "return" in answer:
                    break


class Run:
    """One guest with its qxld."""

    def __init__(self, guest: str, port: int, build: Path) -> None:
        self.guest = guest
        self.port = port
        self.folder = Path(tempfile.mkdtemp(prefix="qxld-run-"))
        self.state = build / "run.json"
        self.log = build / "qxld.log"
        self.serial_log = build / "serial.log"
        self.monitor = self.folder / "monitor.sock"
        self.password = secrets.token_hex(4)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, recipe: dict[str, object]) -> None:
        """Start qxld, which starts QEMU."""
        self.serial_log.write_bytes(b"")
        serial = (
            f"socket,id=serial0,path={self.folder}/serial.sock,server=on,wait=off,"
            f"logfile={self.serial_log}"
        )
        command = [
            sys.executable, "-m", "qxld", "run",
            "--port", str(self.port), "--name", f"qxld {self.guest} guest",
            "--runtime-dir", str(self.folder), "--monitor", str(self.monitor),
            "--state", str(self.folder / "state.json"),
            "--", *qemu_command(recipe), "-chardev", serial, "-serial", "chardev:serial0",
        ]  # fmt: skip
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C is for us, who tell qxld once; a second signal hurries it.
                start_new_session=True,
            )

    def wait_listening(self) -> dict[str, object]:
        """Wait until qxld and QEMU are up; qxld's own state."""
        state = self.folder / "state.json"
        while not state.exists():
            self._alive()
            time.sleep(0.05)
        told: dict[str, object] = json.loads(state.read_text())
        return told

    def wait_ready(self) -> None:
        """Wait until the guest says on its serial line that its screen is up."""
        start = time.monotonic()
        shown = 0
        while READY not in self.serial_log.read_text(errors="replace"):
            self._alive()
            passed = int(time.monotonic() - start)
            if passed >= BOOT_SECONDS[self.guest]:
                raise Stop(f"no screen after {passed} s; see {self.serial_log}")
            if passed >= shown + 5:
                shown = passed
                say(f"the guest boots: {passed} s")
            time.sleep(0.1)
        say(f"the guest's screen is up after {time.monotonic() - start:.1f} s")

    def write_state(self, told: dict[str, object]) -> None:
        """Write build/run.json."""
        assert self.process is not None
        qemu_pid = told.get("qemu_pid")
        state = {
            "uri": f"spice://127.0.0.1:{self.port}",
            "password": self.password,
            "qmp": str(self.monitor),
            "serial_log": str(self.serial_log),
            "serial": str(self.folder / "serial.sock"),
            "log": str(self.log),
            "pids": [self.process.pid, *([qemu_pid] if qemu_pid else [])],
            "runtime_dir": str(self.folder),
            "guest": self.guest,
        }
        partial = self.state.with_suffix(".new")
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)
        partial.write_text(json.dumps(state, indent=2) + "\n")
        partial.rename(self.state)

    def explain(self, *, detach: bool) -> None:
        """Tell what to do next."""
        print(
            f"\n  The {self.guest} guest is running. To see it:\n\n"
            f"    remote-viewer spice://127.0.0.1:{self.port}\n\n"
            f"  password        {self.password}\n"
            f"  monitor (QMP)   {self.monitor}\n"
            f"  guest's serial  {self.serial_log}\n"
            f"  qxld's log      {self.log}\n"
            f"  to stop         {'make stop' if detach else 'Ctrl-C'}\n",
            flush=True,
        )

    def wait_end(self) -> None:
        """Wait until the guest ends."""
        assert self.process is not None
        self.process.wait()
        if self.process.returncode:
            self._alive()
        say("the guest has ended")

    def finish(self) -> None:
        """End qxld, and QEMU with it; remove what lies about."""
        while self.process and self.process.poll() is None:
            try:
                self.process.send_signal(signal.SIGTERM)
                self.process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
            except KeyboardInterrupt:
                continue  # it is told again, and does not let QEMU take its time
        shutil.rmtree(self.folder, ignore_errors=True)
        self.state.unlink(missing_ok=True)

    def _alive(self) -> None:
        assert self.process is not None
        if self.process.poll() is not None:
            lines = self.log.read_text(errors="replace").splitlines()
            why = lines[-1] if lines else "no message"
            code = self.process.returncode
            raise Stop(f"qxld ended with {code}: {why} (see {self.log})")


def start(guest: str, port: int, build: Path, *, detach: bool) -> None:
    """Build, start, wait, explain; without *detach* stay until Ctrl-C."""
    if guest not in BOOT_SECONDS:
        raise Stop(f"GUEST={guest}: there are {' and '.join(BOOT_SECONDS)}")
    build.mkdir(exist_ok=True)
    with alone(build):
        state = read_state(build)
        if state is not None:
            if lives(state, 0):
                raise Stop(f"already running ({build}/run.json); `make stop` ends it")
            say("cleaning up after a run that did not end in order")
            clear_away(state, build)
        check_free(port)
        recipe = build_image(guest)
        run = Run(guest, port, build)
        try:
            bring_up(run, recipe)
            run.explain(detach=detach)
            if not detach:
                run.wait_end()
        except BaseException:
            run.finish()
            raise
        if not detach:
            run.finish()


def bring_up(run: Run, recipe: dict[str, object]) -> None:
    """Start a guest and wait for its screen."""
    run.start(recipe)
    told = run.wait_listening()
    password = {"protocol": "spice", "password": run.password}
    never = {"protocol": "spice", "time": "never"}
    qmp_command(
        run.monitor,
        {"execute": "set_password", "arguments": password},
        {"execute": "expire_password", "arguments": never},
    )
    run.write_state(told)
    run.wait_ready()


def stop(build: Path) -> None:
    """End what runs, as run.json tells."""
    state = read_state(build)
    if state is None:
        say("nothing is running")
        return
    if lives(state, 0):
        os.kill(state["pids"][0], signal.SIGTERM)
        end = time.monotonic() + STOP_SECONDS
        while lives(state, 0) and time.monotonic() < end:
            time.sleep(0.1)
        say("stopped")
    else:
        say("it had ended already")
    clear_away(state, build)


def main() -> int:
    """Run one of the two commands."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--build",
        type=Path,
        default=ROOT / "build",
        metavar="DIR",
        help="where run.json and the logs go (build)",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    starting = commands.add_parser("start")
    starting.add_argument("--guest", default="tiny")
    starting.add_argument("--port", default="5930")
    starting.add_argument("--detach", action="store_true")
    commands.add_parser("stop")
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        if arguments.command == "stop":
            stop(arguments.build)
        else:
            port = checked_port(arguments.port)
            start(arguments.guest, port, arguments.build, detach=arguments.detach)
    except Stop as problem:
        print(f"qxld: {problem}", file=sys.stderr)
        return 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"qxld: {where}{error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("stopped")
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
