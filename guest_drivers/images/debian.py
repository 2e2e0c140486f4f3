"""Debian packages without installing them: resolve, download, unpack.

Nothing here names a mirror: apt knows the machine's own.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import tarfile
from typing import TYPE_CHECKING, TypeVar

from cache import CACHE, say
from errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["candidate", "depends", "download", "mirrors", "need", "run", "unpack"]

_T = TypeVar("_T")


def need(program: str, package: str) -> None:
    """Insist on *program*.

    Raises:
        ImageError: it is not installed.

    """
    if shutil.which(program) is None:
        raise ImageError(f"{program} is missing: apt-get install {package}")


def run(*command: str | Path, cwd: Path | None = None, quiet: bool = True) -> str:
    """Run *command* and return what it printed.

    Raises:
        ImageError: it failed; the text holds the end of what it complained about.

    """
    words = [str(word) for word in command]
    result = subprocess.run(
        words,
        cwd=cwd,
        check=False,
        text=True,
        errors="replace",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if quiet else None,
    )
    if result.returncode:
        if "No space left on device" in (result.stderr or ""):
            raise ImageError(f"no space left under {CACHE}")
        complaint = (result.stderr or "").strip().splitlines() or ["no message"]
        what = " ".join(words[:3])
        raise ImageError(f"{what}: " + " | ".join(complaint[-4:]))
    return result.stdout


@functools.cache
def _update() -> bool:
    """Fetch apt's lists, once; whether that was possible."""
    if os.geteuid() != 0:
        return False
    say("fetching apt's package lists")
    try:
        run("apt-get", "-q", "update")
    except ImageError as error:
        say(str(error))
        return False
    return True


def _updated(ask: Callable[[], _T]) -> _T:
    """Ask apt; if it does not know, ask again with fresh lists."""
    try:
        return ask()
    except ImageError:
        if not _update():
            raise
    return ask()


def depends(package: str) -> list[str]:
    """Return the names that *package* depends on.

    Raises:
        ImageError: apt does not know it.

    """
    try:
        text = _updated(lambda: run("apt-cache", "depends", package))
    except ImageError as error:
        raise ImageError(
            f"apt knows no package {package}: run apt-get update, or add the suite"
            f" that has it ({error})"
        ) from error
    return re.findall(r"^ [ |]Depends: ([^<\s]+)$", text, re.MULTILINE)


def _policy(package: str) -> str:
    text = run("apt-cache", "policy", package)
    match = re.search(r"^  Candidate: (\S+)$", text, re.MULTILINE)
    if match is None or match[1] == "(none)":
        raise ImageError(f"apt has no {package}: run apt-get update")
    return match[1]


def candidate(package: str) -> str:
    """Return the version that apt would install.

    Raises:
        ImageError: there is none.

    """
    return _updated(lambda: _policy(package))


def download(folder: Path, *packages: str) -> list[Path]:
    """Download *packages* into *folder* and return their .deb files.

    Raises:
        ImageError: apt cannot get them.

    """
    before = set(folder.glob("*.deb"))
    options = ["-o", "APT::Sandbox::User=root", "-q"]
    _updated(lambda: run("apt-get", *options, "download", *packages, cwd=folder))
    return sorted(set(folder.glob("*.deb")) - before)


def unpack(deb: Path, target: Path, wanted: Callable[[str], bool]) -> None:
    """Unpack the plain files of *deb* whose path (``usr/...``) is *wanted*."""
    with subprocess.Popen(
        ["dpkg", "--fsys-tarfile", str(deb)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
            for member in archive:
                name = member.name.removeprefix("./")
                content = archive.extractfile(member) if member.isreg() else None
                if content is None or not wanted(name):
                    continue
                path = target / name
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("wb") as file:
                    shutil.copyfileobj(content, file)
                path.chmod(member.mode)
    if process.returncode:
        raise ImageError(f"dpkg cannot read {deb}")


def mirrors() -> list[str]:
    """Return the one-line apt sources of this machine, for a chroot of its own suite.

    Raises:
        ImageError: apt has no source.

    """
    text = run("apt-get", "indextargets", "--format", "$(SITE) $(RELEASE) $(COMPONENT)")
    lines = {
        f"deb {site} {release} {component}"
        for site, release, component in (
            line.split() for line in text.splitlines() if line
        )
    }
    if not lines:
        raise ImageError("apt has no sources: run apt-get update")
    return sorted(lines)
