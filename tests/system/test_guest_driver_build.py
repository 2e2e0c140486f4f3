"""The guest driver: its structures are the protocol's, it compiles, its image is whole."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
DRIVER = ROOT / "guest_drivers" / "linux" / "qxl-ivshmem"
HEADERS = ROOT / "guest_drivers" / "include"
BUILD_IMAGE = ROOT / "guest_drivers" / "images" / "build_image.py"
PROTOCOL = Path("/usr/include/spice-1")

# struct of qxl_abi.h: its name in qxl_dev.h, and fields whose names differ.
STRUCTS = {
    "qxl_rom": ("QXLRom", {}),
    "qxl_mem_slot": ("QXLMemSlot", {}),
    "qxl_surface_create": ("QXLSurfaceCreate", {}),
    "qxl_command": ("QXLCommand", {}),
    "qxl_ram": ("QXLRam", {}),
    "qxl_data_chunk": ("QXLDataChunk", {}),
    "qxl_cursor_cmd": ("QXLCursorCmd", {}),
    "qxl_clip": ("QXLClip", {}),
    "qxl_q_mask": ("QXLQMask", {}),
    "qxl_copy": ("QXLCopy", {}),
    "qxl_drawable": ("QXLDrawable", {}),
    "qxl_image_descriptor": ("QXLImageDescriptor", {}),
    "qxl_bitmap": ("QXLBitmap", {}),
    "qxl_head": ("QXLHead", {}),
    "qxl_monitors_config": ("QXLMonitorsConfig", {}),
    "qxl_cursor": (
        "QXLCursor",
        {
            name: f"header.{name}"
            for name in (
                "unique",
                "type",
                "width",
                "height",
                "hot_spot_x",
                "hot_spot_y",
            )
        },
    ),
}
# Names of qxl_abi.h that the protocol has no constant for, or under another name.
OWN_NAMES = {"QXL_ABI_H", "QXL_MAX_CLIENT_HEADS", "QXL_CURSOR_DEVICE_DATA_SIZE"}


def fields_of(struct: str) -> list[str]:
    """The names of the members that *struct* of qxl_abi.h has."""
    text = (DRIVER / "qxl_abi.h").read_text()
    body = re.search(
        rf"^struct {struct} \{{\n(.*?)^\}}", text, re.DOTALL | re.MULTILINE
    )
    assert body, struct
    members = re.findall(r"^\t(?:[\w ]*\w |\} __attribute__\(\(packed\)\) )([\w\[\], ]+);",
                         body[1], re.MULTILINE)  # fmt: skip
    return [name.split("[")[0] for line in members for name in line.split(", ")]


def constants() -> list[str]:
    """The constants that qxl_abi.h shares with the protocol."""
    text = (DRIVER / "qxl_abi.h").read_text()
    names = re.findall(r"^(?:#define |\t)((?:QXL|SPICE)_\w+)(?=\s)", text, re.MULTILINE)
    return [name for name in names if name not in OWN_NAMES]


def run_c(folder: Path, body: str, include: str, *options: str) -> list[str]:
    """Compile and run a program that prints what *body* prints, line by line."""
    source = folder / "probe.c"
    source.write_text(
        "#include <stddef.h>\n#include <stdint.h>\n#include <stdio.h>\n"
        f"{include}\nint main(void)\n{{\n{body}\nreturn 0;\n}}\n"
    )
    program = folder / "probe"
    subprocess.run(["gcc", "-w", *options, "-o", program, source], check=True)
    return subprocess.run(
        [program], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.splitlines()


def print_layout(type_name: str, fields: list[tuple[str, str]]) -> str:
    lines = [f'printf("sizeof %zu\\n", sizeof({type_name}));']
    lines += [
        f'printf("{shown} %zu %zu\\n", offsetof({type_name}, {name}),'
        f" sizeof((({type_name} *)0)->{name}));"
        for shown, name in fields
    ]
    return "\n".join(lines)


@pytest.mark.skipif(not PROTOCOL.exists(), reason="no libspice-protocol-dev")
class TestStructures:
    def ours(self, folder: Path, body: str) -> list[str]:
        return run_c(folder, body, f'#include "{DRIVER}/qxl_abi.h"')

    def theirs(self, folder: Path, body: str) -> list[str]:
        include = "#include <spice/qxl_dev.h>\n#include <spice/enums.h>"
        return run_c(folder, body, include, f"-I{PROTOCOL}")

    @pytest.mark.parametrize("struct", STRUCTS)
    def test_layout_is_the_protocols(self, struct, tmp_path):
        name, renamed = STRUCTS[struct]
        fields = fields_of(struct)
        assert len(fields) > 1
        # A flexible member has no size.
        fields = [field for field in fields if field not in {"data", "heads"} or
                  struct in {"qxl_command", "qxl_bitmap", "qxl_clip"}]  # fmt: skip
        ours = print_layout(f"struct {struct}", [(f, f) for f in fields])
        theirs = print_layout(name, [(f, renamed.get(f, f)) for f in fields])
        assert self.ours(tmp_path, ours) == self.theirs(tmp_path, theirs)

    def test_constants_are_the_protocols(self, tmp_path):
        assert len(constants()) > 30
        body = "\n".join(
            f'printf("{name} %llu\\n", (unsigned long long){name});'
            for name in constants()
        )
        ours, theirs = self.ours(tmp_path, body), self.theirs(tmp_path, body)
        assert ours == theirs


def build_image(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(BUILD_IMAGE), *arguments],
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="session", params=["6.1", "6.12"])
def recipe(request):
    for program in ("apt-get", "dpkg", "make", "gcc-12"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program}")
    done = build_image("tiny", "--kernel", request.param, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class TestImage:
    def test_recipe_names_files_that_are_there(self, recipe):
        assert Path(recipe["kernel"]).read_bytes()[0x202:0x204] != b""
        assert Path(recipe["initrd"]).read_bytes()[:6] == b"070701"
        assert recipe["kernel"] in recipe["qemu_args"]
        assert recipe["initrd"] in recipe["qemu_args"]
        assert recipe["ready_marker"] == "QXLD-GUEST-READY"

    def test_built_once(self, recipe):
        version = ".".join(recipe["kernel_release"].split(".")[:2])
        again = build_image("tiny", "--kernel", version, "--json")
        assert json.loads(again.stdout) == recipe
        assert "building" not in again.stderr

    def test_driver_is_for_the_kernel_and_the_device(self, recipe):
        initrd = Path(recipe["initrd"]).read_bytes()
        assert f"vermagic={recipe['kernel_release']} SMP".encode() in initrd
        assert b"alias=pci:v00001AF4d00001110sv*sd*bc*sc*i*" in initrd

    def test_dkms_tree_compiles_without_warnings(self, recipe, tmp_path):
        make = ["make", "-s", "-C", str(DRIVER), "dkms-tree", f"DESTDIR={tmp_path}"]
        subprocess.run(make, check=True)
        (tree,) = (tmp_path / "usr/src").iterdir()
        assert (tree / "include/qxl_ivshmem.h").read_bytes() == (
            HEADERS / "qxl_ivshmem.h"
        ).read_bytes()
        config = (tree / "dkms.conf").read_text()
        assert f'PACKAGE_VERSION="{tree.name.removeprefix("qxl-ivshmem-")}"' in config
        cache = Path(recipe["kernel"]).parents[1]
        (headers,) = cache.glob(f"usr/src/linux-headers-{recipe['kernel_release']}")
        done = subprocess.run(
            ["make", "-C", str(tree), f"KDIR={headers}", "KCFLAGS=-Wextra", "W=1"],
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert (tree / "qxl_ivshmem.ko").exists()
        ours = [line for line in done.stderr.splitlines() if str(tree) in line]
        assert [line for line in ours if "warning:" in line] == []


class TestErrors:
    def test_unknown_guest_is_one_line(self):
        done = build_image("amiga")
        assert done.returncode == 2
        assert "invalid choice: 'amiga'" in done.stderr
        assert "Traceback" not in done.stderr
