"""The order of ports in which Linux' qxl.ko binds, as QEMU 7.2 traced it."""

from __future__ import annotations

import re
from pathlib import Path

from spice_protocol.qxl_dev import QxlInterrupt, QxlIo
from tests.fakes.qxl_bench import QxlBench

TRACE = Path(__file__).parents[2] / "vectors/qxl_device/io-trace-qemu7.2.txt"
MIB = 1 << 20
QEMU_RAM, QEMU_VRAM = 0xF4000000, 0xF8000000

IO = re.compile(r"qxl_io_write 0 (\w+) addr=(\d+) \((\w+)\) val=(\d+) size=1 async=")
SLOT = re.compile(r"qxl_memslot_add_guest 0 \d+: guest phys 0x(\w+) - 0x(\w+)")
PRIMARY = re.compile(r"qxl_create_guest_primary 0 (\d+)x(\d+) mem=0x(\w+) (\d+),")
PRIMARY_REST = re.compile(r"qxl_create_guest_primary_rest 0 (-?\d+),(\d+),(\d+)")
EVENTS = re.compile(r"qxl_send_events 0 (\d+)")


def numbers(match: re.Match[str], base: int = 10) -> list[int]:
    return [int(text, base) for text in match.groups()]


def place_arguments(bench: QxlBench, following: list[str]) -> None:
    """Write to QXLRam what the driver had written before this port."""
    ram, vram = bench.memory.ram, bench.memory.vram
    text = "\n".join(following)
    if match := SLOT.search(text):
        start, end = numbers(match, 16)
        base = ram.address - QEMU_RAM if start < QEMU_VRAM else vram.address - QEMU_VRAM
        bench.put("mem_slot", "QQ", start + base, end + base)
    if (match := PRIMARY.search(text)) and (rest := PRIMARY_REST.search(text)):
        width, height, pixels = (int(match[n]) for n in (1, 2, 4))
        stride = int(rest[1])
        bench.put_primary(width, height, stride, pixels, int(match[3], 16))


def test_every_port_leaves_the_mode_that_qemu_had():
    lines = TRACE.read_text().splitlines()
    writes = [n for n, line in enumerate(lines) if IO.match(line)]
    with QxlBench(ram_size=64 * MIB, vram_size=64 * MIB) as bench:
        bench.device.parts.ram.header[8] = 0x27  # int_mask, as qxl.ko sets it
        assert len(writes) == 49
        for number, at in enumerate(writes):
            end = writes[number + 1] if number + 1 < len(writes) else len(lines)
            replay(bench, lines[at], lines[at + 1 : end])
        primary = bench.device.parts.primary
        assert primary is not None
        assert (primary.width, primary.height, primary.stride) == (1024, 768, 4096)
        assert bench.device.parts.memslots.active == [1, 2]
        assert not bench.device.parts.faults.counts
        wanted = ["create_primary_surface", "destroy_primary_surface", "wakeup"]
        assert [name for name in dict.fromkeys(bench.worker.names()) if name in wanted]


def replay(bench: QxlBench, write: str, following: list[str]) -> None:
    match = IO.match(write)
    assert match is not None
    mode, port, name, value = match.groups()
    assert bench.mode.value == mode, write
    assert QxlIo(int(port)).name == name.removeprefix("QXL_IO_")
    place_arguments(bench, following)
    if name == "QXL_IO_MONITORS_CONFIG_ASYNC":
        bench.put_monitors([])  # the trace does not show its heads
        bench.memory.ram.view[0x1000:0x1020] = b"\x01\0\x04\0" + bytes(28)
    bench.take_pending()
    assert bench.io(int(port), int(value)), write
    told = sum(int(m[1]) for line in following if (m := EVENTS.match(line)))
    # Resets raise QXL_INTERRUPT_CLIENT there, when SPICE starts anew.
    assert bench.take_pending() == QxlInterrupt(told) & ~QxlInterrupt.CLIENT, write
    if name == "QXL_IO_RESET":
        bench.put("int_mask", "I", 0x27)
