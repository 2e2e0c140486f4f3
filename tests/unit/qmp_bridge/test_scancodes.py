"""Set-1 scancodes to QEMU's key numbers."""

from __future__ import annotations

import pytest

from qmp_bridge.scancodes import PAUSE, KeyChange, ScancodeReader


@pytest.mark.parametrize(
    ("codes", "changes"),
    [
        ("1e", [(0x1E, True)]),
        ("9e", [(0x1E, False)]),
        ("e0 48", [(0xC8, True)]),
        ("e0 c8", [(0xC8, False)]),
        ("e0 48 48", [(0xC8, True), (0x48, True)]),
        ("e1 1d 45", [(PAUSE, True)]),
        ("e1 9d c5", [(PAUSE, False)]),
        ("e1 1d 45 e1 9d c5 1e", [(PAUSE, True), (PAUSE, False), (0x1E, True)]),
        ("e1 00 00 1e", [(0x1E, True)]),
        ("e0 e1 1d 45 1e", [(PAUSE, True), (0x1E, True)]),
        ("e0 46 e0 c6", [(PAUSE, True), (PAUSE, False)]),
        ("e0 2a e0 37", [(0xAA, True), (0xB7, True)]),
    ],
)
def test_sequences(codes, changes):
    reader = ScancodeReader()
    pushed = [reader.push(byte) for byte in bytes.fromhex(codes)]
    assert [change for change in pushed if change] == [
        KeyChange(number, down) for number, down in changes
    ]
