"""The tables of vm_transport.ivshmem.header against the C header, by the compiler."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from spice_protocol import vdi_dev
from spice_protocol.vdi_dev import VDIPortInterrupt, VDIPortRam, VDIPortRing
from vm_transport.ivshmem import header
from vm_transport.ivshmem.header import (
    Feature,
    GuestStatus,
    IoStatus,
    QxlIvshmemDisplay,
    QxlIvshmemHeader,
    QxlIvshmemIoEntry,
    QxlIvshmemIoRing,
)

HEADER = Path(__file__).parents[2] / "guest_drivers/include/qxl_ivshmem.h"

STRUCTURES = {
    "qxl_ivshmem_display": QxlIvshmemDisplay,
    "qxl_ivshmem_header": QxlIvshmemHeader,
    "qxl_ivshmem_io_entry": QxlIvshmemIoEntry,
    "qxl_ivshmem_io_ring": QxlIvshmemIoRing,
    "qxl_ivshmem_vdi_ring": VDIPortRing,
    "qxl_ivshmem_vdi": VDIPortRam,
}
CONSTANTS = {
    "MAGIC": header.MAGIC,
    "VERSION_MAJOR": header.VERSION_MAJOR,
    "VERSION_MINOR": header.VERSION_MINOR,
    "HEADER_OFFSET": 0,
    "HEADER_WINDOW": header.HEADER_WINDOW,
    "MAX_DISPLAYS": header.MAX_DISPLAYS,
    "FEATURE_IO_RING": Feature.IO_RING,
    "FEATURE_VDI_PORT": Feature.VDI_PORT,
    "GUEST_DRIVER": GuestStatus.DRIVER,
    "IO_ENTRIES": header.IO_ENTRIES,
    "IO_OK": IoStatus.OK,
    "IO_EINVAL": IoStatus.EINVAL,
    "VDI_MAGIC": vdi_dev.VDI_PORT_MAGIC,
    "VDI_RING_SIZE": vdi_dev.VDI_PORT_RING_SIZE,
    "VDI_INTERRUPT": VDIPortInterrupt.PORT,
}
GUEST_ONLY = {"H", "IO_TIMEOUT_MS"}
"""The include guard, and how long a guest waits for us."""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """What the compiler says: "struct", "struct.field" and "CONSTANT" to numbers."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    assert compiler, "a C compiler is needed"
    rows = [(name, f"QXL_IVSHMEM_{name}") for name in CONSTANTS]
    for struct, table in STRUCTURES.items():
        rows.append((struct, f"sizeof(struct {struct})"))
        rows += [
            (f"{struct}.{row.name}", f"offsetof(struct {struct}, {row.name})")
            for row in table.FIELDS
        ]
    prints = "".join(
        f'printf("{name} %llu\\n", (unsigned long long)({expression}));\n'
        for name, expression in rows
    )
    folder = tmp_path_factory.mktemp("parity")
    source = folder / "layout.c"
    source.write_text(
        "#include <stddef.h>\n#include <stdio.h>\n"
        f'#include "{HEADER}"\nint main(void) {{ {prints} return 0; }}\n'
    )
    program = folder / "layout"
    subprocess.run([compiler, "-Wall", "-Werror", "-o", program, source], check=True)
    output = subprocess.run([program], check=True, capture_output=True, text=True)
    return {
        name: int(value) for name, value in map(str.split, output.stdout.splitlines())
    }


@pytest.mark.parametrize("struct", STRUCTURES)
def test_sizes_and_offsets_are_the_compilers(
    struct: str, compiled: dict[str, int]
) -> None:
    table = STRUCTURES[struct]
    assert compiled[struct] == table.SIZE
    for row in table.FIELDS:
        assert table.offset(row.name) == compiled[f"{struct}.{row.name}"], row.name


@pytest.mark.parametrize("name", CONSTANTS)
def test_constants_are_the_compilers(name: str, compiled: dict[str, int]) -> None:
    assert CONSTANTS[name] == compiled[name]


def test_no_field_and_no_constant_of_the_header_is_missing_here() -> None:
    text = HEADER.read_text()
    defined = set(re.findall(r"^#define QXL_IVSHMEM_(\w+)", text, re.MULTILINE))
    assert defined == set(CONSTANTS) | GUEST_ONLY
    for struct, table in STRUCTURES.items():
        found = re.search(
            rf"^struct {struct} {{\n(.*?)^}};", text, re.MULTILINE | re.DOTALL
        )
        assert found
        body = re.sub(r"/\*.*?\*/", "", found[1], flags=re.DOTALL)
        fields = re.findall(r"(\w+)(?:\[\w+\])?;", body)
        assert fields == [row.name for row in table.FIELDS]


def test_everything_fits_the_header_window() -> None:
    descriptors = header.MAX_DISPLAYS * QxlIvshmemDisplay.SIZE
    assert header.DESC_OFFSET % 8 == 0
    assert header.DESC_OFFSET + descriptors <= header.HEADER_WINDOW


def test_a_vdi_ring_is_a_ring_of_bytes_as_ipc_ring_has_them(tmp_path: Path) -> None:
    if not Path("/usr/include/spice-1/spice/ipc_ring.h").exists():
        pytest.skip("libspice-protocol-dev is not installed")
    checks = "".join(
        f"_Static_assert(offsetof(Field, {row.name}) =="
        f' offsetof(struct qxl_ivshmem_vdi_ring, {row.name}), "{row.name}");\n'
        for row in VDIPortRing.FIELDS
    )
    source = tmp_path / "ring.c"
    source.write_text(
        "#include <stddef.h>\n#include <spice/start-packed.h>\n"
        f'#include <spice/ipc_ring.h>\n#include "{HEADER}"\n'
        "SPICE_RING_DECLARE(Field, uint8_t, QXL_IVSHMEM_VDI_RING_SIZE);\n"
        "#include <spice/end-packed.h>\n"
        '_Static_assert(sizeof(Field) == sizeof(struct qxl_ivshmem_vdi_ring), "");\n'
        f"{checks}"
    )
    subprocess.run(
        ["gcc", "-Wall", "-I/usr/include/spice-1", "-fsyntax-only", source],
        check=True,
    )
