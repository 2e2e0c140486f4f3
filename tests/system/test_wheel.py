"""What `make build` makes is complete: it installs and runs away from the checkout."""

from __future__ import annotations

import subprocess
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    run(ROOT / "tools/build_dist.sh", folder, cwd=ROOT)
    return folder


@pytest.fixture(scope="module")
def wheel(dist):
    (path,) = dist.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Return a clean virtual environment that has the wheel and what it asks for."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=True)
    pip = [folder / "bin/python", "-m", "pip", "--disable-pip-version-check"]
    done = subprocess.run(
        [*pip, "install", "-q", wheel], capture_output=True, text=True, check=False
    )
    if "Failed to establish a new connection" in done.stderr:
        pytest.skip("no way to PyPI")
    assert done.returncode == 0, done.stderr
    return folder / "bin"


def test_wheel_is_for_the_stable_abi(wheel):
    assert "-cp311-abi3-linux_" in wheel.name


def test_wheel_holds_packages_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = [Path(name) for name in archive.namelist()]
    tops = {name.parts[0] for name in names if ".dist-info" not in name.parts[0]}
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert tops == packages - {"benchmarks", "tests"}
    assert {name.suffix for name in names if name.parts[0] in tops} == {
        ".py", ".pyi", ".typed", ".so",
    }  # fmt: skip


def test_sdist_holds_nothing_that_is_lying_about(dist):
    (path,) = dist.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        files = {m.name.partition("/")[2] for m in archive.getmembers() if m.isfile()}
    git = ["git", "ls-files", "-co", "--exclude-standard"]
    told = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=False)
    if told.returncode:
        pytest.skip(f"not a git checkout: {told.stderr.strip()}")
    known = told.stdout.splitlines()
    made = {name for name in files if name.startswith("qxld.egg-info/")}
    assert files - set(known) - made == {"PKG-INFO", "setup.cfg"}


def test_command_line_runs(installed, tmp_path):
    version = run(installed / "qxld", "--version", cwd=tmp_path)
    told = "import importlib.metadata as m; print(m.version('qxld'))"
    assert run(installed / "python", "-c", told, cwd=tmp_path).strip() in version
    assert "usage: qxld" in run(installed / "qxld", "--help", cwd=tmp_path)


def test_core_is_the_installed_one(installed, tmp_path):
    told = "from spice_common import _native, canvas; print(_native.__file__)"
    core = Path(run(installed / "python", "-I", "-c", told, cwd=tmp_path).strip())
    assert core.is_relative_to(installed.parent)
    assert not core.is_relative_to(ROOT)


def test_screenshot_refuses_a_port_nobody_listens_on(installed, tmp_path):
    done = subprocess.run(
        [installed / "qxld", "screenshot", "spice://127.0.0.1:1", "x.png"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
