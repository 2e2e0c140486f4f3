"""link_probe.py sees of us what it saw of QEMU 7.2 with libspice-server 0.15.1."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import pytest

from spice_protocol.enums import ChannelType
from spice_server.config import ChannelSecurity, TlsConfig
from tests.fakes.pki import write_pki
from tests.fakes.spice_channels import SilentCursor, SilentDisplay, running_server

SHARED = Path(__file__).parents[3] / "shared"
PROBE = SHARED / "tools/clients/link_probe.py"
STOCK = SHARED / "corpus/captures/link-probe-qemu72.txt"

pytestmark = [
    pytest.mark.interop,
    pytest.mark.slow,
    pytest.mark.skipif(
        not PROBE.exists() or not STOCK.exists(), reason=f"{SHARED} is not there"
    ),
]

AFTER_THE_LINK = "websocket plain protocol=binary"
"""First probe of what this version does not have."""

ON_PURPOSE = {
    # libspice-server starts SASL even where it is switched off.  Here it is a
    # mechanism like any other unknown one.
    "auth mechanism 2 (SASL), not enabled": "result 4 bytes 52454451 ok; then 190 bytes "
    "0200000002000000b200000003" + "00" * 35 + ".. closed",
    # Stock keeps the link and waits for 2 GiB.
    "main: size 0x7fffffff": "closed",
    # QEMU's guest had no tablet then; ours takes positions from the start, so a
    # request for server mode is a change and answered.
    "full header client, mouse_mode_request": "22 bytes "
    "06000000000000006900040000000000000003000100 timeout",
    # There is no picture behind our display.
    "its first bytes": "14 bytes 0300080000000100000014000000 timeout",
}


def results(text: str) -> list[tuple[str, str]]:
    """Return name and result of every probe of the link stage, made comparable."""
    lines = []
    for line in text.splitlines():
        name, result = line[:44].strip(), line[45:]
        if name == AFTER_THE_LINK:
            break
        # Whether a peer sees a reset depends on what it had sent: both mean closed.
        result = re.sub(r"EOF|ConnectionResetError\([^)]*\)", "closed", result)
        result = re.sub(r"session_id 0x[0-9a-f]+", "session_id", result)
        result = re.sub(r" after 8\.\d s", "", result)
        lines.append((name, result))
    return lines


@pytest.mark.asyncio
async def test_the_link_stage_is_stock_s(tmp_path):
    async with running_server(
        SilentDisplay(),
        SilentCursor(),
        name="clients",
        tls_port=0,
        tls=TlsConfig.from_directory(write_pki(tmp_path)),
        security={
            ChannelType.INPUTS: ChannelSecurity.SECURE,
            ChannelType.CURSOR: ChannelSecurity.INSECURE,
        },
    ) as server:
        probe = await asyncio.create_subprocess_exec(
            sys.executable,
            PROBE,
            f"--port={server.control.port}",
            f"--tls-port={server.control.tls_port}",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, complaints = await probe.communicate()
    assert probe.returncode == 0, complaints.decode()

    ours, stock = results(output.decode()), results(STOCK.read_text())
    assert [name for name, _ in ours] == [name for name, _ in stock]
    seen_first_bytes = False
    for (name, our), (_, their) in zip(ours, stock, strict=True):
        wanted = ON_PURPOSE.get(name, their)
        if name == "its first bytes":
            # The second time it is the refused second display: as stock.
            wanted = their if seen_first_bytes else wanted
            seen_first_bytes = True
        assert our == wanted, name
    assert len(ours) >= 50
