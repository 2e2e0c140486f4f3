"""spice-gtk lends an emulated card (libcacard) to the reader of a real QEMU."""

from __future__ import annotations

import random
import shutil
import subprocess

import pytest

from tests.peers import gtk_client, machine
from tests.peers.gtk_client import GtkPortsClient
from tests.peers.programs import eventually, free_port
from tests.peers.qxld_process import Qxld

pytestmark = pytest.mark.interop

LINK = 16 + 178 + 4 + 4
"""Bytes of the link stage: header, reply, capabilities, result."""
REPLY = 6 + 12 + 4
"""Bytes of an Error message: mini header, VSCMsgHeader, code."""


@pytest.fixture
def cards(tmp_path) -> str:
    """A database with the three certificates of an emulated card."""
    if not shutil.which("certutil"):
        pytest.skip("libnss3-tools is not installed")
    database = f"sql:{tmp_path}"
    noise = tmp_path / "noise"
    noise.write_bytes(random.Random(5).randbytes(100))
    words = [["-N", "--empty-password"]]
    for number, name in enumerate("abc", 1):
        words.append(["-S", "-s", f"CN={name}", "-n", name, "-t", "CT,CT,CT", "-x"])
        words[-1] += ["-m", str(number), "-z", str(noise)]
    for each in words:
        subprocess.run(
            ["certutil", "-d", database, *each], check=True, capture_output=True
        )
    return database


def test_a_reader_with_a_card_is_taken_by_qemu(tmp_path, cards):
    for reason in (machine.missing(), gtk_client.missing()):
        if reason:
            pytest.skip(reason)
    port = free_port()
    options = ("--port", port, "--disable-ticketing", "--smartcard")
    # Its guest does not run: the reader is QEMU's.
    qemu = ("qemu-system-x86_64", "-S", "-m", "32")
    qemu += ("-global", "ccid-card-passthru.debug=4", "-global", "usb-ccid.debug=4")
    with Qxld(tmp_path, "run", *options, "--", *qemu) as daemon:
        daemon.wait_up()
        for _ in range(2):  # the reader goes with its client, and comes again
            with GtkPortsClient(
                host="127.0.0.1",
                port=str(port),
                smartcard_db=cards,
                smartcard_certificates="a,b,c",
            ) as client:
                client.wait("channel", channel="smartcard:0", event="opened")
                wait_replies(client, 2)  # to ReaderAdd and to ATR
        daemon.until("it is gone", lambda: daemon.log.count("CCID Detach") == 2)
        assert daemon.stop() == 0
    said = daemon.log.replace("\r", "")
    for text in ("CCID Attach", "atr passes check", "CCID Detach"):
        assert said.count(text) == 2, text


def wait_replies(client, count: int) -> None:
    """Wait until the reader in QEMU has replied so often."""
    told = {}

    def replied() -> bool:
        client.send("bytes", "smartcard:0")
        told.update(next(e for e in reversed(client.events) if e["ev"] == "bytes"))
        return told["count"] >= LINK + count * REPLY

    eventually(f"{count} replies", replied)
    assert told["count"] == LINK + count * REPLY
