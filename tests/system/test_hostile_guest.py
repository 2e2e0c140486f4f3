"""A guest that fills its rings and memory with the worst there is; qxld serves on.

Each case spoils something, rings, and then a driver starts anew: the next picture must
come out at a client, pixel by pixel.  QXLD_HOSTILE_SCALE multiplies the cases (from 7
on every field takes every value of the list); QXLD_HOSTILE_SEED chooses others.
"""

from __future__ import annotations

import pytest

from spice_protocol.qxl_dev import QXL_RAM_MAGIC, QXLCmdType, QXLCommand, QxlIo, QXLRam
from tests.fakes.guest_scene import Spot, fields_of
from tests.fakes.guest_scenes import monitors
from tests.peers.hostile_vm import MAX_AT_ONCE, SCALE, SCENES_AT, HostileVm, some, worst
from vm_transport.ivshmem.header import (
    DESC_OFFSET,
    IO_ENTRIES,
    QxlIvshmemDisplay,
    QxlIvshmemHeader,
    QxlIvshmemIoEntry,
    QxlIvshmemIoRing,
)

pytestmark = [pytest.mark.system, pytest.mark.timeout(600 * max(1, SCALE))]

SHARE = 0.15 * SCALE
"""Of the worst values, tried for each field."""
PORTS = {
    "mem_slot": (QxlIo.MEMSLOT_ADD, QxlIo.MEMSLOT_ADD_ASYNC),
    "create_surface": (QxlIo.CREATE_PRIMARY, QxlIo.CREATE_PRIMARY_ASYNC),
    "update_area": (QxlIo.UPDATE_AREA, QxlIo.UPDATE_AREA_ASYNC),
    "update_surface": (QxlIo.UPDATE_AREA, QxlIo.DESTROY_SURFACE_WAIT),
    "monitors_config": (QxlIo.MONITORS_CONFIG_ASYNC,),
    "release_ring": (QxlIo.FLUSH_RELEASE, QxlIo.NOTIFY_OOM),
    "cmd_ring": (QxlIo.NOTIFY_CMD, QxlIo.NOTIFY_OOM),
    "cursor_ring": (QxlIo.NOTIFY_CURSOR,),
}
"""What makes the device look at a field of QXLRam."""


@pytest.fixture(scope="module")
def vm(tmp_path_factory):
    with HostileVm(tmp_path_factory.mktemp("guest")) as vm:
        for scene in vm.scenes.values():
            vm.submit(scene)
            vm.settle()
        assert "bad c" not in vm.qxld.log, "a scene is bad from the start"
        for _ in range(20):
            vm.after_case("commands as they should be")
        vm.warmed_up()
        yield vm
        vm.verdict(max_growth_mib=24)


def good_value(memory: memoryview | bytearray, spot: Spot) -> int:
    return int.from_bytes(memory[spot.offset : spot.offset + spot.size], "little")


def test_fields_of_commands(vm):
    """Every number of every structure a command leads to, one at a time."""
    for scene in vm.scenes.values():
        for spot in scene.spots:
            values = worst(spot.size, good_value(scene.memory, spot))
            for value in some(values, SHARE, vm.random):
                vm.submit(scene, [(spot, value)])
                vm.after_case("a field of a command")


def test_ring_items(vm):
    """QXLCommand's address and type."""
    scene = vm.scenes["fill, clipped"]
    for spot in fields_of(QXLCommand, 0):
        for value in some(worst(spot.size, scene.address), SHARE, vm.random):
            for kind in (QXLCmdType.DRAW, QXLCmdType.CURSOR):
                vm.guest.write(scene.base, bytes(scene.memory))
                address = value if spot.size == 8 else scene.address
                vm.push_item(address, kind)
                if spot.size == 4:
                    vm.push_item(address, value, item=value)
                vm.after_case("an item of a ring")


def test_fields_of_ram(vm):
    """Every number of QXLRam, rings and all, and the ports that look at it."""
    for spot in fields_of(QXLRam, 0, "QXLRam"):
        good = good_value(vm.guest.ram_header, spot)
        for value in some(worst(spot.size, good), SHARE, vm.random):
            vm.submit(vm.scenes["copy"])
            vm.submit(vm.scenes["cursor"])
            name = spot.name.split(".")[1]
            if name == "create_surface":
                vm.guest.destroy_primary()
            vm.write_header(spot.offset, value, spot.size)
            vm.port.notify()
            for port in PORTS.get(name, (QxlIo.LOG, QxlIo.UPDATE_IRQ)):
                vm.guest.outb(port, 3 if port in PORTS["mem_slot"] else 0)
            vm.after_case("a field of QXLRam")


def test_monitors_config(vm):
    """Every number of QXLMonitorsConfig and its heads."""
    scene = monitors(SCENES_AT)
    pointer = QXLRam.offset("monitors_config")
    for spot in scene.spots:
        for value in worst(spot.size, good_value(scene.memory, spot)):
            memory = bytearray(scene.memory)
            memory[spot.offset : spot.offset + spot.size] = value.to_bytes(
                spot.size, "little"
            )
            vm.guest.write(scene.base, bytes(memory))
            vm.write_header(pointer, scene.address, 8)
            vm.guest.outb(QxlIo.MONITORS_CONFIG_ASYNC)
            vm.after_case("a field of a monitors config")


def random_spoils(vm, scene):
    spots = vm.random.sample(
        scene.spots, min(len(scene.spots), vm.random.randint(1, 6))
    )
    for spot in spots:
        values = worst(spot.size, good_value(scene.memory, spot))
        anything = vm.random.getrandbits(8 * spot.size)
        yield spot, vm.random.choice([*values, anything])


