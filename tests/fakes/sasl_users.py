"""A SASL configuration and its database of users, for this process."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

USER, PASSWORD = "operator", "open sesame"


def missing() -> str | None:
    """Why SASL cannot be used here, if it cannot."""
    if not shutil.which("saslpasswd2", path="/usr/sbin:/usr/bin"):
        return "sasl2-bin is not installed"
    return None


@functools.cache
def use_sasl_users() -> Path:
    """Let libsasl2 know :data:`USER`; it reads its configuration once in a process."""
    folder = Path(tempfile.mkdtemp(prefix="qxld-sasl-"))
    database = folder / "sasldb2"
    (folder / "qemu.conf").write_text(
        "mech_list: scram-sha-256 digest-md5 plain\n"
        "pwcheck_method: auxprop\n"
        "auxprop_plugin: sasldb\n"
        f"sasldb_path: {database}\n"
    )
    subprocess.run(
        ["/usr/sbin/saslpasswd2", "-p", "-c", "-f", database, USER],
        input=PASSWORD,
        text=True,
        check=True,
    )
    os.environ["SASL_CONF_PATH"] = str(folder)
    return folder