def test_combinations(vm):
    """Many commands at once, spoilt in many places, some while they are read."""
    ram_spots = list(fields_of(QXLRam, 0, "QXLRam"))
    for _ in range(int(1500 * SCALE)):
        for layer in vm.layers[: vm.random.randint(1, MAX_AT_ONCE)]:
            scene = vm.random.choice(layer)
            vm.submit(scene, random_spoils(vm, scene))
            match vm.random.randrange(8):
                case 0 | 1:
                    vm.scribble(scene, 100)
                case 2:
                    spot = vm.random.choice(ram_spots)
                    value = vm.random.choice(worst(spot.size, 0))
                    vm.write_header(spot.offset, value, spot.size)
                    vm.port.notify()
                case 3:
                    vm.guest.outb(vm.random.randrange(28), vm.random.randrange(9))
        vm.after_case("combinations of everything")


# ---- the I/O ring and the rest of BAR2


def io_ring(vm) -> memoryview:
    place = vm.port.descriptor
    assert vm.qemu.bar2 is not None
    bar2 = memoryview(vm.qemu.bar2)
    return bar2[place.io_offset : place.io_offset + QxlIvshmemIoRing.SIZE]


def set_word(view: memoryview, offset: int, value: int) -> None:
    view[offset : offset + 4] = (value % (1 << 32)).to_bytes(4, "little")


def word(view: memoryview, offset: int) -> int:
    return int.from_bytes(view[offset : offset + 4], "little")


def heal(vm) -> None:
    """Bring prod and done together again, by the rule for a broken ring.

    Wherever the device's own count stands, one of two places is too far from it.
    """
    ring, prod, done = io_ring(vm), QxlIvshmemIoRing.offset("prod"), None
    done = QxlIvshmemIoRing.offset("done")
    for step in (1 << 20, 1 << 30):
        target = (word(ring, prod) + step) % (1 << 32)
        set_word(ring, done, target - 1)
        set_word(ring, prod, target)
        vm.qemu.doorbell(vm.peer << 16 | vm.port.descriptor.io_vector)
        vm.qxld.until("the I/O ring heals", lambda t=target: word(ring, done) == t)


@pytest.fixture
def peer(vm):
    """Doorbells that work whatever BAR2's header says."""
    assert vm.qemu.bar2 is not None
    vm.peer = QxlIvshmemHeader.unpack_from(vm.qemu.bar2).server_peer_id
    return vm.peer


def spoil_entries(vm, ring: memoryview) -> None:
    entries = QxlIvshmemIoRing.offset("entries")
    for index in range(IO_ENTRIES):
        at = entries + index * QxlIvshmemIoEntry.SIZE
        port = vm.random.choice([vm.random.randrange(26), vm.random.getrandbits(32)])
        value = vm.random.choice([vm.random.randrange(10), vm.random.getrandbits(32)])
        set_word(ring, at, port)
        set_word(ring, at + 4, value)
        set_word(ring, at + 8, vm.random.getrandbits(32))


def test_io_ring(vm, peer):
    """Counters anywhere, entries with anything, doorbells in any number."""
    ring, descriptor = io_ring(vm), vm.port.descriptor
    prod, done = QxlIvshmemIoRing.offset("prod"), QxlIvshmemIoRing.offset("done")
    for _ in range(int(400 * SCALE)):
        spoil_entries(vm, ring)
        now = word(ring, prod)
        step = vm.random.choice([0, 1, 5, 63, 64, 65, 1 << 16, 1 << 31, (1 << 32) - 1])
        set_word(ring, prod, now + step)
        if vm.random.randrange(2):
            set_word(ring, done, vm.random.getrandbits(32))
        for _ in range(vm.random.randrange(1, 6)):
            vm.qemu.doorbell(peer << 16 | descriptor.io_vector)
            vm.qemu.doorbell(peer << 16 | descriptor.notify_vector)
        heal(vm)
        vm.after_case("garbage in the I/O ring")


def test_header_and_rom(vm, peer):
    """The guest may write what only the host should; it hurts nobody else."""
    assert vm.qemu.bar2 is not None
    bar2 = memoryview(vm.qemu.bar2)
    rom = vm.port.descriptor.rom_offset
    vectors = range(8)
    for _ in range(int(150 * SCALE)):
        kept = bytes(bar2[: DESC_OFFSET + QxlIvshmemDisplay.SIZE])
        for _ in range(vm.random.randint(1, 40)):
            bar2[vm.random.randrange(len(kept))] = vm.random.randrange(256)
            bar2[rom + vm.random.randrange(0x1000)] = vm.random.randrange(256)
        for vector in vectors:
            vm.qemu.doorbell(peer << 16 | vector)
        bar2[: len(kept)] = kept
        vm.after_case("garbage in BAR2's header and in the ROM")


def test_machine_reset(vm):
    """The machine is reset in the midst of it all."""
    magic = QXLRam.offset("magic")
    for _ in range(int(60 * SCALE)):
        # The device writes it anew when it is as new.
        set_word(vm.guest.ram_header, magic, 0)
        for number, layer in enumerate(vm.layers):
            # Nobody waits for an I/O request of a machine that is reset.
            scene = vm.random.choice([s for s in layer if not s.needs_surface])
            vm.submit(scene, random_spoils(vm, scene))
            if number == MAX_AT_ONCE // 2:
                vm.monitor.send_event("RESET")
        header = vm.guest.ram_header
        vm.qxld.until("a reset", lambda h=header: word(h, magic) == QXL_RAM_MAGIC)
        vm.after_case("a machine reset")
